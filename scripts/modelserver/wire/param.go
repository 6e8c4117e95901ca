package wire

import (
	"bytes"
	"encoding/json"
	"slices"
)

// toolChoice refuses forced tools. Any other choice needs tools, which are
// refused by name.
func toolChoice(top object) error {
	raw, ok := top["tool_choice"]
	if !ok {
		return nil
	}
	var choice struct{ Type string }
	if json.Unmarshal(raw, &choice) != nil || !bytes.HasPrefix(raw, []byte("{")) {
		return invalid("tool_choice: Input should be an object")
	}
	switch choice.Type {
	case "any", "tool":
		return invalid("tool_choice: type %q forces tool use, which is not supported for this model. Use \"auto\" or \"none\".", choice.Type)
	case "auto", "none":
		return invalid("tool_choice.%s may only be specified while providing tools", choice.Type)
	}
	return invalid("tool_choice: Input tag %q found using 'type' does not match any of the expected tags: 'auto', 'any', 'tool', 'none'", choice.Type)
}

func thinking(top object) error {
	raw, ok := top["thinking"]
	if !ok {
		return nil
	}
	var t struct{ Type string }
	if json.Unmarshal(raw, &t) != nil || !bytes.HasPrefix(raw, []byte("{")) {
		return invalid("thinking: Input should be an object")
	}
	switch t.Type {
	case "adaptive", "between_tools":
		return nil
	case "enabled", "disabled":
		return invalid("\"thinking.type.%s\" is not supported for this model. Use \"thinking.type.adaptive\" and \"output_config.effort\" to control thinking behavior.", t.Type)
	}
	return invalid("thinking: Input tag %q found using 'type' does not match any of the expected tags: 'adaptive', 'between_tools', 'disabled', 'enabled'", t.Type)
}

var efforts = []string{"low", "medium", "high", "xhigh", "max"}

func (c *call) readOutput(top object) error {
	raw, ok := top["output_config"]
	if !ok {
		return nil
	}
	var o object
	if json.Unmarshal(raw, &o) != nil || o == nil {
		return invalid("output_config: Input does not match the expected shape.")
	}
	if err := only(o, "output_config", "effort", "format"); err != nil {
		return err
	}
	if raw, ok := o["effort"]; ok {
		if json.Unmarshal(raw, &c.effort) != nil || !slices.Contains(efforts, c.effort) {
			return invalid("output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'")
		}
	}
	rawFormat, ok := o["format"]
	if !ok || bytes.Equal(rawFormat, []byte("null")) {
		return nil
	}
	var f object
	if json.Unmarshal(rawFormat, &f) != nil {
		return invalid("output_config.format: Input does not match the expected shape.")
	}
	if err := only(f, "output_config.format", "type", "schema"); err != nil {
		return err
	}
	if kind := string(f["type"]); kind != `"json_schema"` {
		return invalid("output_config.format.type: Input should be 'json_schema'")
	}
	if err := checkSchema(f["schema"]); err != nil {
		return err
	}
	c.Schema, c.format = f["schema"], string(f["schema"])
	return nil
}

// readCacheAll reads a cache_control of the whole request, which marks the
// last block.
func (c *call) readCacheAll(top object) error {
	raw, ok := top["cache_control"]
	if !ok {
		return nil
	}
	ttl, err := cacheControl(raw, "cache_control")
	if err == nil && len(c.blocks) > 0 {
		c.blocks[len(c.blocks)-1].ttl = ttl
	}
	return err
}

func cacheControl(raw json.RawMessage, at string) (string, error) {
	var o object
	if json.Unmarshal(raw, &o) != nil || o == nil {
		return "", invalid("%s: Input should be an object", at)
	}
	if err := only(o, at+".ephemeral", "type", "ttl"); err != nil {
		return "", err
	}
	if string(o["type"]) != `"ephemeral"` {
		return "", invalid("%s: Input tag %s found using 'type' does not match any of the expected tags: 'ephemeral'", at, o["type"])
	}
	ttl := "5m"
	if raw, ok := o["ttl"]; ok {
		if json.Unmarshal(raw, &ttl) != nil || lifetimes[ttl] == 0 {
			return "", invalid("%s.ephemeral.ttl: Input should be '5m' or '1h'", at)
		}
	}
	return ttl, nil
}

func (c *call) breakpoints(object) error {
	n, short := 0, false
	for _, b := range c.blocks {
		if b.ttl == "" {
			continue
		}
		if b.ttl == "1h" && short {
			return invalid("a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block")
		}
		short = short || b.ttl == "5m"
		n++
	}
	if n > maxBreakpoints {
		return invalid("A maximum of %d blocks with cache_control may be provided. Found %d.", maxBreakpoints, n)
	}
	return nil
}

func (c *call) readMaxTokens(top object) error {
	raw, ok := top["max_tokens"]
	if !ok {
		return invalid("max_tokens: Field required")
	}
	if json.Unmarshal(raw, &c.MaxTokens) != nil || bytes.Equal(raw, []byte("null")) {
		return invalid("max_tokens: Input should be a valid integer")
	}
	if c.MaxTokens < 1 {
		return invalid("max_tokens: must be greater than or equal to 1")
	}
	if most := models[c.Model].maxOutput; c.MaxTokens > most {
		return invalid("max_tokens: %d > %d, which is the maximum allowed number of output tokens for %s", c.MaxTokens, most, c.Model)
	}
	return nil
}

// sampling refuses the parameters that all the listed models refuse.
func sampling(top object) error {
	for _, name := range []string{"temperature", "top_k", "top_p"} {
		if _, ok := top[name]; ok {
			return invalid("`%s` is deprecated for this model.", name)
		}
	}
	return nil
}

func streaming(top object) error {
	raw, ok := top["stream"]
	if !ok {
		return nil
	}
	var stream bool
	if json.Unmarshal(raw, &stream) != nil || bytes.Equal(raw, []byte("null")) {
		return invalid("stream: Input should be a valid boolean")
	}
	if stream {
		return invalid("stream: this offline server answers in one piece, though the real API streams; leave stream out or set it to false")
	}
	return nil
}
