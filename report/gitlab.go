package report

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/b10lint/b10lint/finding"
)

// gitlabSchema is the version of GitLab's secret detection report that is
// written; see its project security-report-schemas,
// dist/secret-detection-report-format.json.
const gitlabSchema = "15.0.7"

// noCommit stands for the work tree where GitLab wants a commit; its own analyzer
// writes the same.
const noCommit = "0000000000000000000000000000000000000000"

type (
	gitlabReport struct {
		Version         string                `json:"version"`
		Scan            gitlabScan            `json:"scan"`
		Vulnerabilities []gitlabVulnerability `json:"vulnerabilities"`
	}
	gitlabScan struct {
		Analyzer  gitlabTool      `json:"analyzer"`
		Scanner   gitlabTool      `json:"scanner"`
		Type      string          `json:"type"`
		StartTime string          `json:"start_time"`
		EndTime   string          `json:"end_time"`
		Status    string          `json:"status"`
		Messages  []gitlabMessage `json:"messages,omitempty"`
	}
	gitlabTool struct {
		ID      string            `json:"id"`
		Name    string            `json:"name"`
		URL     string            `json:"url"`
		Vendor  map[string]string `json:"vendor"`
		Version string            `json:"version"`
	}
	gitlabMessage struct {
		Level string `json:"level"`
		Value string `json:"value"`
	}
	gitlabVulnerability struct {
		ID          string                  `json:"id"`
		Name        string                  `json:"name"`
		Description string                  `json:"description"`
		Severity    string                  `json:"severity"`
		Solution    string                  `json:"solution,omitempty"`
		Identifiers []gitlabIdentifier      `json:"identifiers"`
		Location    gitlabLocation          `json:"location"`
		Details     map[string]gitlabDetail `json:"details,omitempty"`
	}
	gitlabIdentifier struct {
		Type  string `json:"type"`
		Name  string `json:"name"`
		Value string `json:"value"`
		URL   string `json:"url"`
	}
	gitlabLocation struct {
		File      string            `json:"file,omitempty"`
		StartLine int               `json:"start_line,omitempty"`
		EndLine   int               `json:"end_line,omitempty"`
		Commit    map[string]string `json:"commit"`
	}
	gitlabDetail struct {
		Name  string `json:"name"`
		Type  string `json:"type"`
		Value string `json:"value"`
	}
)

// renderGitLab writes one vulnerability a finding. GitLab knows no suppressions, so an
// accepted finding is skipped and a message says how many were.
func renderGitLab(report finding.Report, opts Options) ([]byte, error) {
	s := report.Summary
	tool := gitlabTool{
		ID: "b10lint", Name: "b10lint", URL: HomeURL, Vendor: map[string]string{"name": "b10lint"},
		Version: cmp.Or(visible(report.Run.Tool.Version), "unknown"),
	}
	r := gitlabReport{Version: gitlabSchema, Vulnerabilities: []gitlabVulnerability{}, Scan: gitlabScan{
		Analyzer: tool, Scanner: tool, Type: "secret_detection", Status: "success",
		StartTime: gitlabTime(report.Run.Started), EndTime: gitlabTime(report.Run.Started.Add(s.Elapsed)),
	}}
	say := func(level, text string) { r.Scan.Messages = append(r.Scan.Messages, gitlabMessage{level, text}) }
	say("info", "Scanned "+scanned(s)+".")
	for _, f := range report.Standing() {
		r.Vulnerabilities = append(r.Vulnerabilities, gitlabFinding(f, report.Run.Rules, opts))
	}
	if accepted := len(report.Findings) - len(r.Vulnerabilities); accepted > 0 {
		say("info", count(int64(accepted), "accepted finding")+" not listed.")
	}
	if left := leftOut(s); left != "" {
		say("info", "Not listed: "+left+".")
	}
	if len(acceptable(report)) > 0 {
		say("info", "To accept a finding: "+acceptURL)
	}
	for _, p := range report.Problems {
		level, text := "warn", ProblemText(p)
		if p.Warning {
			level = "info"
		}
		if p.Hint != "" {
			text += " Hint: " + visible(p.Hint)
		}
		say(level, text)
	}
	switch {
	case s.Interrupted:
		r.Scan.Status = "failure"
		say("fatal", "The run was interrupted before it had read everything.")
	case !s.Complete:
		say("warn", "Incomplete: not everything could be read.")
	}
	return encode(r, "  ")
}

func gitlabFinding(f finding.Finding, rules []finding.Rule, opts Options) gitlabVulnerability {
	places := arrange(f.Locations)
	rule, severity := visible(cmp.Or(f.Rule, "unknown")), "Unknown"
	if s := f.Severity; s >= finding.Info && s <= finding.Critical {
		severity = strings.ToUpper(s.String()[:1]) + s.String()[1:]
	}
	// GitLab wants a name without a finding's particulars: the rule's title.
	title := "b10lint: " + visible(strings.ReplaceAll(f.Rule, "-", " "))
	if i := slices.IndexFunc(rules, func(r finding.Rule) bool { return r.ID == f.Rule && r.Title != "" }); i >= 0 {
		title = rules[i].Title
	}
	v := gitlabVulnerability{
		ID:          uuid(f.Fingerprint + "\x00" + f.Rule),
		Name:        cutRunes(title, 255),
		Description: cut(mdText(sentence(visible(f.Message))), 1<<20),
		Severity:    severity,
		Solution:    cut(mdText(visible(f.Advice)), 7000),
		Identifiers: []gitlabIdentifier{{"b10lint_rule_id", "b10lint rule " + rule, rule, ruleURL(f.Rule)}},
		Location:    gitlabLocation{Commit: map[string]string{"sha": noCommit}},
		Details:     gitlabDetails(f, places),
	}
	if len(places) > 0 {
		l := places[0]
		v.Location.File = opts.repoPath("", l.Path)
		if l.Line > 0 && l.Member == "" {
			v.Location.StartLine, v.Location.EndLine = l.Line, max(l.Line, l.EndLine)
		}
		v.Location.Commit["sha"] = cmp.Or(visible(l.Commit), noCommit)
	}
	return v
}

// gitlabDetails are the facts that the schema has no field for.
func gitlabDetails(f finding.Finding, places []finding.Location) map[string]gitlabDetail {
	out := map[string]gitlabDetail{}
	set := func(id, name, value string) {
		if value != "" {
			out[id] = gitlabDetail{name, "text", value}
		}
	}
	set("prefix", "Key", visible(f.Prefix))
	set("facts", "Inventory", keyFacts(f.Key))
	set("state", "State", liveness(f.Liveness))
	set("confidence", "Confidence", f.Confidence.String())
	set("exposure", "Exposure", visible(string(f.Exposure)))
	if len(places) > 0 {
		set("place", "Place", described(places[0], ", ", ""))
	}
	if len(places) > 1 {
		var lines []string
		for _, l := range places[1:min(len(places), 1+shownLines)] {
			lines = append(lines, described(l, ", ", ""))
		}
		if more := len(places) - 1 - len(lines); more > 0 {
			lines = append(lines, fmt.Sprintf("and %d more", more))
		}
		set("also", "Also in", strings.Join(lines, "\n"))
	}
	return out
}

// uuid returns a name-based UUID (version 8, RFC 9562) from the SHA-256 of s.
func uuid(s string) string {
	h := sha256.Sum256([]byte(s))
	h[6] = h[6]&0x0f | 0x80
	h[8] = h[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}
