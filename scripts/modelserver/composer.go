package main

import (
	"context"

	"blogposter/scripts/modelserver/compose"
	"blogposter/scripts/modelserver/wire"
)

// newComposer puts the package that answers behind the wire. Neither knows the
// other.
func newComposer() wire.Composer { return composer{compose.New()} }

type composer struct{ mind *compose.Composer }

// Compose answers from the prompt's texts alone.
func (c composer) Compose(ctx context.Context, r wire.Request) (string, error) {
	texts := make([]string, len(r.Messages))
	for i, m := range r.Messages {
		texts[i] = m.Text
	}
	return c.mind.Compose(ctx, r.System, texts, r.Schema)
}
