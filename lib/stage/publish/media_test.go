package publish_test

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/cms/cmstest"
	"blogposter/lib/editorial"
	"blogposter/lib/fault"
)

func isUpload(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Path == "/wp-json/wp/v2/media"
}

func TestStage_Do_uploadsAPictureOnceWhateverBecomesOfTheAnswer(t *testing.T) {
	t.Parallel()

	onBoth(t, func(t *testing.T, w *world) {
		t.Helper()
		w.proxy.Lose(once(isUpload, cmstest.Answer))
		_, err := w.do(t.Context())
		require.NoError(t, err)
		w.requirePublished(t)
		require.Equal(t, 1, w.writes(t, "media"), "looked for, not sent again")
	})
}

func TestStage_Do_usesAPictureThatIsThere(t *testing.T) {
	t.Parallel()

	t.Run("known by its hash", func(t *testing.T) {
		t.Parallel()

		w := inMemory(t)
		w.revise(t)
		w.store.dossier.Draft.Media = w.target().Draft.Media
		w.approve(t)
		uploads := w.writes(t, "media")
		_, err := w.do(t.Context())
		require.NoError(t, err)
		require.Equal(t, uploads, w.writes(t, "media"))
		require.Len(t, w.fake.Files(), 1)
	})
	t.Run("found by its name, in a database that doesn't know it", func(t *testing.T) {
		t.Parallel()

		w := inMemory(t)
		m := w.store.dossier.Draft.Media[0]
		_, err := w.direct.Upload(t.Context(), m, pixels(w.store.dossier.Draft.Slug))
		require.NoError(t, err)
		_, err = w.do(t.Context())
		require.NoError(t, err)
		w.requirePublished(t)
		require.Zero(t, w.writes(t, "media"))
		require.Contains(t, w.store.media, m.Hash)
	})
	t.Run("deleted on the site", func(t *testing.T) {
		t.Parallel()

		onBoth(t, func(t *testing.T, w *world) {
			t.Helper()
			m := w.store.dossier.Draft.Media[0]
			f, err := w.direct.Upload(t.Context(), m, pixels(w.store.dossier.Draft.Slug))
			require.NoError(t, err)
			w.store.media[m.Hash] = f
			if w.fake != nil {
				w.fake.DeleteFile(f.ID)
			} else {
				w.server.Call(t, http.MethodDelete, "media/"+itoa(f.ID)+"?force=true", nil)
			}
			_, err = w.do(t.Context())
			require.NoError(t, err)
			post := w.requirePublished(t)
			require.NotEqual(t, f.ID, post.Picture)
			require.Equal(t, post.Picture, w.store.media[m.Hash].ID)
		})
	})
	t.Run("another one under its id", func(t *testing.T) {
		t.Parallel()

		w := inMemory(t)
		other := pictureOf("other")
		f, err := w.direct.Upload(t.Context(), other, pixels("other"))
		require.NoError(t, err)
		f.URL = strings.Replace(f.URL, "other", "mine", 1) // as it was before the library was rebuilt
		w.store.media[w.store.dossier.Draft.Media[0].Hash] = f
		_, err = w.do(t.Context())
		require.NoError(t, err)
		require.NotEqual(t, f.ID, w.requirePublished(t).Picture)
	})
	t.Run("described otherwise by hand", func(t *testing.T) {
		t.Parallel()

		onBoth(t, func(t *testing.T, w *world) {
			t.Helper()
			m := w.store.dossier.Draft.Media[0]
			m.Alt = "Buy now"
			_, err := w.direct.Upload(t.Context(), m, pixels(w.store.dossier.Draft.Slug))
			require.NoError(t, err)
			_, err = w.do(t.Context())
			require.NoError(t, err)
			w.requirePublished(t)
		})
	})
}

func TestStage_Do_publishesNothingWithoutThePictureThatWasApproved(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		prepare func(t *testing.T, w *world)
		says    string
		kind    fault.Kind
	}{
		"shrunk by a plugin": {func(_ *testing.T, w *world) {
			w.fake.Squeeze = func(data []byte) []byte { return bytes.TrimSuffix(data, data[len(data)-1:]) }
		}, "is not the picture that was approved", fault.KindNeedsHuman},
		"its bytes are lost": {func(_ *testing.T, w *world) { w.store.missing = true }, "no such artifact", fault.KindPermanent},
		"it can't be sent":   {func(_ *testing.T, w *world) { w.proxy.Lose(once(isUpload, cmstest.Request)) }, "upload ", fault.KindRetryable},
		"a lost lease":       {func(_ *testing.T, w *world) { w.store.failMedia = errors.New("lease lost") }, "lease lost", fault.KindRetryable},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := inMemory(t)
			tc.prepare(t, w)
			_, err := w.do(t.Context())
			require.ErrorContains(t, err, tc.says)
			require.Equal(t, tc.kind, fault.KindOf(err))
			require.Empty(t, w.fake.Posts())
		})
	}
}

func TestStage_Do_publishesWithoutAPictureWhereNoneWasApproved(t *testing.T) {
	t.Parallel()

	w := inMemory(t)
	w.store.dossier.Draft.Media = nil
	w.approve(t)
	_, err := w.do(t.Context())
	require.NoError(t, err)
	require.Empty(t, w.fake.Files())
	require.Zero(t, w.fake.Post(1).Picture)
	require.Equal(t, editorial.PublicationPublished, w.store.publication().State)
}
