package llm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"blogposter/lib/fault"
	"blogposter/lib/pipeline"
)

// maxComplaint is how much of the validator's message a model is shown.
const maxComplaint = 2000

// JSON asks for an answer that fits r.Schema and decodes it into out, a
// pointer that is left alone on error. A cut-off answer is asked for once more
// with twice the tokens, as the step r.Step/longer; one that does not fit is
// shown to the model once with what is wrong, as r.Step/repair. After that a
// cut-off one asks for a person, and one that does not fit is permanent: its
// steps are journaled, so another attempt would read the same answers. No text
// in out holds a NUL or broken UTF-8, which Postgres would refuse.
func (c *Client) JSON(ctx context.Context, l pipeline.Lease, r Request, out any) error {
	if err := r.check(); err != nil {
		return err
	}
	if v := reflect.ValueOf(out); v.Kind() != reflect.Pointer || v.IsNil() {
		return fault.Permanent(fmt.Errorf("step %q: out is a %T: pass a pointer to decode into", r.Step, out))
	}
	schema, err := c.schema(r.Schema)
	if err != nil {
		return fault.Permanent(fmt.Errorf("step %q: schema: %w", r.Step, err))
	}
	step := r.Step
	resp, err := c.call(ctx, l, r)
	if err == nil && resp.Stop == StopTruncated {
		r.Step, r.MaxTokens = step+"/longer", 2*r.MaxTokens
		resp, err = c.whole(ctx, l, r)
	}
	if err != nil {
		return err
	}
	complaint := decode(schema, resp.Text, out)
	if complaint == nil {
		return nil
	}
	r.Step, r.Messages = step+"/repair", repair(r.Messages, resp.Text, complaint)
	if resp, err = c.whole(ctx, l, r); err != nil {
		return err
	}
	if err := decode(schema, resp.Text, out); err != nil {
		return fault.Permanent(fmt.Errorf("step %q, call %s: %w: %w", r.Step, resp.Request, ErrInvalid, err))
	}
	return nil
}

// whole is call for a last try, where a cut-off answer is an error.
func (c *Client) whole(ctx context.Context, l pipeline.Lease, r Request) (Response, error) {
	resp, err := c.call(ctx, l, r)
	if err == nil && resp.Stop == StopTruncated {
		err = fault.NeedsHuman(fmt.Errorf("step %q, call %s of at most %d tokens: %w", r.Step, resp.Request, r.MaxTokens, ErrTruncated))
	}
	return resp, err
}

// repair shows the model its answer and what is wrong with it.
func repair(asked []Message, answer string, complaint error) []Message {
	if strings.TrimSpace(answer) == "" {
		answer = "(no answer)" // an empty turn is refused
	}
	why := complaint.Error()
	if len(why) > maxComplaint {
		why = strings.ToValidUTF8(why[:maxComplaint], "") + " …"
	}
	ask := "That answer does not fit the required schema: " + why +
		"\nAnswer again with the corrected JSON alone, all of it, and change nothing else."
	return append(slices.Clip(asked), Message{RoleAssistant, answer}, Message{RoleUser, ask})
}

// decode checks text against the schema, then decodes it into out all or
// nothing.
func decode(schema *jsonschema.Resolved, text string, out any) error {
	text = withoutNUL(text)
	var instance any
	if err := json.Unmarshal([]byte(text), &instance); err != nil {
		return fmt.Errorf("not valid JSON: %w", err)
	}
	if err := schema.Validate(instance); err != nil {
		return err
	}
	target := reflect.ValueOf(out).Elem()
	fresh := reflect.New(target.Type())
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(fresh.Interface()); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	target.Set(fresh.Elem())
	return nil
}

// withoutNUL takes the escapes of NUL out of JSON: the raw bytes are clean,
// but these would become NULs in what is decoded. Broken UTF-8 can't be
// escaped, the decoder replaces it.
func withoutNUL(text string) string {
	const nul = `\u0000`
	if !strings.Contains(text, nul) {
		return text
	}
	var b strings.Builder
	for text != "" {
		i := strings.IndexByte(text, '\\')
		if i < 0 || i+1 == len(text) {
			break
		}
		b.WriteString(text[:i])
		text = text[i:]
		if strings.HasPrefix(text, nul) {
			text = text[len(nul):]
			continue
		}
		b.WriteString(text[:2]) // a pair: what it escapes begins no escape of its own
		text = text[2:]
	}
	return b.String() + text
}

// schema compiles a schema once per Client.
func (c *Client) schema(raw json.RawMessage) (*jsonschema.Resolved, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, errors.New("is missing: set Schema, or call Text for prose")
	}
	key := sha256.Sum256(raw)
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, ok := c.schemas[key]; ok {
		return s, nil
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, err
	}
	compiled, err := s.Resolve(nil)
	if err != nil {
		return nil, err
	}
	c.schemas[key] = compiled
	return compiled, nil
}
