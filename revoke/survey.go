package revoke

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/b10lint/b10lint/internal/baseten"
)

// A Survey is what Baseten says of an organisation's keys at one moment.
type Survey struct {
	At       time.Time
	Endpoint string             // of the management API
	Self     string             // prefix of the credential; empty for a login token
	Me       baseten.User       // zero when it could not be read
	Keys     []baseten.Key      // as listed
	Gateway  []GatewayKey       // of every group
	History  map[string]History // by prefix, from the audit log; nil when it could not be read
	// Used is the end of the last day on which a key called a Model API, for keys
	// of which the list does not tell.
	Used map[string]time.Time
	// Gaps say what could not be read; the list of keys always could.
	Gaps []string
}

// A GatewayKey is a federated key and the group that it is in.
type GatewayKey struct {
	Prefix, Name     string
	Group, GroupName string
}

// A History is what the audit log tells of one prefix.
type History struct {
	Type      string // in the audit log's own, richer terms
	Deleted   bool
	DeletedAt baseten.Time
	DeletedBy string
}

// TakeSurvey reads the list of keys, the gateway's groups, the audit log and,
// only where the list does not say when keys were last used, the usage of the
// Model APIs. The error is that of the list of keys; whatever else could not be
// read is a gap. self is the prefix of the credential that the client uses.
func TakeSurvey(ctx context.Context, c *baseten.Client, self string, clock baseten.Clock) (*Survey, error) {
	s := &Survey{At: now(clock), Endpoint: endpointOf(c), Self: self}
	keys, err := c.Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("the list of keys could not be read: %w", err)
	}
	s.Keys = keys
	if s.Me, err = c.Me(ctx); err == nil && s.Me.UserID == "" {
		err = errors.New("the answer names nobody")
	}
	if err != nil {
		s.gap("who the credential belongs to", err)
	}
	s.readGateway(ctx, c)
	s.readHistory(ctx, c)
	s.readUsage(ctx, c)
	return s, ctx.Err()
}

// endpointOf is the address of the API that a client calls.
func endpointOf(c *baseten.Client) string {
	endpoint, _, _ := strings.Cut(c.Scope(), " ")
	return endpoint
}

func now(clock baseten.Clock) time.Time {
	if clock.Now == nil {
		return time.Now().UTC()
	}
	return clock.Now().UTC()
}

func (s *Survey) gap(what string, err error) {
	s.Gaps = append(s.Gaps, fmt.Sprintf("%s could not be read: %v", what, err))
}

// readGateway reads the keys of all groups. 403 and 404 are the answers of a
// workspace that has no gateway.
func (s *Survey) readGateway(ctx context.Context, c *baseten.Client) {
	for g, err := range c.GatewayGroups(ctx) {
		if status := baseten.StatusOf(err); status == statusForbidden || status == statusNotFound {
			return
		}
		if err != nil {
			s.gap("the gateway's groups", err)
			return
		}
		for k, err := range c.GatewayKeys(ctx, g.ID) {
			if err != nil {
				s.gap("the gateway's keys", err)
				return
			}
			s.Gateway = append(s.Gateway, GatewayKey{k.Prefix, k.Name, g.ID, g.Metadata.Name})
		}
	}
}

func (s *Survey) readHistory(ctx context.Context, c *baseten.Client) {
	history := map[string]History{}
	q := baseten.AuditQuery{Groups: []string{baseten.GroupAPIKeys}, OldestFirst: true}
	for e, err := range c.AuditLog(ctx, q) {
		if err != nil {
			s.gap("the audit log", err)
			return
		}
		if e.Data.Prefix == "" {
			continue
		}
		h := history[e.Data.Prefix]
		if e.Data.APIKeyType != "" {
			h.Type = e.Data.APIKeyType
		}
		if e.EventType == baseten.EventKeyDeleted {
			h.Deleted, h.DeletedAt, h.DeletedBy = true, e.Created, e.Actor.String()
		}
		history[e.Data.Prefix] = h
	}
	s.History = history
}

func (s *Survey) readUsage(ctx context.Context, c *baseten.Client) {
	told := true
	for _, k := range s.Keys {
		told = told && (!k.LastUsedAt.IsZero() || k.LastUsedAt.Null())
	}
	if told {
		return
	}
	s.Used = map[string]time.Time{}
	q := baseten.UsageQuery{Start: s.At.Add(-baseten.UsageRetention), GroupBy: []string{"api_key"}}
	for bucket, err := range c.ModelAPIUsage(ctx, q) {
		if err != nil {
			s.gap("the usage of the Model APIs", err)
			return
		}
		for _, u := range bucket.Results {
			if u.RequestCount > 0 && bucket.EndTime.After(s.Used[u.APIKeyPrefix]) {
				s.Used[u.APIKeyPrefix] = bucket.EndTime.Time
			}
		}
	}
}
