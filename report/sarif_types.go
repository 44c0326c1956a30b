package report

import (
	"cmp"
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
//   - what does not fit GitHub's limits is left out, the least severe first, and
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
