package scanner

import (
	"context"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/secret"
)

// A Verifier says whether keys still work. The verdicts are by Secret.Digest; a
// key that is absent from them stays unchecked. What kept verification from being
// complete is a problem, never the end of the scan.
type Verifier interface {
	Verify(ctx context.Context, suspects []Suspect) (map[string]finding.Verdict, []finding.Problem)
}

// A Suspect is a key to verify. Those of low confidence may be other vendors' keys
// of the same form and must not be sent anywhere; matching them against an
// inventory is safe.
type Suspect struct {
	Key        secret.Secret
	Confidence finding.Confidence
}

// Verify asks v about every key of a report that is among the found ones, also those
// of low confidence: Baseten's inventory overrides any guess. It sets what is known of
// each key, derives what follows from it, and adds the problems.
func (f *Found) Verify(ctx context.Context, r *finding.Report, v Verifier) {
	var suspects []Suspect
	for _, x := range r.Findings {
		if k, ok := f.Keys[x.Fingerprint]; ok {
			suspects = append(suspects, Suspect{k.Secret, x.Confidence})
		}
	}
	if len(suspects) == 0 {
		return
	}
	verdicts, problems := v.Verify(ctx, suspects)
	for i := range r.Findings {
		x := &r.Findings[i]
		k, ok := f.Keys[x.Fingerprint]
		if !ok {
			continue
		}
		verdict, ok := verdicts[k.Digest()]
		if !ok {
			continue
		}
		x.Liveness, x.Key = &verdict.Liveness, verdict.Key
		if s := verdict.Liveness.State; verdict.Key != nil || s == finding.Live || s == finding.Restricted {
			x.Confidence = finding.HighConfidence
		}
	}
	rules.Derive(r)
	r.Problems = append(r.Problems, problems...)
	SortProblems(r.Problems)
	r.Summary.Complete = r.Summary.Complete && finding.Complete(problems)
}
