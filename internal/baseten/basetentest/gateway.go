package basetentest

import (
	"encoding/json"
	"io"
	"net/http"
)

func (s *Server) listGroups(c *call) {
	list(c, s.org.groups, func(g *group) (map[string]any, bool) {
		models := []any{map[string]any{"slug": "demo-org/demo-large"}}
		return map[string]any{"id": g.id, "metadata": map[string]any{"name": orNull(g.name), "external_entity_id": g.external},
			"models": models, "effective_models": models, "created_at": stamp(g.created),
			"hierarchy": map[string]any{"limit_enforcement": "INDEPENDENT", "parent_group_id": orNull(g.parent)}}, true
	})
}

type groupKey struct {
	Prefix string  `json:"prefix"`
	Name   *string `json:"name"`
}

// groupKeys returns the unrevoked keys of the group in the path. An unknown
// group has been answered when c.failed is set.
func (s *Server) groupKeys(c *call) []*key {
	id, known := c.r.PathValue("group"), false
	for _, g := range s.org.groups {
		known = known || g.id == id
	}
	if !known {
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
	list(c, s.groupKeys(c), func(k *key) (groupKey, bool) { return groupKey{k.prefix, orNull(k.name)}, true })
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
	c.send(http.StatusOK, map[string]any{"api_key": value, "prefix": k.prefix, "name": orNull(k.name)})
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
		c.send(http.StatusOK, groupKey{k.prefix, orNull(k.name)})
	}
}

func (s *Server) deleteGroupKey(c *call) {
	if k := s.findGroupKey(c); k != nil {
		s.org.revoke(k, s.org.now(), "API", s.org.actor(c.key))
		c.send(http.StatusOK, map[string]any{"prefix": k.prefix})
	}
}
