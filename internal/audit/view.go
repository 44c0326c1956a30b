package audit

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/keyformat"
)

// busyHours is in how many different hours of a day a person does not work.
const busyHours = 20

// What the time of a key's creation rests on besides the sources: its first known
// use, and its format.
const (
	fromActivity = "activity"
	fromFormat   = "format"
)

// A Leak is a finding of a scan, or of one that was saved earlier.
type Leak struct {
	Finding finding.Finding
	From    string // the report, or the target that was scanned
}

// Earlier is what an earlier report says of the keys' last uses.
type Earlier struct {
	At       time.Time // when that report was made
	LastUsed map[string]time.Time
}

// Sources are what an audit and a timeline read of Baseten.
func Sources() []baseten.Source {
	return []baseten.Source{baseten.SourceKeys, baseten.SourceTeams, baseten.SourceUsers, baseten.SourceEvents,
		baseten.SourceActions, baseten.SourceUsage, baseten.SourceGateway}
}

// A key is one unrevoked key and the evidence on it.
type key struct {
	baseten.Key
	// listed is false for a key that only the audit log knows, where the list could
	// not be read.
	listed  bool
	created created
	used    baseten.LastUse
	// days are the days with a known use, oldest first; models the Model APIs that
	// were called, the most called first.
	days   []finding.Activity
	models []string
	// actions counts what the key did by the audit log, keyActions the creations and
	// deletions of keys among it.
	actions, keyActions int
	// busyDays are the days of the last week with calls in at least busyHours
	// different hours.
	busyDays int
	history  baseten.KeyHistory
	leaks    []Leak
	leakedAt time.Time // the earliest dated place; zero when none is dated
}

// A view is the inventory by key, joined with what scans found.
type view struct {
	inv     *baseten.Inventory
	now     time.Time
	keys    []*key // in the order of the list, then of the gateway
	earlier Earlier

	names     map[string][]*key // by name, for duplicates
	members   map[string]bool   // by user id and by email; nil when not known
	personals map[string]int    // personal keys by owner's email
	robots    map[string]string // programs that acted for a member, by email
	leftover  []Leak            // of keys that are not here
	leaked    map[string]bool   // prefixes of keys that were found in plain sight, here or not
}

// newView joins the inventory with what scans found, and with what an earlier
// report knew. Where the list of keys could not be read, the keys stand in whose
// creation the audit log has and whose deletion it has not.
func newView(inv *baseten.Inventory, leaks []Leak, earlier Earlier) *view {
	v := &view{inv: inv, now: inv.At, earlier: earlier, names: map[string][]*key{},
		personals: map[string]int{}, robots: map[string]string{}, leaked: map[string]bool{}}
	if len(inv.Users) > 0 && inv.Source(baseten.SourceUsers).Err == nil {
		v.members = map[string]bool{}
		for _, u := range inv.Users {
			v.members[u.UserID], v.members[u.Email] = true, true
		}
	}
	index := map[string]*key{}
	add := func(listed bool, keys []baseten.Key) {
		for _, k := range keys {
			if k.Prefix != "" && index[k.Prefix] == nil {
				index[k.Prefix] = &key{Key: k, listed: listed}
				v.keys = append(v.keys, index[k.Prefix])
			}
		}
	}
	add(true, inv.Keys)
	if inv.Source(baseten.SourceKeys).Err != nil { // what the audit log knows, in the order of creation
		var logged []baseten.Key
		for prefix, h := range inv.History {
			if !h.Gone {
				logged = append(logged, baseten.Key{Prefix: prefix, Type: baseten.KeyType(h.Type)})
			}
		}
		slices.SortFunc(logged, func(a, b baseten.Key) int {
			return cmp.Or(inv.History[a.Prefix].Created.Compare(inv.History[b.Prefix].Created.Time), cmp.Compare(a.Prefix, b.Prefix))
		})
		add(false, logged)
	}
	add(true, inv.Gateway)
	v.addActions(index)
	v.addUsage(index)
	v.addLeaks(index, leaks)
	var all []baseten.Key
	for _, k := range v.keys {
		all = append(all, k.Key)
	}
	uses := inv.LastUses(all)
	for _, l := range v.leftover {
		v.leaked[l.Finding.Prefix] = v.leaked[l.Finding.Prefix] || public(finding.Location{}, l)
	}
	for _, k := range v.keys {
		_, found := findLeaked(v, k, Policy{})
		v.leaked[k.Prefix] = found
		k.history = inv.History[k.Prefix]
		k.created = v.whenCreated(k)
		k.used = uses[k.Prefix]
		if name := strings.TrimSpace(k.Name); name != "" {
			v.names[name] = append(v.names[name], k)
		}
		if k.Type == baseten.Personal && k.Owner != nil && k.Owner.Email != "" {
			v.personals[k.Owner.Email]++
		}
	}
	return v
}

// robots are the names of programs that run without a person.
var robots = []string{"github-actions", "gitlab", "jenkins", "circleci", "buildkite", "terraform", "pulumi", "airflow", "argo", "cron"}

// addActions takes in what keys did by the audit log, and which programs acted
// in the name of members.
func (v *view) addActions(index map[string]*key) {
	for _, a := range v.inv.Actions {
		client := strings.ToLower(a.ClientName)
		robot := slices.ContainsFunc(robots, func(name string) bool { return strings.Contains(client, name) })
		if robot && a.Actor.Email != "" {
			v.robots[a.Actor.Email] = a.ClientName
		}
		k := index[a.Actor.APIKeyPrefix]
		if k == nil || a.Created.IsZero() {
			continue
		}
		k.actions++
		if a.EventType == baseten.EventKeyCreated || a.EventType == baseten.EventKeyDeleted {
			k.keyActions++
		}
		k.on(a.Created.Time).Actions++
	}
}

// on returns what is known of the key on the day of a time.
func (k *key) on(t time.Time) *finding.Activity {
	date := day(t)
	i := slices.IndexFunc(k.days, func(a finding.Activity) bool { return a.Date == date })
	if i < 0 {
		i = len(k.days)
		k.days = append(k.days, finding.Activity{Date: date})
	}
	return &k.days[i]
}

// addUsage takes in the calls to Model APIs, by day and by hour.
func (v *view) addUsage(index map[string]*key) {
	calls := func(buckets []baseten.UsageBucket, add func(k *key, at time.Time, u baseten.Usage)) {
		for _, b := range buckets {
			for _, u := range b.Results {
				if k := index[u.APIKeyPrefix]; k != nil && u.RequestCount > 0 && !b.StartTime.IsZero() {
					add(k, b.StartTime.Time, u)
				}
			}
		}
	}
	requests := map[*key]map[string]int64{} // by model
	calls(v.inv.Usage, func(k *key, at time.Time, u baseten.Usage) {
		k.on(at).Requests += u.RequestCount
		if requests[k] == nil {
			requests[k] = map[string]int64{}
		}
		requests[k][u.Model] += u.RequestCount
	})
	type keyDay struct {
		k    *key
		date string
	}
	hours := map[keyDay]int{}
	calls(v.inv.Hours, func(k *key, at time.Time, _ baseten.Usage) { hours[keyDay{k, day(at)}]++ })
	for of, n := range hours {
		if n >= busyHours {
			of.k.busyDays++
		}
	}
	for _, k := range v.keys {
		k.models = slices.SortedFunc(maps.Keys(requests[k]), func(a, b string) int {
			return cmp.Or(cmp.Compare(requests[k][b], requests[k][a]), cmp.Compare(a, b))
		})
		slices.SortFunc(k.days, func(a, b finding.Activity) int { return cmp.Compare(a.Date, b.Date) })
	}
}

// addLeaks joins scan findings by prefix. A finding about how a key is kept on a
// workstation is not a leak.
func (v *view) addLeaks(index map[string]*key, leaks []Leak) {
	for _, l := range leaks {
		if l.Finding.Prefix == "" || !strings.HasPrefix(l.Finding.Rule, "leaked-") {
			continue
		}
		k := index[l.Finding.Prefix]
		if k == nil {
			v.leftover = append(v.leftover, l)
			continue
		}
		k.leaks = append(k.leaks, l)
		for _, at := range l.Finding.Locations {
			if at.Date != nil && public(at, l) && (k.leakedAt.IsZero() || at.Date.Before(k.leakedAt)) {
				k.leakedAt = at.Date.UTC()
			}
		}
	}
}

// created is when a key was created: a moment, or bounds in its place.
type created struct {
	at            time.Time
	before, after time.Time // bounds, where at is zero; each may be zero
	basis         string    // of at or of the bounds; empty when nothing is known
	by            string
}

// whenCreated works out when a key was created: from the list, else the audit
// log, else bounded by the first known use and by the format.
func (v *view) whenCreated(k *key) created {
	c := created{by: k.history.CreatedBy}
	if c.at, c.basis = v.inv.Created(k.Key); c.basis != "" {
		return c
	}
	switch k.Format() {
	case finding.B10:
		c.after, c.basis = keyformat.B10.Since, fromFormat
	case finding.Legacy:
		c.before, c.basis = keyformat.B10.Since, fromFormat
	}
	if len(k.days) > 0 {
		first, err := time.Parse(time.DateOnly, k.days[0].Date)
		if err == nil && (c.before.IsZero() || first.Before(c.before)) {
			c.before, c.basis = first.Add(Day), fromActivity
		}
	}
	return c
}

// least returns how long the key has been there at least; ok is false when
// nothing is known of that.
func (c created) least(now time.Time) (age time.Duration, ok bool) {
	switch {
	case !c.at.IsZero():
		return now.Sub(c.at), true
	case !c.before.IsZero():
		return now.Sub(c.before), true
	}
	return 0, false
}
