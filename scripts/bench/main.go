// Command bench prints what the main job costs: size and start of every
// function beside a hello-world's, and milliseconds and SQL statements of each
// stage, counted at the wire, with a model that adds no waiting.
//
// Called by make bench, with the stack's addresses in the environment. Its
// articles are deleted from WordPress again.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"time"

	"blogposter/lib/cms"
	"blogposter/scripts/world"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the frame runs in this process
	w, err := world.Open(ctx, world.Config{Root: "."})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	b, closeBench, err := open(ctx, w, os.Stdout)
	if err != nil {
		return err
	}
	defer closeBench()
	if err := binaries(os.Stdout, b.env); err != nil {
		return err
	}
	if err := b.frame(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tidy(ctx, w)) }()
	return b.stages(ctx)
}

// tidy deletes the articles of this world from WordPress.
func tidy(ctx context.Context, w *world.World) error {
	base, err := url.Parse(w.Settings["WP_URL"])
	if err != nil {
		return err
	}
	blog := cms.New(base, w.Settings["WP_USER"], w.Settings["WP_APP_PASSWORD"], &http.Client{Timeout: 30 * time.Second})
	rows, err := w.DB.Owner.Query(ctx, `SELECT post_id FROM blogposter.publications WHERE post_id IS NOT NULL`)
	if err != nil {
		return err
	}
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return err
		}
		ids = append(ids, id)
	}
	errs := []error{rows.Err()}
	for _, id := range ids {
		errs = append(errs, blog.Delete(ctx, id))
	}
	return errors.Join(errs...)
}
