package report

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/owenrumney/go-sarif/v2/sarif"

	"github.com/b10lint/b10lint/finding"
)

func renderSARIF(r finding.Report, opts Options) ([]byte, error) {
	s := &sarifWriter{Report: r, opts: opts, limits: sarifLimits{25_000, 100, 1_000, 10_000_000}}
	return s.render()
}

func (s *sarifWriter) render() ([]byte, error) {
	order := bySeverity(s.Findings)
	dropped := max(0, len(order)-s.limits.results)
	for {
		kept := slices.Sorted(slices.Values(order[:len(order)-dropped])) // in the order of the report
		data, err := s.encode(kept, dropped)
		if err != nil {
			return nil, err
		}
		packed, err := gzipSize(data)
		if err != nil {
			return nil, fmt.Errorf("measuring it: %w", err)
		}
		if packed <= s.limits.gzipBytes || len(kept) == 0 {
			return data, nil
		}
		// A tenth below the share that would fit, so that few rounds do.
		fit := int(float64(len(kept)) * 0.9 * float64(s.limits.gzipBytes) / float64(packed))
		dropped = len(order) - min(fit, len(kept)-1)
	}
}

// gzipSize is the length of data compressed as an upload would be.
func gzipSize(data []byte) (int64, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(data)
	err = errors.Join(err, z.Close())
	return int64(b.Len()), err
}

var semver = regexp.MustCompile(`^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}([-+].*)?$`)

func (s *sarifWriter) encode(kept []int, dropped int) ([]byte, error) {
	s.outside = map[string]bool{}
	rules := s.rules(kept)
	index := map[string]uint{}
	for i, r := range rules {
		index[r.ID] = uint(i)
	}
	driver := &sarif.ToolComponent{Name: cmp.Or(visible(s.Run.Tool.Name), "b10lint"), InformationURI: ptr(HomeURL),
		Rules: rules, Notifications: notificationKinds()}
	if full := s.Run.Tool.Version; full != "" {
		v := strings.TrimPrefix(full, "v")
		if v == "" || v[0] < '0' || v[0] > '9' {
			v = "0.0.0-" + full // a build that is not a release; viewers compare numbers
		}
		if driver.Version = ptr(visible(v)); semver.MatchString(v) {
			driver.SemanticVersion = driver.Version
		}
	}
	ok := s.Summary.Complete && !s.Summary.Interrupted
	invocation := &sarif.Invocation{ExecutionSuccessful: &ok, ToolExecutionNotifications: s.notifications(dropped)}
	if t := saneTime(&s.Run.Started); t != nil {
		invocation.StartTimeUTC = ptr(t.Truncate(time.Millisecond))
		invocation.EndTimeUTC = ptr(t.Add(s.Summary.Elapsed).Truncate(time.Millisecond))
	}
	run := sarif.Run{
		Tool:              sarif.Tool{Driver: driver},
		Invocations:       []*sarif.Invocation{invocation},
		AutomationDetails: &sarif.RunAutomationDetails{ID: ptr("b10lint/" + cmp.Or(visible(s.Run.Command), "scan") + "/")},
		ColumnKind:        "utf16CodeUnits",
		OriginalUriBaseIDs: map[string]*sarif.ArtifactLocation{
			srcRoot: {Description: message("The root of the checked-out repository, or the folder that the run started in.")},
		},
	}
	for _, t := range s.Targets {
		if len(s.Targets) > 1 {
			run.OriginalUriBaseIDs[baseID(t.Name)] = &sarif.ArtifactLocation{Description: message("The root of " + visible(t.Name) + ".")}
		}
	}
	clear(s.outside) // the files of problems do not count
	results := make([]sarifResult, 0, len(kept))
	for _, i := range kept {
		results = append(results, s.result(s.Findings[i], index[s.Findings[i].Rule]))
	}
	for _, name := range slices.Sorted(maps.Keys(s.opts.Roots)) {
		vcs := s.opts.Roots[name].VCS
		// Where there are several targets each location is relative to its own.
		if vcs == nil || s.outside[name] || name == "" && len(s.Targets) > 1 { // or the run read more than the repository
			continue
		}
		uri := PublicURL(vcs.URI)
		if uri == "" {
			continue
		}
		v := &sarif.VersionControlDetails{RepositoryURI: &uri, MappedTo: &sarif.ArtifactLocation{URIBaseId: ptr(baseID(name))}}
		if vcs.Revision != "" {
			v.RevisionID = &vcs.Revision
		}
		if vcs.Branch != "" {
			v.Branch = ptr(visible(vcs.Branch))
		}
		run.VersionControlProvenance = append(run.VersionControlProvenance, v)
	}
	if n := len(run.VersionControlProvenance); n > 0 && n < len(s.Targets) {
		run.VersionControlProvenance = nil // viewers expect every location below one of them
	}
	return encode(sarifLog{sarifSchema, "2.1.0", []sarifRun{{&run, results}}}, "  ")
}

// rules describes every rule of the catalogue, and every other that a finding
// names, so that no result is without one.
func (s *sarifWriter) rules(kept []int) []*sarif.ReportingDescriptor {
	list := slices.Clone(s.Run.Rules)
	for _, i := range kept {
		list = append(list, finding.Rule{ID: s.Findings[i].Rule, Severity: s.Findings[i].Severity})
	}
	out := []*sarif.ReportingDescriptor{} // the standard wants an array, if an empty one
	known := map[string]bool{}
	for _, r := range list {
		if known[r.ID] {
			continue
		}
		known[r.ID] = true
		title := cmp.Or(r.Title, strings.ReplaceAll(r.ID, "-", " "))
		text := cmp.Or(r.Text, title)
		help, markdown := sentence(text), text
		if r.Remedy != "" {
			help += "\n\n" + sentence(r.Remedy)
			markdown += "\n\n### What to do\n\n" + r.Remedy
		}
		if s.Run.Command == "scan" {
			help += "\n\nTo accept a finding: " + acceptURL
			markdown += "\n\n[Accept a finding](" + acceptURL + ")"
		}
		tags := []string{"security"}
		for _, t := range r.Tags {
			if !slices.Contains(tags, t) && len(tags) < 20 {
				tags = append(tags, t)
			}
		}
		out = append(out, &sarif.ReportingDescriptor{
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
		})
	}
	return out
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
	words := strings.FieldsFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return cmp.Or(strings.Join(words, ""), "Rule")
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
		kind(noteProblem, "error", "Something could not be read, so the run is not complete.",
			"A key may be in what was not read. Make it readable, or leave it out by name, and run again."),
		kind(noteWarning, "warning", "Something about the run that its reader should know.",
			"The run is complete nevertheless."),
		kind(noteLimit, "warning", "Results were omitted because of a limit of the reader of this file.",
			"Write the json format beside this one; it holds everything."),
		kind(noteInterrupted, "error", "The run was interrupted before it had read everything.",
			"Run it again to the end."),
	}
}

// notifications say what kept the run from being complete, up to a limit.
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
		add(noteInterrupted, "error", "The run was interrupted before it had read everything", nil)
	}
	for i, p := range s.Problems {
		if i == s.limits.notes {
			add(noteLimit, "warning", "Left out "+count(int64(len(s.Problems)-i), "further problem"), nil)
			break
		}
		kind, level, text := noteProblem, "error", ProblemText(p)
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
