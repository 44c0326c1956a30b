package baseten

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/secret"
)

// An Inventory answers by what Baseten lists: found keys are matched by their
// public prefixes, and nothing of them is sent. The list of keys is read once;
// the gateway's groups and the audit log are read, once too, only if some key is
// not in the list.
type Inventory struct {
	client *Client

	mu      sync.Mutex
	listed  loaded[map[string]Key]
	gateway loaded[map[string]gatewayEntry]
	history loaded[map[string]KeyHistory]
}

// NewInventory returns an Inventory of the organisation that the client's
// credential belongs to. It sends nothing yet.
func NewInventory(c *Client) *Inventory { return &Inventory{client: c} }

// Scope names what the verdicts are about. See Client.Scope.
func (v *Inventory) Scope() string { return "inventory " + v.client.Scope() }

type gatewayEntry struct {
	key   GatewayKey
	group string
}

// loaded is something that is fetched once, together with how that failed.
type loaded[T any] struct {
	done  bool
	value T
	err   error
}

// get fetches at the first call. A failure is kept, so that an API that is down
// is not asked again for every batch of keys; a cancelled context is not.
func (l *loaded[T]) get(ctx context.Context, fetch func(context.Context) (T, error)) (value T, first bool, err error) {
	if l.done {
		return l.value, false, l.err
	}
	l.value, l.err = fetch(ctx)
	l.done = ctx.Err() == nil
	return l.value, true, l.err
}

// verify gives a verdict for every key.
func (v *Inventory) verify(ctx context.Context, keys []secret.Secret) Result {
	v.mu.Lock()
	defer v.mu.Unlock()
	res := Result{Verdicts: make(map[string]Verdict, len(keys))}
	listed, first, err := v.listed.get(ctx, v.fetchKeys)
	if err != nil {
		if first {
			res.Problems = append(res.Problems, incomplete(len(keys), "the list of keys could not be read", err))
		}
		for _, k := range keys {
			res.Verdicts[k.Digest()] = v.verdict(finding.Unknown, ByInventory, "the list of keys could not be read", nil)
		}
		return res
	}
	rest := v.matchListed(&res, listed, keys)
	if len(rest) > 0 {
		rest = v.matchGateway(ctx, &res, rest)
	}
	if len(rest) > 0 {
		v.matchHistory(ctx, &res, rest)
	}
	return res
}

func (v *Inventory) verdict(state finding.LiveState, by, detail string, key *finding.Key) Verdict {
	now := v.client.clock.Now().UTC()
	return Verdict{Liveness: finding.Liveness{State: state, By: by, At: &now, Detail: detail}, Key: key}
}

// matchListed settles the keys that are in the list and returns the others.
func (v *Inventory) matchListed(res *Result, listed map[string]Key, keys []secret.Secret) (rest []secret.Secret) {
	claims := map[string][]string{} // digests by prefix
	for _, k := range keys {
		entry, prefix, ok := lookUp(listed, k)
		if !ok {
			rest = append(rest, k)
			continue
		}
		digest := k.Digest()
		claims[prefix] = append(claims[prefix], digest)
		res.Verdicts[digest] = v.verdict(finding.Live, ByInventory, "listed by Baseten with this prefix; the key was not sent", entry.Facts())
	}
	for _, digests := range claims {
		if len(digests) < 2 {
			continue
		}
		for _, digest := range digests {
			verdict := res.Verdicts[digest]
			verdict.Liveness.Detail = fmt.Sprintf("listed by Baseten with this prefix, which %d different found keys share: "+
				"at most one of them is real; no key was sent", len(digests))
			res.Verdicts[digest] = verdict
		}
	}
	return rest
}

// matchGateway settles the keys that are in the gateway's groups.
func (v *Inventory) matchGateway(ctx context.Context, res *Result, keys []secret.Secret) (rest []secret.Secret) {
	index, first, err := v.gateway.get(ctx, v.fetchGateway)
	if err != nil && first {
		res.Problems = append(res.Problems, incomplete(len(keys), "the gateway's keys could not be read", err))
	}
	for _, k := range keys {
		entry, _, ok := lookUp(index, k)
		detail := "listed by the gateway with this prefix; the key was not sent"
		if prefix, long := registered(k); !ok && long {
			entry, ok = index[prefix]
			ok = ok && len(entry.key.Prefix) == registeredPrefix
			detail = "the gateway lists a key with the same first 16 characters; the key was not sent"
		}
		if !ok {
			rest = append(rest, k)
			continue
		}
		facts := &finding.Key{Name: entry.key.Name, Type: "FEDERATED", Group: entry.group}
		res.Verdicts[k.Digest()] = v.verdict(finding.Live, ByInventory, detail, facts)
	}
	return rest
}

// matchHistory settles the keys that the audit log tells the end of. Of the
// others nothing can be said: they may be another organisation's, or not visible
// to the credential, or older than the log.
func (v *Inventory) matchHistory(ctx context.Context, res *Result, keys []secret.Secret) {
	index, first, err := v.history.get(ctx, v.fetchHistory)
	if err != nil && first {
		p := incomplete(len(keys), "the audit log could not be read", err)
		if StatusOf(err) == http.StatusForbidden {
			p.Warning = true
			p.Hint = "without it a revoked key cannot be told from another organisation's; an organisation admin's key may read it"
		}
		res.Problems = append(res.Problems, p)
	}
	for _, k := range keys {
		h, _, ok := lookUp(index, k)
		switch {
		case ok && h.Gone:
			res.Verdicts[k.Digest()] = v.verdict(finding.Dead, ByAuditLog, h.end(), h.facts())
		case ok:
			res.Verdicts[k.Digest()] = v.verdict(finding.Unknown, ByAuditLog, "the audit log tells of its making and not of its end, "+
				"and the list that this credential sees does not have it", h.facts())
		case err != nil:
			res.Verdicts[k.Digest()] = v.verdict(finding.Unknown, ByInventory, "not in the list that this credential sees, "+
				"and the audit log could not be read", nil)
		default:
			res.Verdicts[k.Digest()] = v.verdict(finding.Unknown, ByInventory, "neither in the list that this credential sees nor in "+
				"the audit log: another organisation's, or older than the log", nil)
		}
	}
}

func (v *Inventory) fetchKeys(ctx context.Context) (map[string]Key, error) {
	keys, err := v.client.Keys(ctx)
	if err != nil {
		return nil, err
	}
	index := make(map[string]Key, len(keys))
	for _, k := range keys {
		if k.Prefix != "" {
			index[k.Prefix] = k
		}
	}
	return index, nil
}

// fetchGateway reads the keys of all groups. A workspace without the gateway
// answers 403, or 404 where the routes are not there: it has no such keys.
func (v *Inventory) fetchGateway(ctx context.Context) (map[string]gatewayEntry, error) {
	index := map[string]gatewayEntry{}
	for g, err := range v.client.GatewayGroups(ctx) {
		if status := StatusOf(err); status == http.StatusForbidden || status == http.StatusNotFound {
			return index, nil
		}
		if err != nil {
			return index, err
		}
		for k, err := range v.client.GatewayKeys(ctx, g.ID) {
			if err != nil {
				return index, err
			}
			if k.Prefix != "" {
				index[k.Prefix] = gatewayEntry{k, g.ID}
			}
		}
	}
	return index, nil
}

// fetchHistory reads what the audit log tells of keys, oldest first, so that
// the last word on a prefix stands. What was read before a failure is kept.
func (v *Inventory) fetchHistory(ctx context.Context) (map[string]KeyHistory, error) {
	index := map[string]KeyHistory{}
	for e, err := range v.client.AuditLog(ctx, AuditQuery{Groups: []string{GroupAPIKeys}, OldestFirst: true}) {
		if err != nil {
			return index, err
		}
		addHistory(index, e)
	}
	return index, nil
}
