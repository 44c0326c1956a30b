// Package config reads what a repository says about its own scans: the file
// .b10lint.yaml, baselines, and the decisions that accept a finding. It is strict:
// a setting that is not understood is an error with its place, because a
// suppression that silently means nothing, or too much, is worse than none.
package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/b10lint/b10lint/finding"
)

// Name is the name of the configuration file, at the root of a repository.
const Name = ".b10lint.yaml"

// maxSize bounds what is read of a configuration file or a baseline.
const maxSize = 4 << 20

// A Config is the content of a configuration file. The zero value is that of no
// file, but for Inline.
type Config struct {
	// File is the name that the file goes by in messages; empty without a file.
	File string
	// Exclude and Include are globs, as the flags of scan take them.
	Exclude, Include []string
	// FailOn and MinConfidence are nil where the file is silent.
	FailOn        *finding.Severity
	MinConfidence *finding.Confidence
	// OnProblem is "warn" or "fail": whether what could not be read fails a run; empty
	// where the file is silent.
	OnProblem string
	// Inline says whether comments in the scanned text may accept a key.
	Inline bool
	Accept []Accept
	// Rules are what the file says of rules, by ID.
	Rules map[string]Rule
	// Baseline is the path of a baseline from the root, with slashes; empty for none.
	Baseline string
	Audit    Audit
}

// Default returns the Config of a repository without a file.
func Default() *Config { return &Config{Inline: true} }

// An Accept is one decision to live with a finding.
type Accept struct {
	// Fingerprint is that of the finding, or at least its first 12 digits; Prefix is
	// a key's public part. At most one of the two is set; without both, what is accepted
	// is that files at Path cannot be read.
	Fingerprint, Prefix string
	// Path is a glob that the place must match; empty means every place.
	Path string
	// Reason is never empty.
	Reason, Owner string
	// Until is the last day on which the decision holds; zero means for ever.
	Until time.Time
	// Where is the place of the decision, as file:line.
	Where string
}

// A Rule is what the file says of one rule: that its findings are accepted, or how bad they
// are. Neither holds for a key that is verified to work.
type Rule struct {
	Off      bool
	Severity *finding.Severity // nil: its own
	Reason   string            // never empty
	Where    string            // file:line
}

// Audit is what the file says of the policies on the organisation's keys. Zero
// values mean the policy's own default.
type Audit struct {
	// UnusedAfter, OldAfter and DormantAfter are the thresholds of the rules
	// key-unused, key-old and key-dormant-then-used.
	UnusedAfter, OldAfter, DormantAfter time.Duration
	// Severities overrides the severity of rules, by ID.
	Severities map[string]finding.Severity
	// Off lists rules that are not applied.
	Off        []string
	Exceptions []Exception
}

// An Exception keeps one or more keys from being reported by policies.
type Exception struct {
	// Prefix is a key's public part and Name a glob over key names; one is set.
	Prefix, Name string
	// Rules are the rules that it is an exception from; none means all but
	// key-leaked.
	Rules         []string
	Reason, Owner string    // the reason is never empty
	Until         time.Time // the last day on which it holds; zero means for ever
	Where         string    // file:line
}

// An Error is a mistake in a configuration file.
type Error struct {
	File         string
	Line, Column int // 1-based; 0 when the mistake has no place
	Text         string
	Hint         string // what to do
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Text)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Text)
}

// Root returns the folder whose configuration holds for name: the root of the git
// work tree that name lies in, else the folder itself, or that of a file. name
// need not exist.
func Root(name string) (dir string, repository bool, err error) {
	dir, err = filepath.Abs(name)
	if err != nil {
		return "", false, err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		dir = filepath.Dir(dir)
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			return at, true, nil
		}
		if at == filepath.Dir(at) {
			return dir, false, nil
		}
	}
}

// Load reads a configuration file. The error is fs.ErrNotExist if there is none,
// else an *Error or several joined.
func Load(name string) (*Config, error) {
	if filepath.Base(name) == Name {
		for _, other := range Misnamed() {
			if other = filepath.Join(filepath.Dir(name), other); exists(other) {
				return nil, WrongName(other)
			}
		}
	}
	data, err := read(name)
	if err != nil {
		return nil, err
	}
	return Parse(name, data)
}

// Misnamed are names that a settings file is given by mistake: one of them at the root is an
// error, because it would be ignored.
func Misnamed() []string {
	return []string{".b10lint.yml", "b10lint.yaml", "b10lint.yml", ".b10lint.json", ".b10lint.toml", ".b10lintrc"}
}

// WrongName is the error of such a file.
func WrongName(name string) *Error {
	return &Error{File: name, Text: "is not read under this name", Hint: "rename it to " + Name + ", which is YAML"}
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// read returns the content of a regular file of bounded size. A symbolic link is
// refused: in a repository that others may write to, it would let a change choose
// a file that is not under review.
func read(name string) ([]byte, error) {
	info, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	switch {
	case err != nil:
		return nil, &Error{File: name, Text: "cannot be read: " + plain(err)}
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, &Error{File: name, Text: "is a symbolic link", Hint: "put a regular file in its place, or name the other one with --config"}
	case !info.Mode().IsRegular():
		return nil, &Error{File: name, Text: "is not a regular file", Hint: "put a regular file in its place, or leave it out with --no-config"}
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, &Error{File: name, Text: "cannot be read: " + plain(err), Hint: "check who may read it"}
	}
	defer f.Close()
	if opened, err := f.Stat(); err != nil || !os.SameFile(info, opened) {
		return nil, &Error{File: name, Text: "was replaced while it was read", Hint: "run again"}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, &Error{File: name, Text: "cannot be read: " + plain(err)}
	}
	if len(data) > maxSize {
		return nil, &Error{File: name, Text: fmt.Sprintf("is larger than %d MiB", maxSize>>20)}
	}
	return data, nil
}

// plain returns the words of an error without the path that stands beside them.
func plain(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

// Parse reads the content of a configuration file. name is what it goes by in
// messages. The error is an *Error, or several of them joined, one for every mistake.
// Any bytes are safe.
func Parse(name string, data []byte) (*Config, error) {
	if len(data) > maxSize {
		return nil, &Error{File: name, Text: fmt.Sprintf("the file is larger than %d MiB", maxSize>>20), Hint: "use a baseline for many keys: b10lint baseline"}
	}
	p := &parser{file: name}
	c := Default()
	c.File = name
	root, err := p.document(data)
	if err != nil {
		return nil, err
	}
	if root == nil {
		return c, nil
	}
	p.mapping(root, "the file", map[string]field{
		"exclude":        func(v *yaml.Node) { c.Exclude = list(p, v, p.glob) },
		"include":        func(v *yaml.Node) { c.Include = list(p, v, p.glob) },
		"fail-on":        func(v *yaml.Node) { c.FailOn = word[finding.Severity](p, v) },
		"min-confidence": func(v *yaml.Node) { c.MinConfidence = word[finding.Confidence](p, v) },
		"on-problem": func(v *yaml.Node) {
			if c.OnProblem = p.text(v); c.OnProblem != "" && c.OnProblem != "warn" && c.OnProblem != "fail" {
				p.fail(v, quote(c.OnProblem)+" is not one of warn, fail", "hooks warn and other scans fail without it")
			}
		},
		"inline": func(v *yaml.Node) { c.Inline = p.boolean(v) },
		"accept": func(v *yaml.Node) { c.Accept = list(p, v, p.accept) },
		"rules": func(v *yaml.Node) {
			c.Rules = map[string]Rule{}
			p.each(v, "rules", func(key, value *yaml.Node) {
				if id := p.rule(key); id != "" {
					c.Rules[id] = p.ruleSetting(id, value)
				}
			})
		},
		"baseline": func(v *yaml.Node) {
			if c.Baseline = p.text(v); c.Baseline != "" && !filepath.IsLocal(filepath.FromSlash(c.Baseline)) {
				p.fail(v, "the baseline "+quote(c.Baseline)+" is not below the folder of this file", "name it from here: .b10lint-baseline.json")
			}
		},
		"audit": func(v *yaml.Node) { p.audit(v, &c.Audit) },
	})
	if len(p.errs) > 0 {
		return nil, errors.Join(p.errs...)
	}
	return c, nil
}

func (p *parser) accept(n *yaml.Node) Accept {
	a := Accept{Where: p.where(n)}
	seen := p.mapping(n, "an entry of accept", map[string]field{
		"fingerprint": func(v *yaml.Node) { a.Fingerprint = p.fingerprint(v) },
		"prefix":      func(v *yaml.Node) { a.Prefix = p.prefix(v) },
		"path":        func(v *yaml.Node) { a.Path = p.glob(v) },
		"reason":      func(v *yaml.Node) { a.Reason = p.text(v) },
		"owner":       func(v *yaml.Node) { a.Owner = p.text(v) },
		"until":       func(v *yaml.Node) { a.Until = p.date(v) },
	})
	if seen == nil {
		return a
	}
	if seen["fingerprint"] && seen["prefix"] || !seen["fingerprint"] && !seen["prefix"] && !seen["path"] {
		p.fail(n, "an entry of accept needs a fingerprint or a prefix, and not both",
			"the fingerprint is in the reports -f json and text -v, the prefix is the part of the key before its dot; a path alone accepts that files there cannot be read")
	}
	if !seen["reason"] {
		p.fail(n, "an entry of accept needs a reason", "say why this key may stay where it is, for those who come after you")
	}
	return a
}

// liveRule is the rule on keys that are verified to work, which no setting silences.
const liveRule = "leaked-key-live"

func (p *parser) ruleSetting(id string, n *yaml.Node) Rule {
	r := Rule{Where: p.where(n)}
	seen := p.mapping(n, "a rule", map[string]field{
		"off":      func(v *yaml.Node) { r.Off = p.boolean(v) },
		"severity": func(v *yaml.Node) { r.Severity = word[finding.Severity](p, v) },
		"reason":   func(v *yaml.Node) { r.Reason = p.text(v) },
	})
	switch {
	case seen == nil:
	case id == liveRule:
		p.fail(n, "a key that is verified to work is reported whatever the settings say", "remove "+liveRule+" and revoke the key: b10lint revoke PREFIX")
	case seen["off"] == seen["severity"]:
		p.fail(n, "a rule needs off: true or a severity, and not both", id+": {off: true, reason: WHY}")
	case !seen["reason"]:
		p.fail(n, "a rule needs a reason", "say why, for those who come after you: "+id+": {off: true, reason: WHY}")
	}
	return r
}

func (p *parser) audit(n *yaml.Node, a *Audit) {
	p.mapping(n, "audit", map[string]field{
		"unused-after":  func(v *yaml.Node) { a.UnusedAfter = p.days(v) },
		"old-after":     func(v *yaml.Node) { a.OldAfter = p.days(v) },
		"dormant-after": func(v *yaml.Node) { a.DormantAfter = p.days(v) },
		"severity": func(v *yaml.Node) {
			a.Severities = map[string]finding.Severity{}
			p.each(v, "severity", func(key, value *yaml.Node) {
				if id := p.rule(key); id != "" {
					if s := word[finding.Severity](p, value); s != nil {
						a.Severities[id] = *s
					}
				}
			})
		},
		"off":        func(v *yaml.Node) { a.Off = list(p, v, p.rule) },
		"exceptions": func(v *yaml.Node) { a.Exceptions = list(p, v, p.exception) },
	})
}

func (p *parser) exception(n *yaml.Node) Exception {
	e := Exception{Where: p.where(n)}
	seen := p.mapping(n, "an exception", map[string]field{
		"prefix": func(v *yaml.Node) { e.Prefix = p.prefix(v) },
		"name":   func(v *yaml.Node) { e.Name = p.nameGlob(v) },
		"rules":  func(v *yaml.Node) { e.Rules = list(p, v, p.rule) },
		"reason": func(v *yaml.Node) { e.Reason = p.text(v) },
		"owner":  func(v *yaml.Node) { e.Owner = p.text(v) },
		"until":  func(v *yaml.Node) { e.Until = p.date(v) },
	})
	if seen == nil {
		return e
	}
	if seen["prefix"] == seen["name"] {
		p.fail(n, "an exception needs a prefix or a name, and not both", "b10lint keys list shows both")
	}
	if !seen["reason"] {
		p.fail(n, "an exception needs a reason", "say why this key may stay as it is, for those who come after you")
	}
	return e
}
