package finding

import "time"

// KeyEvidence says where the times of a Key come from and how sure they are.
type KeyEvidence struct {
	// CreatedBasis is what CreatedAt, or the bounds in its place, rest on:
	// "list", "audit-log", "activity" or "format".
	CreatedBasis string `json:"created_basis,omitempty"`
	// CreatedBefore and CreatedAfter bound the making of a key without CreatedAt.
	CreatedBefore *time.Time `json:"created_before,omitempty"`
	CreatedAfter  *time.Time `json:"created_after,omitempty"`
	// LastUsedBasis is "list", "usage" or "audit-log". All but the list know a
	// part of the uses only: the key may have been used later.
	LastUsedBasis string `json:"last_used_basis,omitempty"`
	// NeverUsed is set where the list itself says so. NoUseSince is how far back
	// the partial sources were read without a trace; it says less.
	NeverUsed  bool       `json:"never_used,omitempty"`
	NoUseSince *time.Time `json:"no_use_since,omitempty"`
}

// An InventoryKey is one unrevoked key of an organisation, as an audit saw it.
type InventoryKey struct {
	Prefix string `json:"prefix"`
	Key
	// Activity holds the days with a known use, oldest first.
	Activity []Activity `json:"activity,omitempty"`
	// LeakedAt is the earliest date of a place where a scan saw the key.
	LeakedAt *time.Time `json:"leaked_at,omitempty"`
}

// Activity is what is known of one key on one day.
type Activity struct {
	Date     string `json:"date"`               // YYYY-MM-DD, UTC
	Requests int64  `json:"requests,omitempty"` // to Model APIs
	Actions  int    `json:"actions,omitempty"`  // in the audit log
}

// A Source is something that an audit asked.
type Source struct {
	Name string `json:"name"`
	// State is "read", "denied", "failed" or "not-used" (of a service that the
	// organisation does not have, as far as is known).
	State  string     `json:"state"`
	Since  *time.Time `json:"since,omitempty"` // how far back it was read
	Detail string     `json:"detail,omitempty"`
}

// A Timeline is the story of one key, for an incident.
type Timeline struct {
	Prefix string    `json:"prefix"`
	At     time.Time `json:"at"` // when it was reported
	Key    *Key      `json:"key,omitempty"`
	State  LiveState `json:"state"`
	// Leaked is the earliest known exposure.
	Leaked *time.Time `json:"leaked,omitempty"`
	Events []Event    `json:"events"` // oldest first
	Usage  []DailyUse `json:"usage"`  // oldest first
	// Unknown lists what could not be determined, a sentence each.
	Unknown []string `json:"unknown"`
}

// An Event is one thing that happened to a key, or that was done with it.
type Event struct {
	At   time.Time `json:"at"`
	Kind string    `json:"kind"` // "created", "committed", "removed", "action", "sign", "first-use", "last-use", "revoked"
	Text string    `json:"text"`
	By   string    `json:"by,omitempty"`
	// From is the source: "list", "audit-log", "usage" or a scan report.
	From string `json:"from"`
	// Power names what an action was done to that outlives the key: "keys", "secrets",
	// "SSH certificates", "webhook signing secrets", "members and roles", "gateway endpoints"
	// or "deployments".
	Power string `json:"power,omitempty"`
	// DayOnly marks a time of which only the day is known.
	DayOnly bool `json:"day_only,omitempty"`
}

// DailyUse is what one key used of one model on one day.
type DailyUse struct {
	Date         string `json:"date"` // YYYY-MM-DD, UTC
	Model        string `json:"model"`
	Requests     int64  `json:"requests"`
	InputTokens  int64  `json:"input_tokens"`
	OutputTokens int64  `json:"output_tokens"`
	AfterLeak    bool   `json:"after_leak"`
}
