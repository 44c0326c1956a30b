package basetentest

import (
	"slices"
	"strings"
	"time"
)

// entry is an audit-log entry, as it is sent.
type entry struct {
	ID              string  `json:"id"`
	Created         stamp   `json:"created"`
	EventType       string  `json:"event_type"`
	EventData       any     `json:"event_data"`
	Source          string  `json:"source"`
	Actor           actor   `json:"actor"`
	ClientName      *string `json:"client_name"`
	ClientVersion   *string `json:"client_version"`
	ClientSessionID *string `json:"client_session_id"`
}

type actor struct {
	Type         string  `json:"type"`
	Email        *string `json:"email"`
	APIKeyPrefix *string `json:"api_key_prefix"`
	APIKeyName   *string `json:"api_key_name"`
}

func userActor(email string) actor { return actor{Type: "USER", Email: orNull(email)} }

// actor tells who acts with a key: a personal key acts as its owner.
func (o *Org) actor(k *key) actor {
	if u := o.user(k.owner); u != nil {
		return userActor(u.email)
	}
	return actor{Type: "API_KEY", APIKeyPrefix: &k.prefix, APIKeyName: orNull(k.name)}
}

type keyEvent struct {
	EventType  string `json:"event_type"`
	APIKeyID   string `json:"api_key_id"`
	APIKeyType string `json:"api_key_type"`
	Prefix     string `json:"prefix"`
}

type userRemoved struct {
	EventType        string `json:"event_type"`
	RemovedUserEmail string `json:"removed_user_email"`
}

type modelDeployed struct {
	EventType           string  `json:"event_type"`
	ModelID             string  `json:"model_id"`
	ModelName           string  `json:"model_name"`
	DeploymentID        string  `json:"deployment_id"`
	DeploymentName      string  `json:"deployment_name"`
	ScalePreviousToZero bool    `json:"scale_previous_to_zero"`
	Trusted             bool    `json:"trusted"`
	Publish             bool    `json:"publish"`
	EnvironmentName     *string `json:"environment_name"`
}

// describe gives the event type and group of an event's data, and what a search
// looks at.
func describe(data any) (event, group, text string) {
	switch d := data.(type) {
	case keyEvent:
		return d.EventType, "API_KEYS", d.APIKeyID + " " + d.Prefix
	case userRemoved:
		return d.EventType, "USER_MANAGEMENT", d.RemovedUserEmail
	case modelDeployed:
		return d.EventType, "DEPLOYED", d.ModelID + " " + d.ModelName
	}
	return "", "", ""
}

func (o *Org) log(at time.Time, source string, by actor, data any) {
	event, _, _ := describe(data)
	o.audit = append(o.audit, entry{ID: o.nextID("al"), Created: stamp(at.UTC()), EventType: event, EventData: data,
		Source: source, Actor: by})
	o.sorted = false
}

func (o *Org) logKey(at time.Time, event, source string, by actor, k *key) {
	o.log(at, source, by, keyEvent{event, k.id, auditType(k), k.prefix})
}

// AddDeployment records that somebody deployed a model: by email, or with the
// workspace key of a prefix.
func (o *Org) AddDeployment(at time.Time, email, keyPrefix, source, client string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	by := userActor(email)
	if k := o.names[keyPrefix]; k != nil {
		by = o.actor(k)
	}
	o.log(at, source, by, modelDeployed{EventType: "MODEL_DEPLOYED", ModelID: "m0000001", ModelName: "demo",
		DeploymentID: "d0000001", DeploymentName: "demo-1", Publish: true})
	o.audit[len(o.audit)-1].ClientName = orNull(client)
}

// auditType is the type of a key in the audit log's richer terms.
func auditType(k *key) string {
	all, some := "CREATOR", "CREATOR"
	switch k.kind {
	case "PERSONAL":
		return "PERSONAL"
	case "WORKSPACE_MANAGE_API_KEYS":
		all, some = "MANAGE_API_KEYS", "MANAGE_API_KEYS"
	case "WORKSPACE_INVOKE":
		all, some = "INVOKE_ALL_MODELS", "INVOKE_ALLOWED_MODELS"
		if k.envScoped {
			all, some = "INVOKE_SCOPED_ENVS_AND_MODELS", "INVOKE_SCOPED_ENVS_AND_MODELS"
		}
	case "WORKSPACE_EXPORT_METRICS":
		all, some = "EXPORT_METRICS_ALL_MODELS", "EXPORT_METRICS_ALLOWED_MODELS"
	case "ROUTES":
		all, some = "INVOKE_ALL_SHARED_ENDPOINTS", "INVOKE_ALLOWED_SHARED_ENDPOINTS"
	}
	if len(k.models) > 0 {
		all = some
	}
	return all + "_SERVICE_ACCOUNT"
}

// listAudit answers GET /v1/audit_logs.
func (s *Server) listAudit(c *call) {
	q := c.query()
	limit, skip := c.page(20, 200)
	descending := q.Get("direction") != "ASC"
	from, until := c.millis("start_epoch_millis"), c.millis("end_epoch_millis")
	if c.failed {
		return
	}
	o := s.org
	if !o.sorted {
		slices.SortStableFunc(o.audit, func(a, b entry) int { return time.Time(a.Created).Compare(time.Time(b.Created)) })
		o.sorted = true
	}
	items, n := []entry{}, len(o.audit)
	for ; skip < n && len(items) < limit; skip++ {
		e := o.audit[skip]
		if descending {
			e = o.audit[n-1-skip]
		}
		_, group, text := describe(e.EventData)
		at := time.Time(e.Created)
		if has(q["event_type_groups"], group) && has(q["sources"], e.Source) && strings.Contains(text, q.Get("search")) &&
			(from.IsZero() || !at.Before(from)) && (until.IsZero() || at.Before(until)) {
			items = append(items, e)
		}
	}
	c.sendPage(items, skip, skip < n)
}

// has reports whether a repeated parameter is absent or names v.
func has(values []string, v string) bool { return len(values) == 0 || slices.Contains(values, v) }

// stamp prints a time as the API does: UTC, microseconds at most.
type stamp time.Time

func (s stamp) MarshalJSON() ([]byte, error) {
	return []byte(time.Time(s).UTC().Truncate(time.Microsecond).Format(`"2006-01-02T15:04:05.999999Z"`)), nil
}
