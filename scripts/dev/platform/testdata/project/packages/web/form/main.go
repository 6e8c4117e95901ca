// Command form is parsed, and answers with the event it was given. Called by HTTP. A second
// call is safe.
package main

import (
	"context"
	"encoding/json"

	"blogposter/lib/faas"
)

func main() {
	faas.Serve(func(_ context.Context, event json.RawMessage) (any, error) {
		return map[string]any{"body": event}, nil
	})
}
