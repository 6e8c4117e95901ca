// Command demo runs the main job once, as a newcomer would see it: it starts
// what is missing (the local platform, the offline model, the pages' server),
// asks the API for an article, approves it as a reviewer would, and shows
// where it stands, what it rests on, and what it took.
//
//	demo                                     the repository's own pages
//	demo -sources DIR -topic "…"             pages captured in DIR
//	demo -topic auto                         what the competitors' pages make worth writing on
//	demo -url https://… [-topic "…"]         a page on the internet
//	demo -down                               stop what it started
//
// Every run publishes another article. Called by make demo and make down.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"blogposter/lib/config"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "\ndemo:", err)
		os.Exit(1)
	}
}

// options are the command line.
type options struct {
	topic, sources, url string
	down                bool
	bin, state, stack   string
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.StringVar(&o.topic, "topic", "", "what to write about (default: the next of the demo's topics)")
	flags.StringVar(&o.sources, "sources", "", "folder of captured pages to read (default: the repository's own)")
	flags.StringVar(&o.url, "url", "", "a page on the internet to write about")
	flags.BoolVar(&o.down, "down", false, "stop what the demo started")
	flags.StringVar(&o.bin, "bin", ".build/bin", "where the built programs are")
	flags.StringVar(&o.state, "state", ".build/demo", "where process ids, logs and settings are kept")
	flags.StringVar(&o.stack, "stack", "/var/lib/blogposter-dev/stack.env", "what the stack's servers are")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case o.url != "" && o.sources != "":
		return o, errors.New("say URL or SOURCES, not both")
	case o.topic == auto && (o.url != "" || o.sources != ""):
		return o, errors.New("TOPIC=auto finds its own topic for the repository's pages: leave URL and SOURCES out")
	case o.sources != "" && o.topic == "":
		return o, errors.New(`pages of your own need a topic: make demo SOURCES=… TOPIC="what to write about"`)
	}
	if o.sources != "" {
		if found := markdown([]string{o.sources}); len(found) == 0 {
			return o, fmt.Errorf("SOURCES=%s has no captured pages (*.md): name a folder that has some", o.sources)
		}
	}
	var err error
	if o.bin, err = filepath.Abs(o.bin); err != nil {
		return o, err
	}
	if o.state, err = filepath.Abs(o.state); err != nil {
		return o, err
	}
	return o, os.MkdirAll(o.state, 0o750)
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if o.down {
		return down(ctx, o, out)
	}
	environ := environment()
	file := filepath.Join(o.state, "settings.env")
	s, err := readSettings(o.stack, file, environ)
	if err != nil {
		return err
	}
	if o.url != "" {
		s.useInternet(environ)
	}
	model := "the offline model (no ANTHROPIC_API_KEY is set)"
	if !s.offline() {
		model = s["MODEL_LARGE"] + " and " + s["MODEL_SMALL"]
	}
	fmt.Fprintf(out, "Model: %s\n", model)
	if err := s.write(file); err != nil {
		return err
	}
	for _, svc := range services(o, s, file) {
		if err := svc.start(ctx, o.state, out); err != nil {
			return err
		}
	}
	return newJob(o, s, out).do(ctx)
}

// services are the demo's own programs, in the order they are started.
func services(o options, s settings, settingsFile string) []service {
	pages := []string{"scripts/demo/pages"}
	if o.sources != "" {
		pages = append(pages, o.sources)
	}
	list := []service{
		{
			name: "sources", program: filepath.Join(o.bin, "sourceserver"), address: sourceAddress, ready: "http://" + sourceAddress + "/index.json",
			args:   []string{"-listen", sourceAddress, "-dir", strings.Join(pages, ","), "-log", filepath.Join(o.state, "reader.jsonl")},
			inputs: markdown(pages),
		},
	}
	if s.offline() {
		args := []string{"-listen", modelAddress, "-log", filepath.Join(o.state, "model.jsonl")}
		if vectors := s["MODEL_VECTORS"]; vectors != "" {
			args = append(args, "-vectors", vectors)
		}
		list = append(list, service{
			name: "model", program: filepath.Join(o.bin, "modelserver"), address: modelAddress, ready: "http://" + modelAddress + "/_log", args: args,
		})
	}
	if o.topic == auto || o.down {
		list = append(list, service{
			name: "rivals", program: filepath.Join(o.bin, "rivalserver"), address: fmt.Sprintf("127.0.0.1:%d", rivalPort),
			ready: fmt.Sprintf("http://127.0.0.1:%d/", rivalPort), args: []string{"-port", strconv.Itoa(rivalPort)},
		})
	}
	return append(list, service{
		name: "platform", program: filepath.Join(o.bin, "dev"), address: platformAddress, ready: "http://" + platformAddress + "/api/v1/web/local/api/health",
		args:   []string{"-project", ".", "-listen", platformAddress, "-env", settingsFile, "-log-dir", filepath.Join(o.state, "functions")},
		inputs: append(functionSources(), settingsFile),
		remark: " (it builds every function first: a minute or two the first time)",
	})
}

// markdown lists the pages in the folders, so that a changed one is served anew.
func markdown(folders []string) []string {
	var files []string
	for _, dir := range folders {
		found, _ := filepath.Glob(filepath.Join(dir, "*.md"))
		files = append(files, found...)
	}
	return files
}

// functionSources lists what the functions are built from, so that the
// platform is restarted, and builds them, when any of it has changed.
func functionSources() []string {
	files := []string{"project.yml", "go.mod", "go.sum"}
	for _, root := range []string{"packages", "lib", "scheduled", "migrations"} {
		_ = filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && d.Name() != "exec" && !strings.HasSuffix(path, "_test.go") {
				files = append(files, path)
			}
			return nil
		})
	}
	return files
}

func down(ctx context.Context, o options, out io.Writer) error {
	list := services(o, settings{"ANTHROPIC_API_KEY": "offline-"}, "")
	for i := len(list) - 1; i >= 0; i-- {
		ran, err := list[i].halt(ctx, o.state)
		if err != nil {
			return err
		}
		if ran {
			fmt.Fprintf(out, "%s stopped\n", list[i].name)
		}
	}
	return nil
}

// environment is the part of ours that settings may come from.
func environment() map[string]string {
	env, vars := config.OS(), map[string]string{}
	for _, name := range []string{
		"ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "JINA_API_KEY", "JINA_BASE_URL", "MODEL_SMALL", "MODEL_LARGE", "LOG_LEVEL", "LEASE_TTL",
	} {
		vars[name] = env.Get(name, "")
	}
	return vars
}
