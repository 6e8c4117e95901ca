// Command hello is the least a function can be: what every other binary's
// size and start are compared with in make bench.
package main

import (
	"context"
	"encoding/json"

	"blogposter/lib/faas"
)

func main() {
	faas.Serve(func(context.Context, json.RawMessage) (any, error) { return map[string]string{"hello": "world"}, nil })
}
