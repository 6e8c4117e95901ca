// Command rivalserver serves the made-up competitors on 127.0.0.1, each on a port of
// its own from the given one on, and their reader on the port after the last.
// It writes where they are as the "competitors" of a site file.
package main

import (
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"blogposter/scripts/rivals"
)

func main() {
	port := flag.Int("port", 8800, "port of the first competitor; the others follow")
	flag.Parse()
	if err := serve(*port); err != nil {
		slog.Error("rivals not served", "err", err)
		os.Exit(1)
	}
}

func serve(port int) error {
	byHost := map[string]*rivals.Rival{}
	stopped := make(chan error)
	start := func(h http.Handler) (string, error) {
		address := fmt.Sprintf("127.0.0.1:%d", port)
		port++
		l, err := net.Listen("tcp", address) //nolint:noctx // a program's own port, for as long as it runs
		if err != nil {
			return "", err
		}
		srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
		go func() { stopped <- srv.Serve(l) }()
		return address, nil
	}
	pages := rivals.Corpus()
	list := "competitors:\n"
	for _, site := range rivals.Sites() {
		r := rivals.New(site, pages)
		address, err := start(r)
		if err != nil {
			return err
		}
		byHost[address] = r
		list += fmt.Sprintf("  - {name: %q, kind: %s, url: \"http://%s%s\", via: %s, most: 200}\n", site.Name, site.Kind, address, site.List, site.Via)
	}
	address, err := start(rivals.NewReader(byHost))
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(os.Stdout, "%s# reader: http://%s\n", list, address); err != nil {
		return err
	}
	return <-stopped
}
