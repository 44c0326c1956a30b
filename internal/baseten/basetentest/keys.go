package basetentest

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"time"
)

func (s *Server) listKeys(c *call) {
	o, q := s.org, c.query()
	infos := []object{}
	for _, k := range o.keys {
		if !o.sees(c.key, k) || q.Get("type") != "" && q.Get("type") != k.kind {
			continue
		}
		info := object{"prefix": k.prefix, "name": orNull(k.name), "type": k.kind, "model_ids": k.models,
			"team_name": orNull(k.team), "owner": nil}
		if k.kind == "PERSONAL" {
			owner := object{"user_id": k.owner, "email": nil, "name": nil}
			if u := o.user(k.owner); u != nil {
				owner["email"], owner["name"] = orNull(u.email), orNull(u.name)
			}
			info["owner"] = owner
		}
		if !o.OldAPI {
			info["created_at"], info["last_used_at"] = stamp(k.created), (*stamp)(k.lastUsed)
		}
		infos = append(infos, info)
	}
	c.send(http.StatusOK, object{"keys": infos})
}

// keyName is what the console and the newer command line tool allow.
var keyName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

type createRequest struct {
	Type     string   `json:"type"`
	Name     *string  `json:"name"`
	ModelIDs []string `json:"model_ids"`
	TeamID   *string  `json:"team_id"`
}

// createKey follows the Terraform provider's page on who may make which key and
// on names: they are unique among unrevoked keys of a team, of the organisation
// for manage-keys keys, and of the owner for personal ones.
func (s *Server) createKey(c *call) {
	var in createRequest
	body, _ := io.ReadAll(io.LimitReader(c.r.Body, 1<<20))
	if json.Unmarshal(body, &in) != nil {
		c.refuse(http.StatusBadRequest, "The request body is not valid JSON.")
		return
	}
	teamName := "default"
	if id := cmp.Or(c.r.PathValue("team"), deref(in.TeamID)); id != "" {
		i := slices.IndexFunc(s.org.teams, func(t *team) bool { return t.id == id })
		if i < 0 {
			c.refuse(http.StatusNotFound, "Team not found.")
			return
		}
		teamName = s.org.teams[i].name
	}
	if problem, status := s.org.checkCreate(c.key, in, teamName); problem != "" {
		c.refuse(status, problem)
		return
	}
	o := s.org
	k := &key{id: "k_" + o.make.Word(10), name: deref(in.Name), kind: in.Type, models: in.ModelIDs, created: o.now().UTC()}
	if in.Type == "PERSONAL" {
		k.owner = c.key.owner
	} else {
		k.team = teamName
	}
	value := o.make.B10()
	o.keep(k, value)
	o.logKey(k.created, "API_KEY_CREATED", "API", o.actor(c.key), k)
	c.send(http.StatusOK, object{"api_key": value})
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (o *Org) checkCreate(by *key, in createRequest, teamName string) (problem string, status int) {
	owner := o.user(by.owner)
	switch in.Type {
	case "PERSONAL":
		if owner == nil {
			return "Only a personal API key can create a personal API key.", http.StatusForbidden
		}
	case "WORKSPACE_MANAGE_API_KEYS":
		if owner == nil || !owner.admin {
			return "Only an organization admin can create this type of key.", http.StatusForbidden
		}
	case "WORKSPACE_MANAGE_ALL", "WORKSPACE_INVOKE", "WORKSPACE_EXPORT_METRICS", "ROUTES":
		if owner != nil && !owner.admin {
			return "Only an admin can create workspace API keys.", http.StatusForbidden
		}
	default:
		return "type is not a valid API key category.", http.StatusBadRequest
	}
	if len(in.ModelIDs) > 0 && in.Type != "WORKSPACE_INVOKE" && in.Type != "WORKSPACE_EXPORT_METRICS" {
		return "model_ids is not valid for this type of key.", http.StatusBadRequest
	}
	for _, id := range in.ModelIDs {
		if !slices.ContainsFunc(o.models, func(m model) bool { return m.id == id }) {
			return "Model not found.", http.StatusBadRequest
		}
	}
	if in.Name == nil {
		return "", 0
	}
	if !keyName.MatchString(*in.Name) {
		return "name may hold lowercase letters, digits and hyphens.", http.StatusBadRequest
	}
	taken := func(k *key) bool {
		switch {
		case k.revoked || k.group != "" || k.name != *in.Name:
			return false
		case in.Type == "PERSONAL":
			return k.kind == "PERSONAL" && k.owner == by.owner
		case in.Type == "WORKSPACE_MANAGE_API_KEYS":
			return k.kind == in.Type
		}
		return k.kind != "PERSONAL" && k.kind != "WORKSPACE_MANAGE_API_KEYS" && k.team == teamName
	}
	if slices.ContainsFunc(o.keys, taken) {
		return "An API key with this name already exists.", http.StatusBadRequest
	}
	return "", 0
}

// deleteKey lets a caller revoke what it sees. What it does not see is not there.
func (s *Server) deleteKey(c *call) {
	o := s.org
	k := o.names[c.r.PathValue("prefix")]
	if k == nil || !o.sees(c.key, k) {
		c.refuse(http.StatusNotFound, "API key not found.")
		return
	}
	o.revoke(k, o.now(), "API", o.actor(c.key))
	c.send(http.StatusOK, object{"prefix": k.prefix})
}

// Touch sets when a key was last used.
func (o *Org) Touch(prefix string, at time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if k := o.names[prefix]; k != nil {
		at = at.UTC()
		k.lastUsed = &at
	}
}
