package direct

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"

	"golang.org/x/net/html/charset"

	"blogposter/lib/fault"
)

// read takes at most limit bytes of r, unpacked when they are gzip. What ends
// too late or breaks off is cut there.
func read(ctx context.Context, r io.Reader, limit int) (body []byte, cut string, err error) {
	body, cut, err = upTo(r, limit)
	if err != nil && len(body) == 0 {
		return nil, "", fault.Retryable(fmt.Errorf("the answer broke off: %w", why(err)), 0)
	}
	if err != nil {
		cut = "the answer broke off"
		if ctx.Err() != nil {
			cut = "the answer took too long"
		}
	}
	if !bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		return body, cut, nil
	}
	packed, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, "", fault.Permanent(fmt.Errorf("the answer is damaged gzip: %w", err))
	}
	plain, over, err := upTo(packed, limit)
	if err != nil && len(plain) == 0 {
		return nil, "", fault.Permanent(fmt.Errorf("the answer is damaged gzip: %w", err))
	}
	if err != nil && cut == "" {
		cut = "the gzip is damaged"
	}
	if over != "" {
		cut = over
	}
	return plain, cut, nil
}

func upTo(r io.Reader, limit int) (body []byte, cut string, err error) {
	body, err = io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if len(body) > limit {
		return body[:limit], fmt.Sprintf("it is over %s long", size(limit)), nil
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return body, "", err
}

func size(n int) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%d MB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}

// media is the answer's content type, "" when it has none.
func (a answer) media() string {
	m, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	return m
}

// html decodes a page into UTF-8, as its header or its meta element says.
func (a answer) html() (io.Reader, error) {
	return charset.NewReader(bytes.NewReader(a.body), a.header.Get("Content-Type"))
}

// xml decodes a feed or sitemap into UTF-8 and takes off its declaration, so
// that nothing after this has to know of encodings. Byte order marks and the
// declaration count, then the header.
func (a answer) xml() ([]byte, error) {
	body := bytes.TrimSpace(a.body)
	label := ""
	if _, params, err := mime.ParseMediaType(a.header.Get("Content-Type")); err == nil {
		label = params["charset"]
	}
	if m := declared().FindSubmatch(body[:min(len(body), 200)]); m != nil {
		label = string(m[1])
	}
	if bytes.HasPrefix(body, []byte{0xff, 0xfe}) || bytes.HasPrefix(body, []byte{0xfe, 0xff}) {
		label = "utf-16"
	}
	if label != "" && !strings.EqualFold(label, "utf-8") {
		r, err := charset.NewReaderLabel(label, bytes.NewReader(body))
		if err != nil {
			return nil, fault.Permanent(fmt.Errorf("its encoding %.40q is unknown: %w", label, err))
		}
		if body, err = io.ReadAll(io.LimitReader(r, int64(len(body))*4)); err != nil {
			return nil, fault.Permanent(err)
		}
	}
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if bytes.HasPrefix(body, []byte("<?xml")) {
		if end := bytes.Index(body, []byte("?>")); end >= 0 {
			body = body[end+2:]
		}
	}
	return bytes.ToValidUTF8(body, []byte("\uFFFD")), nil
}
