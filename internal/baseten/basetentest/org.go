package basetentest

import (
	"cmp"
	"fmt"
	"sync"
	"time"

	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/internal/keyformat"
	"github.com/b10lint/b10lint/secret"
)

// An Org is an organisation: members, teams, keys, models, a gateway, and what
// happened in it. Set its exported fields before a Server starts; the methods
// may be called at any time.
type Org struct {
	Name string
	// Gateway is whether the organisation uses the Frontier Gateway. Without it
	// the gateway's routes answer 403.
	Gateway bool
	// OldAPI leaves created_at and last_used_at out of the list of keys, as the
	// API did until September 2026.
	OldAPI bool
	// PublicInference lets the inference API's list of models answer anybody.
	PublicInference bool
	// MultiTeam lets only an admin's key read the audit log.
	MultiTeam bool

	mu      sync.Mutex
	now     func() time.Time
	make    *fakekey.Maker
	users   []*user
	teams   []*team
	keys    []*key
	digests map[string]*key // by the digest of the whole key
	names   map[string]*key // unrevoked, by prefix
	models  []model
	groups  []*group
	audit   []entry
	sorted  bool
	usage   []use
	serial  int
}

type user struct {
	id, email, name string
	admin, gone     bool
}

type team struct {
	id, name  string
	isDefault bool
	created   time.Time
}

type key struct {
	id, prefix, name, kind, team, owner string
	models                              []string
	envScoped                           bool
	created                             time.Time
	lastUsed                            *time.Time
	revoked                             bool
	idle                                bool // no use of it is made up
	value                               secret.Secret
	group                               string // of a gateway key
}

type model struct {
	id, name, team string
	created        time.Time
}

type group struct {
	id, name, external, parent string
	created                    time.Time
}

type use struct {
	at            time.Time
	prefix, model string
	requests      int64
}

// NewOrg returns an organisation with a default team and nobody in it. The seed
// decides all made-up values; a nil now means the system's clock.
func NewOrg(name string, seed uint64, now func() time.Time) *Org {
	if now == nil {
		now = time.Now
	}
	o := &Org{Name: name, now: now, make: fakekey.New(seed), digests: map[string]*key{}, names: map[string]*key{}}
	o.teams = []*team{{id: o.make.Word(7), name: "default", isDefault: true, created: now().AddDate(-1, 0, 0)}}
	return o
}

// AddUser adds a member and returns the user's id.
func (o *Org) AddUser(email, name string, admin bool) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	u := &user{id: "u_" + o.make.Word(10), email: email, name: name, admin: admin}
	o.users = append(o.users, u)
	return u.id
}

// RemoveUser removes a member. The member's personal keys stay, which is what
// an orphaned key is.
func (o *Org) RemoveUser(email string, at time.Time, by string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, u := range o.users {
		if u.email == email {
			u.gone = true
		}
	}
	o.log(at, "UI", userActor(by), userRemoved{"USER_REMOVED", email})
}

// AddTeam adds a team and returns its id.
func (o *Org) AddTeam(name string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	t := &team{id: o.make.Word(7), name: name, created: o.now().AddDate(0, -6, 0)}
	o.teams = append(o.teams, t)
	return t.id
}

// AddModel adds a model and returns its id.
func (o *Org) AddModel(name string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	m := model{id: o.make.Word(8), name: name, team: "default", created: o.now().AddDate(0, -3, 0)}
	o.models = append(o.models, m)
	return m.id
}

// A KeySpec describes a key to be added.
type KeySpec struct {
	Name string // empty: unnamed
	Type string // PERSONAL, WORKSPACE_MANAGE_ALL, …; empty means WORKSPACE_MANAGE_ALL
	Team string // name; empty means default, for workspace keys
	// Owner is the user id of a personal key's owner.
	Owner    string
	ModelIDs []string
	// EnvScoped marks a key that only works in some environments, which only the
	// audit log tells.
	EnvScoped bool
	// Created decides the format too. The zero time means now.
	Created  time.Time
	LastUsed *time.Time
	// CreatedBy is the email of who made it; empty leaves the event out of the log.
	CreatedBy string
	// CreatedByKey is the prefix of the workspace key that made it, in the place of a member.
	CreatedByKey string
	Source       string // of the event; empty means UI
}

// AddKey adds a key and returns it.
func (o *Org) AddKey(s KeySpec) secret.Secret {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.addKey(s).value
}

func (o *Org) addKey(s KeySpec) *key {
	if s.Created.IsZero() {
		s.Created = o.now()
	}
	if s.Type == "" {
		s.Type = "WORKSPACE_MANAGE_ALL"
	}
	if s.Team == "" && s.Type != "PERSONAL" {
		s.Team = "default"
	}
	k := &key{id: "k_" + o.make.Word(10), name: s.Name, kind: s.Type, team: s.Team, owner: s.Owner, models: s.ModelIDs,
		envScoped: s.EnvScoped, created: s.Created.UTC(), lastUsed: s.LastUsed}
	value := o.make.B10()
	if s.Created.Before(keyformat.B10.Since) {
		value = o.make.Legacy()
	}
	o.keep(k, value)
	if maker := o.names[s.CreatedByKey]; maker != nil {
		o.logKey(s.Created, "API_KEY_CREATED", cmp.Or(s.Source, "API"), o.actor(maker), k)
	} else if s.CreatedBy != "" {
		o.logKey(s.Created, "API_KEY_CREATED", cmp.Or(s.Source, "UI"), userActor(s.CreatedBy), k)
	}
	return k
}

// keep takes a key's value into the indexes.
func (o *Org) keep(k *key, value string) {
	k.value = secret.New(value)
	if k.prefix == "" {
		k.prefix = k.value.Prefix()
	}
	o.keys = append(o.keys, k)
	o.digests[k.value.Digest()] = k
	o.names[k.prefix] = k
}

// DeleteKey revokes a key as a member would in the console.
func (o *Org) DeleteKey(prefix, by string, at time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	k, ok := o.names[prefix]
	if !ok {
		return fmt.Errorf("no unrevoked key %s", prefix)
	}
	o.revoke(k, at, "UI", userActor(by))
	return nil
}

func (o *Org) revoke(k *key, at time.Time, source string, by actor) {
	k.revoked = true
	delete(o.names, k.prefix)
	if k.group == "" {
		o.logKey(at, "API_KEY_DELETED", source, by, k)
	}
}

// Exists reports whether an unrevoked key has the prefix.
func (o *Org) Exists(prefix string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.names[prefix] != nil
}

// Live counts the unrevoked keys, those of the gateway left out.
func (o *Org) Live() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for _, k := range o.keys {
		if !k.revoked && k.group == "" {
			n++
		}
	}
	return n
}

// AddGroup adds a gateway group and returns its id.
func (o *Org) AddGroup(name, parent string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.Gateway = true
	g := &group{id: o.make.Word(7), name: name, external: "cust_" + o.make.Word(6), parent: parent, created: o.now().UTC()}
	o.groups = append(o.groups, g)
	return g.id
}

// AddGatewayKey adds a federated key to a group and returns it.
func (o *Org) AddGatewayKey(groupID, name string) secret.Secret {
	o.mu.Lock()
	defer o.mu.Unlock()
	k := &key{id: "k_" + o.make.Word(10), name: name, kind: "FEDERATED", group: groupID, created: o.now().UTC()}
	o.keep(k, o.make.Federated())
	return k.value
}

// RegisterGatewayKey adds a key of the customer's own making to a group. Its
// prefix is its first 16 characters.
func (o *Org) RegisterGatewayKey(groupID, name string, value secret.Secret) {
	o.mu.Lock()
	defer o.mu.Unlock()
	text := value.Reveal()
	k := &key{id: "k_" + o.make.Word(10), name: name, kind: "FEDERATED", group: groupID, created: o.now().UTC(), prefix: text[:16]}
	o.keep(k, text)
}

// AddUsage records requests to a Model API.
func (o *Org) AddUsage(prefix, model string, at time.Time, requests int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.usage = append(o.usage, use{at.UTC(), prefix, model, requests})
	if k := o.names[prefix]; k != nil {
		k.usedAt(at)
	}
}

// usedAt makes the list agree with a use that another source reports.
func (k *key) usedAt(at time.Time) {
	if at = at.UTC(); k.lastUsed == nil || k.lastUsed.Before(at) {
		k.lastUsed = &at
	}
}

// Untouch makes the list say that a key was never used, whatever else says so.
func (o *Org) Untouch(prefix string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if k := o.names[prefix]; k != nil {
		k.lastUsed = nil
	}
}

func (o *Org) user(id string) *user {
	for _, u := range o.users {
		if u.id == id {
			return u
		}
	}
	return nil
}

// nextID gives ids that sort by age.
func (o *Org) nextID(kind string) string {
	o.serial++
	return fmt.Sprintf("%s_%08d", kind, o.serial)
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
