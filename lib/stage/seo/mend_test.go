package seo_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/fault"
	"blogposter/lib/llm/llmtest"
	"blogposter/lib/stage/seo"
)

func TestStage_Do_leavesAnUnknownPromptSetToANewerProgram(t *testing.T) {
	t.Parallel()

	r := newRun()
	r.d.Draft.MetaDescription = "Too short."
	l := lease
	l.Pins.Prompts = "v0"
	client, _ := llmtest.NewClient(r.model)
	_, _, err := seo.New(store{r.d}, client, &r.links, pictures{}).Do(t.Context(), l)
	require.ErrorContains(t, err, `prompt set "v0" is not in this program`)
	require.True(t, fault.IsNotYet(err))
}
