package rules

import (
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
)

// The advice says first what the state of the key asks for.
func TestAdviceByState(t *testing.T) {
	const place = "Keep it out of the file."
	for _, c := range []struct {
		name     string
		exposure finding.Exposure
		state    finding.LiveState
		readable bool
		advice   string
		want     string
	}{
		{"live where others read it", finding.Untracked, finding.Live, false, place, revoke + place},
		{"live and said already", finding.Committed, finding.Live, false, revoke + place, revoke + place},
		{"live where keys are kept", finding.Ignored, finding.Live, false, place, place},
		{"live, kept where everyone reads it", finding.Home, finding.Restricted, true, place, revoke + place},
		{"dead", finding.Committed, finding.Dead, false, revoke + place, place},
		{"not verified", finding.Untracked, finding.Unchecked, false, place, place},
	} {
		f := finding.Finding{
			Format: finding.B10, Confidence: finding.HighConfidence, Exposure: c.exposure, Advice: c.advice,
			Liveness: &finding.Liveness{State: c.state}, Locations: []finding.Location{{Readable: c.readable}},
		}
		Describe(&f)
		if f.Advice != c.want {
			t.Errorf("%s: %q, want %q", c.name, f.Advice, c.want)
		}
		if Revoked(&f); strings.Contains(f.Advice, revoke) || !strings.HasPrefix(f.Advice, "The key is revoked") || !strings.HasSuffix(f.Advice, place) {
			t.Errorf("%s, then revoked: %q", c.name, f.Advice)
		}
	}
}
