package wire_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/scripts/modelserver/wire"
)

// clock is a hand that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

const mark = `,"cache_control":{"type":"ephemeral"}`

func textBlock(text, mark string) string {
	quoted, _ := json.Marshal(text)
	return fmt.Sprintf(`{"type":"text","text":%s%s}`, quoted, mark)
}

var guide = strings.Repeat("A handler never has to show a certificate for a dog. ", 200)

func TestServer_ServeHTTP_chargesCachedPrefixesAsTheProviderDoes(t *testing.T) {
	t.Parallel()

	type call struct {
		after      time.Duration
		key, extra string
		write      bool // more than nothing is written
		read       bool // more than nothing is read
	}
	system := `"system":[` + textBlock(guide, mark) + `]`
	question := `"messages":[{"role":"user","content":[` + textBlock(guide, mark) + `]}]`
	other := strings.Replace(system, "handler", "Handler", 1)
	tests := map[string][]call{
		"written once, then read":            {{extra: system, write: true}, {extra: system, read: true}},
		"without a mark nothing is cached":   {{extra: strings.Replace(system, mark, "", 1)}, {extra: strings.Replace(system, mark, "", 1)}},
		"gone after five minutes":            {{extra: system, write: true}, {after: 5 * time.Minute, extra: system, write: true}},
		"kept alive by each read":            {{extra: system, write: true}, {after: 4 * time.Minute, extra: system, read: true}, {after: 4 * time.Minute, extra: system, read: true}},
		"another key has another cache":      {{extra: system, write: true}, {key: "offline-2", extra: system, write: true}},
		"another model has another cache":    {{extra: system, write: true}, {extra: system + `,"model":"claude-opus-5-5"`, write: true}},
		"one other letter is another prefix": {{extra: system, write: true}, {extra: other, write: true}},
		"another question reads the prefix":  {{extra: system, write: true}, {extra: system + `,"messages":[{"role":"user","content":"Why?"}]`, read: true}},
		"another schema is another prefix":   {{extra: system, write: true}, {extra: system + `,"output_config":{"format":{"type":"json_schema","schema":{"type":"string"}}}`, write: true}},
		"another effort keeps the system":    {{extra: system, write: true}, {extra: system + `,"output_config":{"effort":"low"}`, read: true}},
		"another effort drops the messages":  {{extra: question, write: true}, {extra: question + `,"output_config":{"effort":"low"}`, write: true}},
		"too short to be cached":             {{extra: `"system":[` + textBlock(guide[:600], mark) + `]`}, {extra: `"system":[` + textBlock(guide[:600], mark) + `]`}},
		"a longer life lasts an hour": {
			{extra: strings.Replace(system, `"ephemeral"`, `"ephemeral","ttl":"1h"`, 1), write: true},
			{after: 50 * time.Minute, extra: strings.Replace(system, `"ephemeral"`, `"ephemeral","ttl":"1h"`, 1), read: true},
		},
		"a mark on the whole request": {{extra: `"system":"` + guide + `","cache_control":{"type":"ephemeral"}`, write: true}, {extra: `"system":"` + guide + `","cache_control":{"type":"ephemeral"}`, read: true}},
		"a growing conversation reads what it wrote before": {
			{extra: question, write: true},
			{extra: `"messages":[{"role":"user","content":[` + textBlock(guide, "") + `]},{"role":"assistant","content":"ok"},{"role":"user","content":[` + textBlock(guide, mark) + `]}]`, read: true, write: true},
		},
	}
	for name, calls := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			hand := &clock{at: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)}
			s := wire.New(wire.Config{Composer: says("ok"), Now: hand.now})
			for i, c := range calls {
				hand.move(c.after)
				key := c.key
				if key == "" {
					key = "offline-1"
				}
				w := ask(t, s, key, with(t, c.extra))
				require.Equal(t, 200, w.Code, w.Body.String())
				u := read(t, w).Usage
				require.Equal(t, c.write, u.Write > 0, "call %d: %+v", i, u)
				require.Equal(t, c.read, u.Read > 0, "call %d: %+v", i, u)
				require.Equal(t, u.Write, u.Split.Short+u.Split.Long)
				require.Positive(t, u.Input+u.Write+u.Read)
			}
		})
	}
}

// A prompt costs the same number of tokens whichever class they fall in.
func TestServer_ServeHTTP_sortsEveryTokenIntoOneClass(t *testing.T) {
	t.Parallel()

	s := wire.New(wire.Config{Composer: says("ok")})
	marked := `"system":[` + textBlock(guide, mark) + `]`
	plain := read(t, ask(t, s, "offline-1", with(t, strings.Replace(marked, mark, "", 1)))).Usage
	written := read(t, ask(t, s, "offline-1", with(t, marked))).Usage
	kept := read(t, ask(t, s, "offline-1", with(t, marked))).Usage
	require.Equal(t, plain.Input, written.Input+written.Write)
	require.Equal(t, plain.Input, kept.Input+kept.Read)
	require.Equal(t, written.Write, kept.Read)
}

func TestServer_ServeHTTP_doesNotReadAWriteThatIsStillGoingOn(t *testing.T) {
	t.Parallel()

	inner := make(chan int64, 1)
	var s *wire.Server
	body := with(t, `"system":[`+textBlock(guide, mark)+`]`)
	s = wire.New(wire.Config{Composer: compose(func(r wire.Request) (string, error) {
		if r.MaxTokens == 100 { // the outer call: ask again while it is being answered
			inner <- read(t, ask(t, s, "offline-1", strings.Replace(body, `"max_tokens":100`, `"max_tokens":99`, 1))).Usage.Read
		}
		return "ok", nil
	})})
	require.Positive(t, read(t, ask(t, s, "offline-1", body)).Usage.Write)
	require.Zero(t, <-inner)
}
