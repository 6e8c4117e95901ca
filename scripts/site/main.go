// Command site imports a site file into the database, or makes an API key:
//
//	site -file site.yml
//	site -key editor -site my-site -name "newsroom script"
//
// It logs in as the owner (MIGRATE_DATABASE_URL). Importing twice is harmless;
// every new key is another key.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"blogposter/lib/auth"
	"blogposter/lib/config"
	"blogposter/scripts/site/sitefile"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "site:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	file := flag.String("file", "", "site file (YAML) to import")
	role := flag.String("key", "", "make an API key with this role: viewer, editor, reviewer or admin")
	slug := flag.String("site", "", "with -key: the site's slug")
	name := flag.String("name", "", "with -key: who will hold it")
	flag.Parse()
	env := config.OS()
	owner := env.Need("MIGRATE_DATABASE_URL", "Postgres URL of the schema's owner; `make up` writes one")
	if err := env.Err(); err != nil {
		return err
	}
	switch {
	case *file != "":
		raw, err := os.ReadFile(filepath.Clean(*file))
		if err != nil {
			return err
		}
		s, err := sitefile.Parse(raw)
		if err != nil {
			return fmt.Errorf("%s:\n%w", *file, err)
		}
		return sitefile.Import(ctx, owner, s)
	case *role != "" && *slug != "" && *name != "":
		if !auth.Role(*role).Valid() {
			return fmt.Errorf("-key %q: use viewer, editor, reviewer or admin", *role)
		}
		key, hash := auth.NewKey()
		if err := sitefile.AddKey(ctx, owner, *slug, *name, *role, hash); err != nil {
			return err
		}
		fmt.Fprintln(os.Stdout, key)
		return nil
	}
	return errors.New("say -file FILE, or -key ROLE -site SLUG -name NAME")
}
