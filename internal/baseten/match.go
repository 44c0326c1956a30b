package baseten

import (
	"context"
	"fmt"
	"slices"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/secret"
)

// A matcher gives verdicts by what Baseten lists: found keys are matched by their
// public prefixes, and nothing of them is sent. The list of keys is read once; the
// gateway's groups and the audit log are read, once too, only if some key is not
// in the list.
type matcher struct {
	client *Client
	inv    *Inventory
}

// scope names what the verdicts are about. See Client.Scope.
func (m *matcher) scope() string { return "inventory " + m.client.Scope() }

// need reads a source at the first call. A failure is kept, so that an API that is
// down is not asked again for every batch of keys; a cancelled context is not.
func (m *matcher) need(ctx context.Context, name Source) (first bool, err error) {
	asked := func(s SourceState) bool { return s.Name == name }
	if m.inv == nil {
		m.inv, _ = Gather(ctx, m.client)
	}
	if !slices.ContainsFunc(m.inv.Sources, asked) {
		_ = m.inv.Add(ctx, m.client, name) // the state has the error
		first = true
	}
	s := m.inv.Source(name)
	if ctx.Err() != nil {
		m.inv.Sources = slices.DeleteFunc(m.inv.Sources, asked)
	}
	if s.NotUsed {
		return first, nil
	}
	return first, s.Err
}

func (m *matcher) verdict(state finding.LiveState, by, detail string, key *finding.Key) finding.Verdict {
	now := m.client.stack.clock.Now().UTC()
	return finding.Verdict{Liveness: finding.Liveness{State: state, By: by, At: &now, Detail: detail}, Key: key}
}

// verify gives a verdict for every key.
func (m *matcher) verify(ctx context.Context, keys []secret.Secret) Result {
	res := Result{Verdicts: make(map[string]finding.Verdict, len(keys))}
	if first, err := m.need(ctx, SourceKeys); err != nil {
		if first {
			res.Problems = append(res.Problems, incomplete(len(keys), "the list of keys could not be read", err))
		}
		for _, k := range keys {
			res.Verdicts[k.Digest()] = m.verdict(finding.Unknown, ByInventory, "the list of keys could not be read", nil)
		}
		return res
	}
	rest := m.matchListed(&res, keys)
	if len(rest) > 0 {
		rest = m.matchGateway(ctx, &res, rest)
	}
	if len(rest) > 0 {
		m.matchHistory(ctx, &res, rest)
	}
	return res
}

// matchListed settles the keys that are in the list and returns the others.
func (m *matcher) matchListed(res *Result, keys []secret.Secret) (rest []secret.Secret) {
	index := byPrefix(m.inv.Keys)
	claims := map[string][]string{} // digests by prefix
	for _, k := range keys {
		entry, ok := lookUp(index, k)
		if !ok {
			rest = append(rest, k)
			continue
		}
		digest := k.Digest()
		claims[entry.Prefix] = append(claims[entry.Prefix], digest)
		res.Verdicts[digest] = m.verdict(finding.Live, ByInventory, "listed by Baseten with this prefix; the key was not sent", entry.Facts())
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
func (m *matcher) matchGateway(ctx context.Context, res *Result, keys []secret.Secret) (rest []secret.Secret) {
	if first, err := m.need(ctx, SourceGateway); err != nil && first {
		res.Problems = append(res.Problems, incomplete(len(keys), "the gateway's keys could not be read", err))
	}
	index := byPrefix(m.inv.Gateway)
	for _, k := range keys {
		entry, ok := lookUp(index, k)
		detail := "listed by the gateway with this prefix; the key was not sent"
		if prefix, long := registered(k); !ok && long {
			entry, ok = index[prefix]
			detail = "the gateway lists a key with the same first 16 characters; the key was not sent"
		}
		if !ok {
			rest = append(rest, k)
			continue
		}
		res.Verdicts[k.Digest()] = m.verdict(finding.Live, ByInventory, detail, entry.Facts())
	}
	return rest
}

// matchHistory settles the keys whose deletion the audit log has. Of the others
// nothing can be said: they may be another organisation's, or not visible to the
// credential, or older than the log.
func (m *matcher) matchHistory(ctx context.Context, res *Result, keys []secret.Secret) {
	first, err := m.need(ctx, SourceKeyEvents)
	if err != nil && first {
		p := incomplete(len(keys), "the audit log could not be read", err)
		if IsForbidden(err) {
			p.Warning = true
			p.Hint = "without it a revoked key cannot be distinguished from another organisation's; an organisation admin's key may read it"
		}
		res.Problems = append(res.Problems, p)
	}
	for _, k := range keys {
		h, ok := lookUp(m.inv.History, k)
		v := m.verdict(finding.Unknown, ByInventory, "neither in the list that this credential sees nor in "+
			"the audit log: another organisation's, or older than the log", nil)
		switch {
		case ok && h.Gone:
			v = m.verdict(finding.Dead, ByAuditLog, "revoked"+h.End(), h.Facts())
		case ok:
			v = m.verdict(finding.Unknown, ByAuditLog, "the audit log records its creation but no deletion, "+
				"and the list that this credential sees does not have it", h.Facts())
		case err != nil:
			v.Liveness.Detail = "not in the list that this credential sees, and the audit log could not be read"
		}
		res.Verdicts[k.Digest()] = v
	}
}

// byPrefix indexes listed keys.
func byPrefix(keys []Key) map[string]Key {
	index := make(map[string]Key, len(keys))
	for _, k := range keys {
		if k.Prefix != "" {
			index[k.Prefix] = k
		}
	}
	return index
}

// lookUp finds a key's entry in an index by prefix: by what comes before a dot of
// the key, of which the usual key has one. No length is assumed: the prefixes of
// the three formats differ.
func lookUp[T any](index map[string]T, k secret.Secret) (entry T, ok bool) {
	text := k.Reveal()
	for i := range len(text) {
		if text[i] == '.' && i > 0 && i+1 < len(text) {
			if entry, ok = index[text[:i]]; ok {
				return entry, true
			}
		}
	}
	return entry, false
}

// registered returns what a gateway group shows of a key that a customer
// brought along: its first 16 characters. Such keys have at least 32.
func registered(k secret.Secret) (prefix string, ok bool) {
	text := k.Reveal()
	if len(text) < 2*registeredPrefix {
		return "", false
	}
	return text[:registeredPrefix], true
}

// Stub returns a stand-in for a key of which only the prefix is known. A Verifier
// with a client matches it as it would the key. It is not a key, and must not be
// sent: see VerifyKeeping.
func Stub(prefix string) secret.Secret { return secret.New(prefix + ".*") }
