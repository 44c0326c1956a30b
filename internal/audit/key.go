package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/keyformat"
)

// Federated is the type that a gateway key goes by; the API has no word for it.
const federated baseten.KeyType = "FEDERATED"

// What a time rests on.
const (
	fromList     = "list"
	fromLog      = "audit-log"
	fromUsage    = "usage"
	fromActivity = "activity"
	fromFormat   = "format"
)

// A Key is one unrevoked key and the evidence on it.
type Key struct {
	baseten.Key
	Group string // of a gateway key
	// Listed is false for a key that only the audit log or its usage tells of,
	// where the list could not be read.
	Listed  bool
	Created Created
	Used    Used
	// Days are the days with a known use, oldest first; Models the Model APIs that
	// were called, the most called first.
	Days   []finding.Activity
	Models []string
	// Actions counts what the key did by the audit log, KeyActions the makings and
	// deletions of keys among it.
	Actions, KeyActions int
	// BusyDays are the days of the last week with calls in at least busyHours
	// different hours.
	BusyDays int
	History  baseten.KeyHistory
	Leaks    []Leak
	LeakedAt time.Time // the earliest dated place; zero when none is dated
}

// Created is when a key was made: a moment, or bounds in its place.
type Created struct {
	At            time.Time
	Before, After time.Time // bounds, where At is zero; each may be zero
	Basis         string    // of At or of the bounds; empty when nothing is known
	By            string
}

// least returns how long the key has been there at least; ok is false when
// nothing is known of that.
func (c Created) least(now time.Time) (age time.Duration, ok bool) {
	switch {
	case !c.At.IsZero():
		return now.Sub(c.At), true
	case !c.Before.IsZero():
		return now.Sub(c.Before), true
	}
	return 0, false
}

// Words says when the key was made, with the certainty that there is.
func (c Created) Words() string {
	switch {
	case !c.At.IsZero():
		return "on " + day(c.At)
	case !c.Before.IsZero() && c.Basis == fromFormat:
		return "before " + day(c.Before) + ", by its format"
	case !c.Before.IsZero():
		return "on " + day(c.Before) + " or before, when it was first used"
	case !c.After.IsZero():
		return "after " + day(c.After) + ", by its format"
	}
	return "at an unknown time"
}

// Used is when a key was last used.
type Used struct {
	At    time.Time
	Basis string // "list", "usage" or "audit-log"
	Never bool   // the list itself says so
	// NoneSince is how far back the partial sources were read without a trace of
	// the key, where the list tells nothing. Zero: nobody could be asked.
	NoneSince time.Time
}

// Exact reports whether At is the last use of any kind. If not, there may have
// been later uses that nobody tells of.
func (u Used) Exact() bool { return u.Basis == fromList }

// Words says when the key was last used, with the certainty that there is.
func (u Used) Words() string {
	switch {
	case u.Never:
		return "never used"
	case u.Exact():
		return "last used on " + day(u.At)
	case u.Basis == fromUsage:
		return "last known to call a Model API on " + day(u.At) + "; other uses are not told"
	case u.Basis == fromLog:
		return "last seen in the audit log on " + day(u.At) + "; other uses are not told"
	case !u.NoneSince.IsZero():
		return "no evidence of use since " + day(u.NoneSince)
	}
	return "its use is not known"
}

// facts are what a finding says of the key.
func (k *Key) facts() *finding.Key {
	f := k.Facts()
	f.Group, f.CreatedBy = k.Group, k.Created.By
	f.CreatedAt, f.LastUsedAt = moment(k.Created.At), moment(k.Used.At)
	f.KeyEvidence = finding.KeyEvidence{
		CreatedBasis: k.Created.Basis, CreatedBefore: moment(k.Created.Before), CreatedAfter: moment(k.Created.After),
		LastUsedBasis: k.Used.Basis, NeverUsed: k.Used.Never, NoUseSince: moment(k.Used.NoneSince),
	}
	return f
}

func (k *Key) format() finding.Format {
	if k.Type == federated {
		return finding.Federated
	}
	if f, ok := keyformat.Of(k.Prefix); ok {
		return finding.Format(f.Name)
	}
	return finding.Legacy
}

// title names the key in a message.
func (k *Key) title() string {
	if name := strings.TrimSpace(k.Name); name != "" {
		return fmt.Sprintf("%s (%s)", k.Prefix, name)
	}
	return k.Prefix
}

// ownerName is whom a personal key belongs to, by the best word there is.
func (k *Key) ownerName() string {
	if k.Owner == nil {
		return ""
	}
	for _, w := range []string{k.Owner.Email, k.Owner.Name, k.Owner.UserID} {
		if strings.TrimSpace(w) != "" {
			return w
		}
	}
	return ""
}

// power orders the types by what they can do. A key that manages keys can make
// one of any workspace type, so it stands with those that manage everything.
func power(kind string) int {
	order := []string{string(federated), string(baseten.WorkspaceExportMetrics), string(baseten.Routes), string(baseten.WorkspaceInvoke),
		string(baseten.Personal), string(baseten.WorkspaceManageAPIKeys), string(baseten.WorkspaceManageAll)}
	return slices.Index(order, kind)
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// days is a length of time in whole days, for a sentence.
func days(d time.Duration) string {
	if n := int(d / Day); n != 1 {
		return fmt.Sprintf("%d days", n)
	}
	return "1 day"
}
