package baseten

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/english"
	"github.com/b10lint/b10lint/secret"
)

// What a Liveness says it goes by.
const (
	ByInventory = "inventory"
	ByAuditLog  = "audit-log"
	ByProbe     = "probe"
)

// A Result holds a verdict for every key that was asked about, by the key's
// Digest. Problems say what kept verdicts from being more than unknown.
type Result struct {
	Verdicts map[string]finding.Verdict
	Problems []finding.Problem
}

// A Verifier finds out whether keys are alive: by what Baseten lists first, which
// needs no key to be sent; then, with a Probe, by the keys themselves where the
// lists had no answer. Each distinct key is verified once in the life of a
// Verifier. It is safe for use by several goroutines, which take turns.
type Verifier struct {
	lists *matcher // nil: not asked
	probe *Probe   // nil: not asked
	cache *Cache   // nil: none on disk
	prove bool     // send what the lists call live: see NewProver
	only  bool     // send nothing else
	mu    sync.Mutex
	known map[string]finding.Verdict
}

// NewVerifier returns a Verifier that reads the lists by way of client. Each of
// its parts may be nil. It sends nothing yet.
func NewVerifier(client *Client, probe *Probe, cache *Cache) *Verifier {
	v := &Verifier{probe: probe, cache: cache, known: map[string]finding.Verdict{}}
	if client != nil {
		v.lists = &matcher{client: client}
	}
	return v
}

// NewProver returns a Verifier that asks also with the keys that the lists know. A
// prefix is public, and anyone can write another secret half behind it: a key that
// the lists have and the probe lets in is live by probe, one that the probe turns
// away is forged, and one that it could not ask about stays live by inventory.
// Nothing is taken from a disk. Keys that the lists do not know are sent only with
// others.
func NewProver(client *Client, probe *Probe, others bool) *Verifier {
	v := NewVerifier(client, probe, nil)
	v.prove, v.only = true, !others
	return v
}

// Verify returns a verdict for every key, unknown at worst. It does not fail: an
// API that cannot be reached, or a context that ends, is a Problem.
func (v *Verifier) Verify(ctx context.Context, keys []secret.Secret) Result {
	return v.VerifyKeeping(ctx, keys, func(secret.Secret) bool { return false })
}

// VerifyKeeping is Verify for keys of which some must not be sent: those that
// keep returns true for are left to the lists, and stay unchecked without one. A
// prover sends one whose prefix the lists have: it is a key of this organisation.
func (v *Verifier) VerifyKeeping(ctx context.Context, keys []secret.Secret, keep func(secret.Secret) bool) Result {
	v.mu.Lock()
	defer v.mu.Unlock()
	res := Result{Verdicts: make(map[string]finding.Verdict, len(keys))}
	var open []secret.Secret // those without a verdict, each once
	for _, k := range keys {
		digest := k.Digest()
		if _, twice := res.Verdicts[digest]; twice || k.IsZero() {
			continue
		}
		verdict, ok := v.recall(digest)
		if !ok {
			verdict.Liveness.State = finding.Unchecked
			open = append(open, k)
		}
		res.Verdicts[digest] = verdict
	}
	if v.lists != nil && len(open) > 0 {
		v.take(&res, v.lists.scope(), v.lists.verify(ctx, open))
	}
	open = slices.DeleteFunc(open, func(k secret.Secret) bool {
		state := res.Verdicts[k.Digest()].Liveness.State
		return (definite(state) || keep(k) || v.only) && !(v.prove && state == finding.Live)
	})
	if v.probe != nil && len(open) > 0 {
		v.take(&res, v.probe.scope(), v.probe.verify(ctx, open))
	}
	maps.Copy(v.known, res.Verdicts)
	return res
}

// recall looks a verdict up, in memory and then on disk.
func (v *Verifier) recall(digest string) (finding.Verdict, bool) {
	if known, ok := v.known[digest]; ok {
		return known, true
	}
	if v.cache == nil {
		return finding.Verdict{}, false
	}
	if v.lists != nil {
		if known, ok := v.cache.get(v.lists.scope(), digest); ok {
			return known, true
		}
	}
	if v.probe != nil {
		return v.cache.get(v.probe.scope(), digest)
	}
	return finding.Verdict{}, false
}

// take takes one method's verdicts over. An unknown stands until a later method
// does better; a later method has the last word on a key that the lists call live,
// unless it does not know.
func (v *Verifier) take(res *Result, scope string, got Result) {
	res.Problems = append(res.Problems, got.Problems...)
	for digest, verdict := range got.Verdicts {
		earlier := res.Verdicts[digest]
		listed := earlier.Liveness.State == finding.Live
		switch state := verdict.Liveness.State; {
		case listed && state == finding.Dead:
			verdict.Liveness.State, verdict.Key = finding.Forged, nil
			verdict.Liveness.Detail = "Baseten lists a key with this prefix and does not accept this one: the secret half is not that key's"
		case listed && state == finding.Unknown:
			earlier.Liveness.Detail += "; asking with it: " + verdict.Liveness.Detail
			verdict = earlier
		case state == finding.Unknown && earlier.Liveness.Detail != "":
			verdict.Liveness.Detail = earlier.Liveness.Detail + "; " + verdict.Liveness.Detail
		}
		if earlier.Key != nil && verdict.Liveness.State != finding.Forged {
			verdict.Key = earlier.Key // the lists know more of it
		}
		res.Verdicts[digest] = verdict
		if v.cache != nil {
			v.cache.put(scope, digest, verdict)
		}
	}
}

// incomplete words a problem that kept n keys from a verdict.
func incomplete(n int, what string, err error) finding.Problem {
	p := finding.Problem{Error: fmt.Sprintf("verification: %s: %v", what, err)}
	if n > 0 {
		then := "run again when the API answers"
		switch {
		case StatusOf(err) == http.StatusUnauthorized:
			then = "the key that Baseten was called with is not accepted: use another"
		case IsForbidden(err), badCertificate(err):
			then = Explain(err)
		}
		p.Hint = fmt.Sprintf("%d found %s stayed unknown; %s", n, english.Plural(n, "key", "keys"), then)
	}
	return p
}
