package sitefile

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"blogposter/lib/ledger"
)

// value is a scalar that has a form of its own.
type value interface{ parse(n *yaml.Node) error }

// amount is money in micro-dollars. A file says "$0.15", or 150000.
type amount int64

var dollars = regexp.MustCompile(`^(-?)\$(-?)([0-9]{1,9})(?:\.([0-9]{1,6}))?$`)

func (a *amount) parse(n *yaml.Node) error {
	if micros, err := strconv.ParseInt(strings.ReplaceAll(n.Value, "_", ""), 10, 64); err == nil {
		*a = amount(micros)
		return nil
	}
	m := dollars.FindStringSubmatch(n.Value)
	if m == nil {
		return fmt.Errorf(`%q is no amount: write dollars as "$0.15", or whole micro-dollars as 150000`, n.Value)
	}
	micros, err := strconv.ParseInt(m[3]+(m[4] + "000000")[:6], 10, 64)
	if err != nil {
		return err
	}
	if m[1]+m[2] != "" {
		micros = -micros
	}
	*a = amount(micros)
	return nil
}

// String is the amount in dollars, with cents and no more digits than it needs.
func (a amount) String() string {
	text := strings.TrimRight(ledger.Micros(a).String(), "0")
	whole, fraction, _ := strings.Cut(text, ".")
	return whole + "." + (fraction + "00")[:max(2, len(fraction))]
}

// MarshalYAML writes dollars.
func (a amount) MarshalYAML() (any, error) { return a.String(), nil }

// interval is a time in minutes. A file says 6h, 90m, 7d or 1d12h.
type interval int

var spans = regexp.MustCompile(`^(?:([0-9]{1,5})d)?(?:([0-9]{1,5})h)?(?:([0-9]{1,6})m)?$`)

func (i *interval) parse(n *yaml.Node) error {
	m := spans.FindStringSubmatch(n.Value)
	if m == nil || n.Value == "" {
		return fmt.Errorf("%q is no time: write a number with its unit, such as 6h, 90m or 2d", n.Value)
	}
	total := 0
	for at, minutes := range map[int]int{1: 24 * 60, 2: 60, 3: 1} {
		count, _ := strconv.Atoi("0" + m[at]) // digits, at most six
		total += count * minutes
	}
	*i = interval(total)
	return nil
}

// MarshalYAML writes the largest units that say it exactly.
func (i interval) MarshalYAML() (any, error) {
	var text strings.Builder
	rest := int(i)
	for _, unit := range []struct {
		minutes int
		name    string
	}{{24 * 60, "d"}, {60, "h"}, {1, "m"}} {
		if n := rest / unit.minutes; n != 0 {
			fmt.Fprintf(&text, "%d%s", n, unit.name)
			rest -= n * unit.minutes
		}
	}
	return text.String(), nil
}

// reference names a variable. A file says ${NAME}.
type reference string

var referenceForm = regexp.MustCompile(`^\$\{([A-Z][A-Z0-9_]{0,99})\}$`)

// parse never repeats what it was given: it may be the secret itself.
func (r *reference) parse(n *yaml.Node) error {
	m := referenceForm.FindStringSubmatch(n.Value)
	if m == nil {
		return errors.New("is not a reference: write ${WP_APP_PASSWORD}, the name of a variable that is set when the file is imported. " +
			"A secret itself is refused here: files are copied, shared and kept in git")
	}
	*r = reference(m[1])
	return nil
}

// MarshalYAML writes ${NAME}.
func (r reference) MarshalYAML() (any, error) { return "${" + string(r) + "}", nil }
