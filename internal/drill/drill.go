// Package drill stands in for Baseten while people practise an incident: it answers the
// management API's calls, and the inference API's list of models, from a file, in the
// process itself. Nothing is sent anywhere, and no key that it did not make up is let in.
//
// It is not internal/baseten/basetentest, which tests share with other people's clients: that
// one listens on sockets, keeps every byte that comes in, keys included, and misbehaves on
// demand. In the binary it would take 1 MB and nobody would practise with it.
package drill

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/b10lint/b10lint/internal/atomicfile"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/internal/regular"
	"github.com/b10lint/b10lint/secret"
)

// URL is where the stand-in claims to be: a name that no computer can have (RFC 2606).
const URL = "https://drill.invalid"

// maxFile bounds an organisation that is read: some 300 bytes a key.
const maxFile = 64 << 20

// version is raised when the file's meaning changes.
const version = 1

// An organisation is what the file holds. No secret half is in it: made-up keys come from
// the seed, and those that are made during the drill are known by their digests.
type organisation struct {
	Version int    `json:"b10lint_drill"`
	Seed    uint64 `json:"seed"`
	Name    string `json:"name"`
	// Undated is set for an API that gives no last uses: zero times are then absent.
	Undated bool                  `json:"undated,omitempty"`
	Keys    []baseten.Key         `json:"keys"`
	Teams   []baseten.Team        `json:"teams"`
	Users   []baseten.User        `json:"users"`
	Log     []event               `json:"log"` // oldest first
	Usage   []baseten.UsageBucket `json:"usage"`
	Made    map[string]string     `json:"made,omitempty"` // prefixes by digest
}

// An event is an entry of the audit log, as the API gives it.
type event struct {
	Created    time.Time          `json:"created"`
	EventType  string             `json:"event_type"`
	Data       map[string]string  `json:"event_data"`
	Source     string             `json:"source"`
	Actor      baseten.AuditActor `json:"actor"`
	ClientName string             `json:"client_name,omitempty"`
}

// A Baseten answers like Baseten's APIs, for one made-up credential. It is an
// http.RoundTripper and safe for use by several goroutines.
type Baseten struct {
	// Admin is the credential, and Leaked the key that the drill is about. Both are made up.
	Admin, Leaked secret.Secret
	// Name says whose keys these are.
	Name string

	mu   sync.Mutex
	path string
	org  organisation
	in   map[string]string // prefixes by digest, of the keys that are let in
}

// New makes a stand-in with the keys of an inventory, and writes it to path. A nil inventory
// is a sample organisation. name says whose they are. To the keys are added a credential, a
// key that leaked, the key that its thief made with it, and what else was done with it.
func New(path, name string, inv *baseten.Inventory, now time.Time) (*Baseten, error) {
	var seed [8]byte
	_, _ = rand.Read(seed[:]) // documented never to fail
	b := &Baseten{path: path, org: organisation{Version: version, Name: name, Seed: binary.LittleEndian.Uint64(seed[:])}}
	if inv == nil {
		inv = sample(now)
	}
	b.org.take(inv)
	b.keys()
	b.org.plant(b.Admin.Prefix(), b.Leaked.Prefix(), b.child().Prefix(), now)
	return b, b.save()
}

// Open reads a stand-in as New, or an earlier run, left it.
func Open(path string) (*Baseten, error) {
	data, err := regular.ReadFile(path, maxFile)
	if err != nil {
		return nil, err
	}
	b := &Baseten{path: path}
	if err := json.Unmarshal(data, &b.org); err != nil || b.org.Version != version {
		return nil, fmt.Errorf("%s is not the organisation of a drill that this version knows", path)
	}
	b.keys()
	return b, nil
}

// keys makes the keys that the seed stands for.
func (b *Baseten) keys() {
	made := fakekey.New(b.org.Seed)
	b.Name, b.Admin, b.Leaked = b.org.Name, secret.New(made.B10()), secret.New(made.B10())
	b.in = map[string]string{b.Admin.Digest(): b.Admin.Prefix(), b.Leaked.Digest(): b.Leaked.Prefix()}
	if b.org.Made == nil {
		b.org.Made = map[string]string{}
	}
	for digest, prefix := range b.org.Made {
		b.in[digest] = prefix
	}
}

// child is the key that the leaked one created. Nobody has it.
func (b *Baseten) child() secret.Secret { return secret.New(fakekey.New(b.org.Seed ^ 1).B10()) }

func (b *Baseten) save() error {
	data, err := json.Marshal(b.org)
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(b.path, data, atomicfile.Mode{Perm: 0o600, Force: true})
}

// take takes over what an inventory knows: keys, teams, members, and by the audit log who
// created and deleted keys.
func (o *organisation) take(inv *baseten.Inventory) {
	o.Keys, o.Teams, o.Users = slices.Clone(inv.Keys), inv.Teams, slices.Clone(inv.Users)
	for _, k := range inv.Keys {
		o.Undated = o.Undated || k.LastUsedAt.IsZero() && !k.LastUsedAt.Null()
	}
	if len(o.Teams) == 0 {
		o.Teams = []baseten.Team{{ID: "team0000", Name: "default", Default: true}}
	}
	for prefix, h := range inv.History {
		data := map[string]string{"prefix": prefix, "api_key_type": h.Type}
		if !h.Created.IsZero() {
			o.Log = append(o.Log, event{h.Created.Time, baseten.EventKeyCreated, data, h.Source, h.Creator, ""})
		}
		if h.Gone {
			o.Log = append(o.Log, event{h.Deleted.Time, baseten.EventKeyDeleted, data, "UI", baseten.AuditActor{Type: "USER", Email: h.DeletedBy}, ""})
		}
	}
	o.Usage = inv.Usage
}

// plant adds what the drill is about.
func (o *organisation) plant(admin, leaked, child string, now time.Time) {
	const day = 24 * time.Hour
	ago := func(d time.Duration) baseten.Time { return baseten.Time{Time: now.Add(-d).UTC().Truncate(time.Second)} }
	you := baseten.User{UserID: "u_drill", Email: "you@drill.invalid", Name: "You"}
	team := o.Teams[0].Name
	o.Users = append(o.Users, you)
	o.Keys = append(o.Keys,
		baseten.Key{Prefix: admin, Name: "drill-admin", Type: baseten.Personal, Owner: &baseten.Owner{UserID: you.UserID, Email: you.Email, Name: you.Name},
			CreatedAt: ago(30 * day), LastUsedAt: ago(0)},
		baseten.Key{Prefix: leaked, Name: "drill-deploy", Type: baseten.WorkspaceManageAll, TeamName: team, CreatedAt: ago(50 * day), LastUsedAt: ago(2 * time.Hour)},
		baseten.Key{Prefix: child, Name: "drill-backup", Type: baseten.WorkspaceManageAPIKeys, CreatedAt: ago(day), LastUsedAt: ago(30 * time.Hour)})
	by := baseten.AuditActor{Type: "API_KEY", APIKeyPrefix: leaked, APIKeyName: "drill-deploy"}
	me := baseten.AuditActor{Type: "USER", Email: you.Email}
	log := func(d time.Duration, kind, source, client string, actor baseten.AuditActor, data map[string]string) {
		o.Log = append(o.Log, event{ago(d).Time, kind, data, source, actor, client})
	}
	log(50*day, baseten.EventKeyCreated, "UI", "", me, map[string]string{"prefix": leaked, "api_key_type": "CREATOR_SERVICE_ACCOUNT"})
	log(30*day, baseten.EventKeyCreated, "UI", "", me, map[string]string{"prefix": admin, "api_key_type": "PERSONAL"})
	log(20*day, "MODEL_DEPLOYED", "API", "truss", by, map[string]string{"model_name": "drill-model", "deployment_name": "drill-1"})
	log(26*time.Hour, "SECRET_UPDATED", "API", "curl", by, map[string]string{"secret_name": "drill_hf_token"})
	log(day, baseten.EventKeyCreated, "API", "curl", by, map[string]string{"prefix": child, "api_key_type": "MANAGE_API_KEYS_SERVICE_ACCOUNT"})
	log(23*time.Hour, "USER_INVITED", "API", "curl", by, map[string]string{"invited_user_email": "stranger@drill.invalid", "role_name": "Admin"})
	log(22*time.Hour, "SSH_CERTIFICATE_SIGNED", "API", "curl", by, map[string]string{"workload_type": "TRAINING_JOB", "workload_id": "drill-job"})
	slices.SortStableFunc(o.Log, func(a, b event) int { return a.Created.Compare(b.Created) })
	for d := 40; d >= 0; d-- {
		start := now.UTC().Truncate(day).Add(-time.Duration(d) * day)
		u := baseten.Usage{APIKeyPrefix: leaked, Model: "drill/small", RequestCount: int64(30 + d%7), InputTokens: int64(20_000 + 900*d), OutputTokens: int64(4_000 + 100*d)}
		if d <= 1 { // the thief
			u.Model, u.RequestCount, u.InputTokens, u.OutputTokens = "drill/large", 2_400, 9_000_000, 3_100_000
		}
		o.Usage = append(o.Usage, baseten.UsageBucket{StartTime: baseten.Time{Time: start}, EndTime: baseten.Time{Time: start.Add(day)}, Results: []baseten.Usage{u}})
	}
}

// sample is a small organisation, for those without a credential.
func sample(now time.Time) *baseten.Inventory {
	inv := &baseten.Inventory{Teams: []baseten.Team{{ID: "team0000", Name: "default", Default: true}, {ID: "team0001", Name: "research"}}}
	made := fakekey.New(10)
	kinds := []baseten.KeyType{baseten.Personal, baseten.WorkspaceInvoke, baseten.WorkspaceManageAll, baseten.WorkspaceExportMetrics}
	for i := range 12 {
		email := fmt.Sprintf("dev%d@drill.invalid", i%4)
		if i < 4 {
			inv.Users = append(inv.Users, baseten.User{UserID: fmt.Sprintf("u_%d", i), Email: email, Name: fmt.Sprintf("Dev %d", i)})
		}
		at := func(days int) baseten.Time {
			return baseten.Time{Time: now.AddDate(0, 0, -days).UTC().Truncate(time.Second)}
		}
		k := baseten.Key{Prefix: secret.New(made.B10()).Prefix(), Name: fmt.Sprintf("sample-%d", i), Type: kinds[i%4],
			TeamName: inv.Teams[i%2].Name, CreatedAt: at(20 + i), LastUsedAt: at(i + 1)}
		if k.Type == baseten.Personal {
			k.TeamName, k.Owner = "", &baseten.Owner{UserID: inv.Users[i%4].UserID, Email: email, Name: inv.Users[i%4].Name}
		}
		inv.Keys = append(inv.Keys, k)
	}
	return inv
}
