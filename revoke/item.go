package revoke

import (
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
	Leaked     bool       `json:"leaked,omitempty"`
	Unused     bool       `json:"unused,omitempty"` // planned because it is unused
	Places     []string   `json:"places,omitempty"` // where it leaked
	Self       bool       `json:"self,omitempty"`   // the key that the tool itself uses
	Warnings   []string   `json:"warnings,omitempty"`
}

func accountFacts(k baseten.Key) Facts {
	f := Facts{Kind: AccountKey, Prefix: k.Prefix, Name: k.Name, Type: string(k.Type), Team: k.TeamName,
		ModelIDs: slices.Sorted(slices.Values(k.ModelIDs)), CreatedAt: k.CreatedAt.Ptr()}
	if k.Owner != nil {
		f.OwnerID, f.Owner = k.Owner.UserID, k.Facts().Owner
	}
	return f
}

// inventory turns the survey into items, by prefix. Two under one prefix are
// ambiguous.
func (s *Survey) inventory() map[string][]*Item {
	index := map[string][]*Item{}
	for _, k := range s.Keys {
		it := &Item{Facts: accountFacts(k), LastUsedAt: k.LastUsedAt.Ptr(), NeverUsed: k.LastUsedAt.Null()}
		if used, ok := s.Used[k.Prefix]; ok && it.LastUsedAt == nil && !it.NeverUsed {
			it.LastUsedAt = &used
		}
		it.Self = k.Prefix == s.Self && s.Self != ""
		index[k.Prefix] = append(index[k.Prefix], it)
	}
	for _, k := range s.Gateway {
		it := &Item{Facts: Facts{Kind: GroupKey, Prefix: k.Prefix, Name: k.Name, Type: "FEDERATED", Group: k.Group, GroupName: k.GroupName}}
		index[k.Prefix] = append(index[k.Prefix], it)
	}
	delete(index, "")
	for _, items := range index {
		for _, it := range items {
			it.Can, it.Breaks = it.can(), it.breaks(s.At)
		}
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

// breaks says what will stop, as far as the type and the last use tell.
func (it *Item) breaks(at time.Time) string {
	if it.NeverUsed {
		return "nothing that Baseten knows of: it was never used"
	}
	what := "what authenticates with it"
	switch baseten.KeyType(it.Type) {
	case baseten.Personal:
		what = "the command line, scripts and jobs that use it as " + orElse(it.Owner, "its owner")
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
		return what + "; when it was last used is not told"
	}
	return what + "; last used " + ago(at, *it.LastUsedAt)
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
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
