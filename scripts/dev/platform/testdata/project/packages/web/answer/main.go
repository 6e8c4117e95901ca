// Command answer speaks the protocol by hand, without lib/faas: it answers
// with the very text of the request's body, with ?size=N bytes, or with the ?line
// it read.
// Called by HTTP. A second call is safe.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
)

func main() {
	out := os.NewFile(3, "reply")
	_, _ = fmt.Fprintln(out, `{"ok":true}`)
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var event struct {
			Value struct {
				HTTP struct{ Body, QueryString string }
			}
		}
		_ = json.Unmarshal(line, &event)
		reply := event.Value.HTTP.Body
		query, _ := url.ParseQuery(event.Value.HTTP.QueryString)
		if n, err := strconv.Atoi(query.Get("size")); err == nil {
			reply = `{"body":"` + strings.Repeat("x", n-len(`{"body":""}`+"\n")) + `"}`
		}
		if query.Has("line") {
			reply = `{"body":` + strings.TrimSpace(string(line)) + `}`
		}
		if query.Has("quit") {
			os.Exit(3)
		}
		_, _ = fmt.Fprintln(out, reply)
		if query.Has("unmarked") {
			continue
		}
		for _, log := range []*os.File{os.Stdout, os.Stderr} {
			_, _ = fmt.Fprintln(log, "XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX")
		}
	}
}
