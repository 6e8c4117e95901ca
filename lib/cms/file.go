package cms

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
)

type wireFile struct {
	ID     int64  `json:"id"`
	Source string `json:"source_url"`
	Alt    string `json:"alt_text"`
}

func (f wireFile) file() editorial.File {
	return editorial.File{ID: f.ID, URL: f.Source, Alt: f.Alt}
}

// File returns the picture with that id, or false when the library has none.
func (w *WordPress) File(ctx context.Context, id int64) (editorial.File, bool, error) {
	var wire wireFile
	n := strconv.FormatInt(id, 10)
	_, err := w.get(ctx, call{path: []string{"media", n}, query: edit, what: "read file " + n}, &wire)
	if reason(err) == "rest_post_invalid_id" {
		return editorial.File{}, false, nil
	}
	return wire.file(), err == nil, err
}

// FindFiles lists the pictures whose file name holds mark, the oldest first.
func (w *WordPress) FindFiles(ctx context.Context, mark string) ([]editorial.File, error) {
	if mark == "" {
		return nil, fault.Permanent(errors.New("find files: the mark is empty"))
	}
	var list []wireFile
	_, err := w.get(ctx, call{path: []string{"media"}, what: "find files with " + mark, query: url.Values{
		"context": {"edit"}, "search": {mark}, "orderby": {"id"}, "order": {"asc"}, "per_page": {"100"},
	}}, &list)
	if err != nil {
		return nil, err
	}
	var found []editorial.File
	for _, f := range list {
		if strings.Contains(path.Base(f.Source), mark) { // the search looks at captions too
			found = append(found, f.file())
		}
	}
	slices.SortFunc(found, func(a, b editorial.File) int { return int(a.ID - b.ID) })
	return found, nil
}

// Upload adds a picture with its alternative text to the library. Made twice,
// there are two: look up before.
func (w *WordPress) Upload(ctx context.Context, m editorial.Media, data []byte) (editorial.File, error) {
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	head := textproto.MIMEHeader{}
	head.Set("Content-Disposition", fmt.Sprintf(`form-data; name="file"; filename=%q`, m.Name))
	head.Set("Content-Type", m.Type)
	part, err := parts.CreatePart(head)
	if err == nil {
		_, err = part.Write(data)
	}
	// The title is what the library's search finds, whatever becomes of the name.
	err = errors.Join(err, parts.WriteField("title", strings.TrimSuffix(m.Name, path.Ext(m.Name))), parts.WriteField("alt_text", m.Alt), parts.Close())
	if err != nil {
		return editorial.File{}, fault.Permanent(err)
	}
	what := "upload " + m.Name
	var wire wireFile
	c := call{method: http.MethodPost, path: []string{"media"}, query: edit, form: &form{parts.FormDataContentType(), body.Bytes()}, what: what}
	if _, err := w.do(ctx, c, &wire); err != nil {
		return editorial.File{}, err
	}
	if wire.ID == 0 || wire.Source == "" {
		return editorial.File{}, fault.Lost(fault.NeedsHuman(fmt.Errorf("wordpress at %s: %s: the answer names no file: check that no plugin filters the REST API", w.base.Host, what)))
	}
	return wire.file(), nil
}

// Describe gives a picture another alternative text. It is safe to repeat.
func (w *WordPress) Describe(ctx context.Context, id int64, alt string) (editorial.File, error) {
	var wire wireFile
	n := strconv.FormatInt(id, 10)
	_, err := w.do(ctx, call{method: http.MethodPost, path: []string{"media", n}, query: edit, body: map[string]string{"alt_text": alt}, what: "describe file " + n}, &wire)
	return wire.file(), err
}

// Bytes returns what anybody gets at the picture's address.
func (w *WordPress) Bytes(ctx context.Context, address string) ([]byte, error) {
	data, err := w.Page(ctx, address)
	return []byte(data), err
}
