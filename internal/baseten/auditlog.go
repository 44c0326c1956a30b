package baseten

import (
	"context"
	"encoding/json"
	"iter"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Event types and groups that this program looks at. There are many more.
const (
	EventKeyCreated  = "API_KEY_CREATED"
	EventKeyDeleted  = "API_KEY_DELETED"
	EventUserRemoved = "USER_REMOVED"

	GroupAPIKeys        = "API_KEYS"
	GroupUserManagement = "USER_MANAGEMENT"
)

// An AuditEntry is one administrative event. Inference calls and reads are not
// in the audit log.
type AuditEntry struct {
	Created   Time       `json:"created"`
	EventType string     `json:"event_type"`
	Data      AuditData  `json:"event_data"`
	Source    string     `json:"source"` // UI, API, MCP, SYSTEM or OTHER
	Actor     AuditActor `json:"actor"`
	// ClientName and ClientVersion are of the program that acted, if known.
	ClientName    string `json:"client_name"`
	ClientVersion string `json:"client_version"`
}

// AuditData holds the details of the events that this program looks at.
type AuditData struct {
	// Of API_KEY_CREATED and API_KEY_DELETED. The type is from a richer set than
	// that of the list; it is the only trace of a scope by environment.
	APIKeyType string `json:"api_key_type"`
	Prefix     string `json:"prefix"`
	// Of USER_REMOVED.
	RemovedUserEmail string `json:"removed_user_email"`
	// About names what any event is about, by the fields that hold names: "deployment
	// demo-1, model demo".
	About string `json:"-"`
}

// UnmarshalJSON reads the details. Those of other events, in which the same
// names may stand for something else, never fail the whole page.
func (d *AuditData) UnmarshalJSON(data []byte) error {
	type plain AuditData
	var p plain
	if json.Unmarshal(data, &p) == nil {
		*d = AuditData(p)
	}
	var fields map[string]any
	_ = json.Unmarshal(data, &fields)
	var names []string
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		of, named := strings.CutSuffix(field, "_name")
		if !named {
			of, named = strings.CutSuffix(field, "_email")
		}
		if !named && slices.Contains([]string{"workload_id", "webhook_signing_secret_id", "directory_group_id"}, field) {
			of, named = strings.CutSuffix(field, "_id") // what has no name
		}
		if value, ok := fields[field].(string); named && ok && value != "" {
			names = append(names, strings.ReplaceAll(of, "_", " ")+" "+clean(value))
		}
	}
	d.About = strings.Join(names, ", ")
	return nil
}

// A Power is a kind of act that outlives the key that did it: whoever held the key may
// keep access by it, or has taken something away.
type Power string

// The powers, and what has to be looked at after each.
const (
	PowerKeys        Power = "keys"
	PowerSecrets     Power = "secrets"
	PowerSSH         Power = "SSH certificates"
	PowerWebhooks    Power = "webhook signing secrets"
	PowerPeople      Power = "members and roles"
	PowerGateway     Power = "gateway endpoints"
	PowerDeployments Power = "deployments"
)

// Power returns the kind of an act with power, and "" for others, such as a change of
// autoscaling. The event types are those of the management API's document.
func (e AuditEntry) Power() Power {
	kind := e.EventType
	starts := func(with string) bool { return strings.HasPrefix(kind, with) }
	switch {
	case starts("API_KEY_"):
		return PowerKeys
	case starts("SECRET_"):
		return PowerSecrets
	case starts("SSH_"):
		return PowerSSH
	case starts("WEBHOOK_SIGNING_SECRET_"):
		return PowerWebhooks
	case starts("USER_"), starts("DIRECTORY_GROUP_"), starts("REQUIRE_GROUP_"):
		return PowerPeople
	case starts("GATEWAY_"):
		return PowerGateway
	case strings.HasSuffix(kind, "_DEPLOYED"), strings.HasSuffix(kind, "_PROMOTED"), strings.HasSuffix(kind, "_DELETED"),
		strings.Contains(kind, "ENVIRONMENT_"), kind == "MODEL_PROMOTION_CONTROL_ACTION":
		return PowerDeployments
	}
	return ""
}

// Deed words what an entry says was done: the event, what it was about, by its name, and
// of a created key whether it lives.
func (inv *Inventory) Deed(e AuditEntry) string {
	what := strings.ToLower(strings.ReplaceAll(e.EventType, "_", " "))
	if e.Data.Prefix != "" {
		what += " " + e.Data.Prefix
		switch {
		case e.EventType != EventKeyCreated:
		case inv.History[e.Data.Prefix].Gone:
			what += ", which is revoked"
		default:
			what += ", which LIVES"
		}
	}
	if e.Data.About != "" {
		what += " (" + e.Data.About + ")"
	}
	return what
}

// Deeds returns what a key did with power, newest first, as far as the audit log's
// actions were read. What a personal key did stands under its owner, and is not here.
func (inv *Inventory) Deeds(prefix string) (list []AuditEntry) {
	for _, e := range inv.Actions {
		if e.Actor.APIKeyPrefix == prefix && e.Power() != "" {
			list = append(list, e)
		}
	}
	return list
}

// An AuditActor is who acted.
type AuditActor struct {
	Type         string `json:"type"`  // USER, API_KEY, BASETEN_USER, BASETEN_SYSTEM, TOMBSTONE_USER
	Email        string `json:"email"` // of a user
	APIKeyPrefix string `json:"api_key_prefix"`
	APIKeyName   string `json:"api_key_name"`
}

// String names the actor: an email address, a key by name and prefix, or the type.
func (a AuditActor) String() string {
	switch {
	case a.Email != "":
		return a.Email
	case a.APIKeyName != "" && a.APIKeyPrefix != "":
		return "key " + a.APIKeyName + " (" + a.APIKeyPrefix + ")"
	case a.APIKeyPrefix != "":
		return "key " + a.APIKeyPrefix
	case a.Type == "TOMBSTONE_USER":
		return "a user who was removed"
	case a.Type == "BASETEN_USER" || a.Type == "BASETEN_SYSTEM":
		return "Baseten"
	}
	return ""
}

// An AuditQuery narrows the audit log. The zero AuditQuery is all of it, newest first.
type AuditQuery struct {
	Groups      []string // event type groups
	Sources     []string
	Start       time.Time
	OldestFirst bool
}

// AuditLog iterates over the audit log. In an organisation with several teams
// only its admins may read it; others get an *Error with status 403.
func (c *Client) AuditLog(ctx context.Context, q AuditQuery) iter.Seq2[AuditEntry, error] {
	query := url.Values{"limit": {"200"}}
	for _, g := range q.Groups {
		query.Add("event_type_groups", g)
	}
	for _, s := range q.Sources {
		query.Add("sources", s)
	}
	if q.OldestFirst {
		query.Set("direction", "ASC")
	}
	if !q.Start.IsZero() {
		query.Set("start_epoch_millis", strconv.FormatInt(q.Start.UnixMilli(), 10))
	}
	return pages[AuditEntry](ctx, c, "/v1/audit_logs", query)
}
