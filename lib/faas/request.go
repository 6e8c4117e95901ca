package faas

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// webEvent is what a function with `web: raw` receives.
type webEvent struct {
	HTTP struct {
		Method          string            `json:"method"`
		Path            string            `json:"path"`
		QueryString     string            `json:"queryString"`
		Headers         map[string]values `json:"headers"`
		Body            string            `json:"body"`
		IsBase64Encoded bool              `json:"isBase64Encoded"`
	} `json:"http"`
}

// values takes a header's one string, and also a list, should a host keep
// repeated headers apart.
type values []string

func (v *values) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '[' {
		return json.Unmarshal(raw, (*[]string)(v))
	}
	var one string
	if err := json.Unmarshal(raw, &one); err != nil {
		return err
	}
	*v = values{one}
	return nil
}

// request turns a web event into the request net/http's server would have
// made of it, or says what is wrong with the event.
func request(ctx context.Context, event json.RawMessage) (*http.Request, *Problem) {
	var ev webEvent
	if err := json.Unmarshal(event, &ev); err != nil {
		return nil, malformed("the web event is not readable: %v", err)
	}
	body := []byte(ev.HTTP.Body)
	if ev.HTTP.IsBase64Encoded { // the platform encodes JSON bodies too
		var err error
		if body, err = base64.StdEncoding.DecodeString(ev.HTTP.Body); err != nil {
			return nil, malformed("the body is marked base64 and is not: %v", err)
		}
	}
	if len(body) > maxPayload {
		return nil, NewProblem(http.StatusRequestEntityTooLarge, "body-too-large", fmt.Sprintf("The body is %d bytes; send at most %d.", len(body), maxPayload))
	}
	if ev.HTTP.Method == "" {
		return nil, malformed("the event has no http.method; is the function declared web: raw?")
	}
	req, err := http.NewRequestWithContext(ctx, strings.ToUpper(ev.HTTP.Method), "/", bytes.NewReader(body))
	if err != nil {
		return nil, malformed("%v", err)
	}
	for k, vs := range ev.HTTP.Headers {
		req.Header[http.CanonicalHeaderKey(k)] = vs
	}
	req.URL = target(ev.HTTP.Path, ev.HTTP.QueryString)
	req.RequestURI = req.URL.RequestURI()
	req.Host = req.Header.Get("Host")
	req.Header.Del("Host") // as net/http's server does
	req.RemoteAddr = remoteAddr(req.Header.Get("X-Forwarded-For"))
	return req, nil
}

func malformed(format string, args ...any) *Problem {
	return NewProblem(http.StatusBadRequest, "malformed-request", fmt.Sprintf(format, args...))
}

// target keeps the query as it came, so that repeated keys survive. The path
// may come escaped or not, with its leading slash or without.
func target(path, query string) *url.URL {
	path = "/" + strings.TrimPrefix(path, "/")
	u := &url.URL{Path: path, RawQuery: query}
	if plain, err := url.PathUnescape(path); err == nil {
		u.Path, u.RawPath = plain, path
	}
	return u
}

// remoteAddr is the first address of x-forwarded-for, with a port because
// middleware splits one off.
func remoteAddr(forwarded string) string {
	first, _, _ := strings.Cut(forwarded, ",")
	first = strings.TrimSpace(first)
	if host, _, err := net.SplitHostPort(first); err == nil {
		first = host
	}
	ip, err := netip.ParseAddr(first)
	if err != nil {
		ip = netip.IPv4Unspecified()
	}
	return netip.AddrPortFrom(ip, 0).String()
}
