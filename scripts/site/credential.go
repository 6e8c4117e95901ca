package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"blogposter/lib/editorial"
	"blogposter/scripts/site/sitefile"
)

const mostSecret = 10_000

func setCredential(ctx context.Context, t *tool) error {
	site := t.flags.String("site", "", "slug of the site")
	name := t.flags.String("name", editorial.CredentialPassword, "which credential")
	from := t.flags.String("from", "", "variable that holds the value (default: standard input)")
	if err := t.none(); err != nil {
		return err
	}
	if *site == "" {
		return errors.New("-site is missing: the slug of the site the credential opens")
	}
	url, keys, err := t.sealing()
	if err != nil {
		return err
	}
	secret, err := t.secret(*from)
	if err != nil {
		return err
	}
	changed, err := sitefile.SetCredential(ctx, url, keys, *site, *name, secret)
	if err != nil {
		return err
	}
	if !changed {
		t.say("%s of %s is what it was", *name, *site)
		return nil
	}
	t.say("%s of %s is set, sealed with key %q", *name, *site, keys.First())
	return nil
}

func (t *tool) secret(from string) (string, error) {
	if from != "" {
		return t.env.Need(from, "put the credential there"), t.env.Err()
	}
	raw, err := io.ReadAll(io.LimitReader(t.in, mostSecret+1))
	secret := strings.TrimSpace(string(raw))
	switch {
	case err != nil:
		return "", err
	case len(raw) > mostSecret:
		return "", fmt.Errorf("standard input has over %d bytes: send the credential alone", mostSecret)
	case secret == "":
		return "", errors.New("standard input is empty: send the credential there, or name its variable with -from")
	}
	return secret, nil
}

func listCredentials(ctx context.Context, t *tool) error {
	site := t.flags.String("site", "", "slug of a site (default: all)")
	if err := t.none(); err != nil {
		return err
	}
	url, err := t.owner()
	if err != nil {
		return err
	}
	found, err := sitefile.Credentials(ctx, url, *site)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SITE\tCREDENTIAL\tKEY\tSET")
	for _, c := range found {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", c.Site, c.Name, c.KeyID, c.SetAt.Format(time.DateOnly))
	}
	return w.Flush()
}

func rotate(ctx context.Context, t *tool) error {
	if err := t.none(); err != nil {
		return err
	}
	url, keys, err := t.sealing()
	if err != nil {
		return err
	}
	n, err := sitefile.Rotate(ctx, url, keys)
	if err != nil {
		return err
	}
	t.say("%d credentials were sealed anew; all are sealed with key %q now, and the other keys can go", n, keys.First())
	return nil
}
