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

// An Inventory is every key with the evidence on it.
type Inventory struct {
	Now      time.Time
	Keys     []*Key // in the order of the list, then of the gateway
	Evidence *baseten.Evidence
	Earlier  Earlier

	names     map[string][]*Key // by name, for duplicates
	members   map[string]bool   // by user id; nil when not known
	personals map[string]int    // personal keys by owner's email
	robots    map[string]string // programs that acted for a member, by email
	leftover  []Leak            // of keys that are not here
}

// NewInventory joins the evidence with what scans found, and with what an earlier
// report knew. Where the list of keys could not be read, the keys that the audit
// log tells the making and not the end of stand in.
func NewInventory(e *baseten.Evidence, leaks []Leak, earlier Earlier) *Inventory {
	inv := &Inventory{Now: e.At, Evidence: e, Earlier: earlier, names: map[string][]*Key{}, personals: map[string]int{}, robots: map[string]string{}}
	if len(e.Users) > 0 && e.Source(baseten.SourceUsers).Err == nil {
		inv.members = map[string]bool{}
		for _, u := range e.Users {
			inv.members[u.UserID] = true
		}
	}
	index := map[string]*Key{}
	add := func(k *Key) {
		if k.Prefix != "" && index[k.Prefix] == nil {
			index[k.Prefix] = k
			inv.Keys = append(inv.Keys, k)
		}
	}
	for _, k := range e.Keys {
		add(&Key{Key: k, Listed: true})
	}
	if e.Source(baseten.SourceKeys).Err != nil {
		for _, k := range unlisted(e) {
			add(k)
		}
	}
	for _, g := range e.GatewayKeys {
		add(&Key{Key: baseten.Key{Prefix: g.Prefix, Name: g.Name, Type: federated}, Group: g.Group, Listed: true})
	}
	inv.addActions(index)
	inv.addUsage(index)
	inv.addLeaks(index, leaks)
	for _, k := range inv.Keys {
		k.History = e.History[k.Prefix]
		k.Created = inv.created(k)
		k.Used = inv.used(k)
		if name := strings.TrimSpace(k.Name); name != "" {
			inv.names[name] = append(inv.names[name], k)
		}
		if k.Type == baseten.Personal && k.Owner != nil && k.Owner.Email != "" {
			inv.personals[k.Owner.Email]++
		}
	}
	return inv
}

// unlisted makes keys of what the audit log tells, in the order of their making.
func unlisted(e *baseten.Evidence) []*Key {
	var keys []*Key
	for prefix, h := range e.History {
		if !h.Gone {
			keys = append(keys, &Key{Key: baseten.Key{Prefix: prefix, Type: baseten.KeyType(h.Type)}})
		}
	}
	slices.SortFunc(keys, func(a, b *Key) int {
		return cmp.Or(e.History[a.Prefix].Created.Compare(e.History[b.Prefix].Created.Time), cmp.Compare(a.Prefix, b.Prefix))
	})
	return keys
}

// addActions takes in what keys did by the audit log, and which programs acted
// in the name of members.
func (inv *Inventory) addActions(index map[string]*Key) {
	counts := map[string]map[string]int{} // prefix, day
	for _, a := range inv.Evidence.Actions {
		if robot := robotName(a.ClientName); robot != "" && a.Actor.Email != "" {
			inv.robots[a.Actor.Email] = robot
		}
		k := index[a.Actor.APIKeyPrefix]
		if k == nil || a.Created.IsZero() {
			continue
		}
		k.Actions++
		if a.EventType == baseten.EventKeyCreated || a.EventType == baseten.EventKeyDeleted {
			k.KeyActions++
		}
		if a.Created.After(k.Used.At) {
			k.Used = Used{At: a.Created.Time, Basis: fromLog}
		}
		if counts[k.Prefix] == nil {
			counts[k.Prefix] = map[string]int{}
		}
		counts[k.Prefix][day(a.Created.Time)]++
	}
	for prefix, perDay := range counts {
		for _, date := range slices.Sorted(maps.Keys(perDay)) {
			index[prefix].Days = append(index[prefix].Days, finding.Activity{Date: date, Actions: perDay[date]})
		}
	}
}

// addUsage takes in the calls to Model APIs.
func (inv *Inventory) addUsage(index map[string]*Key) {
	models := map[string]map[string]int64{} // prefix, model: requests
	for _, b := range inv.Evidence.Usage {
		if b.StartTime.IsZero() {
			continue
		}
		for _, u := range b.Results {
			k := index[u.APIKeyPrefix]
			if k == nil || u.RequestCount <= 0 {
				continue
			}
			k.addRequests(b, u.RequestCount)
			if models[k.Prefix] == nil {
				models[k.Prefix] = map[string]int64{}
			}
			models[k.Prefix][u.Model] += u.RequestCount
		}
	}
	for prefix, requests := range models {
		index[prefix].Models = slices.SortedFunc(maps.Keys(requests), func(a, b string) int {
			return cmp.Or(cmp.Compare(requests[b], requests[a]), cmp.Compare(a, b))
		})
	}
	for _, k := range inv.Keys {
		slices.SortFunc(k.Days, func(a, b finding.Activity) int { return cmp.Compare(a.Date, b.Date) })
	}
	inv.addHours(index)
}

// addRequests adds a day's requests; the days of one key come in order.
func (k *Key) addRequests(b baseten.UsageBucket, requests int64) {
	date := day(b.StartTime.Time)
	i := slices.IndexFunc(k.Days, func(a finding.Activity) bool { return a.Date == date })
	if i < 0 {
		k.Days = append(k.Days, finding.Activity{Date: date})
		i = len(k.Days) - 1
	}
	k.Days[i].Requests += requests
	if b.StartTime.After(k.Used.At) {
		k.Used = Used{At: b.StartTime.Time, Basis: fromUsage}
	}
}

func (inv *Inventory) addHours(index map[string]*Key) {
	hours := map[string]map[string]int{} // prefix, day: hours
	for _, b := range inv.Evidence.Hours {
		for _, u := range b.Results {
			if index[u.APIKeyPrefix] == nil || u.RequestCount <= 0 || b.StartTime.IsZero() {
				continue
			}
			if hours[u.APIKeyPrefix] == nil {
				hours[u.APIKeyPrefix] = map[string]int{}
			}
			hours[u.APIKeyPrefix][day(b.StartTime.Time)]++
		}
	}
	for prefix, perDay := range hours {
		for _, n := range perDay {
			if n >= busyHours {
				index[prefix].BusyDays++
			}
		}
	}
}

// addLeaks joins scan findings by prefix. A finding about how a key is kept on a
// workstation is no leak.
func (inv *Inventory) addLeaks(index map[string]*Key, leaks []Leak) {
	for _, l := range leaks {
		if l.Finding.Prefix == "" || !strings.HasPrefix(l.Finding.Rule, "leaked-") {
			continue
		}
		k := index[l.Finding.Prefix]
		if k == nil {
			inv.leftover = append(inv.leftover, l)
			continue
		}
		k.Leaks = append(k.Leaks, l)
		for _, at := range l.Finding.Locations {
			if at.Date != nil && public(at, l) && (k.LeakedAt.IsZero() || at.Date.Before(k.LeakedAt)) {
				k.LeakedAt = at.Date.UTC()
			}
		}
	}
}

// created works out when a key was made: from the list, else the audit log, else
// bounded by the first known use and by the format.
func (inv *Inventory) created(k *Key) Created {
	c := Created{By: k.History.CreatedBy}
	switch {
	case !k.CreatedAt.IsZero():
		c.At, c.Basis = k.CreatedAt.Time, fromList
		return c
	case !k.History.Created.IsZero():
		c.At, c.Basis = k.History.Created.Time, fromLog
		return c
	case k.format() == finding.B10:
		c.After, c.Basis = keyformat.B10.Since, fromFormat
	case k.format() == finding.Legacy:
		c.Before, c.Basis = keyformat.B10.Since, fromFormat
	}
	if len(k.Days) > 0 {
		first, err := time.Parse(time.DateOnly, k.Days[0].Date)
		if err == nil && (c.Before.IsZero() || first.Before(c.Before)) {
			c.Before, c.Basis = first.Add(Day), fromActivity
		}
	}
	return c
}

// used settles the last use: what the list says outweighs the rest, unless the
// rest tells of a later use.
func (inv *Inventory) used(k *Key) Used {
	u := k.Used // by usage and actions
	switch listed := k.LastUsedAt; {
	case !listed.IsZero() && !u.At.After(listed.Time):
		return Used{At: listed.Time, Basis: fromList}
	case !u.At.IsZero():
		return u
	case listed.Null() && k.Listed:
		return Used{Never: true}
	}
	usage, actions := inv.Evidence.Source(baseten.SourceUsage), inv.Evidence.Source(baseten.SourceActions)
	if k.Type == federated {
		return Used{} // no source tells of their use
	}
	var since time.Time
	for _, s := range []baseten.SourceState{usage, actions} {
		if s.Err == nil && s.Since.After(since) {
			since = s.Since
		}
	}
	if made := k.Created.At; made.After(since) && !since.IsZero() {
		since = made
	}
	return Used{NoneSince: since}
}

// entry is what a report holds of a key.
func (inv *Inventory) entry(k *Key) finding.InventoryKey {
	return finding.InventoryKey{Prefix: k.Prefix, Key: *k.facts(), Activity: k.Days, LeakedAt: moment(k.LeakedAt)}
}

// robotName returns the program's name if it is one that runs without a person.
func robotName(client string) string {
	low := strings.ToLower(client)
	for _, w := range []string{"github-actions", "gitlab", "jenkins", "circleci", "buildkite", "terraform", "pulumi", "airflow", "argo", "cron"} {
		if strings.Contains(low, w) {
			return client
		}
	}
	return ""
}
