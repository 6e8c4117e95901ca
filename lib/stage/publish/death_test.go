package publish_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/cms/cmstest"
	"blogposter/lib/editorial"
)

// calls lists the calls of one clean attempt, to lose each of them in turn.
func calls(t *testing.T, prepare func(w *world)) []string {
	t.Helper()
	w := inMemory(t)
	prepare(w)
	before := len(w.proxy.Calls())
	_, err := w.do(t.Context())
	require.NoError(t, err)
	return w.proxy.Calls()[before:]
}

// fates are what can become of a call. To lose the answer of one that only
// reads is to lose the call.
func fates(call string) map[string]cmstest.Loss {
	all := map[string]cmstest.Loss{"unsent": cmstest.Request}
	if strings.HasPrefix(call, http.MethodPost) {
		all["unanswered"] = cmstest.Answer
	}
	return all
}

// losing loses the nth call from now on, and those that follow it when for good.
func (w *world) losing(n int, loss cmstest.Loss, forGood bool) {
	var seen atomic.Int32
	w.proxy.Lose(func(*http.Request) cmstest.Loss {
		if i := int(seen.Add(1)); i == n || forGood && i > n {
			return loss
		}
		return cmstest.Nothing
	})
}

func TestStage_Do_endsAnUpdateTheSameWhereverItsWorkerDies(t *testing.T) {
	t.Parallel()

	total := calls(t, func(w *world) { w.revise(t) })
	require.Greater(t, len(total), 12)
	for i, call := range total {
		n := i + 1
		for name, loss := range fates(call) {
			t.Run(fmt.Sprintf("call %d %s and all after it", n, name), func(t *testing.T) {
				t.Parallel()

				w := inMemory(t)
				before := w.revise(t)
				w.losing(n, loss, true)
				_, err := w.do(t.Context())
				require.Error(t, err)
				require.NotEqual(t, editorial.PublicationPublished, w.store.pubState())
				require.Equal(t, editorial.PublicationPublished, w.target().Publication.State)

				w.proxy.Lose(nil)
				w.lease.Attempt++
				_, err = w.do(t.Context())
				require.NoError(t, err)
				w.requireUpdated(t, before)
				require.Len(t, w.fake.Posts(), 1)
				require.Len(t, w.fake.Files(), 2, "a picture for each version, once")
			})
		}
	}
}

func TestStage_Do_endsANewArticleTheSameWhereverItsWorkerDies(t *testing.T) {
	t.Parallel()

	total := calls(t, func(*world) {})
	for i, call := range total {
		n := i + 1
		for name, loss := range fates(call) {
			t.Run(fmt.Sprintf("call %d %s and all after it", n, name), func(t *testing.T) {
				t.Parallel()

				w := inMemory(t)
				w.losing(n, loss, true)
				_, err := w.do(t.Context())
				require.Error(t, err)
				w.proxy.Lose(nil)
				w.lease.Attempt++
				_, err = w.do(t.Context())
				require.NoError(t, err)
				w.requirePublished(t)
				require.Len(t, w.fake.Posts(), 1)
				require.Len(t, w.fake.Files(), 1)
			})
		}
	}
}
