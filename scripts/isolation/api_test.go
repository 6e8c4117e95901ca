package isolation_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/api/apitest"
	"blogposter/lib/auth"
	"blogposter/lib/cache/cachetest"
	"blogposter/lib/store/storetest"
)

// writes has, for each route that changes something, bodies that are in order
// for their own site and name what is another's. {{word}} is the other site's
// word, {{id}} one of its ids, {{digest}} that of a draft it waits with. A
// route that is not on the list fails the test.
var writes = map[string][]string{
	"POST /runs": {
		`{"site": "{{word}}", "topic": "A topic of theirs"}`,
		`{"topic": "A topic of ours", "urls": ["https://{{word}}-law.example/1"]}`,
		`{"url": "https://{{word}}-law.example/a-page"}`,
		`{"topic_id": {{id}}}`,
		`{"topic": "A topic of ours", "article": {{id}}}`,
	},
	"POST /articles/{id}/retract": {`{"reason": "We do not like it."}`, `{"site": "{{word}}", "reason": "We do not like it.", "restore": true}`},
	"POST /research":              {`{"site": "{{word}}"}`},
	"POST /topics/{id}/dismiss":   {`{}`, `{"site": "{{word}}"}`},
	"POST /reviews/{run}/decision": {
		`{"verb": "approve", "digest": "{{digest}}"}`,
		`{"site": "{{word}}", "verb": "reject", "digest": "{{digest}}"}`,
	},
}

// attempt is one test's world and what of it may not be seen.
type attempt struct {
	*testing.T
	world     *apitest.World
	functions map[string]http.Handler
	theirIDs  []int64
}

func newAttempt(t *testing.T) attempt {
	t.Helper()
	w := apitest.New(t, storetest.NewPooled(t), apitest.Word("ours"), apitest.Word("theirs"))
	w.Cache = cachetest.New(t)
	return attempt{T: t, world: w, functions: w.Handlers(t), theirIDs: ids(t, w.DB, w.Theirs.ID)}
}

func (a attempt) send(q apitest.Request) *httptest.ResponseRecorder {
	a.Helper()
	return apitest.Send(a.functions, q)
}

// unseen asserts that an answer has nothing of theirs in it.
func (a attempt) unseen(q apitest.Request, w *httptest.ResponseRecorder) {
	a.Helper()
	require.NotContains(a, w.Body.String(), a.world.Theirs.Word, "%s %s answers with what is theirs", q.Method, q.Path)
	require.NotContains(a, w.Body.String(), `"`+a.world.Theirs.Cost, "%s %s answers with their costs", q.Method, q.Path)
	for name, values := range w.Header() {
		require.NotContains(a, strings.Join(values, " "), a.world.Theirs.Word, "%s of %s %s", name, q.Method, q.Path)
	}
}

var wildcard = regexp.MustCompile(`\{[a-z_]+\}`)

// paths are a route's, with everything of theirs in the place of its id.
func (a attempt) paths(r apitest.Route) []string {
	path := "/" + r.Function + r.Path
	if !wildcard.MatchString(path) {
		return []string{path}
	}
	all := []string{wildcard.ReplaceAllString(path, a.world.Theirs.Word)}
	for _, id := range a.theirIDs {
		all = append(all, wildcard.ReplaceAllString(path, strconv.FormatInt(id, 10)))
	}
	return all
}

// theirView reads every route as they do: each must show something of theirs,
// or there is nothing to be hidden. It leaves the cache warm, and returns the
// entity tags and the lists' cursors.
func (a attempt) theirView() (tags, cursors map[string]string) {
	a.Helper()
	tags, cursors = map[string]string{}, map[string]string{}
	costs := false
	for _, r := range apitest.Routes(a.functions) {
		if r.Method != http.MethodGet || r.Role == "" {
			continue
		}
		shown := 0
		for _, path := range a.paths(r) {
			for _, role := range apitest.Roles {
				w := a.send(apitest.Request{Method: r.Method, Path: path, Token: a.world.Theirs.Keys[role]})
				if w.Code != http.StatusOK {
					continue
				}
				if strings.Contains(w.Body.String(), a.world.Theirs.Word) {
					shown++
				}
				costs = costs || strings.Contains(w.Body.String(), `"`+a.world.Theirs.Cost)
				tags[path] = w.Header().Get("ETag")
			}
		}
		require.Positive(a, shown, "%s shows them nothing of their own: this test would see no leak", r)
		if strings.Contains(r.Path, "{") {
			continue
		}
		w := a.send(apitest.Request{Method: r.Method, Path: "/" + r.Function + r.Path + "?limit=1", Token: a.world.Theirs.Keys[auth.RoleAdmin]})
		var page struct {
			Next string `json:"next_cursor"`
		}
		if w.Code == http.StatusOK && json.Unmarshal(w.Body.Bytes(), &page) == nil && page.Next != "" {
			cursors["/"+r.Function+r.Path] = page.Next
		}
	}
	require.True(a, costs, "their costs are shown nowhere")
	return tags, cursors
}

// token is one of our site's people's and programs', with the query that it
// needs to name the site with, and its role.
type token struct {
	role       auth.Role
	text, name string
}

func (a attempt) ours() []token {
	a.Helper()
	var all []token
	for _, role := range apitest.Roles {
		all = append(
			all, token{role: role, text: a.world.Ours.Keys[role]},
			token{role: role, text: apitest.Token(a, role, a.world.Ours.Word)},
			// One who works on both sees, under our name, only what is ours.
			token{role: role, text: apitest.Token(a, role, a.world.Ours.Word, a.world.Theirs.Word), name: "site=" + a.world.Ours.Word},
		)
	}
	return all
}

func TestAPI_readsNothingOfAnotherSite(t *testing.T) {
	t.Parallel()

	a := newAttempt(t)
	before := rows(t, a.world.DB, a.world.Theirs.ID)
	for range 2 { // with the cache cold for us, then warm
		tags, cursors := a.theirView()
		require.NotEmpty(t, cursors)
		for _, r := range apitest.Routes(a.functions) {
			if r.Method != http.MethodGet || r.Role == "" {
				continue
			}
			for _, k := range a.ours() {
				if r.Function == "sites" && k.name != "" {
					continue // to who works on both sites, both are shown there
				}
				a.readAs(r, k, tags)
				a.pageAs(r, k, cursors)
			}
		}
	}
	require.Equal(t, before, rows(t, a.world.DB, a.world.Theirs.ID))
}

// readAs asks one route for everything of theirs.
func (a attempt) readAs(r apitest.Route, k token, tags map[string]string) {
	a.Helper()
	for _, path := range a.paths(r) {
		for _, header := range []map[string]string{nil, {"If-None-Match": tags[path]}, {"X-Site": a.world.Theirs.Word}} {
			q := apitest.Request{Method: r.Method, Path: path + "?" + k.name, Token: k.text, Header: header}
			w := a.send(q)
			a.unseen(q, w)
			switch {
			case rankOf(k.role) < rankOf(r.Role):
				require.Equal(a, http.StatusForbidden, w.Code, "%s as %s", q.Path, k.role)
			case strings.Contains(r.Path, "{"):
				require.Equal(a, http.StatusNotFound, w.Code, "%s as %s", q.Path, k.role)
			default:
				require.Equal(a, http.StatusOK, w.Code, "%s as %s: %s", q.Path, k.role, w.Body)
				require.Contains(a, w.Body.String(), a.world.Ours.Word, q.Path)
			}
		}
		if k.name == "" {
			q := apitest.Request{Method: r.Method, Path: path + "?site=" + a.world.Theirs.Word, Token: k.text}
			w := a.send(q)
			a.unseen(q, w)
			require.GreaterOrEqual(a, w.Code, 400, q.Path)
		}
	}
}

func rankOf(r auth.Role) int {
	for i, x := range apitest.Roles {
		if x == r {
			return i
		}
	}
	return -1
}

// pageAs asks a list with their cursor, and for their words.
func (a attempt) pageAs(r apitest.Route, k token, cursors map[string]string) {
	a.Helper()
	cursor, isList := cursors["/"+r.Function+r.Path]
	if !isList || rankOf(k.role) < rankOf(r.Role) {
		return
	}
	q := apitest.Request{Method: r.Method, Path: "/" + r.Function + r.Path + "?limit=1&cursor=" + url.QueryEscape(cursor) + "&" + k.name, Token: k.text}
	w := a.send(q)
	a.unseen(q, w)
	require.Equal(a, http.StatusBadRequest, w.Code, q.Path)
	require.Contains(a, w.Body.String(), `"field":"cursor"`)

	q.Path = "/" + r.Function + r.Path + "?q=" + a.world.Theirs.Word + "&" + k.name
	w = a.send(q)
	if w.Code == http.StatusOK {
		a.unseen(q, w)
		require.JSONEq(a, `{"items":[]}`, w.Body.String(), q.Path)
	}
}

func TestAPI_changesNothingOfAnotherSite(t *testing.T) {
	t.Parallel()

	a := newAttempt(t)
	db := a.world.DB
	before := rows(t, db, a.world.Theirs.ID)
	var digest string
	require.NoError(t, db.Owner.QueryRow(t.Context(), `SELECT d.digest FROM blogposter.drafts d JOIN blogposter.runs r ON r.id = d.run_id
		WHERE r.site_id = $1 AND r.state = 'waiting' LIMIT 1`, a.world.Theirs.ID).Scan(&digest))

	tried := 0
	for _, r := range apitest.Routes(a.functions) {
		if r.Method == http.MethodGet {
			continue
		}
		bodies, known := writes[r.String()]
		require.True(t, known, "%s changes something: add bodies for it", r)
		for _, k := range a.ours() {
			for _, path := range a.paths(r) {
				for _, body := range bodies {
					for _, id := range a.named(body) {
						text := strings.NewReplacer("{{word}}", a.world.Theirs.Word, "{{digest}}", digest, "{{id}}", id).Replace(body)
						a.writeAs(r, k, path, text)
						tried++
					}
				}
			}
		}
	}
	require.Greater(t, tried, 200)
	require.Equal(t, before, rows(t, db, a.world.Theirs.ID))
}

// named are the ids to put into a body, if it takes one.
func (a attempt) named(body string) []string {
	if !strings.Contains(body, "{{id}}") {
		return []string{""}
	}
	var all []string
	for _, id := range a.theirIDs {
		all = append(all, strconv.FormatInt(id, 10))
	}
	return all
}

func (a attempt) writeAs(r apitest.Route, k token, path, body string) {
	a.Helper()
	q := apitest.Request{Method: r.Method, Path: path, Token: k.text, Body: body, Header: map[string]string{"Idempotency-Key": a.world.Theirs.Word + "-key-1"}}
	if k.name != "" {
		q.Path += "?" + k.name
	}
	w := a.send(q)
	a.unseen(q, w)
	require.GreaterOrEqual(a, w.Code, 400, "%s as %s took %s: %s", q.Path, k.role, body, w.Body)
	require.Less(a, w.Code, 500, "%s as %s, %s: %s", q.Path, k.role, body, w.Body)
}

func TestAPI_anIdempotencyKeyOfAnotherSiteIsNew(t *testing.T) {
	t.Parallel()

	a := newAttempt(t)
	q := apitest.Request{
		Method: http.MethodPost, Path: "/runs", Token: a.world.Ours.Keys[auth.RoleEditor], Body: `{"topic": "A topic of ours"}`,
		Header: map[string]string{"Idempotency-Key": a.world.Theirs.Word + "-key-1"},
	}
	w := a.send(q)
	require.Equal(t, http.StatusAccepted, w.Code, w.Body.String())
	a.unseen(q, w)
}

func TestAPI_theCacheLetsNobodyIn(t *testing.T) {
	t.Parallel()

	a := newAttempt(t)
	key := a.world.Ours.Keys[auth.RoleViewer]
	q := apitest.Request{Method: http.MethodGet, Path: "/articles", Token: key}
	warm := a.send(q)
	require.Equal(t, http.StatusOK, warm.Code)
	require.Equal(t, warm.Body.String(), a.send(q).Body.String())

	for _, change := range []string{`revoked_at = now()`, `revoked_at = NULL, expires_at = now()`} {
		_, err := a.world.DB.Owner.Exec(t.Context(), `UPDATE blogposter.api_keys SET `+change+` WHERE hash = $1`, auth.HashKey(key))
		require.NoError(t, err)
		w := a.send(q)
		require.Equal(t, http.StatusUnauthorized, w.Code, change)
		require.NotContains(t, w.Body.String(), a.world.Ours.Word)
	}
	for status, token := range map[int]string{
		http.StatusUnauthorized: "", http.StatusNotFound: apitest.Token(t, auth.RoleAdmin), // of no site
		http.StatusBadRequest: apitest.Token(t, auth.RoleAdmin, a.world.Ours.Word, a.world.Theirs.Word),
	} {
		q.Token = token
		w := a.send(q)
		require.Equal(t, status, w.Code)
		require.NotContains(t, w.Body.String(), "rides number")
	}
}

// Many at once, through two poolers: the store's own and the one in front of Postgres.
func TestAPI_twoSitesAtOnceGetEachTheirOwn(t *testing.T) {
	t.Parallel()

	a := newAttempt(t)
	var all sync.WaitGroup
	for n := range 8 {
		mine, other := a.world.Ours, a.world.Theirs
		if n%2 == 1 {
			mine, other = other, mine
		}
		all.Go(func() {
			for i := range 15 {
				path := []string{"/runs", "/articles", "/reviews", "/articles?q=rides&limit=1"}[i%4]
				w := apitest.Send(a.functions, apitest.Request{Method: http.MethodGet, Path: path, Token: mine.Keys[apitest.Roles[n/2]]})
				if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), mine.Word) || strings.Contains(w.Body.String(), other.Word) {
					t.Errorf("%s as %s: %d %s", path, mine.Word, w.Code, w.Body)
				}
			}
		})
	}
	all.Wait()
}
