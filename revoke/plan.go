package revoke

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/english"
)

// planVersion is raised when the file's meaning changes.
const planVersion = 1

// DefaultMax is how many keys a plan may hold unless a request says otherwise.
const DefaultMax = 25

// activeWithin is how recent a use makes a key one that something depends on.
const activeWithin = 24 * time.Hour

// ErrTooMany is in the error of a plan that would hold more keys than allowed.
var ErrTooMany = errors.New("too many keys")

// A Plan is what would be revoked, and what would not and why. It holds prefixes
// and no secret half.
type Plan struct {
	Version    int       `json:"b10lint_plan"`
	Made       time.Time `json:"made"`
	Endpoint   string    `json:"endpoint"`
	Credential string    `json:"credential,omitempty"` // prefix of the key that read the inventory
	Person     string    `json:"person,omitempty"`     // whose credential that is
	Items      []Item    `json:"items"`                // the key that the tool itself uses is the last
	Refused    []Left    `json:"refused,omitempty"`    // matched, and kept back by a guard
	// Kept are keys that were found where users are meant to keep them: they are not leaked.
	Kept      []Left   `json:"kept,omitempty"`
	Forged    []Left   `json:"forged,omitempty"` // found with the prefix of a listed key, and not that key
	Unmatched []Left   `json:"unmatched,omitempty"`
	Gaps      []string `json:"gaps,omitempty"` // what could not be read
	// Guards that were lifted when the plan was made.
	IncludeSelf bool `json:"include_self,omitempty"`
	ForceActive bool `json:"force_active,omitempty"`
	// Digest is a SHA-256 over the facts of the items.
	Digest string `json:"digest"`
}

// Left is something asked for that is not in the plan.
type Left struct {
	What   string   `json:"what"` // a prefix, or a name in quotation marks
	Reason string   `json:"reason"`
	Hint   string   `json:"hint,omitempty"`
	Places []string `json:"places,omitempty"`
	// Dead is set for a key that was revoked already: nothing is left to be done.
	Dead bool `json:"dead,omitempty"`
}

// A Request says which keys are to be revoked.
type Request struct {
	Wanted []Wanted
	Names  []string
	// Unused asks for every key that was not used for so long; 0 asks for none.
	Unused      time.Duration
	IncludeSelf bool
	ForceActive bool
	// Children also asks for the keys that a planned one created, and those that they
	// created. Of one that is planned by its public prefix or by its last use it asks for none.
	Children bool
	Max      int // 0 means DefaultMax
	// Kept are found keys that are not leaked, for the plan to name.
	Kept []Left
}

// Wanted is one key asked for by its prefix.
type Wanted struct {
	Prefix string
	// ID distinguishes found keys that share a prefix: a fingerprint. It may be empty.
	ID     string
	Leaked bool // it was found where it must not be
	Places []string
	// Proof says what shows that it is the listed key. A found key without one is kept
	// back: prefixes are public, and anyone can write another secret half behind one.
	Proof Proof
	// Forged is set for a found key that was shown not to be the listed one.
	Forged bool
	// UnusedAt is when the key was seen to be unused, for which it is asked for: one that
	// was used since is kept back.
	UnusedAt *time.Time
}

// A Proof is what shows that a key that was asked for is the one that Baseten lists.
type Proof string

// The proofs, the strongest first.
const (
	ByProbe  Proof = "probe"       // Baseten let the found key in
	ByName   Proof = "named"       // a person named its prefix or its name
	ByUse    Proof = "unused"      // nothing was found: the list says that it is not used
	ByMaker  Proof = "made"        // a key that is planned created it, by the audit log
	ByPrefix Proof = "prefix-only" // only the public prefix was compared, as was asked for
)

// stronger returns the better of two proofs; any is better than none.
func stronger(a, b Proof) Proof {
	for _, p := range []Proof{ByProbe, ByName, ByUse, ByMaker} {
		if a == p || b == p {
			return p
		}
	}
	return cmp.Or(a, b)
}

// Left reports whether something that was asked for is neither planned nor known
// to be revoked.
func (p *Plan) Left() bool {
	return len(p.Refused) > 0 || slices.ContainsFunc(p.Unmatched, func(l Left) bool { return !l.Dead })
}

// draft is a plan being made.
type draft struct {
	s       *Survey
	index   map[string][]*Item
	plan    *Plan
	request Request
	chosen  map[string]*Item
	left    map[string]bool // prefixes that were refused or not matched
}

// NewPlan matches a request with the inventory. What does not match exactly is
// listed and never guessed; what a guard keeps back is listed with the reason. The
// error wraps ErrTooMany when more keys match than the request allows.
func NewPlan(s *Survey, r Request) (*Plan, error) {
	if r.Max == 0 {
		r.Max = DefaultMax
	}
	d := &draft{s: s, index: s.items(), request: r, chosen: map[string]*Item{}, left: map[string]bool{},
		plan: &Plan{Version: planVersion, Made: s.At, Endpoint: s.Endpoint, Credential: s.Self, Person: cmp.Or(s.Me.Email, s.Me.Name), Gaps: s.Gaps, Items: []Item{}, Kept: r.Kept,
			IncludeSelf: r.IncludeSelf, ForceActive: r.ForceActive}}
	d.byPrefix()
	for _, name := range r.Names {
		d.byName(name)
	}
	if r.Unused > 0 {
		d.byUse()
	}
	for _, it := range d.chosen {
		d.take(it)
	}
	if r.Children {
		d.children()
	}
	slices.SortFunc(d.plan.Items, func(a, b Item) int {
		return cmp.Or(rank(a)-rank(b), strings.Compare(a.Prefix, b.Prefix))
	})
	planned := prefixesPlanned(d.plan.Items)
	for i := range d.plan.Items {
		it := &d.plan.Items[i]
		if it.Proof == ByUse {
			continue // nobody is suspected to have held it
		}
		it.Made = slices.DeleteFunc(s.Descendants(it.Prefix), func(p string) bool { return planned[p] })
		it.Did = s.did(it.Prefix)
	}
	for i := range d.plan.Unmatched {
		l := &d.plan.Unmatched[i]
		made := slices.DeleteFunc(s.Descendants(l.What), func(p string) bool { return planned[p] })
		if len(made) > 0 {
			l.Dead = false // something is left to be done
			l.Hint += "; " + revokeMade(made)
		}
	}
	for _, left := range [][]Left{d.plan.Refused, d.plan.Forged, d.plan.Unmatched} {
		slices.SortFunc(left, func(a, b Left) int { return strings.Compare(a.What, b.What) })
	}
	d.plan.Digest = digest(d.plan.Items)
	if n := len(d.plan.Items); n > r.Max {
		return d.plan, fmt.Errorf("%w: the plan would revoke %d, and at most %d are allowed", ErrTooMany, n, r.Max)
	}
	return d.plan, nil
}

// take puts a key into the plan, unless a guard keeps it back.
func (d *draft) take(it *Item) {
	if reason, hint := guard(it, d.s, d.request.IncludeSelf, d.request.ForceActive); reason != "" {
		d.refuse(it.Prefix, reason, hint, it.Places)
		return
	}
	d.plan.Items = append(d.plan.Items, *it)
}

// children takes the keys that the planned ones created. Who the public prefix of a key
// or a long disuse speaks of held nothing that could have made them.
func (d *draft) children() {
	for _, maker := range slices.Clone(d.plan.Items) {
		if maker.Proof != ByProbe && maker.Proof != ByName {
			continue
		}
		for _, prefix := range d.s.Descendants(maker.Prefix) {
			if items := d.index[prefix]; len(items) == 1 && !d.left[prefix] && d.chosen[prefix] == nil {
				it := items[0]
				it.Proof = ByMaker
				addOnce(&it.Why, "created by "+maker.Prefix+", or by a key that it created")
				d.chosen[prefix] = it
				d.take(it)
			}
		}
	}
}

// mostDeeds is how many acts of a key a plan lists, the newest first.
const mostDeeds = 20

// did words what a key did with power.
func (s *Survey) did(prefix string) (list []string) {
	all := s.Deeds(prefix)
	for _, e := range all[:min(len(all), mostDeeds)] {
		with := ""
		if e.ClientName != "" {
			with = ", with " + strings.TrimRight(e.ClientName+" "+e.ClientVersion, " ")
		}
		list = append(list, e.Created.UTC().Format("2006-01-02 15:04 ")+s.Deed(e)+with)
	}
	if more := len(all) - mostDeeds; more > 0 {
		list = append(list, fmt.Sprintf("and %d more: b10lint timeline %s", more, prefix))
	}
	return list
}

func prefixesPlanned(items []Item) map[string]bool {
	planned := map[string]bool{}
	for _, it := range items {
		planned[it.Prefix] = true
	}
	return planned
}

// revokeMade says what to do about keys that a leaked key created.
func revokeMade(made []string) string {
	return fmt.Sprintf("it created %d %s: look at them, and revoke them too: b10lint revoke %s",
		len(made), english.Plural(len(made), "key that lives", "keys that live"), strings.Join(made, " "))
}

// rank puts leaked keys first and the tool's own key last.
func rank(it Item) int {
	switch {
	case it.Self:
		return 2
	case it.Leaked:
		return 0
	}
	return 1
}

func (d *draft) refuse(what, reason, hint string, places []string) {
	d.plan.Refused = append(d.plan.Refused, Left{What: what, Reason: reason, Hint: hint, Places: places})
	d.left[what] = true
}

// byPrefix takes the wanted keys of each prefix together: of several found halves
// those that are proved decide, and forged ones count for nothing.
func (d *draft) byPrefix() {
	groups, order := map[string][]Wanted{}, []string{}
	for _, w := range d.request.Wanted {
		if groups[w.Prefix] == nil {
			order = append(order, w.Prefix)
		}
		groups[w.Prefix] = append(groups[w.Prefix], w)
	}
	for _, prefix := range order {
		items, group := d.index[prefix], groups[prefix]
		if len(items) == 0 {
			d.unmatched(joined(group))
			continue
		}
		var forged []Wanted
		group = slices.DeleteFunc(group, func(w Wanted) bool {
			if w.Forged {
				forged = append(forged, w)
			}
			return w.Forged
		})
		if len(forged) > 0 {
			d.plan.Forged = append(d.plan.Forged, Left{What: prefix, Places: joined(forged).Places,
				Reason: "a found key has the prefix of this listed key and is not it: Baseten does not accept it",
				Hint:   "someone made it up or changed it; it does not disclose the listed key"})
		}
		if slices.ContainsFunc(group, func(w Wanted) bool { return w.Proof == ByProbe || w.Proof == ByName }) {
			group = slices.DeleteFunc(group, func(w Wanted) bool { return w.Proof != ByProbe && w.Proof != ByName })
		}
		w := joined(group)
		ids := map[string]bool{}
		for _, w := range group {
			if w.ID != "" {
				ids[w.ID] = true
			}
		}
		switch {
		case len(group) == 0:
		case len(items) > 1:
			d.refuse(prefix, fmt.Sprintf("the inventory has %d keys with this prefix", len(items)),
				"revoke the right one in Baseten's console", w.Places)
		case w.Proof == "":
			d.refuse(prefix, "not proved to be the listed key: only its public prefix was compared, which anyone can write",
				"look at where it was found, and then name it: b10lint revoke "+prefix+"; or add --by-prefix", w.Places)
		case len(ids) > 1:
			d.refuse(prefix, fmt.Sprintf("%d different found keys share this prefix, and at most one of them is the listed key", len(ids)),
				"look at the places, and name the prefix on the command line of b10lint revoke if the listed key is leaked", w.Places)
		case w.UnusedAt != nil && w.Proof == ByUse && items[0].LastUsedAt != nil && items[0].LastUsedAt.After(*w.UnusedAt):
			d.refuse(prefix, "it was used "+ago(d.s.At, *items[0].LastUsedAt)+", after the audit that called it unused", "audit again", nil)
		default:
			it := items[0]
			d.chosen[it.Prefix] = it
			it.Unused = it.Unused || w.UnusedAt != nil && w.Proof == ByUse
			it.Leaked, it.Proof = it.Leaked || w.Leaked, stronger(it.Proof, w.Proof)
			addOnce(&it.Places, w.Places...)
			why := "named by prefix"
			if w.UnusedAt != nil && w.Proof == ByUse {
				why = "unused, by the audit of " + w.UnusedAt.UTC().Format(time.DateOnly)
			}
			if w.Leaked {
				why = "leaked"
			}
			addOnce(&it.Why, why)
		}
	}
}

// joined is what several asked for under one prefix say together.
func joined(group []Wanted) (all Wanted) {
	all.Forged = len(group) > 0
	for _, w := range group {
		all.Forged = all.Forged && w.Forged
		all.Prefix, all.Leaked, all.Proof = w.Prefix, all.Leaked || w.Leaked, stronger(all.Proof, w.Proof)
		if w.UnusedAt != nil {
			all.UnusedAt = w.UnusedAt
		}
		addOnce(&all.Places, w.Places...)
	}
	return all
}

// addOnce adds the texts that a list does not have yet.
func addOnce(list *[]string, texts ...string) {
	for _, text := range texts {
		if !slices.Contains(*list, text) {
			*list = append(*list, text)
		}
	}
}

func (d *draft) unmatched(w Wanted) {
	l := Left{What: w.Prefix, Places: w.Places,
		Reason: "not in the inventory that this credential sees",
		Hint: "if it is a member's personal key, an organisation admin's personal key sees and revokes it; " +
			"if it is another organisation's, tell them"}
	if h, ok := d.s.History[w.Prefix]; ok && h.Gone {
		l.Dead, l.Reason = true, "revoked already"+h.End()
		l.Hint = "remove it from where it was found"
	} else if w.Forged {
		l.Dead, l.Reason = true, "not in the inventory that this credential sees, and Baseten does not accept it: there is nothing to revoke"
		l.Hint = "remove it from where it was found"
	}
	d.plan.Unmatched = append(d.plan.Unmatched, l)
	d.left[w.Prefix] = true
}

func (d *draft) byName(name string) {
	var found []*Item
	for _, items := range d.index {
		for _, it := range items {
			if it.Name == name && name != "" {
				found = append(found, it)
			}
		}
	}
	what := fmt.Sprintf("%q", name)
	switch {
	case len(found) == 0:
		d.plan.Unmatched = append(d.plan.Unmatched, Left{What: what, Reason: "no key that this credential sees has this name"})
	case len(found) > 1 || len(d.index[found[0].Prefix]) > 1:
		var prefixes []string
		for _, it := range found {
			prefixes = append(prefixes, it.Prefix)
		}
		slices.Sort(prefixes)
		d.refuse(what, fmt.Sprintf("%d keys have this name", len(found)), "name one by its prefix: "+strings.Join(prefixes, ", "), nil)
	case !d.left[found[0].Prefix]:
		d.chosen[found[0].Prefix] = found[0]
		addOnce(&found[0].Why, "named "+what)
		found[0].Proof = stronger(found[0].Proof, ByName)
	}
}

// byUse chooses the keys that were not used for the time asked for, by the latest use
// that any source reports. Where the list says nothing, a key is not called unused: the
// usage of the Model APIs does not count calls of dedicated models. Nor is it where a
// source failed; one that the credential may not read is a gap of the plan.
func (d *draft) byUse() {
	before := d.s.At.Add(-d.request.Unused)
	length := fmt.Sprintf("%d days", int(d.request.Unused.Hours()/24))
	if d.request.Unused < 48*time.Hour {
		length = fmt.Sprintf("%g hours", d.request.Unused.Hours())
	}
	for _, name := range []baseten.Source{baseten.SourceUsage, baseten.SourceActions} {
		if state := d.s.Source(name); state.Err != nil && !state.Denied() {
			d.refuse("--unused", fmt.Sprintf("%s could not be read, so that a use may be missed", gapWords[name]), "run again when Baseten answers", nil)
			return
		}
	}
	for _, k := range d.s.Keys {
		items := d.index[k.Prefix]
		if len(items) != 1 || d.left[k.Prefix] {
			continue
		}
		it := items[0]
		switch {
		case it.NeverUsed && it.CreatedAt != nil && it.CreatedAt.Before(before):
			addOnce(&it.Why, "never used, and older than "+length)
		case (!k.LastUsedAt.IsZero() || k.LastUsedAt.Null()) && it.LastUsedAt != nil && it.LastUsedAt.Before(before):
			addOnce(&it.Why, "unused for "+length)
		case k.LastUsedAt.IsZero() && !k.LastUsedAt.Null():
			d.plan.Unmatched = append(d.plan.Unmatched, Left{What: k.Prefix, Reason: "Baseten does not report when it was last used",
				Hint: "name it by its prefix if you know that it is unused"})
			continue
		default:
			continue
		}
		it.Unused, it.Proof = true, stronger(it.Proof, ByUse)
		d.chosen[it.Prefix] = it
	}
}

// guard says why a matched key is kept back, or warns and returns nothing.
func guard(it *Item, s *Survey, includeSelf, forceActive bool) (reason, hint string) {
	if it.Kind == AccountKey && it.Type == string(baseten.Personal) {
		if reason, hint := guardOwner(it, s); reason != "" {
			return reason, hint
		}
	}
	if it.Self {
		if !includeSelf {
			return "it is the key that b10lint itself uses", "use another credential, or add --include-self: it is then revoked last"
		}
		addOnce(&it.Warnings, "this is the key that b10lint itself uses: nothing can be done with it afterwards")
		return "", ""
	}
	if used := it.LastUsedAt; used != nil && s.At.Sub(*used) < activeWithin {
		if !(it.Leaked && it.Proof == ByProbe) && !forceActive {
			return "it was used " + ago(s.At, *used) + ", and is not proved to be leaked",
				"something depends on it: rotate it with b10lint rotate, or add --force-active"
		}
		addOnce(&it.Warnings, "in use: last used "+ago(s.At, *used))
	}
	return "", ""
}

func guardOwner(it *Item, s *Survey) (reason, hint string) {
	if s.Me.UserID != "" && it.OwnerID == s.Me.UserID {
		return "", ""
	}
	for _, k := range s.Keys {
		if k.Prefix == s.Self && s.Self != "" && k.Type != baseten.Personal {
			return "it is the personal key of " + cmp.Or(it.Owner, "another member"),
				"only an organisation admin's personal key may revoke it"
		}
	}
	addOnce(&it.Warnings, "this is the personal key of "+cmp.Or(it.Owner, "another member")+": tell them")
	return "", ""
}
