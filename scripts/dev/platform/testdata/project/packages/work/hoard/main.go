// Command hoard takes as much memory as its event says, itself or through a
// child, and holds it until its address lets go. Called by hand; a second call is
// safe.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strconv"

	"blogposter/lib/faas"
)

func main() {
	if len(os.Args) > 1 { // the child
		mb, _ := strconv.Atoi(os.Args[1])
		held := take(mb)
		fmt.Println(len(held))
		_, _ = io.Copy(io.Discard, os.Stdin)
		return
	}
	slog.SetDefault(faas.Logger(slog.LevelInfo))
	faas.Serve(hoard)
}

// take touches every page, or it would not be in memory.
func take(mb int) []byte {
	b := make([]byte, mb<<20)
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	return b
}

func hoard(_ context.Context, event json.RawMessage) (any, error) {
	var ev struct {
		MB, Child int
		Addr      string
	}
	if err := json.Unmarshal(event, &ev); err != nil {
		return nil, err
	}
	held := take(ev.MB)
	if ev.Child > 0 {
		cmd := exec.Command(os.Args[0], strconv.Itoa(ev.Child))
		in, _ := cmd.StdinPipe()
		out, _ := cmd.StdoutPipe()
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		_, _ = bufio.NewReader(out).ReadString('\n') // it has taken its part
		defer func() { _ = in.Close(); _ = cmd.Wait() }()
	}
	if ev.Addr == "" {
		return map[string]int{"held": len(held)}, nil
	}
	conn, err := net.Dial("tcp", ev.Addr)
	if err != nil {
		return nil, err
	}
	_, _ = fmt.Fprintln(conn, os.Getpid())
	_, err = conn.Read(make([]byte, 1))
	return map[string]int{"held": len(held)}, err
}
