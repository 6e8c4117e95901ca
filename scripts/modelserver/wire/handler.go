// Package wire speaks the APIs of two providers as they do, offline:
// Anthropic's Messages, and OpenAI's chat completions and embeddings. It
// refuses what the real ones refuse, counts tokens and cached prefixes as they
// do, and cuts an answer at its limit. What it answers comes from a Composer,
// the same for both. Nothing is deduplicated: what is sent twice is billed
// twice.
//
// GET /_log returns the accepted calls, one JSON line each: an aid for tests,
// for a server that listens on the loopback address.
package wire

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"blogposter/lib/ledger"
)

// Composer writes the answers.
type Composer interface {
	Compose(ctx context.Context, r Request) (string, error)
}

// Fault is how a call goes wrong. Status alone refuses it, uncharged; every
// other one is accepted, charged and logged before it goes wrong.
type Fault struct {
	Status     int             // refuse the call with this status
	RetryAfter string          // header of that refusal
	Hang       <-chan struct{} // answer when it is closed
	Cut        bool            // close the connection in the middle of the answer
	Truncate   bool            // end with half of the answer and stop_reason max_tokens
	Refuse     bool            // end without text and with stop_reason refusal
	Garble     bool            // answer with text that is not JSON
}

// Config is what a Server is made of.
type Config struct {
	Composer Composer
	Vectors  Vectors              // nil: /v1/embeddings answers 503
	Log      io.Writer            // a JSON line for each accepted call; nil for none
	Latency  time.Duration        // wait before each answer
	Now      func() time.Time     // nil is time.Now
	Script   func(Request) *Fault // nil, or nil from it, lets a call go well; may be called at once
}

// Server is an http.Handler.
type Server struct {
	cfg   Config
	cache *cache
	seen  *prompts
	log   *record
}

// New returns a Server with an empty prompt cache.
func New(cfg Config) *Server {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Script == nil {
		cfg.Script = func(Request) *Fault { return nil }
	}
	return &Server{
		cfg: cfg, cache: &cache{now: cfg.Now, entries: map[[sha256.Size]byte]entry{}}, seen: &prompts{now: cfg.Now}, log: &record{out: cfg.Log},
	}
}

// Entries returns the accepted calls so far.
func (s *Server) Entries() []Entry { return s.log.all() }

// ServeHTTP answers POST /v1/messages, /v1/chat/completions and
// /v1/embeddings, and GET /_log.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := "req_offline_" + random()
	w.Header().Set("Request-Id", id)
	w.Header().Set("X-Blogposter-Offline", "true")
	if api, ok := s.openai()[r.URL.Path]; ok {
		serveOpenAI(w, r, id, api)
		return
	}
	var err error
	switch {
	case r.URL.Path == "/_log" && r.Method == http.MethodGet:
		s.writeLog(w)
		return
	case r.URL.Path != "/v1/messages":
		err = refuse(http.StatusNotFound, "Not found")
	case r.Method != http.MethodPost:
		err = &refusal{http.StatusMethodNotAllowed, "invalid_request_error", "Method Not Allowed"}
	default:
		err = s.message(w, r, id)
	}
	var no *refusal
	switch {
	case errors.As(err, &no):
		no.write(w, id)
	case err != nil:
		(&refusal{http.StatusInternalServerError, "api_error", err.Error()}).write(w, id)
	}
}

func (s *Server) writeLog(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	enc := json.NewEncoder(w)
	for _, e := range s.log.all() {
		if enc.Encode(e) != nil {
			return // the caller is gone
		}
	}
}

// message answers one call, or returns why it doesn't.
func (s *Server) message(w http.ResponseWriter, r *http.Request, id string) error {
	key, err := authenticate(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLong *http.MaxBytesError
	if errors.As(err, &tooLong) {
		return refuse(http.StatusRequestEntityTooLarge, "Request exceeds the maximum size")
	}
	if err != nil {
		return invalid("The request body could not be read: %s", err)
	}
	c, err := parse(body)
	if err != nil {
		return err
	}
	f := s.cfg.Script(c.Request)
	if f == nil {
		f = &Fault{}
	}
	if f.Status != 0 {
		if f.RetryAfter != "" {
			w.Header().Set("Retry-After", f.RetryAfter)
		}
		return refuse(f.Status, "scripted fault")
	}
	a, store, err := s.answer(r.Context(), key, c, f)
	if err != nil {
		return err
	}
	if err := s.log.add(Entry{
		At: s.cfg.Now(), RequestID: id, Model: c.Model, Key: key, Task: task(c.Request), Usage: a.usage, StopReason: a.stop,
	}); err != nil {
		return err
	}
	store()
	if err := s.wait(r.Context(), f); err != nil {
		panic(http.ErrAbortHandler) // the caller has gone, and is charged all the same
	}
	send(w, c.Model, a, f.Cut)
	return nil
}

// authenticate returns the hash that stands for the caller's key.
func authenticate(r *http.Request) (string, error) {
	key := r.Header.Get("X-Api-Key")
	if key == "" {
		return "", refuse(http.StatusUnauthorized, "x-api-key header is required")
	}
	if !strings.HasPrefix(key, "offline-") {
		return "", refuse(http.StatusUnauthorized, "invalid x-api-key")
	}
	switch v := r.Header.Get("Anthropic-Version"); v {
	case "2023-06-01":
	case "":
		return "", invalid("anthropic-version: header is required")
	default:
		return "", invalid("anthropic-version: %q is not a valid version", v)
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:6]), nil
}

// answer is what a model would have said, and what it is charged for.
type answer struct {
	text  string
	stop  string
	usage ledger.Usage
}

// answer composes the text, makes it as long as it may be, and charges it.
func (s *Server) answer(ctx context.Context, key string, c *call, f *Fault) (answer, func(), error) {
	usage, store := s.cache.account(key, c)
	text, err := s.cfg.Composer.Compose(ctx, c.Request)
	if err != nil {
		return answer{}, nil, invalid("the offline model has no answer: %s", err)
	}
	a := answer{text: text, stop: "end_turn"}
	if f.Garble {
		a.text = "{ \"this is\": not JSON"
	}
	limit := c.MaxTokens
	if f.Truncate {
		limit = min(limit, max(1, Tokens(a.text)/2))
	}
	cut := false
	if a.text, cut = Cut(a.text, limit); cut {
		a.stop = "max_tokens"
	}
	if f.Refuse {
		a.text, a.stop = "", "refusal"
	}
	usage.Output = int64(max(1, Tokens(a.text)))
	a.usage = usage
	return a, store, nil
}

func (s *Server) wait(ctx context.Context, f *Fault) error {
	if s.cfg.Latency > 0 {
		timer := time.NewTimer(s.cfg.Latency)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if f.Hang != nil {
		select {
		case <-f.Hang:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// send writes the answer in the API's shape, half of it when it is cut.
func send(w http.ResponseWriter, model string, a answer, cut bool) {
	u, content := a.usage, []map[string]any{}
	if a.text != "" {
		content = append(content, map[string]any{"type": "text", "text": a.text})
	}
	body, _ := json.Marshal(map[string]any{
		"id": "msg_offline_" + random(), "type": "message", "role": "assistant", "model": model, "content": content,
		"stop_reason": a.stop, "stop_sequence": nil, "stop_details": nil, "container": nil,
		"usage": map[string]any{
			"input_tokens": u.Input, "output_tokens": u.Output,
			"cache_read_input_tokens": u.CacheRead, "cache_creation_input_tokens": u.CacheWrite5m + u.CacheWrite1h,
			"cache_creation": map[string]any{
				"ephemeral_5m_input_tokens": u.CacheWrite5m, "ephemeral_1h_input_tokens": u.CacheWrite1h,
			},
			"server_tool_use": nil, "service_tier": "standard", "inference_geo": "not_available",
		},
	})
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if cut {
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(body) // the caller is gone: nobody to tell
}

func random() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}
