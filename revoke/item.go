package revoke

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/b10lint/b10lint/internal/baseten"
)

// The kinds of keys: those of the account's list, and those of a gateway group,
// which are revoked by a route of their own.
const (
	AccountKey = "account"
	GroupKey   = "gateway"
)

// Facts are what the inventory says of a key and what does not change while the
// key lives. A plan is carried out only while they stand.
type Facts struct {
	Kind      string     `json:"kind"` // AccountKey or GroupKey
	Prefix    string     `json:"prefix"`
	Name      string     `json:"name,omitempty"`
	Type      string     `json:"type"` // FEDERATED for a gateway key
	Team      string     `json:"team,omitempty"`
	OwnerID   string     `json:"owner_id,omitempty"`
	Owner     string     `json:"owner,omitempty"`
	ModelIDs  []string   `json:"model_ids,omitempty"` // sorted
	Group     string     `json:"group,omitempty"`
	GroupName string     `json:"group_name,omitempty"`
	CreatedAt *time.Time `json:"created_at,omitempty"`
}

// An Item is one key of a plan.
type Item struct {
	Facts
	// LastUsedAt is when the key was last used; NeverUsed, that Baseten says it
	// never was. With neither, nothing is known.
	LastUsedAt *time.Time `json:"last_used_at,omitempty"`
	NeverUsed  bool       `json:"never_used,omitempty"`
	Can        string     `json:"can"`    // what it may do
	Breaks     string     `json:"breaks"` // what will stop
	Why        []string   `json:"why"`    // how it came into the plan
	Proof      Proof      `json:"proof"`  // what shows that it is the key that was asked for
	Leaked     bool       `json:"leaked,omitempty"`
	Unused     bool       `json:"unused,omitempty"` // planned because it is unused
	Places     []string   `json:"places,omitempty"` // where it leaked
	Self       bool       `json:"self,omitempty"`   // the key that the tool itself uses
	Warnings   []string   `json:"warnings,omitempty"`
	// Made are the keys that this one created, and those created by them, that live and
	// are not in the plan.
	Made []string `json:"made,omitempty"`
	// Did is what it did that outlives it, by the audit log, newest first: keys, secrets,
	// SSH certificates, webhook signing secrets, members and roles, deployments.
	Did []string `json:"did,omitempty"`
}

func factsOf(k baseten.Key) Facts {
	f := Facts{Kind: AccountKey, Prefix: k.Prefix, Name: k.Name, Type: string(k.Type), Team: k.TeamName, Owner: k.OwnerName(),
		ModelIDs: slices.Sorted(slices.Values(k.ModelIDs)), Group: k.Group, GroupName: k.GroupName, CreatedAt: k.CreatedAt.Ptr()}
	if k.Type == baseten.Federated {
		f.Kind = GroupKey
	}
	if k.Owner != nil {
		f.OwnerID = k.Owner.UserID
	}
	return f
}

// items turns the survey into items, by prefix. Two under one prefix are ambiguous.
func (s *Survey) items() map[string][]*Item {
	index := map[string][]*Item{}
	keys := slices.Concat(s.Keys, s.Gateway)
	uses := s.LastUses(keys)
	for _, k := range keys {
		if k.Prefix == "" {
			continue
		}
		used := uses[k.Prefix]
		it := &Item{Facts: factsOf(k), Self: k.Prefix == s.Self, NeverUsed: used.Never}
		if !used.At.IsZero() {
			it.LastUsedAt = &used.Until // the end of the day, where only the day is known
		}
		if d := used.Disagreement(); d != "" {
			it.Warnings = append(it.Warnings, "Baseten contradicts itself: "+d)
		}
		it.Can, it.Breaks = it.can(), it.breaks(s.At)
		if s.History[k.Prefix].InEnvironments() {
			it.Can += ", in some environments only (by the audit log)"
		}
		index[k.Prefix] = append(index[k.Prefix], it)
	}
	return index
}

func (f Facts) models() string {
	if len(f.ModelIDs) == 0 {
		return "every model"
	}
	return "models " + strings.Join(f.ModelIDs, ", ")
}

func (f Facts) can() string {
	switch baseten.KeyType(f.Type) {
	case baseten.Personal:
		return "everything that its owner may do"
	case baseten.WorkspaceManageAll:
		return "manage and call everything" + inTeam(f.Team)
	case baseten.WorkspaceManageAPIKeys:
		return "make and revoke keys, and so by way of a new key manage and call everything"
	case baseten.WorkspaceInvoke:
		return "call " + f.models() + inTeam(f.Team)
	case baseten.WorkspaceExportMetrics:
		return "read the metrics of " + f.models() + inTeam(f.Team)
	case baseten.Routes:
		return "call routes"
	}
	if f.Kind == GroupKey {
		return "call the models of gateway group " + f.GroupName
	}
	return "unknown: this version does not know the type " + f.Type
}

func inTeam(team string) string {
	if team == "" {
		return ""
	}
	return " in team " + team
}

// breaks says what will stop, as far as the type and the last use show.
func (it *Item) breaks(at time.Time) string {
	if it.NeverUsed {
		return "nothing that Baseten knows of: it was never used"
	}
	what := "what authenticates with it"
	switch baseten.KeyType(it.Type) {
	case baseten.Personal:
		what = "the command line, scripts and jobs that use it as " + cmp.Or(it.Owner, "its owner")
	case baseten.WorkspaceManageAll:
		what = "deployments, jobs and model calls that use it"
	case baseten.WorkspaceManageAPIKeys:
		what = "automation that makes or revokes keys with it"
	case baseten.WorkspaceInvoke, baseten.Routes:
		what = "applications that call with it"
	case baseten.WorkspaceExportMetrics:
		what = "metrics collection that reads with it"
	}
	if it.Kind == GroupKey {
		what = "the customer's calls that use it"
	}
	if it.LastUsedAt == nil {
		return what + "; its last use is unknown"
	}
	return what + "; last used " + ago(at, *it.LastUsedAt)
}

// ago words the time between two moments; a moment in the future is "just now".
func ago(at, then time.Time) string {
	d := at.Sub(then)
	switch {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	}
	return fmt.Sprintf("%d days ago, on %s", int(d.Hours()/24), then.UTC().Format(time.DateOnly))
}

// digest is a SHA-256 over the facts of a plan's items, in their order.
func digest(items []Item) string {
	facts := make([]Facts, len(items))
	for i, it := range items {
		facts[i] = it.Facts
	}
	data, err := json.Marshal(facts)
	if err != nil {
		panic("facts are plain values: " + err.Error())
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
