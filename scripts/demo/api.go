package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"blogposter/lib/editorial"
	"blogposter/lib/view"
)

// client speaks to the API as a program with a token would.
type client struct {
	base  string // of the namespace's web functions
	token string
	http  *http.Client
}

// problemDocument is what the API answers instead of what was asked for.
type problemDocument struct {
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Status int    `json:"status"`
	Errors []struct {
		Field  string `json:"field"`
		Detail string `json:"detail"`
		Fix    string `json:"fix"`
	} `json:"errors"`
}

func (p problemDocument) Error() string {
	lines := []string{fmt.Sprintf("%d %s: %s", p.Status, p.Title, p.Detail)}
	for _, e := range p.Errors {
		lines = append(lines, fmt.Sprintf("  %s %s: %s", e.Field, e.Detail, e.Fix))
	}
	return strings.Join(lines, "\n")
}

func (c client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req) //nolint:gosec // the local platform's own address
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 2<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		p := problemDocument{Title: http.StatusText(resp.StatusCode), Status: resp.StatusCode, Detail: tail(string(raw), 3)}
		_ = json.Unmarshal(raw, &p)
		return fmt.Errorf("%s %s: %w", method, path, p)
	}
	return json.Unmarshal(raw, out)
}

// review is what GET /reviews/{run} shows.
type review struct {
	Digest   string              `json:"digest"`
	Title    string              `json:"title"`
	Markdown string              `json:"markdown"`
	Claims   []editorial.Claim   `json:"claims"`
	Findings []editorial.Finding `json:"findings"`
}

func (c client) startRun(ctx context.Context, order map[string]any) (view.Run, error) {
	var r view.Run
	return r, c.call(ctx, http.MethodPost, "/api/runs", order, &r)
}

func (c client) run(ctx context.Context, site string, id int64) (view.Detail, error) {
	var d view.Detail
	return d, c.call(ctx, http.MethodGet, fmt.Sprintf("/api/runs/%d?site=%s", id, site), nil, &d)
}

func (c client) topics(ctx context.Context, site string) (map[string]bool, error) {
	used, cursor := map[string]bool{}, ""
	for {
		var page struct {
			Items []view.Run `json:"items"`
			Next  string     `json:"next_cursor"`
		}
		if err := c.call(ctx, http.MethodGet, "/api/runs?limit=100&site="+site+cursor, nil, &page); err != nil {
			return nil, err
		}
		for _, r := range page.Items {
			used[r.Topic] = true
		}
		if page.Next == "" {
			return used, nil
		}
		cursor = "&cursor=" + page.Next
	}
}

func (c client) review(ctx context.Context, site string, run int64) (review, error) {
	var r review
	return r, c.call(ctx, http.MethodGet, fmt.Sprintf("/api/reviews/%d?site=%s", run, site), nil, &r)
}

func (c client) approve(ctx context.Context, site string, run int64, digest string) error {
	var got json.RawMessage
	return c.call(ctx, http.MethodPost, fmt.Sprintf("/api/reviews/%d/decision", run), map[string]any{
		"site": site, "verb": editorial.VerbApprove, "digest": digest, "comment": "approved by the demo, as a reviewer would",
	}, &got)
}

// token is what Supabase would sign for a person of the site's team.
func token(secret, subject, role, site string) (string, error) {
	return jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": subject, "aud": "authenticated", "role": "authenticated", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
		"app_metadata": map[string]any{"role": role, "sites": []string{site}},
	}).SignedString([]byte(secret))
}
