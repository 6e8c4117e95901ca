// Package invoke calls functions through the platform's asynchronous invoke
// API. Delivery is at most once and unconfirmed, so it carries no work: a
// wake-up says "look now", and the function leases what is due.
package invoke

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Client invokes the functions of one namespace.
type Client struct {
	host *url.URL
	key  string
	http *http.Client
}

// New returns a Client for the platform at host, which a function finds in
// __OW_API_HOST. key is a namespace access key, "dof_v1_<id>:<secret>". hc
// must have a Timeout: a wake-up must not hold up the work that sends it.
func New(host *url.URL, key string, hc *http.Client) *Client {
	return &Client{host: host, key: key, http: hc}
}

// Wake invokes function, such as "pipeline/seo", with an empty event and does
// not wait for it. A second call is harmless. A failed one may be ignored:
// tick wakes every stage that has due work.
func (c *Client) Wake(ctx context.Context, function string) error {
	u := c.host.JoinPath("api", "v1", "namespaces", "_", "actions", function)
	u.RawQuery = "blocking=false"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader("{}"))
	if err != nil {
		return fmt.Errorf("wake %s: %w", function, err)
	}
	user, secret, _ := strings.Cut(c.key, ":")
	req.SetBasicAuth(user, secret)
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("wake %s: %w", function, err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10)) // read to the end, so that the connection is used again
	switch resp.StatusCode {
	case http.StatusAccepted, http.StatusOK:
		return nil
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("wake %s: the platform refuses FUNCTIONS_ACCESS_KEY (status %d): make a new namespace access key", function, resp.StatusCode)
	}
	return fmt.Errorf("wake %s: status %d: %.200s", function, resp.StatusCode, body)
}
