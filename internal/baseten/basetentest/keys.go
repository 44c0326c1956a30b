package basetentest

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"time"
)

// keyInfo is an entry of the list of keys, as it is sent.
type keyInfo struct {
	Prefix     string          `json:"prefix"`
	Name       *string         `json:"name"`
	Type       string          `json:"type"`
	ModelIDs   []string        `json:"model_ids"`
	TeamName   *string         `json:"team_name"`
	Owner      *ownerInfo      `json:"owner"`
	CreatedAt  *stamp          `json:"created_at,omitempty"`
	LastUsedAt json.RawMessage `json:"last_used_at,omitempty"`
}

type ownerInfo struct {
	UserID string  `json:"user_id"`
	Email  *string `json:"email"`
	Name   *string `json:"name"`
}

func (s *Server) listKeys(c *call) {
	o, q := s.org, c.query()
	infos := []keyInfo{}
	for _, k := range o.keys {
		if !o.sees(c.key, k) || q.Get("type") != "" && q.Get("type") != k.kind {
			continue
		}
		infos = append(infos, o.info(k))
	}
	c.send(http.StatusOK, map[string]any{"keys": infos})
}

func (o *Org) info(k *key) keyInfo {
	i := keyInfo{Prefix: k.prefix, Name: orNull(k.name), Type: k.kind, ModelIDs: k.models, TeamName: orNull(k.team)}
	if k.kind == "PERSONAL" {
		i.Owner = &ownerInfo{UserID: k.owner}
		if u := o.user(k.owner); u != nil {
			i.Owner.Email, i.Owner.Name = orNull(u.email), orNull(u.name)
		}
	}
	if !o.OldAPI {
		i.CreatedAt = (*stamp)(&k.created)
		i.LastUsedAt = json.RawMessage("null")
		if k.lastUsed != nil {
			i.LastUsedAt, _ = stamp(*k.lastUsed).MarshalJSON()
		}
	}
	return i
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
	teamName, ok := s.teamFor(c, in)
	if !ok {
		return
	}
	if problem, status := s.org.checkCreate(c.key, in, teamName); problem != "" {
		c.refuse(status, problem)
		return
	}
	o := s.org
	k := &key{id: "k_" + o.make.Word(10), kind: in.Type, models: in.ModelIDs, created: o.now().UTC()}
	if in.Name != nil {
		k.name = *in.Name
	}
	if in.Type == "PERSONAL" {
		k.owner = c.key.owner
	} else {
		k.team = teamName
	}
	value := o.make.B10()
	o.keep(k, value)
	o.logKey(k.created, "API_KEY_CREATED", "API", o.actor(c.key), k)
	c.send(http.StatusOK, map[string]any{"api_key": value})
}

// teamFor finds the team that a key is made in, from the path or the body.
func (s *Server) teamFor(c *call, in createRequest) (string, bool) {
	id := c.r.PathValue("team")
	if id == "" && in.TeamID != nil {
		id = *in.TeamID
	}
	if id == "" {
		return "default", true
	}
	for _, t := range s.org.teams {
		if t.id == id {
			return t.name, true
		}
	}
	c.refuse(http.StatusNotFound, "Team not found.")
	return "", false
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
	if o.taken(by, in, teamName) {
		return "An API key with this name already exists.", http.StatusBadRequest
	}
	return "", 0
}

// taken reports whether the name of a new key is in use in its scope.
func (o *Org) taken(by *key, in createRequest, teamName string) bool {
	for _, k := range o.keys {
		if k.revoked || k.group != "" || k.name != *in.Name {
			continue
		}
		switch {
		case in.Type == "PERSONAL":
			if k.kind == "PERSONAL" && k.owner == by.owner {
				return true
			}
		case in.Type == "WORKSPACE_MANAGE_API_KEYS":
			if k.kind == in.Type {
				return true
			}
		case k.kind != "PERSONAL" && k.kind != "WORKSPACE_MANAGE_API_KEYS" && k.team == teamName:
			return true
		}
	}
	return false
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
	c.send(http.StatusOK, map[string]any{"prefix": k.prefix})
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
