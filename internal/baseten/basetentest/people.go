package basetentest

import "net/http"

func (t *team) info() object {
	return object{"id": t.id, "name": t.name, "default": t.isDefault, "created_at": stamp(t.created)}
}

func (s *Server) listTeams(c *call) {
	infos := []object{}
	for _, t := range s.org.teams {
		if name := c.query().Get("name"); name == "" || name == t.name {
			infos = append(infos, t.info())
		}
	}
	c.send(http.StatusOK, object{"teams": infos})
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

func (o *Org) userInfo(u *user) object {
	return object{"user_id": u.id, "email": orNull(u.email), "name": orNull(u.name), "workspace_name": orNull(o.Name)}
}

// me tells a personal key's owner. A workspace key acts as a service account,
// which has an id and no email.
func (s *Server) me(c *call) {
	u := s.org.user(c.key.owner)
	if u == nil {
		u = &user{id: "sa_" + c.key.id}
	}
	c.send(http.StatusOK, s.org.userInfo(u))
}

// listUsers lists joined members only.
func (s *Server) listUsers(c *call) {
	limit, skip := c.page(100, 1000)
	if c.failed {
		return
	}
	items, users := []object{}, s.org.users
	for ; skip < len(users) && len(items) < limit; skip++ {
		u := users[skip]
		if email := c.query().Get("email"); !u.gone && (email == "" || email == u.email) {
			items = append(items, s.org.userInfo(u))
		}
	}
	c.sendPage(items, skip, skip < len(users))
}

func (s *Server) listModels(c *call) {
	infos := []object{}
	for _, m := range s.org.models {
		if name := c.query().Get("name"); name == "" || name == m.name {
			infos = append(infos, object{"id": m.id, "created_at": stamp(m.created), "name": m.name, "team_name": m.team,
				"deployments_count": 0, "production_deployment_id": nil, "development_deployment_id": nil,
				"instance_type_name": "1x4"})
		}
	}
	c.send(http.StatusOK, object{"models": infos})
}

// listServedModels answers the inference API's GET /v1/models, in OpenAI's form.
func (s *Server) listServedModels(c *call) {
	data := []any{}
	for _, name := range []string{"demo-org/demo-large", "demo-org/demo-small"} {
		data = append(data, object{"id": name, "object": "model", "created": 1760000000, "owned_by": "baseten"})
	}
	c.send(http.StatusOK, object{"object": "list", "data": data})
}
