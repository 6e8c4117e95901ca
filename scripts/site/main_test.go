package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/config"
	"blogposter/lib/seal"
	"blogposter/lib/store/storetest"
)

// desk is a shell of one database's owner.
type desk struct {
	t    *testing.T
	vars []string
	file string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	raw, err := os.ReadFile("../demo/site.yml")
	require.NoError(t, err)
	text := strings.Replace(string(raw), "sources: []", `sources: [{prefix: "https://www.ada.gov/", tier: authoritative}]`, 1)
	file := filepath.Join(t.TempDir(), "site.yml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	db := storetest.New(t)
	return &desk{t: t, file: file, vars: []string{
		"MIGRATE_DATABASE_URL=" + db.OwnerURL, "FIELD_ENCRYPTION_KEY=" + seal.NewKey("k1"), "WP_APP_PASSWORD=hunter2",
	}}
}

func (d *desk) try(in string, args ...string) (string, error) {
	var out bytes.Buffer
	env := config.New(func() []string { return d.vars })
	err := run(d.t.Context(), args, env, strings.NewReader(in), &out)
	return out.String(), err
}

func (d *desk) do(in string, args ...string) string {
	d.t.Helper()
	out, err := d.try(in, args...)
	require.NoError(d.t, err, args)
	require.NotContains(d.t, out, "hunter2")
	return out
}

func TestSite_takesASiteFromItsFileAndBack(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	require.Equal(t, "harborview: in order\n", d.do("", "check", d.file))
	require.Equal(t, "harborview: imported\n", d.do("", "import", filepath.Dir(d.file)))
	again := filepath.Join(t.TempDir(), "again.yml")
	require.NoError(t, os.WriteFile(again, []byte(d.do("", "export", "-site", "harborview")), 0o600))
	require.Equal(t, "harborview: imported\n", d.do("", "import", again))

	require.Regexp(t, `harborview +cms.password +k1 +20`, d.do("", "credential", "list"))
	require.Contains(t, d.do("", "credential", "set", "-site", "harborview", "-from", "WP_APP_PASSWORD"), "is what it was")
	require.Contains(t, d.do("hunter2!\n", "credential", "set", "-site", "harborview"), `is set, sealed with key "k1"`)
	d.vars[1] = "FIELD_ENCRYPTION_KEY=" + seal.NewKey("k2") + "," + strings.TrimPrefix(d.vars[1], "FIELD_ENCRYPTION_KEY=")
	require.Contains(t, d.do("", "credential", "rotate"), `1 credentials were sealed anew; all are sealed with key "k2" now`)
}

func TestSite_looksAfterKeys(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	d.do("", "import", d.file)
	key := d.do("", "key", "add", "-site", "harborview", "-name", "ann's script", "-days", "30")
	require.Regexp(t, `^bp_[A-Za-z0-9_-]+\n$`, key)
	list := d.do("", "key", "list", "-site", "harborview")
	require.Regexp(t, `1 +harborview +editor +live +20.* ann's script`, list)
	require.NotContains(t, list, strings.TrimSpace(key))
	require.Equal(t, "key 1 of harborview is revoked\n", d.do("", "key", "revoke", "-site", "harborview", "-id", "1"))
	require.Regexp(t, `1 +harborview +editor +revoked`, d.do("", "key", "list"))
}

func TestSite_saysWhatIsMissing(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	tests := map[string]struct {
		in   string
		args []string
		says string
	}{
		"nothing at all":             {"", nil, "say what to do: check, credential list"},
		"half a command":             {"", []string{"key"}, "say what to do"},
		"no file":                    {"", []string{"import"}, "name a site file"},
		"a file there is not":        {"", []string{"check", "nowhere.yml"}, "no such file"},
		"a flag there is not":        {"", []string{"export", "-all"}, "flag provided but not defined"},
		"a word too many":            {"", []string{"export", "harborview"}, `site export takes no "harborview"`},
		"a site there is not":        {"", []string{"export", "-site", "nowhere"}, "there is no such site"},
		"keys of a site there isn't": {"", []string{"key", "list", "-site", "nowhere"}, "there is no such site"},
		"credentials of no such":     {"", []string{"credential", "list", "-site", "nowhere"}, "there is no such site"},
		"a key for nobody":           {"", []string{"key", "add", "-role", "king", "-days", "-1"}, "-name is missing"},
		"a key with another role":    {"", []string{"key", "add", "-role", "king", "-days", "-1"}, `-role "king": use viewer`},
		"a key for less than none":   {"", []string{"key", "add", "-role", "king", "-days", "-1"}, "-days -1: use from 1"},
		"a key for no site":          {"", []string{"key", "add", "-name", "x"}, "-site is missing"},
		"a key that isn't named":     {"", []string{"key", "revoke", "-site", "x"}, "name the key"},
		"a credential of no site":    {"x", []string{"credential", "set"}, "-site is missing"},
		"a credential of nothing":    {" \n", []string{"credential", "set", "-site", "x"}, "standard input is empty"},
		"a credential of a book":     {strings.Repeat("x", 10_001), []string{"credential", "set", "-site", "x"}, "over 10000 bytes"},
		"a variable not set":         {"", []string{"credential", "set", "-site", "x", "-from", "NOPE"}, "NOPE is not set"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := d.try(tc.in, tc.args...)
			require.ErrorContains(t, err, tc.says)
		})
	}
	bare := &desk{t: t, file: d.file}
	for _, args := range [][]string{{"import", d.file}, {"export"}, {"key", "list"}, {"credential", "list"}, {"credential", "rotate"}} {
		_, err := bare.try("", args...)
		require.ErrorContains(t, err, "MIGRATE_DATABASE_URL is not set", args)
	}
	bare.vars = append(bare.vars, d.vars[0], "FIELD_ENCRYPTION_KEY=short")
	for _, args := range [][]string{{"import", d.file}, {"credential", "rotate"}} {
		_, err := bare.try("", args...)
		require.ErrorContains(t, err, "FIELD_ENCRYPTION_KEY: entry 1 is not id:key", args)
	}
}
