package world

import (
	"net/http/httptest"

	"blogposter/lib/config"
	"blogposter/lib/editorial"
	"blogposter/scripts/modelserver/vector"
	"blogposter/scripts/rivals"
)

// lookBudget is what one look of a World's site may cost, in micro-dollars.
const lookBudget = 50_000

// vectors is the offline model's table of word vectors, or nil where make up
// has made none.
func vectors() (*vector.Table, error) {
	name := config.OS().Get("MODEL_VECTORS", "")
	if name == "" {
		return nil, nil
	}
	return vector.Open(name)
}

// watch starts the made-up competitors and has the site watch them. All are
// read directly: the World's reader serves the site's own sources.
func (w *World) watch(s *editorial.Site) {
	pages := rivals.Corpus()
	for _, site := range rivals.Sites() {
		r := rivals.New(site, pages)
		srv := httptest.NewServer(r)
		w.closers = append(w.closers, func() error { srv.Close(); return nil })
		w.Rivals = append(w.Rivals, r)
		s.Competitors = append(s.Competitors, editorial.Competitor{
			Name: site.Name, Kind: editorial.CompetitorKind(site.Kind), URL: srv.URL + site.List, Via: editorial.ViaDirect, Most: 200,
		})
	}
	s.Research = &editorial.Research{EveryMinutes: 360, Budget: lookBudget}
}
