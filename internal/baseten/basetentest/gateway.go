package basetentest

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
)

func (s *Server) listGroups(c *call) {
	limit, skip := c.page(100, 1000)
	if c.failed {
		return
	}
	items, groups := []object{}, s.org.groups
	for ; skip < len(groups) && len(items) < limit; skip++ {
		g := groups[skip]
		models := []object{{"slug": "demo-org/demo-large"}}
		items = append(items, object{
			"id": g.id, "created_at": stamp(g.created), "models": models, "effective_models": models,
			"metadata":  object{"name": orNull(g.name), "external_entity_id": g.external},
			"hierarchy": object{"limit_enforcement": "INDEPENDENT", "parent_group_id": orNull(g.parent)},
		})
	}
	c.sendPage(items, skip, skip < len(groups))
}

// groupKeys returns the unrevoked keys of the group in the path. An unknown
// group has been answered when c.failed is set.
func (s *Server) groupKeys(c *call) []*key {
	id := c.r.PathValue("group")
	if !slices.ContainsFunc(s.org.groups, func(g *group) bool { return g.id == id }) {
		c.refuse(http.StatusNotFound, "Group not found.")
		return nil
	}
	var keys []*key
	for _, k := range s.org.keys {
		if k.group == id && !k.revoked {
			keys = append(keys, k)
		}
	}
	return keys
}

func (s *Server) listGroupKeys(c *call) {
	limit, skip := c.page(100, 1000)
	keys := s.groupKeys(c)
	if c.failed {
		return
	}
	items := []object{}
	for ; skip < len(keys) && len(items) < limit; skip++ {
		items = append(items, object{"prefix": keys[skip].prefix, "name": orNull(keys[skip].name)})
	}
	c.sendPage(items, skip, skip < len(keys))
}

func (s *Server) createGroupKey(c *call) {
	s.groupKeys(c)
	if c.failed {
		return
	}
	var in struct {
		Name string `json:"name"`
	}
	body, _ := io.ReadAll(io.LimitReader(c.r.Body, 1<<20))
	if len(body) > 0 && json.Unmarshal(body, &in) != nil {
		c.refuse(http.StatusBadRequest, "The request body is not valid JSON.")
		return
	}
	o := s.org
	k := &key{id: "k_" + o.make.Word(10), name: in.Name, kind: "FEDERATED", group: c.r.PathValue("group"), created: o.now().UTC()}
	value := o.make.Federated()
	o.keep(k, value)
	c.send(http.StatusOK, object{"api_key": value, "prefix": k.prefix, "name": orNull(k.name)})
}

// findGroupKey answers 404 for a key that the group does not have.
func (s *Server) findGroupKey(c *call) *key {
	for _, k := range s.groupKeys(c) {
		if k.prefix == c.r.PathValue("prefix") {
			return k
		}
	}
	c.refuse(http.StatusNotFound, "API key not found.")
	return nil
}

func (s *Server) getGroupKey(c *call) {
	if k := s.findGroupKey(c); k != nil {
		c.send(http.StatusOK, object{"prefix": k.prefix, "name": orNull(k.name)})
	}
}

func (s *Server) deleteGroupKey(c *call) {
	if k := s.findGroupKey(c); k != nil {
		s.org.revoke(k, s.org.now(), "API", s.org.actor(c.key))
		c.send(http.StatusOK, object{"prefix": k.prefix})
	}
}
