// Package wirecount counts the SQL statements a program sends, at the wire: it
// stands between the program and Postgres, reads the protocol's messages, and
// counts each simple query and each Execute.
package wirecount

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
)

// Proxy forwards connections and remembers the statements that went through.
type Proxy struct {
	listener net.Listener
	upstream string

	mu         sync.Mutex
	statements []string
}

// Listen returns a Proxy on a free port of 127.0.0.1 in front of upstream,
// host:port. Connections must not be encrypted.
func Listen(ctx context.Context, upstream string) (*Proxy, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: l, upstream: upstream}
	go p.accept(ctx)
	return p, nil
}

// Address is where the Proxy listens.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Close stops taking connections.
func (p *Proxy) Close() error { return p.listener.Close() }

// Take returns the statements since the last Take, in order.
func (p *Proxy) Take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	taken := p.statements
	p.statements = nil
	return taken
}

func (p *Proxy) add(statement string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.statements = append(p.statements, statement)
}

func (p *Proxy) accept(ctx context.Context) {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.upstream)
		if err != nil {
			_ = client.Close()
			continue
		}
		go func() {
			_, _ = io.Copy(client, server)
			_ = client.Close()
		}()
		go func() {
			_ = p.forward(server, bufio.NewReader(client))
			_ = server.Close()
		}()
	}
}

// forward copies the client's messages. The first has no type byte; an
// Execute runs the statement that was parsed last, as pgx sends them.
func (p *Proxy) forward(server io.Writer, client *bufio.Reader) error {
	parsed := ""
	for first := true; ; first = false {
		head := make([]byte, 5)
		if first {
			head = head[1:]
		}
		if _, err := io.ReadFull(client, head); err != nil {
			return err
		}
		size := int64(binary.BigEndian.Uint32(head[len(head)-4:])) - 4
		if size < 0 || size > 64<<20 {
			return errors.New("wirecount: not the Postgres protocol")
		}
		body := make([]byte, size)
		if _, err := io.ReadFull(client, body); err != nil {
			return err
		}
		if !first {
			switch head[0] {
			case 'P': // statement name, then the SQL text
				if fields := strings.SplitN(string(body), "\x00", 3); len(fields) == 3 {
					parsed = fields[1]
				}
			case 'E':
				p.add(parsed)
			case 'Q':
				p.add(strings.TrimRight(string(body), "\x00"))
			}
		}
		if _, err := server.Write(append(head, body...)); err != nil {
			return err
		}
	}
}
