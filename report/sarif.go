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

func (s *sarifWriter) encode(kept []int, dropped int) ([]byte, error) {
	s.outside = map[string]bool{}
	rules := s.rules(kept)
	index := map[string]uint{}
	for i, r := range rules {
		index[r.ID] = uint(i)
	}
	driver := &sarif.ToolComponent{Name: cmp.Or(visible(s.Run.Tool.Name), "b10lint"), InformationURI: ptr(HomeURL), Rules: rules, Notifications: notificationKinds()}
	if v := s.Run.Tool.Version; v != "" {
		if c := trimV(v)[:min(1, len(trimV(v)))]; c < "0" || c > "9" {
			v = "0.0.0-" + v // a build that is no release; viewers compare numbers
		}
		if driver.Version = ptr(visible(trimV(v))); semver.MatchString(trimV(v)) {
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
		if !s.outside[name] { // else the run looked at more than the repository
			run.VersionControlProvenance = append(run.VersionControlProvenance, provenance(name, s.opts.Roots[name].VCS)...)
		}
	}
	return encode(sarifLog{sarifSchema, "2.1.0", []sarifRun{{&run, results}}}, "  ")
}

func provenance(target string, vcs *VCS) []*sarif.VersionControlDetails {
	if vcs == nil {
		return nil
	}
	uri := PublicURL(vcs.URI)
	if uri == "" {
		return nil
	}
	v := &sarif.VersionControlDetails{RepositoryURI: &uri, MappedTo: &sarif.ArtifactLocation{URIBaseId: ptr(baseID(target))}}
	if vcs.Revision != "" {
		v.RevisionID = &vcs.Revision
	}
	if vcs.Branch != "" {
		v.Branch = ptr(visible(vcs.Branch))
	}
	return []*sarif.VersionControlDetails{v}
}

// gzipSize is the length of data compressed as an upload would be.
func gzipSize(data []byte) (int64, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(data)
	err = errors.Join(err, z.Close())
	return int64(b.Len()), err
}

func trimV(v string) string { return strings.TrimPrefix(v, "v") }

var semver = regexp.MustCompile(`^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}([-+].*)?$`)
