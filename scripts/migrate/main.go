// Command migrate applies the migrations that are missing. It logs in as the
// owner (MIGRATE_DATABASE_URL), directly and not through a transaction pooler.
//
// Run by hand, by a deploy and by make demo. A second call does nothing.
package main

import (
	"context"
	"fmt"
	"os"

	"blogposter/lib/config"
	"blogposter/migrations"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "migrate:", err)
		os.Exit(1)
	}
}

func run() error {
	env := config.OS()
	url := env.Need("MIGRATE_DATABASE_URL", "Postgres URL of the schema's owner; `make up` writes one")
	if err := env.Err(); err != nil {
		return err
	}
	names, err := migrations.Up(context.Background(), url)
	for _, n := range names {
		fmt.Fprintln(os.Stdout, "applied", n)
	}
	if err == nil && len(names) == 0 {
		fmt.Fprintln(os.Stdout, "nothing to apply")
	}
	return err
}
