// Command site looks after the sites in the database:
//
//	site check FILE|FOLDER…                       say what is wrong with site files; asks no database
//	site import FILE|FOLDER…                      bring sites up to date, all of them or none
//	site export [-site SLUG]…                     write sites as a file that imports to the same
//	site key add -site SLUG -name WHO [-role editor] [-days 90]
//	site key list [-site SLUG]
//	site key revoke -site SLUG -id ID
//	site credential set -site SLUG [-name cms.password] [-from VARIABLE]
//	site credential list [-site SLUG]
//	site credential rotate                        seal every credential with the first of the keys
//
// It logs in as the schema's owner (MIGRATE_DATABASE_URL) and seals with
// FIELD_ENCRYPTION_KEY. Secrets come from the environment or standard input,
// never from the command line, where every process could read them. Each
// command is harmless to repeat, but for key add: every new key is another key.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	_ "time/tzdata" // zones are known wherever this runs

	"blogposter/lib/config"
	"blogposter/lib/seal"
	"blogposter/scripts/site/sitefile"
)

func main() {
	if err := run(context.Background(), os.Args[1:], config.OS(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "site:", err)
		os.Exit(1)
	}
}

// tool is one call of the command.
type tool struct {
	env   *config.Env
	in    io.Reader
	out   io.Writer
	flags *flag.FlagSet
	args  []string
}

// commands are what can be called, by their words.
var commands = map[string]func(context.Context, *tool) error{
	"check":             check,
	"import":            importSites,
	"export":            export,
	"key add":           addKey,
	"key list":          listKeys,
	"key revoke":        revokeKey,
	"credential set":    setCredential,
	"credential list":   listCredentials,
	"credential rotate": rotate,
}

func run(ctx context.Context, args []string, env *config.Env, in io.Reader, out io.Writer) error {
	for words := min(2, len(args)); words > 0; words-- {
		name := strings.Join(args[:words], " ")
		if do, ok := commands[name]; ok {
			flags := flag.NewFlagSet("site "+name, flag.ContinueOnError)
			return do(ctx, &tool{env: env, in: in, out: out, flags: flags, args: args[words:]})
		}
	}
	names := make([]string, 0, len(commands))
	for name := range commands {
		names = append(names, name)
	}
	slices.Sort(names)
	return fmt.Errorf("say what to do: %s", strings.Join(names, ", "))
}

// parse reads the command's flags and returns what follows them.
func (t *tool) parse() ([]string, error) {
	err := t.flags.Parse(t.args)
	return t.flags.Args(), err
}

// none is parse for a command that takes flags alone.
func (t *tool) none() error {
	rest, err := t.parse()
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%s takes no %q", t.flags.Name(), rest[0])
	}
	return err
}

// owner is the address to log in at.
func (t *tool) owner() (string, error) {
	url := t.env.Need("MIGRATE_DATABASE_URL", "Postgres URL of the schema's owner; `make up` writes one")
	return url, t.env.Err()
}

// sealing is owner, and the keys that seal.
func (t *tool) sealing() (url string, keys *seal.Keys, err error) {
	url = t.env.Need("MIGRATE_DATABASE_URL", "Postgres URL of the schema's owner; `make up` writes one")
	list := t.env.Need(seal.Variable, seal.How)
	if err := t.env.Err(); err != nil {
		return "", nil, err
	}
	keys, err = seal.Parse(list)
	return url, keys, err
}

func (t *tool) say(format string, args ...any) { fmt.Fprintf(t.out, format+"\n", args...) }

// load reads the sites of the files and folders that are named.
func (t *tool) load() ([]sitefile.Site, error) {
	paths, err := t.parse()
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, errors.New("name a site file, or a folder of them; scripts/demo/site.yml is one to start from")
	}
	return sitefile.Load(paths...)
}

func check(_ context.Context, t *tool) error {
	sites, err := t.load()
	if err != nil {
		return err
	}
	for _, s := range sites {
		t.say("%s: in order", s.Slug)
	}
	return nil
}

func importSites(ctx context.Context, t *tool) error {
	sites, err := t.load()
	if err != nil {
		return err
	}
	secrets := sitefile.Secrets{Value: func(name string) string { return t.env.Get(name, "") }}
	if list := t.env.Get(seal.Variable, ""); list != "" {
		if secrets.Keys, err = seal.Parse(list); err != nil {
			return err
		}
	}
	url, err := t.owner()
	if err != nil {
		return err
	}
	if err := sitefile.Import(ctx, url, secrets, sites...); err != nil {
		return err
	}
	for _, s := range sites {
		t.say("%s: imported", s.Slug)
	}
	return nil
}

// slugs collects a flag that may be given several times.
type slugs []string

func (s *slugs) String() string { return strings.Join(*s, ",") }

// Set adds one.
func (s *slugs) Set(v string) error {
	*s = append(*s, v)
	return nil
}

func export(ctx context.Context, t *tool) error {
	var which slugs
	t.flags.Var(&which, "site", "slug of a site; may be given several times (default: all)")
	if err := t.none(); err != nil {
		return err
	}
	url, err := t.owner()
	if err != nil {
		return err
	}
	file, err := sitefile.Export(ctx, url, which...)
	if err != nil {
		return err
	}
	_, err = t.out.Write(file)
	return err
}
