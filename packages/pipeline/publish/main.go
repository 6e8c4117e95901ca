// Command publish is the function pipeline/publish: it puts approved Drafts on
// their sites, once each, and as they were approved, as new articles or in the
// place of one; and it takes articles back.
//
// Woken by the decision of a reviewer, by who retracts, and by scheduled/tick. A second call is
// safe: each Run is leased once, and the site is asked what it has before
// anything is sent.
package main

import (
	"context"
	"net/http"
	"time"

	"blogposter/lib/artifact"
	"blogposter/lib/cms"
	"blogposter/lib/config"
	"blogposter/lib/editorial"
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
	blobs, badBucket := artifact.New(artifact.FromEnv(env))
	s.Ready(badKeys, badBucket)

	vault := seal.NewVault(keys, s.Store)
	open := func(ctx context.Context, site editorial.Site) (publish.Blog, error) {
		password, err := vault.Open(ctx, site, editorial.CredentialPassword)
		if err != nil {
			return nil, err
		}
		return cms.Open(site.CMS, password, &http.Client{Timeout: patience})
	}
	s.Serve(pipeline.StagePublish, publish.New(s.Store, blobs, journal.New(s.Store), open, patience, time.Now))
}
