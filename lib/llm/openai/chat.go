package openai

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	sdk "github.com/sashabaranov/go-openai"

	"blogposter/lib/fault"
	"blogposter/lib/ledger"
	"blogposter/lib/llm"
)

// answerName is what the schema of an answer is called: the API wants a name.
const answerName = "answer"

// Call makes one request. An error of a call that was charged comes with the
// usage of its Response.
func (c *Client) Call(ctx context.Context, r llm.Request) (llm.Response, error) {
	req, err := chat(r)
	if err != nil {
		return llm.Response{}, fault.Permanent(fmt.Errorf("openai: %w", err))
	}
	if err := ctx.Err(); err != nil {
		return llm.Response{}, fault.Retryable(fmt.Errorf("openai: not sent: %w", err), 0)
	}
	ctx, e := begin(ctx)
	answer, err := c.api.CreateChatCompletion(ctx, req)
	if err != nil {
		return llm.Response{}, c.classify(err, e)
	}
	return response(answer, e.request())
}

// chat is the request as OpenAI reads it. Sampling parameters are refused by
// models that think, so none of them is ever set.
func chat(r llm.Request) (sdk.ChatCompletionRequest, error) {
	out := sdk.ChatCompletionRequest{Model: r.Model, MaxCompletionTokens: int(r.MaxTokens)}
	switch r.Model {
	case sdk.GPT6Sol, sdk.GPT6Luna:
		// They think unless told not to, and would use up MaxTokens.
		out.ReasoningEffort = sdk.ReasoningEffortNone
	}
	if r.System != "" {
		out.Messages = append(out.Messages, sdk.ChatCompletionMessage{Role: sdk.ChatMessageRoleSystem, Content: r.System})
	}
	for _, m := range r.Messages {
		switch m.Role {
		case llm.RoleUser, llm.RoleAssistant:
			out.Messages = append(out.Messages, sdk.ChatCompletionMessage{Role: string(m.Role), Content: m.Text})
		default:
			return out, fmt.Errorf("message role %q: use %q or %q", m.Role, llm.RoleUser, llm.RoleAssistant)
		}
	}
	if len(r.Schema) > 0 {
		var schema map[string]json.RawMessage
		if err := json.Unmarshal(r.Schema, &schema); err != nil {
			return out, fmt.Errorf("schema of %s: %w", r.Step, err)
		}
		out.ResponseFormat = &sdk.ChatCompletionResponseFormat{
			Type:       sdk.ChatCompletionResponseFormatTypeJSONSchema,
			JSONSchema: &sdk.ChatCompletionResponseFormatJSONSchema{Name: answerName, Schema: r.Schema, Strict: true},
		}
	}
	return out, nil
}

// response reads an answer in our own terms.
func response(a sdk.ChatCompletionResponse, request string) (llm.Response, error) {
	if request == "" {
		request = a.ID
	}
	resp := llm.Response{Model: a.Model, Request: request, Usage: usage(a.Usage)}
	if resp.Usage.Prompt() == 0 {
		// Every call reads a prompt: what it cost is not known, and not nothing.
		return llm.Response{}, fault.Retryable(fault.Lost(fmt.Errorf("openai: call %s was answered without its usage", request)), 0)
	}
	if len(a.Choices) == 0 {
		return resp, fault.Permanent(fmt.Errorf("openai: call %s was answered without a choice", request))
	}
	m := a.Choices[0].Message
	resp.Text = m.Content
	for _, part := range m.MultiContent {
		resp.Text += part.Text
	}
	why := a.Choices[0].FinishReason
	switch {
	case why == sdk.FinishReasonContentFilter, strings.TrimSpace(m.Refusal) != "":
		resp.Text, resp.Stop = "", llm.StopRefused
	case why == sdk.FinishReasonStop:
		resp.Stop = llm.StopEnd
	case why == sdk.FinishReasonLength:
		resp.Stop = llm.StopTruncated
	default:
		return resp, fault.Permanent(fmt.Errorf("openai: call %s stopped with %q, which was not asked for", request, why))
	}
	return resp, nil
}

// usage sorts the tokens into the classes that are priced apart. The prompt's
// count includes what was read from the cache; writing to it costs nothing of
// its own.
func usage(u sdk.Usage) ledger.Usage {
	var cached int64
	if u.PromptTokensDetails != nil {
		cached = min(int64(u.PromptTokensDetails.CachedTokens), int64(u.PromptTokens))
	}
	return ledger.Usage{Input: int64(u.PromptTokens) - cached, Output: int64(u.CompletionTokens), CacheRead: cached}
}
