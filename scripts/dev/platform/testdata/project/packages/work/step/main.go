// Command step does what its event says, to show what a platform does with a
// function's ways. Called by hand and by schedule. A second call is safe.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"

	"blogposter/lib/faas"
)

func main() {
	slog.SetDefault(faas.Logger(slog.LevelInfo))
	fmt.Println("started")
	faas.Serve(do)
}

func do(ctx context.Context, event json.RawMessage) (any, error) {
	var ev struct {
		Do, Addr string
		Size     int
	}
	if err := json.Unmarshal(event, &ev); err != nil {
		return nil, err
	}
	switch ev.Do {
	case "env":
		dir, err := os.Getwd()
		return map[string]any{"env": os.Environ(), "dir": dir}, err
	case "hold": // until the test answers; the test sees the connection end with us
		conn, err := meet(ev.Addr)
		if err != nil {
			return nil, err
		}
		_, err = conn.Read(make([]byte, 1))
		return map[string]int{"pid": os.Getpid()}, err
	case "stay": // answer, but leave the connection open
		_, err := meet(ev.Addr)
		return map[string]int{"pid": os.Getpid()}, err
	case "child": // hold, with a child that shares the connection
		conn, err := meet(ev.Addr)
		if err != nil {
			return nil, err
		}
		file, err := conn.(*net.TCPConn).File()
		if err != nil {
			return nil, err
		}
		cmd := exec.Command("sleep", "600")
		cmd.ExtraFiles = []*os.File{file}
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		os.Exit(7)
	case "exit":
		slog.WarnContext(ctx, "leaving")
		os.Exit(7)
	case "fail":
		return nil, errors.New("no such run")
	case "log":
		fmt.Println("to stdout")
		fmt.Fprintln(os.Stderr, "to stderr")
		fmt.Print("unfinished")
	case "shout": // more than an activation may log
		for range ev.Size >> 10 {
			fmt.Println(strings.Repeat("x", 1<<10))
		}
	case "line": // one line longer than the platform's reader takes
		fmt.Println(strings.Repeat("y", ev.Size))
	case "call":
		c := faas.Activation(ctx)
		deadline, _ := ctx.Deadline()
		return map[string]any{"id": c.ID, "name": c.Name, "namespace": c.Namespace, "host": c.APIHost,
			"left": c.Deadline.Sub(deadline).String(), "event": event}, nil
	}
	return map[string]int{"pid": os.Getpid()}, nil
}

var open []net.Conn // kept from the garbage collector, which would close them

func meet(addr string) (net.Conn, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	open = append(open, conn)
	_, err = fmt.Fprintln(conn, os.Getpid())
	return conn, err
}
