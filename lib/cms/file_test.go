package cms_test

import (
	"bytes"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/cms"
	"blogposter/lib/editorial"
	"blogposter/lib/fault"
)

func TestWordPress_keepsAPictureAsItWasSent(t *testing.T) {
	t.Parallel()

	onBoth(t, func(t *testing.T, w *cms.WordPress, tag string) {
		t.Helper()
		var data bytes.Buffer
		require.NoError(t, png.Encode(&data, image.NewGray(image.Rect(0, 0, 40, 20))))
		m := editorial.Media{Name: "card-" + tag + ".png", Type: "image/png", Alt: `A "dog" & a cat, ünï`}
		made, err := w.Upload(t.Context(), m, data.Bytes())
		require.NoError(t, err)
		require.Equal(t, m.Alt, made.Alt)
		require.Contains(t, made.URL, m.Name)
		got, err := w.Bytes(t.Context(), made.URL)
		require.NoError(t, err)
		require.Equal(t, data.Bytes(), got)

		second, err := w.Upload(t.Context(), m, data.Bytes())
		require.NoError(t, err)
		require.NotEqual(t, made.URL, second.URL)
		found, err := w.FindFiles(t.Context(), tag)
		require.NoError(t, err)
		require.Equal(t, []editorial.File{made, second}, found, "the oldest first, found by the name that the site gave")
		none, err := w.FindFiles(t.Context(), tag+"x")
		require.NoError(t, err)
		require.Empty(t, none)

		described, err := w.Describe(t.Context(), made.ID, "Another text")
		require.NoError(t, err)
		read, ok, err := w.File(t.Context(), made.ID)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, described, read)
		require.Equal(t, "Another text", read.Alt)
		_, ok, err = w.File(t.Context(), 999_999_999)
		require.NoError(t, err)
		require.False(t, ok)
	})
}

func TestWordPress_Visible_saysWhetherAnybodySeesAPage(t *testing.T) {
	t.Parallel()

	for code, want := range map[int]struct {
		shown bool
		kind  fault.Kind
	}{
		200: {shown: true}, 404: {}, 410: {}, 401: {}, 403: {}, 503: {kind: fault.KindRetryable}, 418: {kind: fault.KindNeedsHuman},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = io.WriteString(w, "page")
		}))
		t.Cleanup(srv.Close)
		page, shown, err := open(t, srv.URL).Visible(t.Context(), srv.URL+"/a")
		require.Equal(t, want.kind, fault.KindOf(err), "%d", code)
		require.Equal(t, want.shown, shown, "%d", code)
		require.Equal(t, want.shown, page != "")
	}
}

func TestWordPress_Upload_isLostWhereTheAnswerNamesNoFile(t *testing.T) {
	t.Parallel()

	w, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"id":0}`) })
	_, err := w.Upload(t.Context(), editorial.Media{Name: "a.png", Type: "image/png"}, []byte("x"))
	require.ErrorContains(t, err, "the answer names no file")
	require.True(t, fault.IsLost(err), "it may be there")
	_, err = w.FindFiles(t.Context(), "")
	require.ErrorContains(t, err, "the mark is empty")
	w, _ = serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) })
	_, err = w.FindFiles(t.Context(), "x")
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
	_, _, err = w.File(t.Context(), 1)
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
}
