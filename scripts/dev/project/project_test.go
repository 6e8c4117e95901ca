package project

import (
	"encoding/json"
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
parameters: { q: "farther" }
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
        parameters: { p: [1], q: nearer }
        webSecure: "${FROM_PROCESS}"
        docker: false
        sequence: []
        annotations: { web-custom-options: true, provide-api-key: true, description: "free" }
        environment: { D: "${QUOTED}" }
        limits: { timeout: 900000, memory: 512, logs: 1 }
        triggers:
          - { name: t, sourceType: scheduler, sourceDetails: { cron: "0 8 * * 1,3,5", withBody: { a: [1, {b: c}] } } }
`, "# settings\nexport FROM_FILE = file # why\nFROM_PROCESS=lost\nQUOTED=\"two\\nlines\"\nEMPTY=''\n")

	p, err := Load(dir, "", map[string]string{"FROM_PROCESS": "process", "FROM_FILE": ""})
	require.NoError(t, err)

	require.Len(t, p.Functions, 1)
	f := p.Functions[0]
	require.Len(t, f.Triggers, 1)
	require.JSONEq(t, `{"a":[1,{"b":"c"}]}`, string(f.Triggers[0].Body))
	require.Equal(t, "0 8 * * 1,3,5", f.Triggers[0].Cron)
	f.Triggers = nil
	require.Equal(t, &Function{
		Package: "web", Name: "f", Dir: filepath.Join(dir, "packages/web/f"), Web: Raw, Secret: "process", CustomOptions: true, ProvideKey: true,
		Parameters: map[string]json.RawMessage{"p": json.RawMessage(`[1]`), "q": json.RawMessage(`"nearer"`)},
		Env:        map[string]string{"A": "project", "B": "package", "C": "file", "D": "two lines"},
		Limits:     Limits{Timeout: 15 * time.Minute, Memory: 512, Logs: 1},
	}, f, "the nearer value wins, the process's over the file's unless empty, and YAML folds lines")
	require.Empty(t, p.Variables["EMPTY"])
}

func TestProject_readsBothFormsOfATrigger(t *testing.T) {
	t.Parallel()

	p, err := Load(write(t, declare(`web: false, triggers: [
    {name: older, sourceType: scheduler, enabled: true, sourceDetails: {cron: "0 8 * * *", withBody: {a: 1}}},
    {name: newer, type: scheduled, enabled: true, scheduledDetails: {cron: "0 8 * * *", body: {a: 1}}},
    {name: "off", type: scheduled, enabled: false, scheduledDetails: {cron: "0 8 * * *"}}]`), ""), "", nil)
	require.NoError(t, err)
	triggers := p.Functions[0].Triggers
	require.Len(t, triggers, 2)
	require.Equal(t, "older", triggers[0].Name)
	triggers[0].Name = "newer"
	require.Equal(t, triggers[0], triggers[1])
}

func TestProject_undeclaredLimitsAreThePlatforms(t *testing.T) {
	t.Parallel()

	p, err := Load(write(t, declare("web: false"), ""), "", nil)
	require.NoError(t, err)
	require.Equal(t, Limits{Timeout: 3 * time.Second, Memory: 256, Logs: 16}, p.Functions[0].Limits)
	require.Equal(t, Private, p.Functions[0].Web)
	require.Equal(t, "web/f", p.Functions[0].Path())
}

func TestProject_refusesWhatThePlatformWould(t *testing.T) {
	t.Parallel()

	trigger := `{name: t, sourceType: scheduler, sourceDetails: {cron: "* * * * *"}}`
	tests := map[string]struct{ text, want string }{
		"an unknown key":                    {declare("web: raw, timeout: 3"), "field timeout not found"},
		"an unknown project key":            {"package: []", "field package not found"},
		"a broken file":                     {"packages: [", "project.yml: file: yaml"},
		"a wrong shape, without its value":  {declare(`web: raw, environment: "s3cret"`), "cannot unmarshal !!str into"},
		"web left out":                      {declare("webSecure: false"), "function web/f: web: say raw, true or false"},
		"web: something":                    {declare("web: cooked"), "want raw, true or false"},
		"webSecure: true":                   {declare("web: raw, webSecure: true"), "want a secret as a string"},
		"a number as environment":           {declare("web: raw, environment: {PORT: 8080}"), "environment: PORT: must be a string: quote it"},
		"a name no variable can have":       {declare(`web: raw, environment: {"A-B": "x"}`), "environment: A-B: not a variable's name"},
		"another runtime":                   {strings.Replace(declare("web: raw"), "1.25", "1.24", 1), `runtime: want "go:1.25"`},
		"a remote build":                    {strings.Replace(declare("web: raw"), "localBuild: true", "remoteBuild: true", 1), "localBuild: must be true"},
		"an annotation web sets":            {declare("web: raw, annotations: {raw-http: true}"), "annotations: raw-http is set by the deployer"},
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
		"a trigger of neither form":         {declare("web: raw, triggers: [{name: t}]"), "trigger t: want either sourceType"},
		"a trigger of both forms":           {declare("web: raw, triggers: [{name: t, type: scheduled, sourceType: scheduler}]"), "want either sourceType"},
		"a new trigger of another kind":     {declare("web: raw, triggers: [{name: t, type: webhook}]"), "type: want scheduled"},
		"a trigger without details":         {declare("web: raw, triggers: [{name: t, type: scheduled}]"), "its cron are missing"},
		"a key of the old form in the new":  {declare("web: raw, triggers: [{name: t, type: scheduled, scheduledDetails: {cron: \"* * * * *\", withBody: {}}}]"), "field withBody not found"},
		"a body with no JSON form":          {declare("web: raw, triggers: [{name: t, type: scheduled, scheduledDetails: {cron: \"* * * * *\", body: {a: {1: x}}}}]"), "body: a: has no JSON form"},
		"a parameter with no JSON form":     {declare("web: raw, parameters: {a: {1: x}}"), "parameters: a: has no JSON form"},
		"a package annotation":              {"packages: [{name: web, annotations: {a: b}}]", "package web: annotations: a: put it on each function"},
		"a tab":                             {"packages:\n\t[]", "line 2 has a tab"},
		"a trigger without a name":          {declare("web: raw, triggers: [{sourceType: scheduler, sourceDetails: {cron: \"* * * * *\"}}]"), "name: not a name"},
		"an unknown trigger key":            {declare("web: raw, triggers: [{name: t, overlap: true}]"), "field overlap not found"},
		"several at once":                   {declare("web: maybe, docker: x"), "docker: not supported here\nproject.yml: function web/f: web: want"},
		"a form of placeholder not handled": {declare(`web: raw, environment: {A: "${|KEY}"}`), "project.yml uses ${|KEY}: only ${NAME} is supported"},
		"a placeholder in a comment too":    {"# ${GONE}\npackages: []", "project.yml needs GONE"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := Load(write(t, tc.text, ""), "", nil)
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
			_, err := Load(dir, "", nil)
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestVariables_refusesABrokenFile(t *testing.T) {
	t.Parallel()

	_, err := Load(write(t, "packages: []", "GOOD=1\nbad line\n"), "", nil)
	require.ErrorContains(t, err, ".env line 2: want NAME=value")
	_, err = Load(write(t, "packages: []", ""), t.TempDir(), nil)
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
		"a step of days":               {cron: "0 9 */2 * *", refused: "field 3: a step must divide 31"},
		"a step within a range":        {cron: "0 8-18/5 * * *", refused: "field 2: a step must divide 24"},
		"a step after another value":   {cron: "1,*/7 * * * *", refused: "field 1: a step must divide 60"},
		"a step of a range":            {cron: "0 8-18/2 * * *", minute: "2026-03-02T10:00:00Z", due: true},
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
			require.Equal(t, tc.due, Trigger{at: schedule}.Due(at(tc.minute)))
		})
	}
}
