package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Message is one turn, its blocks joined.
type Message struct {
	Role string
	Text string
}

// Request is an accepted call, as a Composer and a Script see it.
type Request struct {
	Model     string
	System    string
	Messages  []Message
	Schema    json.RawMessage // of output_config.format; nil asks for text
	MaxTokens int
}

// call is a Request with what the accounting needs.
type call struct {
	Request
	blocks []block // in the order the prompt is read: system, then messages
	format string  // changes every prefix
	effort string  // changes the prefixes within the messages
}

// block is one text block of the prompt.
type block struct {
	role string // "" for the system prompt
	text string
	ttl  string // of its cache_control; "" for none
}

type object = map[string]json.RawMessage

// unserved are real parameters that this server has no use for. They are
// refused by name, so that nobody believes they worked.
var unserved = []string{"tools", "stop_sequences", "container", "diagnostics", "speed", "mcp_servers", "context_management"}

var fields = append([]string{
	"model", "messages", "max_tokens", "system", "metadata", "stream", "temperature", "top_p", "top_k",
	"tool_choice", "thinking", "output_config", "cache_control", "service_tier", "inference_geo",
}, unserved...)

// parse reads a request and refuses what the real API refuses, in about its
// order: the known fields, then the unknown ones, then the conversation.
func parse(body []byte) (*call, error) {
	var top object
	if err := json.Unmarshal(body, &top); err != nil || top == nil {
		return nil, invalid("The request body is not valid JSON: expected an object")
	}
	c := &call{}
	steps := []func(object) error{
		c.readModel, toolChoice, c.readMessages, c.readSystem, thinking, c.readOutput, c.readCacheAll,
		c.readMaxTokens, sampling, streaming, unknown, c.conversation, c.breakpoints,
	}
	for _, step := range steps {
		if err := step(top); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *call) readModel(top object) error {
	raw, ok := top["model"]
	if !ok {
		return invalid("model: Field required")
	}
	if json.Unmarshal(raw, &c.Model) != nil || bytes.Equal(raw, []byte("null")) {
		return invalid("model: Input should be a valid string")
	}
	if c.Model == "" {
		return invalid("model: String should have at least 1 character")
	}
	if _, ok := models[c.Model]; !ok {
		return refuse(404, "model: "+c.Model)
	}
	return nil
}

func (c *call) readMessages(top object) error {
	raw, ok := top["messages"]
	if !ok {
		return invalid("messages: Field required")
	}
	var list []object
	if json.Unmarshal(raw, &list) != nil || list == nil {
		return invalid("messages: Input should be a valid array")
	}
	for i, m := range list {
		at := fmt.Sprintf("messages.%d", i)
		if err := only(m, at, "role", "content"); err != nil {
			return err
		}
		var role string
		if rawRole, ok := m["role"]; !ok {
			return invalid("%s.role: Field required", at)
		} else if json.Unmarshal(rawRole, &role) != nil || role != "user" && role != "assistant" {
			return invalid("messages: Unexpected role %s. Allowed roles are \"user\" or \"assistant\"", rawRole)
		}
		rawContent, ok := m["content"]
		if !ok {
			return invalid("%s.content: Field required", at)
		}
		blocks, err := content(rawContent, at+".content", role)
		if err != nil {
			return err
		}
		if len(blocks) == 0 {
			return invalid("%s: %s messages must have non-empty content", at, role)
		}
		c.blocks = append(c.blocks, blocks...)
		c.Messages = append(c.Messages, Message{role, joined(blocks)})
	}
	return nil
}

func (c *call) readSystem(top object) error {
	raw, ok := top["system"]
	if !ok {
		return nil
	}
	blocks, err := content(raw, "system", "")
	if err != nil {
		return err
	}
	c.System = joined(blocks)
	c.blocks = slices.Concat(blocks, c.blocks)
	return nil
}

// content reads text given as a string or as a list of text blocks.
func content(raw json.RawMessage, at, role string) ([]block, error) {
	var text *string
	if json.Unmarshal(raw, &text) == nil && text != nil {
		return []block{{role: role, text: *text}}, nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil || list == nil {
		return nil, invalid("%s: Input should be a valid array", at)
	}
	var blocks []block
	for i, rawBlock := range list {
		b, err := textBlock(rawBlock, fmt.Sprintf("%s.%d", at, i))
		if err != nil {
			return nil, err
		}
		b.role = role
		blocks = append(blocks, b)
	}
	return blocks, nil
}

func textBlock(raw json.RawMessage, at string) (block, error) {
	var o object
	if json.Unmarshal(raw, &o) != nil || o == nil {
		return block{}, invalid("%s: Input should be an object", at)
	}
	var kind string
	if rawKind, ok := o["type"]; !ok {
		return block{}, invalid("%s.type: Field required", at)
	} else if json.Unmarshal(rawKind, &kind) != nil || kind != "text" {
		return block{}, invalid("%s.type: this offline server reads text blocks only, not %s; the real API reads more kinds", at, rawKind)
	}
	if err := only(o, at+".text", "type", "text", "cache_control", "citations"); err != nil {
		return block{}, err
	}
	var b block
	if rawText, ok := o["text"]; !ok {
		return b, invalid("%s.text.text: Field required", at)
	} else if json.Unmarshal(rawText, &b.text) != nil {
		return b, invalid("%s.text.text: Input should be a valid string", at)
	}
	if raw, ok := o["cache_control"]; ok && !bytes.Equal(raw, []byte("null")) {
		if b.text == "" {
			return b, invalid("%s.cache_control: cache_control cannot be set for empty text blocks", at)
		}
		var err error
		if b.ttl, err = cacheControl(raw, at+".cache_control"); err != nil {
			return b, err
		}
	}
	return b, nil
}

// only refuses members that the API does not know.
func only(o object, at string, known ...string) error {
	for _, name := range sorted(o) {
		if !slices.Contains(known, name) {
			return invalid("%s.%s: Extra inputs are not permitted", at, name)
		}
	}
	return nil
}

func unknown(top object) error {
	for _, name := range sorted(top) {
		if slices.Contains(unserved, name) {
			return invalid("%s: this offline server does not serve it; the real API does", name)
		}
		if !slices.Contains(fields, name) {
			return invalid("%s: Extra inputs are not permitted", name)
		}
	}
	return nil
}

func sorted(o object) []string {
	names := make([]string, 0, len(o))
	for name := range o {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// conversation checks what the messages are together.
func (c *call) conversation(object) error {
	switch {
	case len(c.Messages) == 0:
		return invalid("messages: at least one message is required")
	case c.Messages[0].Role != "user":
		return invalid("messages: first message must use the \"user\" role")
	case c.Messages[len(c.Messages)-1].Role == "assistant":
		return invalid("This model does not support assistant message prefill. The conversation must end with a user message.")
	}
	for _, b := range c.blocks {
		at := "messages"
		if b.role == "" {
			at = "system"
		}
		if b.text == "" {
			return invalid("%s: text content blocks must be non-empty", at)
		}
		if strings.TrimSpace(b.text) == "" {
			return invalid("%s: text content blocks must contain non-whitespace text", at)
		}
	}
	if n, most := c.promptTokens(), models[c.Model].context; n > most {
		return invalid("prompt is too long: %d tokens > %d maximum", n, most)
	}
	return nil
}

func joined(blocks []block) string {
	texts := make([]string, len(blocks))
	for i, b := range blocks {
		texts[i] = b.text
	}
	return strings.Join(texts, "\n")
}
