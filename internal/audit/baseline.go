package audit

import (
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
)

// The words for what an earlier report says of a finding.
const (
	New       = "new"
	Unchanged = "unchanged"
	Resolved  = "resolved"
)

// Compare marks each finding as new or unchanged against those of an earlier
// report, by fingerprint, and returns the earlier ones that are gone.
func Compare(findings, earlier []finding.Finding) (resolved []finding.Finding) {
	before := map[string]bool{}
	for _, f := range earlier {
		before[f.Fingerprint] = f.Baseline != Resolved
	}
	now := map[string]bool{}
	for i := range findings {
		f := &findings[i]
		now[f.Fingerprint] = true
		f.Baseline = New
		if before[f.Fingerprint] {
			f.Baseline = Unchanged
		}
	}
	for _, f := range earlier {
		if before[f.Fingerprint] && !now[f.Fingerprint] {
			now[f.Fingerprint] = true
			f.Baseline = Resolved
			resolved = append(resolved, f)
		}
	}
	return resolved
}

// LastUses takes from an earlier report's inventory what is sure of the last uses:
// what the list of keys said.
func LastUses(at time.Time, inventory []finding.InventoryKey) Earlier {
	e := Earlier{At: at, LastUsed: map[string]time.Time{}}
	for _, k := range inventory {
		switch {
		case k.LastUsedAt != nil && k.LastUsedBasis == baseten.FromList:
			e.LastUsed[k.Prefix] = *k.LastUsedAt
		case k.NeverUsed && k.CreatedAt != nil:
			e.LastUsed[k.Prefix] = *k.CreatedAt
		}
	}
	return e
}
