package crawl_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/crawl"
)

// page reads a captured page as the reader sends it.
func page(t *testing.T, name string) crawl.Page {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", name+".md"))
	require.NoError(t, err)
	p, err := serve(t, answer(http.StatusOK, string(body), "Content-Type", "text/plain")).Fetch(t.Context(), "https://a.example/")
	require.NoError(t, err)
	p.URL = p.Final
	return p
}

func TestWorthless_judgesRealPages(t *testing.T) {
	t.Parallel()

	for _, name := range []string{"ada-service-animals-2010", "cfr-35-136", "doj-guidance", "title-ii-primer"} {
		require.Empty(t, crawl.Worthless(page(t, name)), name)
	}
	gone := page(t, "ada-2010-revised")
	require.Equal(t, "The site answered with an error (404: Not Found): what came back is its error page, not the page you named.", crawl.Worthless(gone))
	gone.Warning = "" // a site may send its error page with status 200
	require.Equal(t, `The site answered with an error page instead of the page you named; its title is "Page not found".`, crawl.Worthless(gone))
}

const sentence = "A service dog is a dog that is trained to do work for one person with a disability. "

func TestWorthless_saysWhy(t *testing.T) {
	t.Parallel()

	article := strings.Repeat(sentence, 12) // 192 words
	about404 := "What it means\n\n404 Not Found\n\nA browser shows this line when the page you requested doesn’t exist any more. " + article
	tests := map[string]struct {
		page crawl.Page
		want string // "" for a page that may be cited
	}{
		"an article":                           {crawl.Page{Title: "Dogs", Text: article}, ""},
		"an article about missing pages":       {crawl.Page{Title: "What “404 Not Found” means, and what to do", Text: about404}, ""},
		"a long one that is called 404":        {crawl.Page{Title: "404 Not Found", Text: about404 + strings.Repeat(sentence, 20)}, ""},
		"an article about captchas":            {crawl.Page{Title: "How a CAPTCHA works", Text: "A captcha asks whether a person is there. " + article}, ""},
		"a harmless warning":                   {crawl.Page{Title: "Dogs", Text: article, Warning: "This is a cached snapshot of the original page"}, ""},
		"an empty page":                        {crawl.Page{Title: "Dogs"}, "The page is empty"},
		"a teaser":                             {crawl.Page{Title: "Dogs", Text: sentence + "\n\nHome\nAbout\nContact"}, "too little text to cite: 18 words"},
		"a menu is no prose":                   {crawl.Page{Title: "Dogs", Text: strings.Repeat("Our services\n", 100)}, "too little text to cite: 0 words"},
		"an error the reader saw":              {crawl.Page{Title: "Dogs", Text: article, Warning: "Target URL returned error 503: Service Unavailable"}, "(503: Service Unavailable)"},
		"a redirect the reader saw":            {crawl.Page{Title: "Dogs", Text: article, Warning: "Target URL returned error 301"}, ""},
		"a short 404 page":                     {crawl.Page{Title: "404 - City of Harborview", Text: "Sorry, the page you are looking for cannot be found."}, `its title is "404 - City of Harborview"`},
		"a 404 page without a title":           {crawl.Page{Text: "Page not found\n\nThe page you requested has been moved."}, "instead of the page you named."},
		"a long 404 page":                      {crawl.Page{Title: "Page Not Found | City", Text: "Page not found\n\n" + article}, "error page instead of the page"},
		"a closed door":                        {crawl.Page{Title: "Access Denied", Text: "You don't have permission to access this page on this server."}, "error page"},
		"a robot check":                        {crawl.Page{Title: "Just a moment...", Text: "Checking your browser before you go on. Enable JavaScript and cookies to continue"}, "proof that a person"},
		"a robot check with the reader's word": {crawl.Page{Title: "city.example", Warning: "This page maybe requiring CAPTCHA", Text: "One more step."}, "proof that a person"},
		"binary data":                          {crawl.Page{Title: "x.bin", Text: article + strings.Repeat("\uFFFDab", 30)}, "damaged or binary"},
		"encoded data":                         {crawl.Page{Title: "x", Text: article + strings.Repeat("QUJD", 300)}, "encoded data"},
		"another site":                         {crawl.Page{URL: "https://city.example/dogs", Final: "https://parked.example/", Text: article}, "city.example was asked for, and the text came from parked.example"},
		"the front page":                       {crawl.Page{URL: "https://city.example/dogs", Final: "https://city.example/", Text: article}, "front page of city.example"},
		"the same site by another name":        {crawl.Page{URL: "http://city.example/dogs", Final: "https://www.City.example/dogs/", Text: article}, ""},
		"a text without spaces":                {crawl.Page{Title: "犬", Text: strings.Repeat("補助犬は障害のある人のために訓練された犬です。", 30)}, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got := crawl.Worthless(tc.page)
			if tc.want == "" {
				require.Empty(t, got)
				return
			}
			require.Contains(t, got, tc.want)
		})
	}
}
