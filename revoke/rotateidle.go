package revoke

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/b10lint/b10lint/internal/baseten"
)

// The pause between two looks at the use of a key is a part of the time for which it has
// to be idle, within bounds.
const (
	leastPause = time.Minute
	mostPause  = 10 * time.Minute
)

// unwatchable says why a key cannot be rotated until it is idle.
func unwatchable(it *Item, listed baseten.Time) (reason, hint string) {
	switch {
	case it.Self:
		return "b10lint calls Baseten with it, so watching it is a use", "call Baseten with another key: --api-key-file"
	case listed.IsZero() && !listed.Null():
		return "the list of keys does not say when it was last used, and nothing else shows calls of dedicated models", "use --grace"
	}
	return "", ""
}

// untilIdle waits until the old key was not used for the plan's time. Quiet begins when a
// last use is first seen that stays the last one, and not before the end of the hour in
// which the usage of the Model APIs has calls: within a run a wrong clock makes it later,
// never earlier. A look that fails shows nothing, and the next one shows what it missed.
func (r *Rotation) untilIdle(ctx context.Context) error {
	idle := r.plan.UntilIdle
	pause := min(max(idle/24, leastPause), mostPause)
	for {
		seen, err := r.look(ctx)
		now := r.o.Clock.Now()
		left, status := pause, ""
		switch {
		case ctx.Err() != nil:
		case err != nil:
			status = "its use could not be seen: " + err.Error()
		case seen.gone:
			r.note("the old key is not in the list any more")
			return nil
		default:
			if seen.use != r.lastUse {
				if err := r.record(record{Step: stepUsed, Prefix: r.plan.Old.Prefix, Detail: seen.use}); err != nil {
					return err
				}
				r.note("watching the old key: %s%s", seen.words(now), seen.by)
			}
			if r.quietFrom.After(now) { // the clock went back between two runs
				r.quietFrom = now
			}
			quiet := now.Sub(r.quietFrom)
			if seen.until.After(r.quietFrom) {
				quiet = now.Sub(seen.until)
			}
			if left = idle - quiet; left <= 0 {
				r.note("the old key was not used for %s", idle)
				return nil
			}
			status = fmt.Sprintf("the old key: %s%s; it is revoked when it was not used for another %s", seen.words(now), seen.by, left.Round(time.Second))
		}
		if r.o.Progress != nil {
			r.o.Progress(status)
		}
		if err := r.o.Clock.Sleep(ctx, min(left, pause)); err != nil {
			return fmt.Errorf("the old key was not revoked yet: %w", err)
		}
	}
}

// A look is what Baseten says of the use of the old key at one moment.
type look struct {
	use   string    // every source's last use, as one text
	at    time.Time // the latest; zero: none is known
	until time.Time // the end of the time in which it was
	by    string    // what used it lately
	gone  bool
}

func (l look) words(now time.Time) string {
	if l.at.IsZero() {
		return "never used"
	}
	return "last used " + ago(now, l.at)
}

// look asks the list of keys, the usage of the Model APIs and the audit log. What the
// credential may not read is left out, for the list knows every kind of use.
func (r *Rotation) look(ctx context.Context) (look, error) {
	inv, err := baseten.Gather(ctx, r.o.Client, baseten.SourceKeys, baseten.SourceUsage)
	for _, s := range inv.Sources {
		if s.Err != nil && (s.Name == baseten.SourceKeys || !s.Denied()) {
			err = errors.Join(err, s.Err)
		}
	}
	if err != nil {
		return look{}, err
	}
	since := inv.At.Add(-24 * time.Hour)
	for entry, err := range r.o.Client.AuditLog(ctx, baseten.AuditQuery{Sources: []string{"API", "MCP"}, Start: since}) {
		if baseten.IsForbidden(err) {
			break
		}
		if err != nil {
			return look{}, err
		}
		inv.Actions = append(inv.Actions, entry)
	}
	i := slices.IndexFunc(inv.Keys, func(k baseten.Key) bool { return k.Prefix == r.plan.Old.Prefix })
	if i < 0 {
		return look{gone: true}, nil
	}
	if inv.Keys[i].LastUsedAt.IsZero() && !inv.Keys[i].LastUsedAt.Null() {
		return look{}, errors.New("the list of keys does not say any more when it was last used")
	}
	u := inv.LastUses(inv.Keys[i : i+1])[r.plan.Old.Prefix]
	text := func(t time.Time) string {
		if t.IsZero() {
			return "never"
		}
		return t.UTC().Format(time.RFC3339Nano)
	}
	return look{
		use: fmt.Sprintf("list %s, usage %s, audit log %s", text(u.Listed.Time), text(u.Called), text(u.Acted)),
		at:  u.At, until: u.Until, by: usedBy(inv, r.plan.Old.Prefix, since),
	}, nil
}

// usedBy names what used a key since a moment: models that were called, and what was done
// through the API, by which client.
func usedBy(inv *baseten.Inventory, prefix string, since time.Time) string {
	counts := map[string]int64{}
	for _, b := range inv.Usage {
		for _, u := range b.Results {
			if u.APIKeyPrefix == prefix && u.RequestCount > 0 && b.EndTime.After(since) {
				counts["calls of "+show(u.Model)] += u.RequestCount
			}
		}
	}
	for _, a := range inv.Actions {
		if a.Actor.APIKeyPrefix == prefix && a.Created.After(since) {
			counts[strings.ToLower(strings.ReplaceAll(show(a.EventType), "_", " "))+" through "+show(cmp.Or(a.ClientName, a.Source))]++
		}
	}
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
	var parts []string
	for _, name := range names[:min(len(names), 3)] {
		parts = append(parts, fmt.Sprintf("%s (%d)", name, counts[name]))
	}
	if parts == nil {
		return ""
	}
	return "; in the last day: " + strings.Join(parts, ", ")
}
