package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// placeholder matches ${NAME} and, so that they can be refused, the forms the
// deployer knows and this platform does not: ${|NAME}, ${<file} and $(A B).
var placeholder = regexp.MustCompile(`\$\{([^}]*)\}|\$\([^)]*\)`)

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// substitute fills in ${NAME} as the deployer does: in the text, before it is
// YAML, comments included. An empty value counts as missing, as it does there.
func substitute(text string, vars map[string]string, envFile string) (string, error) {
	var missing, odd []string
	filled := placeholder.ReplaceAllStringFunc(text, func(m string) string {
		name := strings.TrimSuffix(strings.TrimPrefix(m, "${"), "}")
		switch value := vars[name]; {
		case !variableName.MatchString(name):
			odd = append(odd, m)
		case value == "":
			missing = append(missing, name)
		default:
			return value
		}
		return ""
	})
	var faults []error
	if len(odd) > 0 {
		faults = append(faults, fmt.Errorf("project.yml uses %s: only ${NAME} is supported", list(odd)))
	}
	if len(missing) > 0 {
		faults = append(faults, fmt.Errorf("project.yml needs %s: set each as NAME=value in %s or in the environment", list(missing), envFile))
	}
	return filled, errors.Join(faults...)
}

func list(names []string) string {
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

// variables are those of the .env file, overruled by those of the process.
func variables(envFile string, process map[string]string) (map[string]string, error) {
	vars := map[string]string{}
	text, err := os.ReadFile(filepath.Clean(envFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for n, line := range strings.Split(string(text), "\n") {
		line = strings.TrimPrefix(strings.TrimSpace(line), "export ")
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		if !ok || !variableName.MatchString(name) {
			return nil, fmt.Errorf("%s line %d: want NAME=value", envFile, n+1)
		}
		vars[name] = unquote(strings.TrimSpace(value))
	}
	for name, value := range process {
		if value != "" { // an empty export must not hide the file's value
			vars[name] = value
		}
	}
	return vars, nil
}

// unquote reads a value as dotenv does: 'as it is', "with \n", or bare up to
// a comment.
func unquote(s string) string {
	if len(s) >= 2 && s[0] == s[len(s)-1] {
		switch s[0] {
		case '\'':
			return s[1 : len(s)-1]
		case '"':
			return strings.ReplaceAll(s[1:len(s)-1], `\n`, "\n")
		}
	}
	bare, _, _ := strings.Cut(s, " #")
	return strings.TrimSpace(bare)
}
