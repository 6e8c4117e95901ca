package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"blogposter/lib/auth"
	"blogposter/scripts/site/sitefile"
)

const mostDays = 3650

func addKey(ctx context.Context, t *tool) error {
	site := t.flags.String("site", "", "slug of the site the key is for")
	name := t.flags.String("name", "", "who will hold it")
	role := t.flags.String("role", string(auth.RoleEditor), "viewer, editor, reviewer or admin")
	days := t.flags.Int("days", 0, "days until it expires (default: never)")
	if err := t.none(); err != nil {
		return err
	}
	var errs []error
	if *site == "" {
		errs = append(errs, errors.New("-site is missing: the slug of the site the key is for"))
	}
	if *name == "" {
		errs = append(errs, errors.New("-name is missing: who will hold the key"))
	}
	if !auth.Role(*role).Valid() {
		errs = append(errs, fmt.Errorf("-role %q: use viewer, editor, reviewer or admin", *role))
	}
	if *days < 0 || *days > mostDays {
		errs = append(errs, fmt.Errorf("-days %d: use from 1 to %d, or leave it out", *days, mostDays))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	url, err := t.owner()
	if err != nil {
		return err
	}
	var expires time.Time
	if *days > 0 {
		expires = time.Now().AddDate(0, 0, *days)
	}
	key, hash := auth.NewKey()
	if _, err := sitefile.AddKey(ctx, url, *site, *name, *role, hash, expires); err != nil {
		return err
	}
	t.say("%s", key) // alone, for KEY=$(site key add …)
	return nil
}

func listKeys(ctx context.Context, t *tool) error {
	site := t.flags.String("site", "", "slug of a site (default: all)")
	if err := t.none(); err != nil {
		return err
	}
	url, err := t.owner()
	if err != nil {
		return err
	}
	keys, err := sitefile.Keys(ctx, url, *site)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tSITE\tROLE\tSTATE\tSINCE\tHOLDER")
	for _, k := range keys {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Site, k.Role, k.State(time.Now()), k.CreatedAt.Format(time.DateOnly), k.Name)
	}
	return w.Flush()
}

func revokeKey(ctx context.Context, t *tool) error {
	site := t.flags.String("site", "", "slug of the key's site")
	id := t.flags.Int64("id", 0, "the key's id, as key list shows it")
	if err := t.none(); err != nil {
		return err
	}
	if *site == "" || *id < 1 {
		return errors.New("name the key: -site SLUG -id ID, as `site key list` shows them")
	}
	url, err := t.owner()
	if err != nil {
		return err
	}
	if err := sitefile.RevokeKey(ctx, url, *site, *id); err != nil {
		return err
	}
	t.say("key %d of %s is revoked", *id, *site)
	return nil
}
