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

// Verify returns a verdict for every key, unknown at worst. It does not fail: an
// API that cannot be reached, or a context that ends, is a Problem.
func (v *Verifier) Verify(ctx context.Context, keys []secret.Secret) Result {
	return v.VerifyKeeping(ctx, keys, func(secret.Secret) bool { return false })
}

// VerifyKeeping is Verify for keys of which some must not be sent: those that
// keep returns true for are left to the lists, and stay unchecked without one.
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
	open = slices.DeleteFunc(open, func(k secret.Secret) bool { return definite(res.Verdicts[k.Digest()].Liveness.State) || keep(k) })
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
// does better.
func (v *Verifier) take(res *Result, scope string, got Result) {
	res.Problems = append(res.Problems, got.Problems...)
	for digest, verdict := range got.Verdicts {
		earlier := res.Verdicts[digest]
		if detail := earlier.Liveness.Detail; detail != "" && verdict.Liveness.State == finding.Unknown {
			verdict.Liveness.Detail = detail + "; " + verdict.Liveness.Detail
		}
		if verdict.Key == nil {
			verdict.Key = earlier.Key
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
		if StatusOf(err) == http.StatusUnauthorized {
			then = "the key that Baseten was called with is not accepted: use another"
		}
		p.Hint = fmt.Sprintf("%d found %s stayed unknown; %s", n, english.Plural(n, "key", "keys"), then)
	}
	return p
}
