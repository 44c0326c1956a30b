package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/b10lint/b10lint/finding"
)

// Catalogue returns every rule that a report can name, in a fixed order.
func Catalogue() []finding.Rule {
	leaks := []finding.Rule{
		LeakedKeyLive(), LeakedKey(), LeakedKeyDead(), LeakedFederatedKey(),
	}
	return append(append(leaks, Workstation()...), SuppressionUnused(), SuppressionExpired(), SuppressionWithoutReason())
}

// Lookup returns the rule with an ID.
func Lookup(id string) (finding.Rule, bool) {
	for _, r := range Catalogue() {
		if r.ID == id {
			return r, true
		}
	}
	return finding.Rule{}, false
}

// Describe completes a finding of a leaked key: the rule by format and liveness,
// the severity by rule, exposure and confidence, and the words. Everything else
// must be set.
func Describe(f *finding.Finding) {
	rule := ruleFor(f)
	f.Rule, f.Severity = rule.ID, rule.Severity
	local := f.Exposure == finding.Home || f.Exposure == finding.Ignored
	live := f.Liveness != nil && (f.Liveness.State == finding.Live || f.Liveness.State == finding.Restricted)
	switch {
	case local && !readable(f):
		// Where users are told to keep a key, alive or not.
		f.Severity = min(f.Severity, finding.Low)
	case local && f.Confidence > finding.LowConfidence:
		f.Severity = min(f.Severity, finding.Medium)
	case f.Confidence == finding.LowConfidence && !live:
		f.Severity = min(f.Severity, finding.Low)
	case f.Confidence == finding.MediumConfidence && !live:
		f.Severity = min(f.Severity, finding.Medium)
	}
	f.Message = message(f)
	if f.Advice == "" {
		f.Advice = rule.Remedy
	}
	switch {
	case f.Liveness != nil && f.Liveness.State == finding.Dead:
		f.Advice = strings.TrimPrefix(f.Advice, revoke)
	case live && (!local || readable(f)) && !strings.HasPrefix(f.Advice, revoke):
		f.Advice = revoke + f.Advice
	}
}

// Revoked words the advice of a finding anew once its key was revoked.
func Revoked(f *finding.Finding) {
	f.Advice = "The key is revoked: make a new one where it is used. " + strings.TrimPrefix(f.Advice, revoke)
}

// readable reports whether everyone on the machine may read one of the places.
func readable(f *finding.Finding) bool {
	return slices.ContainsFunc(f.Locations, func(at finding.Location) bool { return at.Readable })
}

// inHistory reports whether one of the places is in a git object that is more than
// staged.
func inHistory(f *finding.Finding) bool {
	return slices.ContainsFunc(f.Locations, func(at finding.Location) bool { return at.Blob != "" && at.Object != staged })
}

// staged is the kind of a place that only the index has.
const staged = "index"

func isStaged(f *finding.Finding) bool {
	return slices.ContainsFunc(f.Locations, func(at finding.Location) bool { return at.Object == staged })
}

func ruleFor(f *finding.Finding) finding.Rule {
	state := finding.Unchecked
	if f.Liveness != nil {
		state = f.Liveness.State
	}
	switch {
	case state == finding.Live, state == finding.Restricted:
		return LeakedKeyLive()
	case state == finding.Dead:
		return LeakedKeyDead()
	case f.Format == finding.Federated:
		return LeakedFederatedKey()
	}
	return LeakedKey()
}

func message(f *finding.Finding) string {
	what := map[finding.Format]string{
		finding.B10:       "Baseten API key",
		finding.Legacy:    "Baseten API key in the legacy format",
		finding.Federated: "Baseten gateway key",
	}[f.Format]
	where := map[finding.Exposure]string{
		finding.Committed: " in a file that git tracks",
		finding.Untracked: " in an untracked file",
		finding.Ignored:   " in a git-ignored local file",
		finding.Home:      " in a file of this workstation",
		finding.Shipped:   " in something that is shipped",
	}[f.Exposure]
	switch {
	case f.Exposure == finding.Committed && inHistory(f):
		where = " in the repository's history"
	case f.Exposure == finding.Committed && isStaged(f):
		where = " staged for the next commit"
	case (f.Exposure == finding.Ignored || f.Exposure == finding.Home) && readable(f):
		where += " that everyone on the machine may read"
	}
	sure := ""
	switch {
	case f.Liveness != nil && f.Liveness.State == finding.Live:
		sure = "live "
	case f.Liveness != nil && f.Liveness.State == finding.Restricted:
		sure = "live (restricted) "
	case f.Liveness != nil && f.Liveness.State == finding.Dead:
		sure = "revoked "
	case f.Confidence < finding.HighConfidence:
		sure = "possible "
	}
	places := ""
	if n := len(f.Locations); n > 1 {
		places = fmt.Sprintf(", %d places", n)
	}
	return sure + what + " " + f.Prefix + where + places
}
