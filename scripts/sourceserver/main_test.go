package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRun_servesFoldersUntilItIsStopped(t *testing.T) {
	t.Parallel()

	dir, log := t.TempDir(), filepath.Join(t.TempDir(), "log.jsonl")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.md"), []byte("Title: A\nURL Source: /a\nMarkdown Content:\nDogs work."), 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ready, done := make(chan string, 1), make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"-listen", "127.0.0.1:0", "-dir", dir, "-log", log}, io.Discard, func(addr string) { ready <- addr })
	}()
	var addr string
	select {
	case addr = <-ready:
	case err := <-done:
		t.Fatal(err)
	case <-time.After(10 * time.Second):
		t.Fatal("not ready")
	}

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/reader/http://"+addr+"/a", http.NoBody)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer offline-x")
	resp, err := (&http.Client{Timeout: 10 * time.Second}).Do(req)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Contains(t, string(body), "Markdown Content:\nDogs work.")
	logged, err := os.ReadFile(log)
	require.NoError(t, err)
	require.Contains(t, string(logged), `"url":"http://`+addr+`/a"`)

	cancel()
	require.NoError(t, <-done)
}

func TestRun_saysWhatIsWrongWithItsFlags(t *testing.T) {
	t.Parallel()

	for says, args := range map[string][]string{
		"unexpected argument": {"now"},
		"-dir: no folder":     {"-listen", "127.0.0.1:0", "-dir", "/nowhere"},
		"-listen: ":           {"-listen", "nowhere:-1"},
		"no pages to serve":   {"-listen", "127.0.0.1:0", "-dir", t.TempDir()},
		"-log: ":              {"-listen", "127.0.0.1:0", "-dir", "../../lib/crawl/testdata", "-log", "/nowhere/log"},
	} {
		require.ErrorContains(t, run(t.Context(), args, io.Discard, nil), says)
	}
}
