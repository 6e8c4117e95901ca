// Package sitefile reads sites from YAML files, says everything that is wrong
// with them, and writes them to the database as the schema's owner: functions
// may read sites, never change them.
//
// A file holds one site or several, parted by ---. A secret never stands in
// it: cms.password is a reference such as ${WP_APP_PASSWORD} to the environment
// of the import, which seals the value. Written out again, a site is the file
// that makes it.
package sitefile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"blogposter/lib/editorial"
)

// mostBytes is the longest site file that is read.
const mostBytes = 1 << 20

// Site is a site as its file says it.
type Site struct {
	editorial.Site
	// PasswordFrom names the variable that holds the content system's password
	// at an import; "" leaves the credential as it is.
	PasswordFrom string
}

// Load reads and validates the sites of files and folders (*.yml, *.yaml).
// Every fault of every file is reported at once.
func Load(paths ...string) ([]Site, error) {
	files, err := expand(paths)
	if err != nil {
		return nil, err
	}
	var sites []Site
	var errs []error
	home := map[string]string{} // of each slug
	for _, name := range files {
		raw, err := readFile(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		found, err := Parse(raw)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s:\n%w", name, err))
		}
		for _, s := range found {
			if other, twice := home[s.Slug]; twice && s.Slug != "" && other != name {
				errs = append(errs, fmt.Errorf("%s: slug %q stands in %s, too: give each site a slug of its own", name, s.Slug, other))
			}
			home[s.Slug] = name
		}
		sites = append(sites, found...)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return sites, nil
}

func expand(paths []string) ([]string, error) {
	var files []string
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			files = append(files, p)
			continue
		}
		before := len(files)
		for _, pattern := range []string{"*.yml", "*.yaml"} {
			found, err := fs.Glob(os.DirFS(p), pattern)
			if err != nil {
				return nil, err
			}
			for _, name := range found {
				files = append(files, filepath.Join(p, name))
			}
		}
		if len(files) == before {
			return nil, fmt.Errorf("%s has no site files (*.yml)", p)
		}
		slices.Sort(files[before:])
	}
	return files, nil
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(filepath.Clean(name))
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(f, mostBytes+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if len(raw) > mostBytes {
		return nil, fmt.Errorf("%s is over %d bytes: a site file has a few thousand", name, mostBytes)
	}
	return raw, nil
}

// Parse decodes and validates the sites of one file. The sites come with the
// error, too, for what can still be said of them.
func Parse(file []byte) ([]Site, error) {
	found, err := decode(file)
	if err != nil {
		return nil, err
	}
	var sites []Site
	var errs []error
	seen := map[string]bool{}
	for i, d := range found {
		faults := slices.Concat(d.faults, validate(d.site, d.faults))
		if seen[d.site.Slug] && d.site.Slug != "" {
			faults = append(faults, Fault{"slug", fmt.Sprintf("%q stands twice in this file: give each site a slug of its own", d.site.Slug)})
		}
		seen[d.site.Slug] = true
		sites = append(sites, d.site)
		if err := joined(faults); err != nil {
			if len(found) > 1 {
				err = fmt.Errorf("site %d of the file (%s):\n%w", i+1, d.site.Slug, err)
			}
			errs = append(errs, err)
		}
	}
	return sites, errors.Join(errs...)
}

// Read decodes the one site of a file without validating it, for callers who
// still complete it. What it can't decode is an error.
func Read(file []byte) (Site, error) {
	found, err := decode(file)
	if err != nil {
		return Site{}, err
	}
	if len(found) != 1 {
		return Site{}, fmt.Errorf("the file has %d sites, not one", len(found))
	}
	return found[0].site, joined(found[0].faults)
}

// Fault is one thing that is wrong with a site: which field, what of it, and
// what to write instead.
type Fault struct{ Field, Detail string }

func (f Fault) Error() string { return strings.TrimSpace(f.Field + " " + f.Detail) }

func joined(faults []Fault) error {
	errs := make([]error, len(faults))
	for i, f := range faults {
		errs[i] = f
	}
	return errors.Join(errs...)
}

// decoded is one document of a file, with what couldn't be decoded.
type decoded struct {
	site   Site
	faults []Fault
}

func decode(file []byte) ([]decoded, error) {
	var found []decoded
	for dec := yaml.NewDecoder(bytes.NewReader(file)); ; {
		var root yaml.Node
		err := dec.Decode(&root)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("not YAML: %w", err)
		}
		if len(root.Content) == 0 || root.Content[0].Tag == "!!null" {
			continue // nothing between two ---
		}
		var doc document
		r := reader{}
		r.read(root.Content[0], &doc)
		found = append(found, decoded{doc.site(), r.faults})
	}
	if len(found) == 0 {
		return nil, errors.New("there is no site in it: scripts/demo/site.yml is one to start from")
	}
	return found, nil
}
