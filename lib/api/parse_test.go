package api

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/auth"
	"blogposter/lib/faas"
)

// listed is a query of one list of one site.
func listed(function, target, site string) *query {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	q := newQuery(r.WithContext(faas.WithActivation(r.Context(), faas.Call{Name: "/fn-7/api/" + function})))
	q.chosen = site
	return q
}

func TestCursor_comesBackAsItWentOut(t *testing.T) {
	t.Parallel()

	q := listed("runs", "/", "dogs")
	for _, id := range []int64{1, 63, 64, 1 << 40, math.MaxInt64} {
		got, ok := positionOf(q.cursor(id))
		require.True(t, ok, "%d", id)
		require.Equal(t, id, got)
	}
	for _, s := range []string{q.cursor(0), q.cursor(-1), "AQ", "Ag4", "!", "AQ4AAAAAAAAAAA"} {
		_, ok := positionOf(s)
		require.False(t, ok, s)
	}
}

func TestCursor_isAnotherForEachList(t *testing.T) {
	t.Parallel()

	here := listed("runs", "/?state=done", "dogs").cursor(7)
	require.Equal(t, here, listed("runs", "/?limit=3&state=done&site=dogs&cursor=x", "dogs").cursor(7), "the page's size, and naming the site, make no other list")
	for name, q := range map[string]*query{
		"another site":     listed("runs", "/?state=done", "cats"),
		"another resource": listed("reviews", "/?state=done", "dogs"),
		"another address":  listed("runs", "/x?state=done", "dogs"),
		"another filter":   listed("runs", "/?state=failed", "dogs"),
		"no filter":        listed("runs", "/", "dogs"),
	} {
		require.NotEqual(t, here, q.cursor(7), name)
	}
}

func FuzzQuery_cursorTakesOnlyWhatWasHandedOut(f *testing.F) {
	f.Add(listed("runs", "/", "dogs").cursor(7))
	f.Add(listed("runs", "/", "cats").cursor(7))
	f.Add("AYIA")
	p := auth.Principal{Sites: []string{"dogs"}}
	f.Fuzz(func(t *testing.T, s string) {
		q := listed("runs", "/?cursor="+url.QueryEscape(s), "")
		page := q.page()
		if _, err := q.site(p); err != nil || s == "" {
			return
		}
		require.Positive(t, page.After)
		require.Equal(t, s, q.cursor(page.After))
	})
}

func TestNamed_readsListsOfEntityTags(t *testing.T) {
	t.Parallel()

	const ours = `"a,b"`
	tests := map[string]struct {
		headers      []string
		weak, strong bool
	}{
		"it":                         {[]string{ours}, true, true},
		"one of several":             {[]string{`"x", "y" ,"a,b"`}, true, true},
		"in another header":          {[]string{`"x"`, ours}, true, true},
		"weakened on its way":        {[]string{`"x",W/"a,b"`}, true, false},
		"any":                        {[]string{" * "}, true, true},
		"none":                       {nil, false, false},
		"another":                    {[]string{`"a", "b"`}, false, false},
		"without its quotes":         {[]string{`a,b`}, false, false},
		"not closed":                 {[]string{`"a,b`}, false, false},
		"a mark alone":               {[]string{`W/`}, false, false},
		"behind what is no tag":      {[]string{`x, "a,b"`}, false, false},
		"a star among others is not": {[]string{`"x", *`}, false, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, tc.weak, named(tc.headers, ours, weakly))
			require.Equal(t, tc.strong, named(tc.headers, ours, strongly))
		})
	}
}

func TestShape_tellsTypesApartByTheirFields(t *testing.T) {
	t.Parallel()

	type part struct{ A int }
	type tree struct {
		Kids []tree
		Next *tree
	}
	same := shape(reflect.TypeFor[struct{ P []part }](), nil)
	require.Equal(t, same, shape(reflect.TypeFor[struct{ P []part }](), nil))
	require.NotEmpty(t, shape(reflect.TypeFor[tree](), nil))
	type other struct{ A, B int }
	for _, x := range []reflect.Type{
		reflect.TypeFor[struct{ P []other }](), reflect.TypeFor[struct{ Q []part }](), reflect.TypeFor[struct{ P part }](),
		reflect.TypeFor[struct {
			P []part `json:"p"`
		}](), reflect.TypeFor[struct{ P map[string]part }](),
	} {
		require.NotEqual(t, same, shape(x, nil))
	}
}

func TestReader_keyIsAnotherForAnotherShape(t *testing.T) {
	t.Parallel()

	r := httptest.NewRequest(http.MethodGet, "/", nil)
	rd := reader{site: "dogs"}
	key := func(t reflect.Type) string { return rd.key(r, newQuery(r), "1", t) }
	kept := key(reflect.TypeFor[struct{ A int }]())
	require.Equal(t, kept, key(reflect.TypeFor[struct{ A int }]()))
	require.NotEqual(t, kept, key(reflect.TypeFor[struct{ B int }]()), "what another release keeps is not taken")
}

func TestRetryAfter_isWholeSecondsAndNeverNone(t *testing.T) {
	t.Parallel()

	for wait, want := range map[time.Duration]string{0: "1", -time.Hour: "1", time.Second: "1", 1001 * time.Millisecond: "2", 90 * time.Second: "90"} {
		require.Equal(t, want, retryAfter(wait))
	}
}

func FuzzDecodeObject_takesOnlyOneWholeObject(f *testing.F) {
	for _, body := range []string{`{"topic":"Dogs","urls":["x"]}`, `{"topic":null}`, `{"a":{"b":[1]}}`, `{"topic":"x"}}`, `[`, `{"topic":1`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var o order
		if decodeObject(body, &o) != nil {
			return
		}
		var plain map[string]any
		require.NoError(t, json.Unmarshal(body, &plain), "what is taken is JSON, to its end")
		for name := range plain {
			require.Contains(t, []string{"site", "topic", "url", "urls", "max_cost", "publish", "publish_at"}, name)
		}
	})
}
