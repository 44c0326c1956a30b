package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
)

// words says when the key was created, with the certainty that there is.
func (c created) words() string {
	switch {
	case !c.at.IsZero():
		return "on " + day(c.at)
	case !c.before.IsZero() && c.basis == fromFormat:
		return "before " + day(c.before) + ", by its format"
	case !c.before.IsZero():
		return "on " + day(c.before) + " or before, when it was first used"
	case !c.after.IsZero():
		return "after " + day(c.after) + ", by its format"
	}
	return "at an unknown time"
}

// usedWords says when a key was last used, with the certainty that there is.
func usedWords(u baseten.LastUse) string {
	switch {
	case u.Never:
		return "never used"
	case u.Exact():
		return "last used on " + day(u.At)
	case u.Basis == baseten.FromUsage:
		return "last known to call a Model API on " + day(u.At) + "; other uses are unknown"
	case u.Basis == baseten.FromLog:
		return "last seen in the audit log on " + day(u.At) + "; other uses are unknown"
	case !u.NoneSince.IsZero():
		return "no evidence of use since " + day(u.NoneSince)
	}
	return "its use is not known"
}

// facts are what a finding says of the key.
func (k *key) facts() *finding.Key {
	f := k.Facts()
	f.CreatedBy = k.created.by
	f.CreatedAt, f.LastUsedAt = moment(k.created.at), moment(k.used.At)
	f.KeyEvidence = finding.KeyEvidence{
		CreatedBasis: k.created.basis, CreatedBefore: moment(k.created.before), CreatedAfter: moment(k.created.after),
		LastUsedBasis: k.used.Basis, NeverUsed: k.used.Never, NoUseSince: moment(k.used.NoneSince),
	}
	return f
}

// title names the key in a message.
func (k *key) title() string {
	if name := strings.TrimSpace(k.Name); name != "" {
		return fmt.Sprintf("%s (%s)", k.Prefix, name)
	}
	return k.Prefix
}

// power orders the types by what they can do. A key that manages keys can make
// one of any workspace type, so it stands with those that manage everything.
func power(kind string) int {
	return slices.Index([]baseten.KeyType{baseten.Federated, baseten.WorkspaceExportMetrics, baseten.Routes, baseten.WorkspaceInvoke,
		baseten.Personal, baseten.WorkspaceManageAPIKeys, baseten.WorkspaceManageAll}, baseten.KeyType(kind))
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// some joins the first most words and counts the rest.
func some(words []string, most int) string {
	if more := len(words) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(words[:most], ", "), more)
	}
	return strings.Join(words, ", ")
}

// days is a length of time in whole days, for a sentence.
func days(d time.Duration) string {
	if n := int(d / Day); n != 1 {
		return fmt.Sprintf("%d days", n)
	}
	return "1 day"
}
