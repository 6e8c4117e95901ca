package wire

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"blogposter/lib/ledger"
)

// chatModels are the figures of gateways' pages as of November 2026.
var chatModels = map[string]model{
	"gpt-6-sol":  {context: 922_000, maxOutput: 128_000, cacheable: 1024},
	"gpt-6-luna": {context: 922_000, maxOutput: 128_000, cacheable: 1024},
}

// thoughts is how many tokens of an answer a model thinks away at each effort:
// a stand-in for what nobody can foretell. They count towards the limit, so
// whoever forgets to say "none" gets an answer that is cut off.
var thoughts = map[string]int{"none": 0, "low": 128, "medium": 512, "high": 2048, "xhigh": 4096, "max": 8192}

const defaultEffort = "medium"

// chatCall is an accepted call of the chat API.
type chatCall struct {
	Request
	effort string
	prompt []string // role and text of each message, behind the schema
}

// chat answers one call, or returns why it doesn't.
func (s *Server) chat(w http.ResponseWriter, r *http.Request, o openaiCall) error {
	c, err := parseChat(o.body)
	if err != nil {
		return err
	}
	f := s.cfg.Script(c.Request)
	if f == nil {
		f = &Fault{}
	}
	if f.Status != 0 {
		return scripted(w, f)
	}
	a, err := s.chatAnswer(r.Context(), o.key, c, f)
	if err != nil {
		return err
	}
	if err := s.log.add(Entry{
		At: s.cfg.Now(), RequestID: o.id, Provider: provider, Model: c.Model, Key: o.key, Task: task(c.Request), Usage: a.usage, StopReason: a.stop,
	}); err != nil {
		return err
	}
	s.seen.remember(o.key, c)
	if s.wait(r.Context(), f) != nil {
		panic(http.ErrAbortHandler) // the caller has gone, and is charged all the same
	}
	sendJSON(w, http.StatusOK, a.completion(s.cfg.Now(), c), f.Cut)
	return nil
}

// said is what a model would have said, and what it is charged for.
type said struct {
	text, refusal string
	stop          string
	thought       int
	usage         ledger.Usage
}

// chatAnswer composes the text, makes it as long as it may be, and charges it.
func (s *Server) chatAnswer(ctx context.Context, key string, c *chatCall, f *Fault) (said, error) {
	text, err := s.cfg.Composer.Compose(ctx, c.Request)
	if err != nil {
		return said{}, bad("", "", "the offline model has no answer: %s", err)
	}
	a := said{text: text, stop: "stop", thought: min(thoughts[c.effort], c.MaxTokens)}
	if f.Garble {
		a.text = "{ \"this is\": not JSON"
	}
	limit := c.MaxTokens - a.thought
	if f.Truncate {
		limit = min(limit, max(1, pieces(a.text)/2))
	}
	shorter := false
	if a.text, shorter = cut(a.text, limit, unweighed); shorter {
		a.stop = "length"
	}
	if f.Refuse {
		a.text, a.refusal, a.stop = "", "I'm sorry, but I can't help with that request.", "stop"
	}
	read, tokens := s.seen.cached(key, c), c.tokens()
	a.usage = ledger.Usage{Input: int64(tokens - read), CacheRead: int64(read), Output: int64(max(1, a.thought+pieces(a.text+a.refusal)))}
	return a, nil
}

// completion is the answer in the API's shape.
func (a said) completion(at time.Time, c *chatCall) map[string]any {
	message := map[string]any{"role": "assistant", "content": a.text, "refusal": nil, "annotations": []any{}}
	if a.refusal != "" {
		message["content"], message["refusal"] = nil, a.refusal
	}
	prompt := a.usage.Input + a.usage.CacheRead
	return map[string]any{
		"id": "chatcmpl-offline-" + random(), "object": "chat.completion", "created": at.Unix(), "model": c.Model,
		"choices": []any{map[string]any{"index": 0, "message": message, "logprobs": nil, "finish_reason": a.stop}},
		"usage": map[string]any{
			"prompt_tokens": prompt, "completion_tokens": a.usage.Output, "total_tokens": prompt + a.usage.Output,
			"prompt_tokens_details": map[string]any{"cached_tokens": a.usage.CacheRead, "audio_tokens": 0},
			"completion_tokens_details": map[string]any{
				"reasoning_tokens": a.thought, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
			},
		},
		"service_tier": "default", "system_fingerprint": nil,
	}
}

// tokens is the length of the prompt: what frames it, the schema, and each
// message with three tokens around it.
func (c *chatCall) tokens() int {
	n := 3
	if len(c.Schema) > 0 {
		n += pieces(string(c.Schema))
	}
	for _, m := range c.prompt {
		n += 3 + pieces(m)
	}
	return n
}

var (
	chatFields = []string{
		"model", "messages", "max_completion_tokens", "response_format", "reasoning_effort", "temperature", "top_p", "n", "stream",
		"store", "user", "safety_identifier", "metadata", "service_tier", "presence_penalty", "frequency_penalty", "seed",
		"max_tokens", "stop", "logprobs", "top_logprobs", "logit_bias", "verbosity", "prompt_cache_key",
	}
	chatUnserved = []string{
		"tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "audio", "modalities", "prediction",
		"stream_options", "web_search_options",
	}
)

// parseChat reads a request and refuses what the real API refuses.
func parseChat(body object) (*chatCall, error) {
	if err := knownParams(body, chatFields, chatUnserved); err != nil {
		return nil, err
	}
	c := &chatCall{}
	for _, step := range []func(object) error{c.readChatModel, c.readChatMessages, c.readEffort, c.readLimit, c.readSampling, c.readFormat, c.fits} {
		if err := step(body); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *chatCall) readChatModel(body object) (err error) {
	if c.Model, err = modelOf(body); err != nil {
		return err
	}
	if c.Model == EmbeddingModel {
		return &openaiError{
			status: http.StatusNotFound, Type: invalidRequest, Param: "model",
			Message: "This is not a chat model and thus not supported in the v1/chat/completions endpoint.",
		}
	}
	if _, ok := chatModels[c.Model]; !ok {
		return noModel(c.Model)
	}
	return nil
}

func (c *chatCall) readEffort(body object) error {
	c.effort = defaultEffort
	raw, ok := body["reasoning_effort"]
	if !ok || string(raw) == "null" {
		return nil
	}
	if json.Unmarshal(raw, &c.effort) != nil {
		return invalidType("reasoning_effort", "a string", raw)
	}
	if _, ok := thoughts[c.effort]; !ok {
		return unsupportedValue("reasoning_effort", "'"+c.effort+"'", "Supported values are: 'none', 'low', 'medium', 'high', 'xhigh', and 'max'.")
	}
	return nil
}

func (c *chatCall) readLimit(body object) error {
	if _, ok := body["max_tokens"]; ok {
		return unsupportedParam("max_tokens", " Use 'max_completion_tokens' instead.")
	}
	const name = "max_completion_tokens"
	most := chatModels[c.Model].maxOutput
	c.MaxTokens = most
	raw, ok := body[name]
	if !ok || string(raw) == "null" {
		return nil
	}
	if json.Unmarshal(raw, &c.MaxTokens) != nil {
		return invalidType(name, "an integer", raw)
	}
	if c.MaxTokens < 1 {
		return bad(name, "integer_below_min_value", "Invalid '%s': integer below minimum value. Expected a value >= 1, but got %d instead.", name, c.MaxTokens)
	}
	if c.MaxTokens > most {
		return bad(name, "invalid_value", "max_tokens is too large: %d. This model supports at most %d completion tokens, whereas you provided %d.", c.MaxTokens, most, c.MaxTokens)
	}
	return nil
}

// readSampling refuses what a model that thinks can't do, and what this server
// doesn't.
func (c *chatCall) readSampling(body object) error {
	for name, usual := range map[string]float64{"temperature": 1, "top_p": 1, "n": 1, "presence_penalty": 0, "frequency_penalty": 0} {
		raw, ok := body[name]
		if !ok || string(raw) == "null" {
			continue
		}
		var v float64
		if json.Unmarshal(raw, &v) != nil {
			return invalidType(name, "a number", raw)
		}
		if v != usual && (c.effort != "none" || name == "n") {
			return unsupportedValue(name, string(raw), "Only the default ("+string(mustJSON(usual))+") value is supported.")
		}
		if v < -2 || v > 2 || v < 0 && !strings.HasSuffix(name, "penalty") {
			return bad(name, "decimal_above_max_value", "Invalid '%s': %s is out of range.", name, raw)
		}
	}
	for _, name := range []string{"stop", "logit_bias", "top_logprobs", "logprobs"} {
		if raw, ok := body[name]; ok && string(raw) != "null" && string(raw) != "false" {
			return unsupportedParam(name, "")
		}
	}
	if raw, ok := body["stream"]; ok && string(raw) != "false" && string(raw) != "null" {
		return bad("stream", "", "stream: this offline server answers in one piece, though the real API streams; leave stream out or set it to false")
	}
	return nil
}

func mustJSON(v any) []byte {
	raw, _ := json.Marshal(v)
	return raw
}

func (c *chatCall) fits(object) error {
	if n, most := c.tokens(), chatModels[c.Model].context; n > most {
		return bad("messages", "context_length_exceeded", "Input tokens exceed the configured limit of %d tokens. Your messages resulted in %d tokens. Please reduce the length of the messages.", most, n)
	}
	return nil
}

var chatRoles = []string{"system", "developer", "user", "assistant"}

func (c *chatCall) readChatMessages(body object) error {
	raw, ok := body["messages"]
	if !ok {
		return bad("messages", "missing_required_parameter", "Missing required parameter: 'messages'.")
	}
	var list []object
	if json.Unmarshal(raw, &list) != nil || list == nil {
		return invalidType("messages", "an array of objects", raw)
	}
	if len(list) == 0 {
		return bad("messages", "empty_array", "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.")
	}
	var system []string
	for i, m := range list {
		role, text, err := chatMessage(m, "messages["+string(mustJSON(i))+"]")
		if err != nil {
			return err
		}
		c.prompt = append(c.prompt, role+"\n"+text)
		if role == "system" || role == "developer" {
			system = append(system, text)
			continue
		}
		c.Messages = append(c.Messages, Message{role, text})
	}
	c.System = strings.Join(system, "\n")
	return nil
}

func chatMessage(m object, at string) (role, text string, err error) {
	if err := knownParams(m, []string{"role", "content", "name", "refusal"}, []string{"tool_calls", "tool_call_id", "audio", "function_call"}); err != nil {
		return "", "", err
	}
	if raw, ok := m["role"]; !ok {
		return "", "", bad(at+".role", "missing_required_parameter", "Missing required parameter: '%s.role'.", at)
	} else if json.Unmarshal(raw, &role) != nil || !slices.Contains(chatRoles, role) {
		return "", "", bad(at+".role", "invalid_value", "Invalid value: %s. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.", raw)
	}
	var one *string
	var parts []struct{ Type, Text string }
	switch raw := m["content"]; {
	case json.Unmarshal(raw, &one) == nil && one != nil:
		return role, *one, nil
	case json.Unmarshal(raw, &parts) != nil || len(parts) == 0:
		return "", "", bad(at+".content", "", "Invalid value for 'content': expected a string, got %s.", orNothing(raw))
	}
	for _, p := range parts {
		if p.Type != "text" {
			return "", "", bad(at+".content", "", "%s.content: this offline server reads parts of type 'text' only, not '%s'", at, p.Type)
		}
		text += p.Text
	}
	return role, text, nil
}

func orNothing(raw json.RawMessage) string {
	if len(raw) == 0 {
		return "nothing"
	}
	return string(raw)
}
