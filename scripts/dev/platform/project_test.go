package platform

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// write makes a project with one function, web/f, whose declaration is given.
func write(t *testing.T, text, dotenv string) string {
	t.Helper()
	dir := t.TempDir()
	fn := filepath.Join(dir, "packages", "web", "f")
	require.NoError(t, os.MkdirAll(fn, 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(fn, "build.sh"), nil, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(fn, ".include"), []byte("exec\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "project.yml"), []byte(text), 0o600))
	if dotenv != "" {
		require.NoError(t, os.WriteFile(filepath.Join(dir, ".env"), []byte(dotenv), 0o600))
	}
	return dir
}

// declare is a project whose one function has these members too.
func declare(members string) string {
	return `packages: [{name: web, functions: [{name: f, runtime: "go:1.25", localBuild: true, ` + members + `}]}]`
}

func TestProject_readsWhatIsDeclared(t *testing.T) {
	t.Parallel()

	dir := write(t, `
parameters: {}
environment: { A: "project", B: "project", C: "${FROM_FILE}" }
packages:
  - name: web
    environment: { B: "package" }
    functions:
      - name: f
        runtime: "go:1.25"
        localBuild: true
        remoteBuild: false
        web: raw
        webSecure: "${FROM_PROCESS}"
        docker: false
        sequence: []
        annotations: { web-custom-options: true, provide-api-key: true, description: "free" }
        environment: { D: "${QUOTED}" }
        limits: { timeout: 900000, memory: 512, logs: 1 }
        triggers:
          - { name: t, sourceType: scheduler, sourceDetails: { cron: "0 8 * * 1,3,5", withBody: { a: [1, {b: c}] } } }
`, "# settings\nexport FROM_FILE = file # why\nFROM_PROCESS=lost\nQUOTED=\"two\\nlines\"\nEMPTY=''\n")

	p, err := loadProject(dir, "", map[string]string{"FROM_PROCESS": "process", "FROM_FILE": ""})
	require.NoError(t, err)

	require.Len(t, p.functions, 1)
	f := p.functions[0]
	require.Len(t, f.triggers, 1)
	require.JSONEq(t, `{"a":[1,{"b":"c"}]}`, string(f.triggers[0].body))
	require.Equal(t, "0 8 * * 1,3,5", f.triggers[0].cron)
	f.triggers = nil
	require.Equal(t, &function{
		pkg: "web", name: "f", dir: filepath.Join(dir, "packages/web/f"), web: true, secret: "process", customOptions: true, provideKey: true,
		env:    map[string]string{"A": "project", "B": "package", "C": "file", "D": "two lines"},
		limits: limits{timeout: 15 * time.Minute, memory: 512, logs: 1},
	}, f, "the nearer value wins, the process's over the file's unless empty, and YAML folds lines")
	require.Empty(t, p.variables["EMPTY"])
}

func TestProject_undeclaredLimitsAreThePlatforms(t *testing.T) {
	t.Parallel()

	p, err := loadProject(write(t, declare("web: false"), ""), "", nil)
	require.NoError(t, err)
	require.Equal(t, limits{timeout: 3 * time.Second, memory: 256, logs: 16}, p.functions[0].limits)
	require.False(t, p.functions[0].web)
}

func TestProject_refusesWhatThePlatformWould(t *testing.T) {
	t.Parallel()

	trigger := `{name: t, sourceType: scheduler, sourceDetails: {cron: "* * * * *"}}`
	tests := map[string]struct{ text, want string }{
		"an unknown key":                    {declare("web: raw, timeout: 3"), "field timeout not found"},
		"an unknown project key":            {"package: []", "field package not found"},
		"a broken file":                     {"packages: [", "project.yml: yaml"},
		"a wrong shape, without its value":  {declare(`web: raw, environment: "s3cret"`), "cannot unmarshal !!str into"},
		"web left out":                      {declare("webSecure: false"), "function web/f: web: say raw or false"},
		"web: true":                         {declare("web: true"), "use raw"},
		"web: something":                    {declare("web: cooked"), "want raw or false"},
		"webSecure: true":                   {declare("web: raw, webSecure: true"), "want a secret as a string"},
		"a number as environment":           {declare("web: raw, environment: {PORT: 8080}"), "environment: PORT: must be a string: quote it"},
		"a name no variable can have":       {declare(`web: raw, environment: {"A-B": "x"}`), "environment: A-B: not a variable's name"},
		"a predefined parameter":            {declare("web: raw, parameters: {a: 1}"), "use environment instead"},
		"a project parameter":               {"parameters: {a: 1}", "project: parameters"},
		"another runtime":                   {strings.Replace(declare("web: raw"), "1.25", "1.24", 1), `runtime: want "go:1.25"`},
		"a remote build":                    {strings.Replace(declare("web: raw"), "localBuild: true", "remoteBuild: true", 1), "localBuild: must be true"},
		"an annotation web sets":            {declare("web: raw, annotations: {raw-http: true}"), "annotations: raw-http is set by web"},
		"an annotation of the wrong kind":   {declare(`web: raw, annotations: {web-custom-options: "yes"}`), "want true or false"},
		"an unknown limit":                  {declare("web: raw, limits: {concurrency: 5}"), "only timeout, memory and logs"},
		"a timeout over 15 minutes":         {declare("web: raw, limits: {timeout: 900001}"), "timeout: want a number from 100 to 900000"},
		"memory over 1 GB":                  {declare("web: raw, limits: {memory: 2048}"), "memory: want a number from 128 to 1024"},
		"a limit as a string":               {declare(`web: raw, limits: {timeout: "30000"}`), "timeout: want a number"},
		"a sequence":                        {declare("web: raw, sequence: [a/b]"), "sequence: not supported"},
		"a main":                            {declare("web: raw, main: Main"), "its own main()"},
		"a name with a slash":               {strings.Replace(declare("web: raw"), "name: f", "name: a/b", 1), "name: not a name"},
		"a package without a name":          {"packages: [{functions: []}]", "name: not a name"},
		"a function without a folder":       {strings.Replace(declare("web: raw"), "name: f", "name: g", 1), "packages/web/g has no build.sh"},
		"a function twice":                  {`packages: [{name: web, functions: [{name: f, runtime: "go:1.25", localBuild: true, web: raw}], actions: [{name: f, runtime: "go:1.25", localBuild: true, web: raw}]}]`, "declared twice"},
		"a fourth trigger":                  {declare("web: raw, triggers: [" + strings.Repeat(trigger+", ", 3) + trigger + "]"), "triggers: 4 are declared, the platform takes 3"},
		"a trigger of another kind":         {declare("web: raw, triggers: [{name: t, sourceType: webhook, sourceDetails: {cron: \"* * * * *\"}}]"), "function web/f: trigger t: sourceType: want scheduler"},
		"a trigger without a name":          {declare("web: raw, triggers: [{sourceType: scheduler, sourceDetails: {cron: \"* * * * *\"}}]"), "name: not a name"},
		"an unknown trigger key":            {declare("web: raw, triggers: [{name: t, overlap: true}]"), "field overlap not found"},
		"several at once":                   {declare("web: true, docker: x"), "docker: not supported here\nproject.yml: function web/f: web: true"},
		"a form of placeholder not handled": {declare(`web: raw, environment: {A: "${|KEY}"}`), "project.yml uses ${|KEY}: only ${NAME} is supported"},
		"a placeholder in a comment too":    {"# ${GONE}\npackages: []", "project.yml needs GONE"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := loadProject(write(t, tc.text, ""), "", nil)
			require.ErrorContains(t, err, tc.want)
			require.NotContains(t, err.Error(), "s3cret")
		})
	}
}

func TestProject_refusesAFolderTheDeployerWouldMisread(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		spoil func(fn string) error
		want  string
	}{
		"build.sh cannot be run": {func(fn string) error { return os.Chmod(filepath.Join(fn, "build.sh"), 0o600) }, "chmod +x"},
		"no .include":            {func(fn string) error { return os.Remove(filepath.Join(fn, ".include")) }, ".include must list exec"},
		".include lists sources": {func(fn string) error {
			return os.WriteFile(filepath.Join(fn, ".include"), []byte("exec\nmain.go\n"), 0o600)
		}, ".include must list exec"},
		"an .ignore beside it": {func(fn string) error { return os.WriteFile(filepath.Join(fn, ".ignore"), nil, 0o600) }, "remove it"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			dir := write(t, declare("web: raw"), "")
			require.NoError(t, tc.spoil(filepath.Join(dir, "packages", "web", "f")))
			_, err := loadProject(dir, "", nil)
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestVariables_refusesABrokenFile(t *testing.T) {
	t.Parallel()

	_, err := loadProject(write(t, "packages: []", "GOOD=1\nbad line\n"), "", nil)
	require.ErrorContains(t, err, ".env line 2: want NAME=value")
	_, err = loadProject(write(t, "packages: []", ""), t.TempDir(), nil)
	require.Error(t, err, "a directory is no file of variables")
}

func TestUnquote_readsAsDotenvDoes(t *testing.T) {
	t.Parallel()

	for in, want := range map[string]string{
		`plain`: "plain", `a # comment`: "a", `a#b`: "a#b", `"a # b"`: "a # b", `'a\n'`: `a\n`, `"a\n"`: "a\n", `"`: `"`, ``: "",
	} {
		require.Equal(t, want, unquote(in), in)
	}
}

func TestCron_takesWhatTheDeployerTakes(t *testing.T) {
	t.Parallel()

	at := func(s string) time.Time {
		parsed, err := time.Parse(time.RFC3339, s)
		require.NoError(t, err)
		return parsed
	}
	tests := map[string]struct {
		cron, minute string
		due          bool
		refused      string
	}{
		"every minute":                 {cron: "* * * * *", minute: "2026-03-02T09:07:00Z", due: true},
		"a moment late is that minute": {cron: "7 9 * * *", minute: "2026-03-02T09:07:41Z", due: true},
		"the next minute is not":       {cron: "7 9 * * *", minute: "2026-03-02T09:08:00Z"},
		"UTC whatever the zone":        {cron: "7 9 * * *", minute: "2026-03-02T11:07:00+02:00", due: true},
		"weekdays":                     {cron: "0 9 * * 1,3,5", minute: "2026-03-02T09:00:00Z", due: true},
		"not on Tuesday":               {cron: "0 9 * * 1,3,5", minute: "2026-03-03T09:00:00Z"},
		"a step":                       {cron: "*/15 * * * *", minute: "2026-03-02T09:45:00Z", due: true},
		"a range":                      {cron: "0 8-10 * * *", minute: "2026-03-02T10:00:00Z", due: true},
		"six fields":                   {cron: "0 * * * * *", refused: "five fields"},
		"a name":                       {cron: "0 9 * * MON", refused: "field 5: the platform takes digits"},
		"a macro":                      {cron: "@hourly", refused: "five fields"},
		"a step that does not divide":  {cron: "*/7 * * * *", refused: "field 1: a step must divide 60"},
		"a step of nothing":            {cron: "*/0 * * * *", refused: "a step must divide 60"},
		"a minute there is not":        {cron: "60 * * * *", refused: "cron:"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			c := &checks{at: "f"}
			schedule := c.cron(tc.cron)
			if tc.refused != "" {
				require.Len(t, c.faults, 1)
				require.ErrorContains(t, c.faults[0], tc.refused)
				return
			}
			require.Empty(t, c.faults)
			require.Equal(t, tc.due, trigger{at: schedule}.due(at(tc.minute)))
		})
	}
}
