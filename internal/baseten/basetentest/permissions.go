package basetentest

import (
	"sync"
	"time"
)

// inferenceModels names the inference API's list of models among the routes.
const inferenceModels = "inference models"

// accepts reports whether a service takes a key under a scheme. The management
// API takes either scheme and no federated key; the gateway's older page says
// that federated keys sent as Bearer tokens are rejected.
func accepts(service Service, scheme string, k *key) bool {
	federated := k.group != ""
	switch {
	case scheme != "Bearer" && scheme != "Api-Key":
		return false
	case service == Management:
		return !federated
	}
	return !federated || scheme == "Api-Key"
}

// may reports whether a key may call a route. Baseten tells the outline only:
// personal keys and manage-all keys do everything their owner or team may,
// manage-keys keys manage keys, invoke and route keys call models, metrics keys
// read metrics. Where that leaves a question, the stricter reading is taken, so
// that a client must cope with it.
func (o *Org) may(route string, k *key) bool {
	u := o.user(k.owner)
	admin := k.kind == "WORKSPACE_MANAGE_ALL" || (u != nil && u.admin)
	full := k.kind == "WORKSPACE_MANAGE_ALL" || k.kind == "PERSONAL"
	switch route {
	case inferenceModels:
		return k.kind != "WORKSPACE_EXPORT_METRICS" && k.kind != "WORKSPACE_MANAGE_API_KEYS"
	case "GET /v1/users/me", "GET /v1/api_keys", "POST /v1/api_keys", "POST /v1/teams/{team}/api_keys",
		"DELETE /v1/api_keys/{prefix}", "GET /v1/teams", "GET /v1/teams/{team}":
		return full || k.kind == "WORKSPACE_MANAGE_API_KEYS"
	case "GET /v1/audit_logs":
		return admin && (!o.MultiTeam || k.kind == "PERSONAL")
	case "GET /v1/gateway/groups", "GET /v1/gateway/groups/{group}/api_keys", "POST /v1/gateway/groups/{group}/api_keys",
		"GET /v1/gateway/groups/{group}/api_keys/{prefix}", "DELETE /v1/gateway/groups/{group}/api_keys/{prefix}":
		return o.Gateway && admin
	}
	return full
}

// sees reports whether the list of keys shows k to a caller: its own and the
// workspace's keys, and to an admin's personal key everybody's.
func (o *Org) sees(caller, k *key) bool {
	if k.revoked || k.group != "" {
		return false
	}
	if k.kind != "PERSONAL" {
		return true
	}
	u := o.user(caller.owner)
	return caller.owner == k.owner && caller.owner != "" || (u != nil && u.admin)
}

// limiter counts requests in whole seconds.
type limiter struct {
	mu     sync.Mutex
	rate   int
	second int64
	counts map[string]int
}

// take counts a request, and returns the seconds to wait when it is one too many.
func (l *limiter) take(what string, now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rate == 0 {
		return 0
	}
	if now.Unix() != l.second {
		l.second, l.counts = now.Unix(), map[string]int{}
	}
	l.counts[what]++
	if l.counts[what] > l.rate {
		return 1
	}
	return 0
}
