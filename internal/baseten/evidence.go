package baseten

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// The sources of an Evidence.
const (
	SourceKeys    = "keys"
	SourceTeams   = "teams"
	SourceUsers   = "users"
	SourceEvents  = "audit-log: keys and members"
	SourceActions = "audit-log: actions"
	SourceUsage   = "model-api-usage"
	SourceGateway = "gateway"
)

// maxActions bounds the audit-log entries that are read for what keys did, the
// newest first: 100 pages.
const maxActions = 20_000

// Evidence is what Baseten tells of an organisation's keys, reduced to what a
// key's history needs. A source that could not be read leaves its part empty and
// its SourceState says why.
type Evidence struct {
	At          time.Time // when it was gathered
	Keys        []Key
	GatewayKeys []GroupKey
	Teams       []Team
	Users       []User
	History     map[string]KeyHistory // by prefix
	// Removed is when members were removed, by email address.
	Removed map[string]time.Time
	// Actions are the entries that were not made in the console, newest first.
	Actions []AuditEntry
	Usage   []UsageBucket // days, by key and model
	Hours   []UsageBucket // hours of the last week, by key
	Sources []SourceState
}

// A GroupKey is a federated key and the gateway group it is under.
type GroupKey struct {
	GatewayKey
	Group string // id
}

// A SourceState says how reading one source went.
type SourceState struct {
	Name string
	// Since is how far back the source was read; zero where it has no history or
	// all of it was read.
	Since time.Time
	Err   error // nil when it was read
}

// Denied reports whether the credential is not permitted to read the source.
func (s SourceState) Denied() bool { return StatusOf(s.Err) == http.StatusForbidden }

// Absent reports whether the service answers that the source is not there.
func (s SourceState) Absent() bool { return StatusOf(s.Err) == http.StatusNotFound }

// Source returns the state of a source. One that was never asked has an error.
func (e *Evidence) Source(name string) SourceState {
	for _, s := range e.Sources {
		if s.Name == name {
			return s
		}
	}
	return SourceState{Name: name, Err: fmt.Errorf("%s was not asked", name)}
}

// Gather reads every source, several at once. The calls are one for the keys,
// one for the teams, one for each 1,000 members, one for each 200 entries of the
// audit log on keys and members, one for each 200 actions outside the console
// within the retention of usage (100 at most), three for the days and one for
// the hours of usage, one for each 100 gateway groups and one or more for each
// group.
//
// The error is that of the list of keys, unless that is a 403, or the context's.
// What was gathered is returned with it.
func Gather(ctx context.Context, c *Client) (*Evidence, error) {
	now := c.clock.Now().UTC()
	e := &Evidence{At: now, History: map[string]KeyHistory{}, Removed: map[string]time.Time{}}
	readers := []struct {
		name string
		read func(context.Context, *Client) (since time.Time, err error)
	}{
		{SourceKeys, e.readKeys}, {SourceTeams, e.readTeams}, {SourceUsers, e.readUsers}, {SourceEvents, e.readEvents},
		{SourceActions, e.readActions}, {SourceUsage, e.readUsage}, {SourceGateway, e.readGateway},
	}
	e.Sources = make([]SourceState, len(readers))
	var g errgroup.Group
	for i, r := range readers {
		g.Go(func() error {
			since, err := r.read(ctx, c)
			e.Sources[i] = SourceState{r.name, since, err}
			return nil
		})
	}
	_ = g.Wait() // the readers keep their errors
	if err := ctx.Err(); err != nil {
		return e, err
	}
	if keys := e.Source(SourceKeys); keys.Err != nil && !keys.Denied() {
		return e, fmt.Errorf("the list of keys could not be read: %w", keys.Err)
	}
	return e, nil
}

func (e *Evidence) readKeys(ctx context.Context, c *Client) (_ time.Time, err error) {
	e.Keys, err = c.Keys(ctx)
	return time.Time{}, err
}

func (e *Evidence) readTeams(ctx context.Context, c *Client) (_ time.Time, err error) {
	e.Teams, err = c.Teams(ctx, "")
	return time.Time{}, err
}

// readUsers reads all members or none: a part would make owners look gone.
func (e *Evidence) readUsers(ctx context.Context, c *Client) (time.Time, error) {
	var users []User
	for u, err := range c.Users(ctx) {
		if err != nil {
			return time.Time{}, err
		}
		users = append(users, u)
	}
	e.Users = users
	return time.Time{}, nil
}

func (e *Evidence) readEvents(ctx context.Context, c *Client) (time.Time, error) {
	q := AuditQuery{Groups: []string{GroupAPIKeys, GroupUserManagement}, OldestFirst: true}
	for entry, err := range c.AuditLog(ctx, q) {
		if err != nil {
			return time.Time{}, err
		}
		addHistory(e.History, entry)
		if entry.EventType == EventUserRemoved && entry.Data.RemovedUserEmail != "" {
			e.Removed[entry.Data.RemovedUserEmail] = entry.Created.Time
		}
	}
	return time.Time{}, nil
}

// readActions reads what was done outside the console: keys act through the API
// and MCP only.
func (e *Evidence) readActions(ctx context.Context, c *Client) (time.Time, error) {
	since := usageStart(e.At)
	for entry, err := range c.AuditLog(ctx, AuditQuery{Sources: []string{"API", "MCP"}, Start: since}) {
		if err != nil {
			return since, err
		}
		e.Actions = append(e.Actions, entry)
		if len(e.Actions) == maxActions {
			return entry.Created.Time, nil
		}
	}
	return since, nil
}

// usageStart is the first whole day that usage is kept for. With today it makes
// as many days as three pages hold.
func usageStart(now time.Time) time.Time {
	return now.UTC().Truncate(24 * time.Hour).Add(24*time.Hour - UsageRetention)
}

func (e *Evidence) readUsage(ctx context.Context, c *Client) (time.Time, error) {
	since := usageStart(e.At)
	for b, err := range c.ModelAPIUsage(ctx, UsageQuery{Start: since, End: e.At, GroupBy: []string{"api_key", "model"}}) {
		if err != nil {
			return since, err
		}
		e.Usage = append(e.Usage, b)
	}
	week := e.At.Truncate(time.Hour).Add(time.Hour - 7*24*time.Hour)
	for b, err := range c.ModelAPIUsage(ctx, UsageQuery{Start: week, End: e.At, Width: "1h", GroupBy: []string{"api_key"}}) {
		if err != nil {
			return since, err
		}
		e.Hours = append(e.Hours, b)
	}
	return since, nil
}

func (e *Evidence) readGateway(ctx context.Context, c *Client) (time.Time, error) {
	for g, err := range c.GatewayGroups(ctx) {
		if err != nil {
			return time.Time{}, err
		}
		for k, err := range c.GatewayKeys(ctx, g.ID) {
			if err != nil {
				return time.Time{}, err
			}
			e.GatewayKeys = append(e.GatewayKeys, GroupKey{k, g.ID})
		}
	}
	return time.Time{}, nil
}
