package crawl

import (
	"fmt"
	"net/netip"
	"net/url"

	"blogposter/lib/fault"
)

// Address parses and judges the address of a page that we fetch ourselves, as
// the Reader judges its own. allowPrivate lets private and local hosts pass.
func Address(page string, allowPrivate bool) (*url.URL, error) {
	u, err := (&Reader{cfg: Config{AllowPrivate: true}}).target(page)
	if err != nil {
		return nil, err
	}
	if host := u.Hostname(); !allowPrivate && private(host) {
		return nil, fault.Permanent(fmt.Errorf("%w: host %q is private or local; name a page on the Internet", errAddress, host))
	}
	return u, nil
}

// Private reports whether a is an address of this machine, of a network like
// it, or of a provider's metadata service: never that of a public page.
func Private(a netip.Addr) bool { return privateAddr(a.Unmap()) }

// Tidy is s with its white space collapsed to single spaces.
func Tidy(s string) string { return tidy(s) }

// Notice reports whether a line is one that sites wrap around their pages,
// such as a request for consent.
func Notice(line string) bool { return notice(line) }
