package baseten

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/b10lint/b10lint/finding"
)

// A Source is something that Gather can ask Baseten for.
type Source string

// The sources, each with what it costs. SourceKeyEvents is a part of SourceEvents.
const (
	SourceKeys      Source = "keys"                        // 1 call
	SourceMe        Source = "identity of the credential"  // 1 call
	SourceTeams     Source = "teams"                       // 1 call
	SourceUsers     Source = "users"                       // 1 call for each 1,000 members
	SourceKeyEvents Source = "audit-log: keys"             // 1 call for each 200 entries
	SourceEvents    Source = "audit-log: keys and members" // 1 call for each 200 entries
	SourceActions   Source = "audit-log: actions"          // 1 call for each 200 entries, at most 100
	SourceUsage     Source = "model-api-usage"             // 3 calls for the days, 1 for the hours
	SourceGateway   Source = "gateway"                     // 1 call for each 100 groups, 1 or more for each group
)

// maxActions bounds the audit-log entries that are read for what keys did, the
// newest first: 100 pages.
const maxActions = 20_000

// An Inventory is what Baseten says of an organisation's keys at one moment. A
// source that was not read leaves its part empty; of one that failed, what came
// before the failure stands, and its SourceState says why.
type Inventory struct {
	At      time.Time // when the reading began
	Self    string    // prefix of the key that it was read with; empty for a login token
	Keys    []Key     // the account's, as listed
	Gateway []Key     // the federated keys of every gateway group
	Me      User      // whom the credential belongs to
	Teams   []Team
	Users   []User                // all or none: a part would make owners look gone
	History map[string]KeyHistory // by prefix
	// Removed is when members were removed, by email address.
	Removed map[string]time.Time
	// Actions are the entries of the audit log that were not made in the console,
	// newest first: keys act through the API and MCP only.
	Actions []AuditEntry
	Usage   []UsageBucket // days, by key and model
	Hours   []UsageBucket // hours of the last week, by key
	Sources []SourceState // of every source that was asked
}

// A SourceState says how reading one source went.
type SourceState struct {
	Name Source
	// Since is how far back the source was read; zero where it has no history or
	// all of it was read.
	Since time.Time
	Err   error // nil when it was read
	// NotUsed is set for a gateway that the workspace seems not to have: Baseten
	// answers 403 or 404 both then and for a missing permission.
	NotUsed bool
}

// Denied reports whether the credential is not permitted to read the source.
func (s SourceState) Denied() bool { return IsForbidden(s.Err) }

// Source returns the state of a source. One that was never asked has an error.
func (inv *Inventory) Source(name Source) SourceState {
	for _, s := range inv.Sources {
		if s.Name == name {
			return s
		}
	}
	return SourceState{Name: name, Err: fmt.Errorf("%s was not asked", name)}
}

// Gather reads sources, several at once. The error is that of the list of keys,
// unless that is a 403, or the context's; the Inventory is returned with it.
// Whatever else failed is in the Inventory's Sources only.
func Gather(ctx context.Context, c *Client, want ...Source) (*Inventory, error) {
	inv := &Inventory{At: c.stack.clock.Now().UTC(), Self: c.self(), History: map[string]KeyHistory{}, Removed: map[string]time.Time{}}
	return inv, inv.Add(ctx, c, want...)
}

// self is the prefix of the key that the client calls with; empty for a login token.
func (c *Client) self() string {
	if isAccountKey(c.key) {
		return c.key.Prefix()
	}
	return ""
}

// Add reads sources that the Inventory does not have yet. Its error is as Gather's.
func (inv *Inventory) Add(ctx context.Context, c *Client, want ...Source) error {
	states := make([]SourceState, len(want))
	var g errgroup.Group
	for i, name := range want {
		g.Go(func() error {
			states[i] = inv.read(ctx, c, name)
			return nil // kept in the state
		})
	}
	_ = g.Wait()
	inv.Sources = append(inv.Sources, states...)
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, s := range states {
		if s.Name == SourceKeys && s.Err != nil && !s.Denied() {
			return fmt.Errorf("the list of keys could not be read: %w", s.Err)
		}
	}
	return nil
}

// read reads one source. Each has parts of the Inventory to itself.
func (inv *Inventory) read(ctx context.Context, c *Client, name Source) SourceState {
	s := SourceState{Name: name}
	switch name {
	case SourceKeys:
		inv.Keys, s.Err = c.Keys(ctx)
	case SourceMe:
		inv.Me, s.Err = c.Me(ctx)
		if s.Err == nil && inv.Me.UserID == "" {
			s.Err = errors.New("the answer names no one")
		}
	case SourceTeams:
		inv.Teams, s.Err = c.Teams(ctx, "")
	case SourceUsers:
		if inv.Users, s.Err = all(c.Users(ctx)); s.Err != nil {
			inv.Users = nil
		}
	case SourceKeyEvents:
		s.Err = inv.readEvents(ctx, c, GroupAPIKeys)
	case SourceEvents:
		s.Err = inv.readEvents(ctx, c, GroupAPIKeys, GroupUserManagement)
	case SourceActions:
		s.Since = usageStart(inv.At)
		for entry, err := range c.AuditLog(ctx, AuditQuery{Sources: []string{"API", "MCP"}, Start: s.Since}) {
			if err != nil {
				s.Err = err
				break
			}
			inv.Actions = append(inv.Actions, entry)
			if len(inv.Actions) == maxActions {
				s.Since = entry.Created.Time
				break
			}
		}
	case SourceUsage:
		s.Since = usageStart(inv.At)
		week := inv.At.Truncate(time.Hour).Add(time.Hour - 7*24*time.Hour)
		inv.Usage, s.Err = all(c.ModelAPIUsage(ctx, UsageQuery{Start: s.Since, End: inv.At, GroupBy: []string{"api_key", "model"}}))
		if s.Err == nil {
			inv.Hours, s.Err = all(c.ModelAPIUsage(ctx, UsageQuery{Start: week, End: inv.At, Width: "1h", GroupBy: []string{"api_key"}}))
		}
	case SourceGateway:
		s.Err, s.NotUsed = inv.readGateway(ctx, c)
	}
	return s
}

// readEvents reads what the audit log says of keys and members, oldest first, so
// that the last word on each stands.
func (inv *Inventory) readEvents(ctx context.Context, c *Client, groups ...string) error {
	for e, err := range c.AuditLog(ctx, AuditQuery{Groups: groups, OldestFirst: true}) {
		if err != nil {
			return err
		}
		if e.EventType == EventUserRemoved && e.Data.RemovedUserEmail != "" {
			inv.Removed[e.Data.RemovedUserEmail] = e.Created.Time
		}
		if e.Data.Prefix == "" {
			continue
		}
		h := inv.History[e.Data.Prefix]
		h.Type = cmp.Or(e.Data.APIKeyType, h.Type)
		switch e.EventType {
		case EventKeyCreated:
			h.Created, h.CreatedBy, h.Creator, h.Source = e.Created, e.Actor.String(), e.Actor, e.Source
		case EventKeyDeleted:
			h.Gone, h.Deleted, h.DeletedBy = true, e.Created, e.Actor.String()
		}
		inv.History[e.Data.Prefix] = h
	}
	return nil
}

// readGateway reads the keys of all groups. A workspace without the gateway
// answers 403, or 404 where the routes are not there.
func (inv *Inventory) readGateway(ctx context.Context, c *Client) (err error, notUsed bool) {
	inv.Gateway = nil
	for g, err := range c.GatewayGroups(ctx) {
		if err != nil {
			return err, IsForbidden(err) || IsNotFound(err)
		}
		for k, err := range c.GatewayKeys(ctx, g.ID) {
			if err != nil {
				return err, false
			}
			k.GroupName = g.Metadata.Name
			inv.Gateway = append(inv.Gateway, k)
		}
	}
	return nil, false
}

// usageStart is the first whole day that usage is kept for. With today it makes
// as many days as three pages hold.
func usageStart(now time.Time) time.Time {
	return now.UTC().Truncate(24 * time.Hour).Add(24*time.Hour - UsageRetention)
}

// A KeyHistory is what the audit log says of one prefix.
type KeyHistory struct {
	Type      string // in the audit log's own terms, which are richer than the list's
	Created   Time
	CreatedBy string // an email address, a key, or a word for who it was; empty when not known
	Creator   AuditActor
	Source    string // by what it was created: UI, API, MCP, …
	Gone      bool   // the log has a deletion, be it without a readable time
	Deleted   Time
	DeletedBy string
}

// End says when and by whom a key was deleted, as far as the log does: " on DATE
// by ACTOR", of which either part may be missing.
func (h KeyHistory) End() (s string) {
	if !h.Deleted.IsZero() {
		s += " on " + h.Deleted.Format(time.DateOnly)
	}
	if h.DeletedBy != "" {
		s += " by " + h.DeletedBy
	}
	return s
}

// InEnvironments reports whether the log knows that the key works in some environments
// only, which the list does not say.
func (h KeyHistory) InEnvironments() bool { return strings.Contains(h.Type, "SCOPED_ENVS") }

// Facts returns what the log says of a key, in the words of a finding.
func (h KeyHistory) Facts() *finding.Key {
	return &finding.Key{Type: h.Type, CreatedAt: h.Created.Ptr(), CreatedBy: h.CreatedBy, RevokedAt: h.Deleted.Ptr(), RevokedBy: h.DeletedBy}
}

// What a time rests on.
const (
	FromList  = "list"
	FromLog   = "audit-log"
	FromUsage = "usage"
)

// Created returns when a key was created and which source says so: the list, else
// the audit log. The time is zero when neither does.
func (inv *Inventory) Created(k Key) (at time.Time, basis string) {
	switch h := inv.History[k.Prefix]; {
	case !k.CreatedAt.IsZero():
		return k.CreatedAt.Time, FromList
	case !h.Created.IsZero():
		return h.Created.Time, FromLog
	}
	return time.Time{}, ""
}

// A LastUse is when a key was last used, as far as the sources say. The list knows
// every kind of use; the usage of Model APIs and the audit log know a part.
type LastUse struct {
	// At is the latest use that any source reports, and Basis the source; of one
	// that is FromUsage, At is the start of the day or hour and Until its end. At is zero
	// when no source reports a use.
	At, Until time.Time
	Basis     string
	// Never is set where the list says so and no other source reports a use.
	Never bool
	// NoneSince is how far back the partial sources were read without a trace of
	// the key, where the list says nothing. It is zero when none was read.
	NoneSince time.Time

	// What each source says by itself: they may disagree.
	Listed              Time      // Null means never used
	Called, CalledUntil time.Time // the last day, or hour, with calls of a Model API
	Acted               time.Time // the last entry in the audit log
}

// Exact reports whether At is the last use of any kind. If not, there may have
// been later uses that no source reports.
func (u LastUse) Exact() bool { return u.Basis == FromList }

// LastUses weighs the sources and returns the last use of each of the keys, by
// prefix: what the list says, unless another source reports a later use.
func (inv *Inventory) LastUses(keys []Key) map[string]LastUse {
	uses := map[string]LastUse{}
	for _, a := range inv.Actions {
		if u := uses[a.Actor.APIKeyPrefix]; a.Created.After(u.Acted) {
			u.Acted = a.Created.Time
			uses[a.Actor.APIKeyPrefix] = u
		}
	}
	for _, b := range slices.Concat(inv.Usage, inv.Hours) { // of the last week the hour is known
		for _, used := range b.Results {
			if u := uses[used.APIKeyPrefix]; used.RequestCount > 0 && b.StartTime.After(u.Called) {
				u.Called, u.CalledUntil = b.StartTime.Time, b.EndTime.Time
				if u.CalledUntil.Before(u.Called) {
					u.CalledUntil = u.Called
				}
				uses[used.APIKeyPrefix] = u
			}
		}
	}
	of := make(map[string]LastUse, len(keys))
	for _, k := range keys {
		u := uses[k.Prefix]
		u.Listed = k.LastUsedAt
		u.At, u.Until, u.Basis = u.Acted, u.Acted, FromLog
		if u.Called.After(u.At) {
			u.At, u.Until, u.Basis = u.Called, u.CalledUntil, FromUsage
		}
		if !u.Listed.IsZero() && !u.At.After(u.Listed.Time) {
			u.At, u.Until, u.Basis = u.Listed.Time, u.Listed.Time, FromList
		}
		if u.At.IsZero() {
			u.Basis, u.Never = "", u.Listed.Null()
			if !u.Never {
				u.NoneSince = inv.watchedSince(k)
			}
		}
		of[k.Prefix] = u
	}
	return of
}

// Disagreement says how the list contradicts a later use that another source reports;
// empty when it does not.
func (u LastUse) Disagreement() string {
	if u.At.IsZero() || u.Exact() || !u.Listed.Null() && (u.Listed.IsZero() || u.At.Sub(u.Listed.Time) < time.Hour) {
		return "" // of one call, the sources may write different moments
	}
	listed := "never"
	if !u.Listed.Null() {
		listed = u.Listed.Format(time.DateOnly)
	}
	word := map[string]string{FromLog: "the audit log", FromUsage: "Model API usage"}[u.Basis]
	return fmt.Sprintf("the list of keys says that it was last used %s, and %s says %s", listed, word, u.At.Format(time.DateOnly))
}

// Descendants returns the prefixes of the keys that a key created, and that those
// created, as far as the audit log says and unless they were deleted: whoever held the
// key may hold them.
func (inv *Inventory) Descendants(prefix string) (living []string) {
	made := map[string][]string{}
	for child, h := range inv.History {
		if maker := h.Creator.APIKeyPrefix; maker != "" {
			made[maker] = append(made[maker], child)
		}
	}
	seen := map[string]bool{prefix: true}
	for queue := []string{prefix}; len(queue) > 0; queue = queue[1:] {
		for _, child := range made[queue[0]] {
			if seen[child] {
				continue
			}
			seen[child] = true
			queue = append(queue, child)
			if !inv.History[child].Gone {
				living = append(living, child)
			}
		}
	}
	slices.Sort(living)
	return living
}

// usedLately is how recent a use shows that a key still lives, unless the log says
// otherwise.
const usedLately = 7 * 24 * time.Hour

// Unlisted returns the prefixes of keys that live, as far as can be seen, and that the
// list lacks: the key that the inventory was read with, and keys that were used in the
// last week and whose deletion the audit log does not have. With one of them the list
// is only a part. It is empty where the list could not be read.
func (inv *Inventory) Unlisted() (prefixes []string) {
	if inv.Source(SourceKeys).Err != nil {
		return nil
	}
	listed := map[string]bool{"": true}
	for _, keys := range [][]Key{inv.Keys, inv.Gateway} {
		for _, k := range keys {
			listed[k.Prefix] = true
		}
	}
	add := func(prefix string, used time.Time) {
		h := inv.History[prefix]
		_, left := inv.Removed[h.Creator.Email] // with a member their keys go, and no entry says so
		if !listed[prefix] && inv.At.Sub(used) < usedLately && !h.Gone && (!left || h.Creator.Email == "") {
			listed[prefix] = true
			prefixes = append(prefixes, prefix)
		}
	}
	add(inv.Self, inv.At)
	if inv.Source(SourceEvents).Err != nil && inv.Source(SourceKeyEvents).Err != nil {
		return prefixes // whether the others were revoked since is not known
	}
	for _, a := range inv.Actions {
		add(a.Actor.APIKeyPrefix, a.Created.Time)
	}
	if state := inv.Source(SourceGateway); state.Err == nil || state.NotUsed { // else they may be the gateway's
		for _, b := range inv.Usage {
			for _, u := range b.Results {
				if u.RequestCount > 0 {
					add(u.APIKeyPrefix, b.StartTime.Time)
				}
			}
		}
	}
	slices.Sort(prefixes)
	return prefixes
}

// watchedSince returns from when on a use of a key would be in the partial
// sources; zero when neither was read. No source knows the use of federated keys.
func (inv *Inventory) watchedSince(k Key) (since time.Time) {
	if k.Type == Federated {
		return since
	}
	for _, name := range []Source{SourceUsage, SourceActions} {
		if s := inv.Source(name); s.Err == nil && s.Since.After(since) {
			since = s.Since
		}
	}
	if created, _ := inv.Created(k); created.After(since) && !since.IsZero() {
		return created
	}
	return since
}
