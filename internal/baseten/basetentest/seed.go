package basetentest

import (
	"fmt"
	"time"

	"github.com/b10lint/b10lint/secret"
)

// A Seed says how large an organisation Grow makes.
type Seed struct {
	Users     int
	Keys      int // all types, both formats
	Audit     int // entries in all; at least one for each key's making
	UsageDays int // days of Model API usage, back from now
	// Disagree leaves the list's last uses as they were before usage and acts were made up:
	// it then contradicts the usage of the Model APIs and the audit log.
	Disagree bool
}

// Grow fills the organisation and returns the new keys. Ages spread over two
// years before the Org's clock, a tenth of the keys were never used, another tenth not for
// half of their life, and every twentieth has been revoked by the audit log's telling; those
// are not returned.
func (o *Org) Grow(s Seed) []secret.Secret {
	owners := make([]string, s.Users)
	for i := range owners {
		owners[i] = o.AddUser(fmt.Sprintf("dev%04d@example.com", i), fmt.Sprintf("Dev %d", i), i == 0)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now().UTC()
	types := []string{"PERSONAL", "WORKSPACE_MANAGE_ALL", "WORKSPACE_INVOKE", "WORKSPACE_EXPORT_METRICS", "WORKSPACE_MANAGE_API_KEYS", "WORKSPACE_INVOKE"}
	var live []*key
	for i := range s.Keys {
		spec := KeySpec{Name: fmt.Sprintf("key-%05d", i), Type: types[i%len(types)], CreatedBy: "dev0000@example.com",
			Created: now.Add(-time.Duration(i%730)*24*time.Hour - time.Duration(i%1440)*time.Minute)}
		if spec.Type == "PERSONAL" {
			if len(owners) == 0 {
				spec.Type = "WORKSPACE_INVOKE"
			} else {
				spec.Owner = owners[i%len(owners)]
			}
		}
		if used := spec.Created.Add(now.Sub(spec.Created) / 2); i%10 != 0 {
			spec.LastUsed = &used
		}
		k := o.addKey(spec)
		k.idle = i%10 == 0 || i%10 == 5
		if i%20 == 19 {
			o.revoke(k, spec.Created.Add(now.Sub(spec.Created)/3), "UI", userActor("dev0000@example.com"))
			continue
		}
		live = append(live, k)
	}
	listed := make([]*time.Time, len(live))
	for i, k := range live {
		listed[i] = k.lastUsed
	}
	o.seedAudit(s.Audit, live, now)
	o.seedUsage(s.UsageDays, live, now)
	if s.Disagree {
		for i, k := range live {
			k.lastUsed = listed[i]
		}
	}
	values := make([]secret.Secret, len(live))
	for i, k := range live {
		values[i] = k.value
	}
	return values
}

// seedAudit adds deployments until there are n entries.
func (o *Org) seedAudit(n int, live []*key, now time.Time) {
	for i := 0; len(o.audit) < n; i++ {
		by, source := userActor(fmt.Sprintf("dev%04d@example.com", i%7)), "UI"
		at := now.Add(-time.Duration(i) * 7 * time.Minute)
		if len(live) > 0 && i%3 == 0 {
			source = "API"
			if k := live[i%len(live)]; !k.idle && at.After(k.created) {
				by = o.actor(k)
				if by.APIKeyPrefix != nil {
					k.usedAt(at)
				}
			}
		}
		o.log(at, source, by, modelDeployed{EventType: "MODEL_DEPLOYED", ModelID: "m0000001",
			ModelName: "demo", DeploymentID: fmt.Sprintf("d%07d", i), DeploymentName: "demo", Publish: true})
	}
}

// seedUsage lets every seventh key call a model each day, unless it is idle or not made yet.
func (o *Org) seedUsage(days int, live []*key, now time.Time) {
	for d := range days {
		at := now.Add(-time.Duration(d)*24*time.Hour - time.Hour)
		for i := d % 7; i < len(live); i += 7 {
			if k := live[i]; !k.idle && at.After(k.created) {
				o.usage = append(o.usage, use{at, k.prefix, "demo-org/demo-large", int64(1 + i%50)})
				k.usedAt(at)
			}
		}
	}
}
