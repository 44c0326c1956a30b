package config

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
	"go.yaml.in/yaml/v3"

	"github.com/b10lint/b10lint/internal/english"
)

// A parser reads YAML nodes into values and gathers every mistake.
type parser struct {
	file string
	errs []error
}

// A field takes the value of one key of a mapping.
type field func(*yaml.Node)

// maxErrors bounds what is said of a file that is wrong all over.
const maxErrors = 20

func (p *parser) fail(n *yaml.Node, text, hint string) {
	if len(p.errs) < maxErrors {
		p.errs = append(p.errs, &Error{p.file, n.Line, n.Column, text, hint})
	}
}

func (p *parser) where(n *yaml.Node) string { return fmt.Sprintf("%s:%d", p.file, n.Line) }

// document returns the root of the one document that data holds, or nil if it is
// empty. A second document would be settings that nobody reads.
func (p *parser) document(data []byte) (*yaml.Node, error) {
	if !utf8.Valid(data) {
		return nil, &Error{File: p.file, Text: "the file is not UTF-8", Hint: "save it as UTF-8"}
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, p.syntax(err, data)
	}
	switch err := d.Decode(&second); {
	case err == nil:
		return nil, &Error{p.file, second.Line, max(second.Column, 1), "a second document begins here", "keep all settings in one document: remove the line ---"}
	case !errors.Is(err, io.EOF):
		return nil, p.syntax(err, data)
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind == yaml.ScalarNode && doc.Content[0].Tag == "!!null" {
		return nil, nil
	}
	return doc.Content[0], nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

// syntax gives the place of an error that the YAML library reports as text.
func (p *parser) syntax(err error, data []byte) error {
	e := &Error{File: p.file, Text: "not YAML: " + err.Error(), Hint: "b10lint's settings are described in docs/config.md"}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		e.Text = "not YAML: " + m[2]
		if e.Line, _ = strconv.Atoi(m[1]); e.Line > 0 {
			e.Column = 1
		}
	}
	if strings.Contains(err.Error(), "cannot start any token") { // the library may not say where
		if i := tabbed.FindIndex(data); i != nil {
			e.Line, e.Column = bytes.Count(data[:i[1]], []byte{'\n'})+1, 1
			e.Text, e.Hint = "not YAML: the line is indented with a tab", "indent it with spaces"
		}
	}
	return e
}

// tabbed is the first line that begins with a tab.
var tabbed = regexp.MustCompile(`(?m)^ *\t`)

// each calls fn for every pair of a mapping, once a key.
func (p *parser) each(n *yaml.Node, what string, fn func(key, value *yaml.Node)) bool {
	if n.Kind != yaml.MappingNode {
		p.fail(n, fmt.Sprintf("%s must be a mapping of names to values, not %s", what, kindOf(n)), "write each setting as name: value")
		return false
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		switch {
		case k.Kind != yaml.ScalarNode:
			p.fail(k, "a name of a setting must be a word, not "+kindOf(k), "")
		case seen[k.Value]:
			p.fail(k, fmt.Sprintf("%s is there twice", quote(k.Value)), "keep one of the two")
		default:
			seen[k.Value] = true
			fn(k, n.Content[i+1])
		}
	}
	return true
}

// mapping reads the pairs of a mapping into fields. It returns the names that were
// there, or nil if n is not a mapping.
func (p *parser) mapping(n *yaml.Node, what string, fields map[string]field) map[string]bool {
	seen := map[string]bool{}
	ok := p.each(n, what, func(k, v *yaml.Node) {
		read := fields[k.Value]
		if read == nil {
			names := slices.Sorted(maps.Keys(fields))
			hint := "the settings are " + strings.Join(names, ", ")
			if meant := english.Nearest(k.Value, names); meant != "" {
				hint = "did you mean " + meant + "? The settings are " + strings.Join(names, ", ")
			}
			p.fail(k, fmt.Sprintf("%s has no setting %s", what, quote(k.Value)), hint)
			return
		}
		seen[k.Value] = true
		read(v)
	})
	if !ok {
		return nil
	}
	return seen
}

// list reads each entry of a list.
func list[T any](p *parser, n *yaml.Node, read func(*yaml.Node) T) (all []T) {
	if n.Kind != yaml.SequenceNode {
		p.fail(n, "this must be a list, not "+kindOf(n), "begin each line of it with a dash")
		return nil
	}
	for _, item := range n.Content {
		all = append(all, read(item))
	}
	return all
}

// text returns a scalar that is not blank.
func (p *parser) text(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode {
		p.fail(n, "this must be text, not "+kindOf(n), "")
		return ""
	}
	v := strings.TrimSpace(n.Value)
	if v == "" || n.Tag == "!!null" {
		p.fail(n, "this must not be empty", "")
		return ""
	}
	return v
}

func (p *parser) boolean(n *yaml.Node) bool {
	if n.Kind == yaml.ScalarNode && (n.Value == "true" || n.Value == "false") {
		return n.Value == "true"
	}
	p.fail(n, "this must be true or false", "")
	return false
}

// A termed value is one of an ordered set of words.
type termed[T any] interface {
	*T
	encoding.TextUnmarshaler
}

func word[T any, P termed[T]](p *parser, n *yaml.Node) *T {
	text := p.text(n)
	if text == "" {
		return nil
	}
	v := new(T)
	if err := P(v).UnmarshalText([]byte(text)); err != nil {
		p.fail(n, longRun.ReplaceAllString(err.Error(), "****"), "")
		return nil
	}
	return v
}

// glob returns a path glob from the repository's root, with slashes.
func (p *parser) glob(n *yaml.Node) string {
	g := p.text(n)
	if g == "" {
		return ""
	}
	clean := strings.TrimSuffix(strings.TrimPrefix(g, "./"), "/")
	if clean == "" || strings.Contains(g, `\`) || !doublestar.ValidatePattern(clean) {
		p.fail(n, fmt.Sprintf("bad glob %s", quote(g)), "globs are as in the shell, with slashes, and ** crosses folders: vendor/**")
		return ""
	}
	return g
}

func (p *parser) nameGlob(n *yaml.Node) string {
	g := p.text(n)
	if _, err := path.Match(g, ""); err != nil {
		p.fail(n, fmt.Sprintf("bad glob %s", quote(g)), "globs are as in the shell: ci-*")
		return ""
	}
	return g
}

// minFingerprint is how much of a fingerprint is enough: 48 bits, so that two keys
// of one organisation do not share it by chance.
const minFingerprint = 12

var (
	fingerprintForm = regexp.MustCompile(`^[0-9a-f]{12,64}$`)
	prefixForm      = regexp.MustCompile(`^[A-Za-z0-9_-]{4,32}$`)
	ruleForm        = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
)

func (p *parser) fingerprint(n *yaml.Node) string {
	v := p.text(n)
	if v != "" && !fingerprintForm.MatchString(v) {
		p.fail(n, fmt.Sprintf("a fingerprint is %d or more hexadecimal digits in lower case", minFingerprint), "copy it from the reports -f json or text -v; a number of digits alone must be in quotes")
	}
	return v
}

// prefix returns the public part of a key. The value is not repeated in errors:
// it may be a whole key by mistake.
func (p *parser) prefix(n *yaml.Node) string {
	v := p.text(n)
	if v != "" && !prefixForm.MatchString(v) {
		p.fail(n, "a prefix is the part before the key's dot: letters, digits, _ and -", "never put a whole key into this file")
	}
	return v
}

func (p *parser) rule(n *yaml.Node) string {
	v := p.text(n)
	if v != "" && !ruleForm.MatchString(v) {
		p.fail(n, fmt.Sprintf("%s is not a rule", quote(v)), "b10lint rules lists them")
		return ""
	}
	return v
}

func (p *parser) date(n *yaml.Node) time.Time {
	v := p.text(n)
	if v == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.DateOnly, v)
	if err != nil {
		p.fail(n, fmt.Sprintf("%s is not a date", quote(v)), "write the last day on which it holds as 2027-01-31")
	}
	return t
}

// maxDays is two hundred years: more is a mistake, and would not fit a duration.
const maxDays = 365 * 200

func (p *parser) days(n *yaml.Node) time.Duration {
	v := p.text(n)
	if v == "" {
		return 0
	}
	days, err := strconv.Atoi(strings.TrimSuffix(v, "d"))
	if err != nil || days < 1 || days > maxDays {
		p.fail(n, fmt.Sprintf("%s is not a number of days", quote(v)), "write 60d")
		return 0
	}
	return time.Duration(days) * 24 * time.Hour
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias (*name), which is not taken here"
	}
	return "a single value"
}

// longRun is what may be a secret half, or part of a key.
var longRun = regexp.MustCompile(`[A-Za-z0-9]{25,}`)

// quote shows a value of the file, cut short, without what may be a secret in it.
func quote(v string) string {
	v = longRun.ReplaceAllString(v, "****")
	if r := []rune(v); len(r) > 60 {
		v = string(r[:60]) + "…"
	}
	return strconv.Quote(v)
}
