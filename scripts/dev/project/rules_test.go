package project_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"blogposter/scripts/dev/project"
)

// public is every function that anybody may call. A function is added here
// when people agree that the world shall reach it, and for no other reason.
var public = []string{
	"api/articles",
	"api/health",
	"api/ready",
	"api/research",
	"api/reviews",
	"api/runs",
	"api/sites",
	"api/topics",
}

func TestCheck_holdsTheProjectToEveryRule(t *testing.T) {
	t.Parallel()

	require.Empty(t, project.Check(os.DirFS("../../.."), public))
}

const sound = `packages:
  - name: api
    environment: { LOG_LEVEL: "${LOG_LEVEL}" }
    functions:
      - name: runs
        runtime: "go:1.25"
        localBuild: true
        web: raw
        limits: { timeout: 30000, memory: 256, logs: 16 }
  - name: work
    functions:
      - name: tick
        runtime: "go:1.25"
        localBuild: true
        web: false
        limits: { timeout: 60000, memory: 128, logs: 16 }
        triggers:
          - name: minute
            sourceType: scheduler
            enabled: true
            sourceDetails: { cron: "* * * * *", withBody: { name: "cron" } }
`

// files are a sound project, changed by the test.
func files(change func(fstest.MapFS)) fstest.MapFS {
	all := fstest.MapFS{
		"project.yml":  {Data: []byte(sound)},
		".env.example": {Data: []byte("# how much is logged\nLOG_LEVEL=INFO\n")},
	}
	for _, f := range []string{"api/runs", "work/tick"} {
		all["packages/"+f+"/build.sh"] = &fstest.MapFile{Data: []byte("#!/bin/bash\n"), Mode: 0o755}
		all["packages/"+f+"/.include"] = &fstest.MapFile{Data: []byte("exec\n")}
		all["packages/"+f+"/exec"] = &fstest.MapFile{Data: []byte("ELF")}
	}
	if change != nil {
		change(all)
	}
	return all
}

// edit replaces a part of project.yml that must be there.
func edit(t *testing.T, old, by string) func(fstest.MapFS) {
	t.Helper()
	require.Contains(t, sound, old)
	return func(m fstest.MapFS) { m["project.yml"].Data = []byte(strings.Replace(sound, old, by, 1)) }
}

func TestCheck_findsNothingInASoundProject(t *testing.T) {
	t.Parallel()

	require.Empty(t, project.Check(files(nil), []string{"api/runs"}))
	unbuilt := files(func(m fstest.MapFS) { delete(m, "packages/api/runs/exec") })
	require.Empty(t, project.Check(unbuilt, []string{"api/runs"}), "what is not built yet has no size")
}

// big is a built function of a size that nobody has to hold in memory.
type big struct {
	fs.FS
	size int64
}

func (b big) Stat(name string) (fs.FileInfo, error) {
	info, err := fs.Stat(b.FS, name)
	if name == "packages/api/runs/exec" {
		info = sized{info, b.size}
	}
	return info, err
}

type sized struct {
	fs.FileInfo
	size int64
}

func (s sized) Size() int64 { return s.size }

func TestCheck_refusesCodeTooLargeToUpload(t *testing.T) {
	t.Parallel()

	limit := int64(48<<20) / 4 * 3 // as base64
	require.Empty(t, project.Check(big{files(nil), limit - 3}, []string{"api/runs"}))
	faults := project.Check(big{files(nil), limit}, []string{"api/runs"})
	require.Equal(t, []project.Fault{{
		At: "function api/runs", What: "exec: 50331648 bytes in base64, the platform takes less than 50331648: import less",
	}}, faults)
}

func TestCheck_refuses(t *testing.T) {
	t.Parallel()

	// Each row is one thing wrong in an otherwise sound project. PLATFORM n
	// is the section of the platform's fact sheet the rule comes from.
	runs := func(members string) string { return "web: raw\n        " + members }
	more := func(name string) string {
		return "          - { name: " + name + ", type: scheduled, enabled: false, scheduledDetails: { cron: \"0 9 * * *\" } }\n"
	}
	tests := map[string]struct {
		change func(fstest.MapFS)
		want   string // the one fault
	}{
		"an unknown key of the project (PLATFORM 3)":       {edit(t, "packages:", "version: 1\npackages:"), "project.yml: file: yaml: unmarshal errors:\n  line 1: field version not found in type project.projectSpec"},
		"an unknown key of a package (PLATFORM 3)":         {edit(t, "  - name: work", "  - name: work\n    public: no"), "field public not found in type project.packageSpec"},
		"an unknown key of a function (PLATFORM 3)":        {edit(t, "web: raw", runs("timeout: 3")), "field timeout not found in type project.functionSpec"},
		"an unknown limit (PLATFORM 3)":                    {edit(t, "logs: 16 }", "logs: 16, concurrency: 5 }"), "function api/runs: limits: only timeout, memory and logs can be set"},
		"an unknown key of a trigger (PLATFORM 3)":         {edit(t, "enabled: true", "enabled: true\n            overlap: no"), "field overlap not found"},
		"an unknown key of a trigger's body (PLATFORM 3)":  {edit(t, "withBody", "body"), "field body not found"},
		"a number as environment (PLATFORM 3)":             {edit(t, "web: raw", runs("environment: { PORT: 8080 }")), "function api/runs: environment: PORT: must be a string: quote it"},
		"a number as the project's (PLATFORM 3)":           {edit(t, "packages:", "environment: { PORT: 8080 }\npackages:"), "project: environment: PORT: must be a string"},
		"a boolean as a package's (PLATFORM 3)":            {edit(t, `{ LOG_LEVEL: "${LOG_LEVEL}" }`, `{ DEBUG: true }`), "package api: environment: DEBUG: must be a string"},
		"a value that lies in git":                         {edit(t, `{ LOG_LEVEL: "${LOG_LEVEL}" }`, `{ API_KEY: "sk-1" }`), `package api: environment: API_KEY: its value lies in git: write "${API_KEY}" alone`},
		"a value around a placeholder":                     {edit(t, "web: raw", runs(`environment: { A: "x${LOG_LEVEL}" }`)), "function api/runs: environment: A: its value lies in git"},
		"a value of the project's":                         {edit(t, "packages:", "environment: { A: \"\" }\npackages:"), "project: environment: A: its value lies in git"},
		"a variable of the platform's (PLATFORM 2)":        {edit(t, "web: raw", runs(`environment: { __OW_API_HOST: "${LOG_LEVEL}" }`)), "environment: __OW_API_HOST: the platform sets it"},
		"two triggers of one name (PLATFORM 3)":            {edit(t, "        triggers:\n", "        triggers:\n"+more("minute")), "function work/tick: trigger minute: work/tick has one of this name"},
		"a day by its name (PLATFORM 3)":                   {edit(t, "* * * * *", "0 9 * * MON"), "function work/tick: trigger minute: cron: field 5: the platform takes digits"},
		"a schedule by its name (PLATFORM 3)":              {edit(t, "* * * * *", "@hourly"), "cron: want five fields"},
		"a schedule with seconds (PLATFORM 3)":             {edit(t, "* * * * *", "0 * * * * *"), "cron: want five fields"},
		"a step that does not divide (PLATFORM 4)":         {edit(t, "* * * * *", "*/7 * * * *"), "cron: field 1: a step must divide 60"},
		"a fourth trigger (PLATFORM 4)":                    {edit(t, "        triggers:\n", "        triggers:\n"+more("a")+more("b")+more("c")), "triggers: 4 are declared, the platform takes 3"},
		"web left out, which is public (PLATFORM 3)":       {edit(t, "        web: false\n", ""), "function work/tick: web: say raw, true or false"},
		"a public function off the list":                   {edit(t, "web: false", "web: raw"), "function work/tick: web: public, but not on the list of public functions"},
		"a parsed function (PLATFORM 2)":                   {edit(t, "web: raw", "web: true"), "function api/runs: web: want raw"},
		"an undeclared timeout (PLATFORM 4)":               {edit(t, "timeout: 30000, ", ""), "function api/runs: limits: timeout: say it"},
		"undeclared memory (PLATFORM 4)":                   {edit(t, "memory: 256, ", ""), "function api/runs: limits: memory: say it"},
		"undeclared logs (PLATFORM 4)":                     {edit(t, "256, logs: 16", "256"), "function api/runs: limits: logs: say it"},
		"a timeout over 15 minutes (PLATFORM 4)":           {edit(t, "30000", "900001"), "limits: timeout: want a number from 100 to 900000"},
		"memory under 128 MB (PLATFORM 4)":                 {edit(t, "memory: 256", "memory: 64"), "limits: memory: want a number from 128 to 1024"},
		"memory over 1 GB (PLATFORM 4)":                    {edit(t, "memory: 256", "memory: 2048"), "limits: memory: want a number from 128 to 1024"},
		"a limit as a string (PLATFORM 3)":                 {edit(t, "30000", `"30000"`), "limits: timeout: want a number"},
		"a remote build (PLATFORM 1)":                      {edit(t, "localBuild: true", "localBuild: true\n        remoteBuild: true"), "function api/runs: localBuild: must be true and remoteBuild unset"},
		"no local build (PLATFORM 1)":                      {edit(t, "        localBuild: true\n", ""), "function api/runs: localBuild: must be true"},
		"a runtime that is not pinned (PLATFORM 2)":        {edit(t, `"go:1.25"`, `"go:default"`), `function api/runs: runtime: want "go:1.25"`},
		"a placeholder without quotes (PLATFORM 3)":        {edit(t, `{ LOG_LEVEL: "${LOG_LEVEL}" }`, "\n      LOG_LEVEL: ${LOG_LEVEL}"), "file: line 4: put ${LOG_LEVEL} into double quotes"},
		"a placeholder in single quotes":                   {edit(t, `"${LOG_LEVEL}"`, "'${LOG_LEVEL}'"), "file: line 3: put ${LOG_LEVEL} into double quotes"},
		"a variable nobody explains (PLATFORM 7)":          {edit(t, `"${LOG_LEVEL}"`, `"${SECRET}"`), "file: ${SECRET} is not in .env.example"},
		"a variable in a comment (PLATFORM 3)":             {edit(t, "packages:", "# ${SECRET}\npackages:"), "file: ${SECRET} is not in .env.example"},
		"another form of placeholder (PLATFORM 3)":         {edit(t, `"${LOG_LEVEL}"`, `"${|LOG_LEVEL}"`), "file: ${|LOG_LEVEL}: only ${NAME} is supported"},
		"a tab (PLATFORM 3)":                               {edit(t, "packages:", "#\t\npackages:"), "file: line 1 has a tab"},
		"a build.sh that cannot be run (PLATFORM 1)":       {func(m fstest.MapFS) { m["packages/api/runs/build.sh"].Mode = 0o644 }, "function api/runs: build.sh is not executable"},
		"no build.sh (PLATFORM 1)":                         {func(m fstest.MapFS) { delete(m, "packages/api/runs/build.sh") }, "function api/runs: packages/api/runs has no build.sh"},
		"an .include with more than exec (PLATFORM 1)":     {func(m fstest.MapFS) { m["packages/api/runs/.include"].Data = []byte("exec\nmain.go\n") }, "function api/runs: .include must list exec and nothing else"},
		"no .include (PLATFORM 1)":                         {func(m fstest.MapFS) { delete(m, "packages/api/runs/.include") }, "function api/runs: .include must list exec"},
		"an .ignore beside it (PLATFORM 1)":                {func(m fstest.MapFS) { m["packages/api/runs/.ignore"] = &fstest.MapFile{} }, ".ignore beside .include is refused"},
		"a folder without an entry (PLATFORM 1)":           {func(m fstest.MapFS) { m["packages/api/stray/main.go"] = &fstest.MapFile{} }, "folders: packages/api/stray has no entry: it would be deployed in public"},
		"a file where a function is expected (PLATFORM 1)": {func(m fstest.MapFS) { m["packages/api/stray.js"] = &fstest.MapFile{} }, "folders: packages/api/stray.js: a function is a folder"},
		"no .env.example":                                  {func(m fstest.MapFS) { delete(m, ".env.example") }, "file: open .env.example: file does not exist: it explains every variable"},
		"no project.yml":                                   {func(m fstest.MapFS) { delete(m, "project.yml") }, "file: open project.yml: file does not exist"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			faults := project.Check(files(tc.change), []string{"api/runs"})
			require.Len(t, faults, 1, text(faults))
			require.Contains(t, faults[0].Error(), tc.want)
		})
	}
}

// text is the faults, one a line.
func text(faults []project.Fault) string {
	lines := []string{}
	for _, f := range faults {
		lines = append(lines, f.Error())
	}
	return strings.Join(lines, "\n")
}

func TestCheck_saysAllThatIsWrongAtOnce(t *testing.T) {
	t.Parallel()

	change := edit(t, "        web: raw\n        limits: { timeout: 30000, memory: 256, logs: 16 }", `        web: true
        parameters: { site: "demo" }`)
	require.Equal(t, `project.yml: function api/runs: limits: timeout: say it; the platform's own is seldom meant
project.yml: function api/runs: limits: memory: say it; the platform's own is seldom meant
project.yml: function api/runs: limits: logs: say it; the platform's own is seldom meant
project.yml: function api/runs: web: public, but not on the list of public functions: set web: false, or add it to the list
project.yml: function api/runs: web: want raw, which keeps the request whole
project.yml: function api/runs: parameters: a caller who names site is refused: use environment
project.yml: public functions: work/tick: only the package api is public
project.yml: public functions: work/tick: on the list, but no public function: take it off`,
		text(project.Check(files(change), []string{"work/tick"})))
}
