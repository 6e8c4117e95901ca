package main

import (
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"blogposter/lib/artifact"
	"blogposter/lib/editorial"
	"blogposter/lib/evidence"
	"blogposter/lib/ledger"
	"blogposter/lib/view"
)

// report reads the article back as any reader would, checks its evidence
// without the pipeline's help, and prints what there is to know.
func (j job) report(ctx context.Context, c client, site editorial.Site, d view.Detail, took time.Duration) error {
	if d.Publication == nil || d.Publication.URL == "" {
		return fmt.Errorf("run %d is done but has no address", d.ID)
	}
	page, err := j.page(ctx, d.Publication.URL)
	if err != nil {
		return err
	}
	r, err := c.review(ctx, site.Slug, d.ID)
	if err != nil {
		return err
	}
	if !strings.Contains(page, fold(r.Title)) {
		return fmt.Errorf("%s does not show the title %q", d.Publication.URL, r.Title)
	}
	tally, err := j.check(ctx, r.Claims)
	if err != nil {
		return err
	}
	fmt.Fprintf(j.out, "\n  article   %s\n            %q\n", d.Publication.URL, r.Title)
	fmt.Fprintf(j.out, "  evidence  %d claims (%d legal), %d quotes from %d pages, each found at its byte range in the stored page\n",
		len(r.Claims), tally.legal, tally.quotes, len(tally.pages))
	for i, s := range tally.samples {
		fmt.Fprintf(j.out, "            %d. %q\n               %s, bytes %d-%d of %.12s\n", i+1, s.Quote, s.URL, s.Start, s.End, s.TextHash)
	}
	for _, s := range d.Sources {
		if s.Refused != "" {
			fmt.Fprintf(j.out, "            not cited: %s: %s\n", s.URL, s.Refused)
		}
	}
	fmt.Fprintf(j.out, "  time      %.1f s from the request to the page online\n", took.Seconds())
	fmt.Fprintf(j.out, "  cost      %s of %s for models and reader", ledger.Micros(d.Cost.Spent), ledger.Micros(d.Cost.Limit))
	if j.settings.offline() {
		fmt.Fprint(j.out, " (list prices of the real models; offline nothing was paid)")
	}
	fmt.Fprintf(j.out, "\n  desk      api http://%s/api/v1/web/local/api/runs/%d, logs %s\n", platformAddress, d.ID, j.state)
	return nil
}

// tally sums up what check has seen.
type tally struct {
	legal, quotes int
	pages         map[string]bool
	samples       []editorial.Citation
}

// check proves every citation against the stored page alone.
func (j job) check(ctx context.Context, claims []editorial.Claim) (tally, error) {
	blobs, err := artifact.New(artifact.Config{
		Endpoint: j.settings["S3_ENDPOINT"], Region: j.settings["S3_REGION"], Bucket: j.settings["S3_BUCKET"],
		AccessKey: j.settings["S3_ACCESS_KEY"], SecretKey: j.settings["S3_SECRET_KEY"], HTTP: j.http,
	})
	if err != nil {
		return tally{}, err
	}
	t, texts := tally{pages: map[string]bool{}}, map[string][]byte{}
	for _, claim := range claims {
		if claim.Legal {
			t.legal++
		}
		for _, cited := range claim.Citations {
			if texts[cited.TextHash] == nil {
				if texts[cited.TextHash], err = blobs.Get(ctx, cited.TextHash); err != nil {
					return t, err
				}
			}
			if err := evidence.Verify(texts[cited.TextHash], cited); err != nil {
				return t, fmt.Errorf("claim %d: %w", claim.N, err)
			}
			t.quotes++
			if !t.pages[cited.URL] && len(t.samples) < 3 {
				t.samples = append(t.samples, cited)
			}
			t.pages[cited.URL] = true
		}
	}
	return t, nil
}

// page fetches the article without any credentials, as folded text.
func (j job) page(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := j.http.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answers %d", url, resp.StatusCode)
	}
	return fold(html.UnescapeString(string(raw))), nil
}

var typography = strings.NewReplacer("“", `"`, "”", `"`, "‘", "'", "’", "'", "–", "-", "—", "-", "…", "...")

var space = regexp.MustCompile(`\s+`)

// fold undoes what WordPress does to text when it shows it.
func fold(s string) string { return space.ReplaceAllString(typography.Replace(s), " ") }
