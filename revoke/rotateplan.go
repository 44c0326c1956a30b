package revoke

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/b10lint/b10lint/internal/baseten"
)

// A RefusedError says why a key is not rotated. Nothing was changed.
type RefusedError struct{ Prefix, Reason, Hint string }

// Error names the key and the reason.
func (e *RefusedError) Error() string { return show(e.Prefix) + " is not rotated: " + e.Reason }

// A RotateRequest says which key is to be rotated, and how.
type RotateRequest struct {
	Prefix string
	// Downgrade is a narrower type for the successor; empty keeps the type.
	Downgrade baseten.KeyType
	// ModelIDs narrow the successor to these models; none keeps them as they are.
	ModelIDs []string
	// AssumeUnscoped takes the caller's word that the key is not restricted to
	// environments, when the audit log does not say.
	AssumeUnscoped bool
	Grace          time.Duration
	// UntilIdle revokes the old key when it was not used for so long.
	UntilIdle time.Duration
	Sinks     []SinkSpec
	// Overwrite allows a place that holds another value than the old key.
	Overwrite bool
	// ForceActive allows a key that was used within a day to be revoked.
	ForceActive bool
}

// A RotationPlan is what a rotation will do. It holds no secret half.
type RotationPlan struct {
	Old       Facts           `json:"old"`
	Self      bool            `json:"self,omitempty"` // the old key is the credential
	Type      baseten.KeyType `json:"type"`
	ModelIDs  []string        `json:"model_ids,omitempty"`
	TeamID    string          `json:"team_id,omitempty"` // empty: the default team, or none
	Team      string          `json:"team,omitempty"`
	Base      string          `json:"base"` // the name's part before the unique end
	Grace     time.Duration   `json:"grace_ns,omitempty"`
	UntilIdle time.Duration   `json:"until_idle_ns,omitempty"`
	Sinks     []SinkSpec      `json:"sinks"`
	Endpoint  string          `json:"endpoint"`
	// Credential is the prefix of the key that began the rotation.
	Credential string `json:"credential,omitempty"`
	// KeepOld ends the rotation after the delivery: into a stream, where nothing shows
	// that the key arrived. The old key is then revoked by a command of its own.
	KeepOld   bool `json:"keep_old,omitempty"`
	Overwrite bool `json:"overwrite,omitempty"`
	// LastUsed says when the old key was last used, and Warnings what to know of that.
	LastUsed string   `json:"last_used,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
	// ByHand are places that hold the old key and that only a person can change, and
	ByHand    []string `json:"by_hand,omitempty"`
	LeftAlone []string `json:"left_alone,omitempty"`
}

// PlanRotation matches the key and works out its successor. What the API cannot
// copy faithfully is refused with a *RefusedError; nothing ever widens what a key
// may do.
func PlanRotation(ctx context.Context, c *baseten.Client, s *Survey, r RotateRequest) (*RotationPlan, error) {
	refuse := func(reason, hint string) error { return &RefusedError{r.Prefix, reason, hint} }
	items := s.items()[r.Prefix]
	switch {
	case len(items) == 0 && s.History[r.Prefix].Gone:
		return nil, refuse("it was revoked already", "make a new key in its place: b10lint keys create")
	case len(items) == 0:
		return nil, refuse("it is not in the inventory that this credential sees", "a personal key is rotated by its owner, with a personal key of theirs")
	case len(items) > 1:
		return nil, refuse(fmt.Sprintf("the inventory has %d keys with this prefix", len(items)), "rotate it in Baseten's console")
	}
	it := items[0]
	if reason, hint := cannotCopy(it, s, r); reason != "" {
		return nil, refuse(reason, hint)
	}
	p := &RotationPlan{Old: it.Facts, Self: it.Self, Type: baseten.KeyType(it.Type), ModelIDs: it.ModelIDs, Team: it.Team,
		Base: baseName(it.Name), Grace: r.Grace, UntilIdle: r.UntilIdle, Sinks: r.Sinks, Endpoint: s.Endpoint,
		Credential: s.Self, KeepOld: slices.ContainsFunc(r.Sinks, SinkSpec.Streams), Overwrite: r.Overwrite, LastUsed: it.lastUsed(s.At), Warnings: it.Warnings}
	if used := it.LastUsedAt; used != nil && s.At.Sub(*used) < activeWithin && !p.KeepOld {
		if !r.ForceActive && !it.Self && r.UntilIdle == 0 {
			return nil, refuse("it was used "+ago(s.At, *used)+": what else uses it stops when it is revoked",
				"add --until-idle 2h, which revokes it only when nothing has used it for so long; or find out what uses it, and add --force-active")
		}
		p.Warnings = append(p.Warnings, "in use: last used "+ago(s.At, *used))
	}
	if r.UntilIdle > 0 {
		i := slices.IndexFunc(s.Keys, func(k baseten.Key) bool { return k.Prefix == r.Prefix })
		if reason, hint := unwatchable(it, s.Keys[i].LastUsedAt); reason != "" {
			return nil, refuse(reason, hint)
		}
	}
	if reason, hint := p.narrow(r); reason != "" {
		return nil, refuse(reason, hint)
	}
	return p, p.findTeam(ctx, c)
}

// cannotCopy says what keeps the API from making the same key again.
func cannotCopy(it *Item, s *Survey, r RotateRequest) (reason, hint string) {
	console := "make its successor in Baseten's console, then revoke it with b10lint revoke"
	h := s.History[it.Prefix]
	switch {
	case it.Kind == GroupKey:
		return "it is a gateway key, which the gateway's customer holds", "make its successor in the gateway, then revoke it with b10lint revoke"
	case it.Type == string(baseten.Routes):
		return "a ROUTES key is bound to routes, which the API does not report", console
	case it.Type == string(baseten.Personal) && (s.Me.UserID == "" || it.OwnerID != s.Me.UserID):
		return "it is the personal key of " + cmp.Or(it.Owner, "another member") + ", and a personal key cannot be created for someone else",
			"its owner rotates it, with a personal key of theirs; b10lint revoke takes it out of service"
	case h.InEnvironments():
		return "it is restricted to environments, which the API cannot copy: the successor would be allowed more", console
	case strings.Contains(h.Type, "ALLOWED_MODELS") && len(it.ModelIDs) == 0 && len(r.ModelIDs) == 0:
		return "it is restricted to models, and the list does not say which: the successor would be allowed more",
			"name the models with --model-id"
	case it.Type == string(baseten.WorkspaceInvoke) && h.Type == "" && !r.AssumeUnscoped:
		return "the audit log does not say whether it is restricted to environments, which the API cannot copy",
			"look in Baseten's console, and add --assume-unscoped if it is not"
	}
	switch baseten.KeyType(it.Type) {
	case baseten.Personal, baseten.WorkspaceManageAll, baseten.WorkspaceExportMetrics, baseten.WorkspaceInvoke, baseten.WorkspaceManageAPIKeys:
		return "", ""
	}
	return "this version does not know the type " + show(it.Type), console
}

// narrow applies --downgrade and --model-id, and refuses what would widen.
func (p *RotationPlan) narrow(r RotateRequest) (reason, hint string) {
	if r.Downgrade != "" && r.Downgrade != p.Type {
		calls := r.Downgrade == baseten.WorkspaceInvoke || r.Downgrade == baseten.WorkspaceExportMetrics
		if p.Type != baseten.WorkspaceManageAll || !calls {
			return fmt.Sprintf("%s is not surely narrower than %s", r.Downgrade, p.Type),
				"what can be narrowed is WORKSPACE_MANAGE_ALL, to WORKSPACE_INVOKE or WORKSPACE_EXPORT_METRICS"
		}
		p.Type = r.Downgrade
	}
	if len(r.ModelIDs) == 0 {
		return "", ""
	}
	if p.Type != baseten.WorkspaceInvoke && p.Type != baseten.WorkspaceExportMetrics {
		return fmt.Sprintf("a key of type %s cannot be restricted to models", p.Type), "add --downgrade workspace-invoke"
	}
	for _, id := range r.ModelIDs {
		if len(p.Old.ModelIDs) > 0 && !slices.Contains(p.Old.ModelIDs, id) {
			return "it may not call model " + show(id) + ", so its successor must not either", "leave the model out"
		}
	}
	p.ModelIDs = slices.Compact(slices.Sorted(slices.Values(r.ModelIDs)))
	return "", ""
}

// findTeam finds the id of the team, of which the list gives the name only.
func (p *RotationPlan) findTeam(ctx context.Context, c *baseten.Client) error {
	if p.Team == "" || p.Type == baseten.Personal || p.Type == baseten.WorkspaceManageAPIKeys {
		return nil
	}
	teams, err := c.Teams(ctx, p.Team)
	if err != nil {
		return fmt.Errorf("the team of %s could not be looked up: %w", show(p.Old.Prefix), err)
	}
	teams = slices.DeleteFunc(teams, func(t baseten.Team) bool { return t.Name != p.Team })
	if len(teams) != 1 {
		return &RefusedError{p.Old.Prefix, fmt.Sprintf("there are %d teams of the name %q", len(teams), show(p.Team)), "rotate it in Baseten's console"}
	}
	p.TeamID = teams[0].ID
	return nil
}

var (
	notInName = regexp.MustCompile(`[^a-z0-9]+`)
	uniqueEnd = regexp.MustCompile(`-r[0-9]{8}-[a-z2-7]{10}$`)
)

// baseName makes the successor's name from the old one: Baseten allows lower-case
// letters, digits and hyphens. The end that an earlier rotation gave is taken off.
func baseName(old string) string {
	name := uniqueEnd.ReplaceAllString(strings.ToLower(old), "")
	name = strings.Trim(notInName.ReplaceAllString(name, "-"), "-")
	if len(name) > 40 {
		name = strings.Trim(name[:40], "-")
	}
	return cmp.Or(name, "key")
}

// newName returns a name that no other key has: with 50 random bits at its end.
func (p *RotationPlan) newName(at time.Time) string {
	return fmt.Sprintf("%s-r%s-%s", p.Base, at.UTC().Format("20060102"), strings.ToLower(rand.Text()[:10]))
}
