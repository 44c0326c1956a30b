package basetentest

import "net/http"

type teamInfo struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Default   bool   `json:"default"`
	CreatedAt stamp  `json:"created_at"`
}

func (t *team) info() teamInfo { return teamInfo{t.id, t.name, t.isDefault, stamp(t.created)} }

func (s *Server) listTeams(c *call) {
	infos := []teamInfo{}
	for _, t := range s.org.teams {
		if name := c.query().Get("name"); name == "" || name == t.name {
			infos = append(infos, t.info())
		}
	}
	c.send(http.StatusOK, map[string]any{"teams": infos})
}

func (s *Server) getTeam(c *call) {
	for _, t := range s.org.teams {
		if t.id == c.r.PathValue("team") {
			c.send(http.StatusOK, t.info())
			return
		}
	}
	c.refuse(http.StatusNotFound, "Team not found.")
}

type userInfo struct {
	UserID        string  `json:"user_id"`
	Email         *string `json:"email"`
	Name          *string `json:"name"`
	WorkspaceName *string `json:"workspace_name"`
}

func (o *Org) userInfo(u *user) userInfo {
	return userInfo{u.id, orNull(u.email), orNull(u.name), orNull(o.Name)}
}

// me tells a personal key's owner. A workspace key acts as a service account,
// which has an id and no email.
func (s *Server) me(c *call) {
	if u := s.org.user(c.key.owner); u != nil {
		c.send(http.StatusOK, s.org.userInfo(u))
		return
	}
	c.send(http.StatusOK, userInfo{UserID: "sa_" + c.key.id, WorkspaceName: orNull(s.org.Name)})
}

// listUsers lists joined members only.
func (s *Server) listUsers(c *call) {
	email := c.query().Get("email")
	list(c, s.org.users, func(u *user) (userInfo, bool) {
		return s.org.userInfo(u), !u.gone && (email == "" || email == u.email)
	})
}

func (s *Server) listModels(c *call) {
	infos := []any{}
	for _, m := range s.org.models {
		if name := c.query().Get("name"); name == "" || name == m.name {
			infos = append(infos, map[string]any{"id": m.id, "created_at": stamp(m.created), "name": m.name, "deployments_count": 0,
				"production_deployment_id": nil, "development_deployment_id": nil, "instance_type_name": "1x4", "team_name": m.team})
		}
	}
	c.send(http.StatusOK, map[string]any{"models": infos})
}

// listServedModels answers the inference API's GET /v1/models, in OpenAI's form.
func (s *Server) listServedModels(c *call) {
	data := []any{}
	for _, name := range []string{"demo-org/demo-large", "demo-org/demo-small"} {
		data = append(data, map[string]any{"id": name, "object": "model", "created": 1760000000, "owned_by": "baseten"})
	}
	c.send(http.StatusOK, map[string]any{"object": "list", "data": data})
}
