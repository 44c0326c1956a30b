package baseten

import (
	"time"

	"github.com/b10lint/b10lint/finding"
)

// A KeyHistory is what the audit log tells of one prefix.
type KeyHistory struct {
	Type      string // in the audit log's own terms, which are richer than the list's
	Created   Time
	CreatedBy string // an email address, a key, or a word for who it was; empty when not told
	Creator   AuditActor
	Source    string // by what it was made: UI, API, MCP, …
	Gone      bool   // a deletion is told, be it without a readable time
	Deleted   Time
	DeletedBy string
}

// addHistory takes an entry in. Entries come oldest first: the last word stands.
func addHistory(index map[string]KeyHistory, e AuditEntry) {
	if e.Data.Prefix == "" {
		return
	}
	h := index[e.Data.Prefix]
	h.Type = firstOf(e.Data.APIKeyType, h.Type)
	switch e.EventType {
	case EventKeyCreated:
		h.Created, h.CreatedBy, h.Creator, h.Source = e.Created, e.Actor.String(), e.Actor, e.Source
	case EventKeyDeleted:
		h.Gone, h.Deleted, h.DeletedBy = true, e.Created, e.Actor.String()
	}
	index[e.Data.Prefix] = h
}

// end says when and by whom a key was revoked, as far as the log tells.
func (h KeyHistory) end() string {
	s := "revoked"
	if !h.Deleted.IsZero() {
		s += " on " + h.Deleted.Format(time.DateOnly)
	}
	if h.DeletedBy != "" {
		s += " by " + h.DeletedBy
	}
	return s
}

func (h KeyHistory) facts() *finding.Key {
	return &finding.Key{Type: h.Type, CreatedAt: h.Created.Ptr(), CreatedBy: h.CreatedBy, RevokedAt: h.Deleted.Ptr(), RevokedBy: h.DeletedBy}
}
