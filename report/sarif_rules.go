package report

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/owenrumney/go-sarif/v2/sarif"

	"github.com/b10lint/b10lint/finding"
)

// rules describes every rule of the catalogue, and every other that a finding
// names, so that no result is without one.
func (s *sarifWriter) rules(kept []int) []*sarif.ReportingDescriptor {
	out := []*sarif.ReportingDescriptor{} // the standard wants an array, if an empty one
	known := map[string]bool{}
	add := func(r finding.Rule) {
		if !known[r.ID] {
			known[r.ID] = true
			out = append(out, descriptor(r))
		}
	}
	for _, r := range s.Run.Rules {
		add(r)
	}
	for _, i := range kept {
		add(finding.Rule{ID: s.Findings[i].Rule, Severity: s.Findings[i].Severity})
	}
	return out
}

func descriptor(r finding.Rule) *sarif.ReportingDescriptor {
	title := cmp.Or(r.Title, strings.ReplaceAll(r.ID, "-", " "))
	text := cmp.Or(r.Text, title)
	help, markdown := sentence(text), text
	if r.Remedy != "" {
		help += "\n\n" + sentence(r.Remedy)
		markdown += "\n\n### What to do\n\n" + r.Remedy
	}
	tags := []string{"security"}
	for _, t := range r.Tags {
		if !slices.Contains(tags, t) && len(tags) < 20 {
			tags = append(tags, t)
		}
	}
	return &sarif.ReportingDescriptor{
		ID:                   r.ID,
		Name:                 ptr(pascal(r.ID)),
		ShortDescription:     both(cutRunes(sentence(title), 1024), ""),
		FullDescription:      both(cutRunes(sentence(text), 1024), ""),
		HelpURI:              ptr(ruleURL(r.ID)),
		Help:                 both(help, markdown),
		DefaultConfiguration: &sarif.ReportingConfiguration{Level: sarifLevel(r.Severity)},
		Properties: sarif.Properties{
			"tags":              tags,
			"precision":         "high",
			"security-severity": cmp.Or(securitySeverity[r.Severity], "1.0"),
		},
	}
}

func both(text, markdown string) *sarif.MultiformatMessageString {
	m := &sarif.MultiformatMessageString{Text: &text}
	if markdown != "" {
		m.Markdown = &markdown
	}
	return m
}

// securitySeverity holds the numbers by which GitHub ranks a rule: above 9 critical, from
// 7 high, from 4 medium, below low.
var securitySeverity = map[finding.Severity]string{finding.Critical: "9.5", finding.High: "8.0", finding.Medium: "5.5", finding.Low: "3.0"}

// pascal turns an ID of words into the PascalCase name that SARIF wants.
func pascal(id string) string {
	var b strings.Builder
	up := true
	for _, r := range id {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		switch {
		case !letter:
			up = true
			continue
		case up:
			b.WriteString(strings.ToUpper(string(r)))
		default:
			b.WriteRune(r)
		}
		up = false
	}
	return cmp.Or(b.String(), "Rule")
}

// The kinds of notification.
const (
	noteProblem     = "incomplete-run"
	noteWarning     = "run-warning"
	noteLimit       = "result-limit"
	noteInterrupted = "interrupted-run"
)

func notificationKinds() []*sarif.ReportingDescriptor {
	kind := func(id, level, text, help string) *sarif.ReportingDescriptor {
		return &sarif.ReportingDescriptor{
			ID: id, Name: ptr(pascal(id)), ShortDescription: both(text, ""), FullDescription: both(text, ""), Help: both(help, help),
			DefaultConfiguration: &sarif.ReportingConfiguration{Level: level},
		}
	}
	return []*sarif.ReportingDescriptor{
		kind(noteProblem, "error", "Something could not be looked at, so the run is not complete.",
			"A key may be in what was not read. Make it readable, or leave it out by name, and run again."),
		kind(noteWarning, "warning", "Something about the run that its reader should know.",
			"The run is complete all the same."),
		kind(noteLimit, "warning", "Results were left out because of a limit of the reader of this file.",
			"Write the json format beside this one; it holds everything."),
		kind(noteInterrupted, "error", "The run was interrupted before it had looked at everything.",
			"Run it again to the end."),
	}
}

// notifications tell what kept the run from being complete, up to a limit.
func (s *sarifWriter) notifications(dropped int) []*sarif.Notification {
	var out []*sarif.Notification
	add := func(kind, level, text string, locations []*sarif.Location) {
		out = append(out, &sarif.Notification{
			Descriptor: &sarif.ReportingDescriptorReference{Id: ptr(kind)},
			Level:      level, Message: message(plain(sentence(text))), Locations: locations,
		})
	}
	if dropped > 0 {
		add(noteLimit, "warning", "Left out "+strconv.Itoa(dropped)+" of "+strconv.Itoa(len(s.Findings))+
			" results, the least severe, to stay within what GitHub takes; the json format holds them all", nil)
	}
	if s.Summary.Interrupted {
		add(noteInterrupted, "error", "The run was interrupted before it had looked at everything", nil)
	}
	for i, p := range s.Problems {
		if i == s.limits.notes {
			add(noteLimit, "warning", "Left out "+count(int64(len(s.Problems)-i), "further problem"), nil)
			break
		}
		kind, level, text := noteProblem, "error", problemText(p)
		if p.Warning {
			kind, level = noteWarning, "warning"
		}
		if p.Hint != "" {
			text = sentence(text) + " " + visible(p.Hint)
		}
		var at []*sarif.Location
		if p.Path != "" {
			at = []*sarif.Location{{PhysicalLocation: &sarif.PhysicalLocation{ArtifactLocation: s.artifact(p.Target, p.Path)}}}
		}
		add(kind, level, text, at)
	}
	return out
}
