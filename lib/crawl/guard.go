package crawl

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"blogposter/lib/fault"
)

// nowhere are the names that mean this machine or this network, not a page on
// the Internet.
var nowhere = []string{".localhost", ".local", ".internal", ".intranet", ".lan", ".home.arpa", ".corp", ".home"}

// shared are ranges that netip's own questions don't cover: carrier-grade
// NAT, IPv6 forms that hide an IPv4 address, and what was a site's own in IPv6.
var shared = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"),
	netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("2001::/32"),
	netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("fec0::/10"),
}

// target parses and judges a page's address. Its errors never repeat user
// info, which may be a password.
func (r *Reader) target(page string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(page))
	if err != nil {
		// url.Error repeats the address, and with it any password.
		return nil, fault.Permanent(fmt.Errorf("%w: it can't be parsed; give a full http or https address", errAddress))
	}
	host := u.Hostname()
	switch {
	case u.User != nil:
		return nil, fault.Permanent(fmt.Errorf("%w: the one on %q holds a user name or password; remove it", errAddress, host))
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fault.Permanent(fmt.Errorf("%w: scheme %q; only http and https pages are read", errAddress, u.Scheme))
	case host == "":
		return nil, fault.Permanent(fmt.Errorf("%w: it names no host; give a full http or https address", errAddress))
	case !r.cfg.AllowPrivate && private(host):
		return nil, fault.Permanent(fmt.Errorf("%w: host %q is private or local, and the reader is a stranger's service; publish the page first", errAddress, host))
	}
	u.Fragment, u.RawFragment = "", "" // never sent to a server: two fragments are one page
	u.Host = strings.ToLower(u.Host)
	return u, nil
}

func private(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if addr, err := netip.ParseAddr(host); err == nil {
		return privateAddr(addr.Unmap())
	}
	if !strings.Contains(host, ".") {
		return true // "localhost", "db": a name only this network knows, or 2130706433, which is 127.0.0.1
	}
	for _, suffix := range nowhere {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	// 127.1 and 0x7f.0.0.1 are addresses to some resolvers, and never names.
	last := host[strings.LastIndexByte(host, '.')+1:]
	return last == "" || last[0] >= '0' && last[0] <= '9'
}

func privateAddr(a netip.Addr) bool {
	if a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() || a.Zone() != "" {
		return true
	}
	for _, p := range shared {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
