package config

import (
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/b10lint/b10lint/finding"
)

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
		"off": func(v *yaml.Node) { a.Off = p.rules(v) },
		"exceptions": func(v *yaml.Node) {
			for _, item := range p.sequence(v) {
				a.Exceptions = append(a.Exceptions, p.exception(item))
			}
		},
	})
}

func (p *parser) exception(n *yaml.Node) Exception {
	e := Exception{Where: p.where(n)}
	seen := p.mapping(n, "an exception", map[string]field{
		"prefix": func(v *yaml.Node) { e.Prefix = p.prefix(v) },
		"name":   func(v *yaml.Node) { e.Name = p.nameGlob(v) },
		"rules":  func(v *yaml.Node) { e.Rules = p.rules(v) },
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
