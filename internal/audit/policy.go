package audit

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/config"
)

// Day is 24 hours, the unit of the thresholds.
const Day = 24 * time.Hour

// A Policy is the thresholds, severities and exceptions of an audit.
type Policy struct {
	// UnusedAfter is how long a key may go without use. A longer time than
	// baseten.UsageRetention is only known for keys whose last use is listed.
	UnusedAfter time.Duration
	// NeverUsedAfter is how old a key that was never used may be.
	NeverUsedAfter time.Duration
	OldAfter       time.Duration // how old any key may be
	// A key that was silent for DormantFor and was then used within RecentWithin
	// is reported.
	DormantFor   time.Duration
	RecentWithin time.Duration
	// FewModels is up to how many models a key without a model scope is reported
	// as too wide.
	FewModels int
	// Severity replaces the severities of rules, by ID. Off lists the IDs of rules
	// that are not applied.
	Severity   map[string]finding.Severity
	Off        []string
	Exceptions []config.Exception
}

// DefaultPolicy returns the policy without a configuration.
func DefaultPolicy() Policy {
	return Policy{
		UnusedAfter: 60 * Day, NeverUsedAfter: 7 * Day, OldAfter: 180 * Day, DormantFor: 60 * Day, RecentWithin: 14 * Day, FewModels: 3,
	}
}

// Validate returns what is wrong with the policy, each with its place.
func (p Policy) Validate() error {
	var errs []error
	for _, t := range []struct {
		name  string
		value time.Duration
	}{{"unused", p.UnusedAfter}, {"never-used", p.NeverUsedAfter}, {"old", p.OldAfter}, {"dormant", p.DormantFor}, {"recent", p.RecentWithin}} {
		if t.value < Day {
			errs = append(errs, fmt.Errorf("the threshold %s is %s: at least one day is needed", t.name, t.value))
		}
	}
	if p.FewModels < 0 {
		errs = append(errs, fmt.Errorf("the number of models is %d: it must not be negative", p.FewModels))
	}
	for _, id := range slices.Concat(slices.Collect(maps.Keys(p.Severity)), p.Off) {
		errs = append(errs, known(id))
	}
	for _, e := range p.Exceptions {
		for _, id := range e.Rules {
			if err := known(id); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", title(e), err))
			}
		}
	}
	return errors.Join(errs...)
}

func known(id string) error {
	var ids []string
	for _, r := range Rules() {
		ids = append(ids, r.ID)
	}
	if slices.Contains(ids, id) {
		return nil
	}
	return fmt.Errorf("no audit rule %q: there are %s", id, strings.Join(ids, ", "))
}

func title(e config.Exception) string {
	words := []string{"exception"}
	for _, w := range [][2]string{{"prefix", e.Prefix}, {"name", e.Name}, {"rules", strings.Join(e.Rules, ", ")}} {
		if w[1] != "" {
			words = append(words, w[0]+" "+w[1])
		}
	}
	return strings.Join(words, " ")
}

// expired reports whether the last day of an exception is over.
func expired(e config.Exception, now time.Time) bool {
	return !e.Until.IsZero() && !now.Before(e.Until.UTC().Truncate(Day).Add(Day))
}

// matches reports whether an exception is of a key and a rule. Without rules it is
// from all but key-leaked, which has to be named.
func matches(e config.Exception, k *key, rule string) bool {
	if e.Prefix != "" && e.Prefix != k.Prefix {
		return false
	}
	if e.Name != "" {
		if ok, err := path.Match(e.Name, k.Name); err != nil || !ok {
			return false
		}
	}
	return slices.Contains(e.Rules, rule) || len(e.Rules) == 0 && rule != keyLeaked.rule.ID
}

// exceptionProblems reports exceptions that have expired or that nothing matched, so
// that the list of them shrinks.
func exceptionProblems(exceptions []config.Exception, used []bool, now time.Time) (list []finding.Problem) {
	for i, e := range exceptions {
		p := finding.Problem{Path: e.Where, Warning: true}
		switch {
		case expired(e, now):
			p.Error = title(e) + " expired on " + day(e.Until)
			p.Hint = "its findings are listed again: deal with the key, or give the exception a new date and reason"
		case !used[i]:
			p.Error = title(e) + " matched nothing"
			p.Hint = "the key is gone or no longer at fault: take the exception out"
		default:
			continue
		}
		if e.Owner != "" {
			p.Error += " (owner " + e.Owner + ")"
		}
		list = append(list, p)
	}
	return list
}
