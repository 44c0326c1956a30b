package report

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"

	"github.com/owenrumney/go-sarif/v2/sarif"

	"github.com/b10lint/b10lint/finding"
)

// sarifWriter writes SARIF 2.1.0 as GitHub code scanning takes it:
//
//   - one result a finding, that is a key, with its first place in the checkout
//     where there is one, since GitHub uses the first place only; every further
//     place, history among them, is a related location;
//   - every rule with texts that are not empty, a security-severity and tags;
//   - GitHub's own primaryLocationLineHash, and a fingerprint that holds nothing
//     personal and does not change with the commit;
//   - a result without a file (an inventory finding, a commit message) names its
//     subject as a logical location and stands at line 1 of the configuration
//     file, because GitHub refuses a whole upload for one result without a file;
//   - what does not fit GitHub's limits is omitted, the least severe first, and
//     a notification says so.
//
// See the OASIS standard "Static Analysis Results Interchange Format (SARIF)
// Version 2.1.0" and GitHub's page "SARIF support for code scanning".
type sarifWriter struct {
	finding.Report
	opts   Options
	limits sarifLimits
	// outside has the targets with a location that is not below their root.
	outside map[string]bool
}

// sarifLimits are what GitHub takes; see its page on SARIF support.
type sarifLimits struct {
	results   int // a run
	related   int // locations a result that are shown
	notes     int // notifications, ours: GitHub names no limit
	gzipBytes int64
}

// fallbackURI is where results without a file are shown: the place where their
// policy is set and where they are accepted.
const fallbackURI = ".b10lint.yaml"

// srcRoot is what the paths of a report of one target start from.
const srcRoot = "%SRCROOT%"

// baseID names what the paths of a target start from.
func baseID(target string) string { return cmp.Or(visible(target), srcRoot) }

const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// The library writes absent members of a suppression as null, which the
// standard does not allow; these shadow the members that lead to it.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		*sarif.Run
		Results []sarifResult `json:"results"`
	}
	sarifResult struct {
		*sarif.Result
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Status        string `json:"status"`
		Justification string `json:"justification,omitempty"`
	}
)

func ptr[T any](v T) *T { return &v }

func message(text string) *sarif.Message { return &sarif.Message{Text: &text} }

// plain keeps text from being read as a link by viewers of SARIF messages, where
// [text](target) is one (section 3.11.6 of the standard).
func plain(text string) string {
	if !strings.Contains(text, "](") {
		return text
	}
	return strings.NewReplacer(`[`, `\[`, `]`, `\]`).Replace(text)
}

func (s *sarifWriter) result(f finding.Finding, rule uint) sarifResult {
	places := arrange(f.Locations)
	r := &sarif.Result{
		RuleID:       &f.Rule,
		RuleIndex:    &rule,
		Level:        ptr(sarifLevel(f.Severity)),
		Message:      *message(s.message(f, places)),
		Locations:    []*sarif.Location{s.primary(f, places)},
		Fingerprints: map[string]any{},
	}
	if f.Fingerprint != "" {
		r.Fingerprints["b10lint/v1"] = f.Fingerprint
	}
	// GitHub matches alerts by a hash of the line. An uploader works it out from the
	// file where it is not known; where there is no file in the checkout to work it out
	// from, the finding's own fingerprint takes its place.
	const lineHash = "primaryLocationLineHash"
	switch {
	case len(places) > 0 && places[0].LineHash != "":
		r.PartialFingerprints = map[string]any{lineHash: places[0].LineHash}
	case f.Fingerprint != "" && (len(places) == 0 || !inCheckout(places[0])):
		r.PartialFingerprints = map[string]any{lineHash: f.Fingerprint + ":1"}
	}
	for i, l := range places[min(1, len(places)):min(len(places), 1+s.limits.related)] {
		loc := s.location(l)
		loc.Id = ptr(uint(i + 1))
		loc.Message = message(plain(sentence("Also in " + described(l, " (", ")"))))
		r.RelatedLocations = append(r.RelatedLocations, loc)
	}
	if f.Baseline == "new" || f.Baseline == "unchanged" {
		r.BaselineState = &f.Baseline
	}
	r.Properties = sarif.Properties{"severity": f.Severity.String(), "confidence": f.Confidence.String(), "places": len(f.Locations)}
	set := func(name, value string) {
		if value != "" {
			r.Properties[name] = visible(value)
		}
	}
	set("prefix", f.Prefix)
	set("format", string(f.Format))
	set("exposure", string(f.Exposure))
	if f.Liveness != nil {
		set("liveness", string(f.Liveness.State))
	}
	if len(places) > 0 {
		set("commit", places[0].Commit)
	}
	out := sarifResult{Result: r}
	if by := f.Suppression; by != nil {
		accepted := sarifSuppression{Kind: "external", Status: "accepted", Justification: visible(by.Reason)}
		if by.Kind == "inline" {
			accepted.Kind = "inSource"
		}
		if by.Until != "" {
			accepted.Justification = strings.TrimSpace(accepted.Justification + " (until " + visible(by.Until) + ")")
		}
		out.Suppressions = []sarifSuppression{accepted}
	}
	return out
}

// message is what GitHub shows of a result: what is wrong, what to do.
func (s *sarifWriter) message(f finding.Finding, places []finding.Location) string {
	text := sentence(visible(f.Message))
	if text == "" {
		text = sentence(visible(f.Rule))
	}
	if l := liveness(f.Liveness); l != "" {
		text += " State of the key: " + sentence(l)
	}
	if len(places) > 0 {
		if p := particulars(places[0]); len(p) > 0 {
			text += " Place: " + sentence(strings.Join(p, ", "))
		}
	}
	if n := len(places) - 1 - s.limits.related; n > 0 {
		text += fmt.Sprintf(" It is in %s more than are listed here.", count(int64(n), "place"))
	}
	if f.Advice != "" {
		text += " " + sentence(visible(f.Advice))
	}
	return plain(text)
}

// primary is where the result is shown: the first place, or for a finding that has
// none the configuration file, with the key as a logical location.
func (s *sarifWriter) primary(f finding.Finding, places []finding.Location) *sarif.Location {
	if len(places) > 0 {
		return s.location(places[0])
	}
	loc := &sarif.Location{PhysicalLocation: fallback()}
	full := "api-keys/" + cmp.Or(f.Prefix, f.Fingerprint, f.Rule)
	key := &sarif.LogicalLocation{FullyQualifiedName: ptr(visible(full)), Kind: ptr("resource")}
	if f.Key != nil && f.Key.Name != "" {
		key.Name = ptr(visible(f.Key.Name))
	}
	loc.LogicalLocations = []*sarif.LogicalLocation{key}
	return loc
}

// fallback is the place of what has no file. GitHub refuses a whole report for one
// location, even a related one, that names no file.
func fallback() *sarif.PhysicalLocation {
	return &sarif.PhysicalLocation{
		ArtifactLocation: &sarif.ArtifactLocation{URI: ptr(fallbackURI), URIBaseId: ptr(srcRoot)},
		Region:           lines(1, 1),
	}
}

func (s *sarifWriter) location(l finding.Location) *sarif.Location {
	loc := &sarif.Location{LogicalLocations: logical(l), PhysicalLocation: fallback()}
	if l.Path == "" {
		return loc
	}
	loc.PhysicalLocation = &sarif.PhysicalLocation{ArtifactLocation: s.artifact(l.Target, l.Path), Region: region(l)}
	if l.Snippet != "" && l.Line > 0 && l.Column > 0 && l.Member == "" {
		c := lines(l.Line, max(l.Line, l.EndLine))
		c.Snippet = &sarif.ArtifactContent{Text: ptr(visible(l.Snippet))}
		loc.PhysicalLocation.ContextRegion = c
		if _, mark, _ := snippetParts(l); mark != "" {
			loc.PhysicalLocation.Region.Snippet = &sarif.ArtifactContent{Text: &mark}
		}
	}
	return loc
}

func (s *sarifWriter) artifact(target, path string) *sarif.ArtifactLocation {
	uri, absolute := fileURI(s.opts.repoPath(target, path))
	if absolute {
		s.outside[target] = true
		return &sarif.ArtifactLocation{URI: &uri}
	}
	return &sarif.ArtifactLocation{URI: &uri, URIBaseId: ptr(baseID(target))}
}

func lines(from, to int) *sarif.Region { return &sarif.Region{StartLine: &from, EndLine: &to} }

// region is the key's place in UTF-16 columns. A place without lines, such as one
// in a binary, stands at line 1, since GitHub wants a line. The columns of an
// archive's member are its own and say nothing of the archive.
func region(l finding.Location) *sarif.Region {
	if l.Line <= 0 || l.Member != "" {
		return lines(1, 1)
	}
	r := lines(l.Line, max(l.Line, l.EndLine))
	if l.Column <= 0 {
		return r
	}
	start, end := l.Column, l.EndColumn
	if l.UTF16Column > 0 {
		start = l.UTF16Column
	}
	if l.UTF16EndColumn > 0 {
		end = l.UTF16EndColumn
	}
	r.StartColumn = &start
	if end > start || *r.EndLine > *r.StartLine && end > 0 {
		r.EndColumn = &end
	}
	return r
}

// logical names what is inside or beside the file: a member, a cell, a git object.
func logical(l finding.Location) []*sarif.LogicalLocation {
	var out []*sarif.LogicalLocation
	add := func(kind, name, full string) {
		out = append(out, &sarif.LogicalLocation{Kind: &kind, Name: ptr(visible(name)), FullyQualifiedName: ptr(visible(full))})
	}
	if l.Member != "" {
		add("member", l.Member, l.Path+"!"+l.Member)
	}
	if l.Cell != nil {
		name := fmt.Sprintf("cell %d %s", l.Cell.Index, l.Cell.Part)
		add("cell", name, l.Path+"#"+name)
	}
	if id := cmp.Or(l.Commit, l.Blob); id != "" {
		kind := "commit"
		if l.Commit == "" || l.Object == "tag" {
			kind = cmp.Or(l.Object, "blob")
		}
		add(kind, id, id)
	}
	return out
}

// fileURI returns the URI reference (RFC 3986) for a slash separated path: a
// relative reference for a relative path, a file URI for an absolute one. Every
// byte that is not an unreserved character or a slash is percent-encoded, which
// covers bytes that are not UTF-8, and a colon, so that no segment can pass for a
// scheme.
func fileURI(p string) (uri string, absolute bool) {
	switch {
	case hasDrive(p) && strings.HasPrefix(p[2:], "/"):
		return "file:///" + p[:2] + percent(p[2:]), true
	case strings.HasPrefix(p, "/"):
		return "file:///" + percent(strings.TrimLeft(p, "/")), true
	}
	return percent(strings.TrimPrefix(p, "./")), false
}

// PublicURL returns raw without what a URL should not be published with: a user
// name, a password, a query. The scp form of a git remote (user@host:path) becomes an
// ssh URL. It returns "" for what is neither.
func PublicURL(raw string) string {
	if !strings.Contains(raw, "://") {
		at, path, ok := strings.Cut(raw, ":")
		if !ok || strings.Contains(at, "/") || strings.HasPrefix(path, "/") && len(at) == 1 {
			return ""
		}
		raw = "ssh://" + at[strings.LastIndexByte(at, '@')+1:] + "/" + strings.TrimPrefix(path, "/")
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return ""
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
