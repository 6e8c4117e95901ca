// Command publish is the function pipeline/publish: it puts approved Drafts on
// their sites, once each, and as they were approved.
//
// Woken by the decision of a reviewer and by scheduled/tick. A second call is
// safe: each Run is leased once, and the site is asked what it has before
// anything is sent.
package main

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"blogposter/lib/cms"
	"blogposter/lib/config"
	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/journal"
	"blogposter/lib/pipeline"
	"blogposter/lib/seal"
	"blogposter/lib/stage/publish"
	"blogposter/lib/station"
)

// patience is the longest one call to a site may take; it must fit into a lease.
const patience = 30 * time.Second

func main() {
	env := config.OS()
	s := station.Open(env)
	keys, badKeys := seal.Parse(env.Need(seal.Variable, seal.How))
	s.Ready(badKeys)

	vault := seal.NewVault(keys, s.Store)
	open := func(ctx context.Context, site editorial.Site) (publish.Blog, error) {
		base, err := url.Parse(site.CMS.URL)
		if err != nil {
			return nil, fault.NeedsHuman(err)
		}
		password, err := vault.Open(ctx, site, editorial.CredentialPassword)
		if err != nil {
			return nil, err
		}
		return cms.New(base, site.CMS.User, password, &http.Client{Timeout: patience}), nil
	}
	s.Serve(pipeline.StagePublish, publish.New(s.Store, journal.New(s.Store), open, patience, time.Now))
}
