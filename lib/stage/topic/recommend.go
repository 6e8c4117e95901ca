package topic

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"blogposter/lib/editorial"
	"blogposter/lib/evidence"
	"blogposter/lib/fault"
	"blogposter/lib/nearness"
)

const (
	mostTopics = 100 // that are kept of a pass, the best ones
	mostListed = 30  // pages of a Topic that are listed, the most central ones
	// leastWanted is how many recommendations a site should have.
	leastWanted = 5
)

// recommend scores what the competitors write on, and saves it.
func (j *job) recommend(ctx context.Context) error {
	calibration, err := nearness.Calibrated(j.model)
	if err != nil {
		return fault.NeedsHuman(err)
	}
	bans, err := evidence.NewBans(j.site.Rules.Forbidden)
	if err != nil {
		return fault.NeedsHuman(err)
	}
	c := corpus{calibration: calibration}
	if c.all, err = j.pages(ctx); err != nil {
		return err
	}
	own, err := j.rooms.Store.OwnArticles(ctx, j.lease)
	if err != nil {
		return err
	}
	mine, err := j.place(ctx, &c, own)
	if err != nil {
		return err
	}
	topics, err := j.topics(c, mine, newTitles(bans, c.subjects))
	if err != nil {
		return err
	}
	known, err := j.rooms.Store.KnownTopics(ctx, j.lease)
	if err != nil {
		return err
	}
	topics = settle(topics, known)
	j.report(c, topics, known)
	return j.rooms.Store.SaveTopics(ctx, j.lease, topics)
}

// place gets all vectors that a pass needs, and groups the pages by subject.
// Without a page nothing is asked of anyone.
func (j *job) place(ctx context.Context, c *corpus, own []editorial.Article) (*home, error) {
	if len(c.all) == 0 {
		return nil, nil
	}
	profile, articles := said(profileOf(j.site)), make([]text, len(own))
	wanted := []text{profile}
	for i, a := range own {
		articles[i] = said(a.Text())
	}
	wanted = append(wanted, articles...)
	var passages []text
	if c.calibration.Centered {
		for _, p := range nearness.Passages() {
			passages = append(passages, said(p))
		}
	}
	wanted = append(wanted, passages...)
	for _, p := range c.all {
		wanted = append(wanted, j.stored(p.TextHash))
	}
	vectors, err := j.vectors(ctx, wanted)
	if err != nil {
		return nil, err
	}
	var pages []page
	for _, p := range c.all {
		if v, ok := vectors[p.TextHash]; ok {
			p.vector = v
			pages = append(pages, p)
		}
	}
	if lost := len(c.all) - len(pages); lost > 0 {
		j.note("%s left out: the text is empty or was lost", count(lost, "page"))
	}
	for _, p := range passages {
		c.passages = append(c.passages, vectors[p.hash])
	}
	if c.all = pages; len(pages) == 0 {
		return nil, nil
	}
	if err := c.group(); err != nil {
		return nil, err
	}
	h := home{site: j.site, limits: c.calibration, now: j.rooms.Now()}
	for i, a := range own {
		if v, ok := vectors[articles[i].hash]; ok {
			h.articles, h.vectors = append(h.articles, a), append(h.vectors, v)
		}
	}
	return &h, h.place(c, vectors[profile.hash])
}

// topics makes a Topic of each subject that has a name, the best score first.
func (j *job) topics(c corpus, mine *home, names *titles) ([]editorial.Topic, error) {
	scale := scaleOf(c, j.rooms.Now())
	var out []editorial.Topic
	unnamed := 0
	for _, s := range c.subjects {
		title, keyphrase, ok := names.name(s)
		if !ok {
			unnamed++
			continue
		}
		relevance, err := mine.relevance(s)
		if err != nil {
			return nil, err
		}
		t := editorial.Topic{Key: normal(title), Title: title, Keyphrase: keyphrase, Model: j.model, Terms: s.terms(scale, relevance)}
		t.Score, t.KnownWeight = score(t.Terms)
		if err := mine.compare(s, &t); err != nil {
			return nil, err
		}
		t.Why = s.why(t, scale, c.calibration)
		for _, p := range s.pages[:min(mostListed, len(s.pages))] {
			t.Pages = append(t.Pages, editorial.TopicPage{
				ID: p.ID, URL: p.URL, Title: p.Title, Competitor: p.competitor, PublishedAt: p.date(scale.now), Near: len(p.also),
			})
		}
		out = append(out, t)
	}
	if unnamed > 0 {
		j.note("%s left out: no page has a title that can be used", count(unnamed, "subject"))
	}
	slices.SortStableFunc(out, func(a, b editorial.Topic) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Key, b.Key))
	})
	return out, nil
}

// why is the one sentence that an editor reads first.
func (s subject) why(t editorial.Topic, by scale, c nearness.Calibration) string {
	who := s.competitors()
	write := "write"
	if who == 1 {
		write = "writes"
	}
	said := fmt.Sprintf("%d of %s %s about it, on %s", who, count(by.rivals, "competitor"), write, count(len(s.pages), "page"))
	if newest := s.newest(by.now); newest != nil {
		said += fmt.Sprintf(", the newest %s old", count(days(max(0, by.now.Sub(*newest))), "day"))
	}
	switch {
	case t.Similarity == nil:
		return said + "; the site has no article yet."
	case t.Kind == editorial.TopicGap:
		return said + fmt.Sprintf("; the site has nothing near it (%.2f, and from %.2f on it would).", *t.Similarity, c.Gap)
	case t.Kind == editorial.TopicDuplicate:
		return said + fmt.Sprintf("; the site has this already (%.2f): %s.", *t.Similarity, t.NearestURL)
	}
	return said + fmt.Sprintf("; the site has something near it (%.2f, the same from %.2f on), so it wants another angle: %s.", *t.Similarity, c.Duplicate, t.NearestURL)
}
