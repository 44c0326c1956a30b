package basetentest

import (
	"encoding/json"
	"io"
	"net/http"
)

type groupInfo struct {
	ID              string         `json:"id"`
	Metadata        groupMetadata  `json:"metadata"`
	Models          []any          `json:"models"`
	EffectiveModels []any          `json:"effective_models"`
	Hierarchy       groupHierarchy `json:"hierarchy"`
	CreatedAt       stamp          `json:"created_at"`
}

type groupMetadata struct {
	Name             *string `json:"name"`
	ExternalEntityID string  `json:"external_entity_id"`
}

type groupHierarchy struct {
	LimitEnforcement string  `json:"limit_enforcement"`
	ParentGroupID    *string `json:"parent_group_id"`
}

func (s *Server) listGroups(c *call) {
	limit, skip := c.page(100, 1000)
	if c.failed {
		return
	}
	items, groups := []groupInfo{}, s.org.groups
	for ; skip < len(groups) && len(items) < limit; skip++ {
		g := groups[skip]
		model := map[string]any{"slug": "demo-org/demo-large"}
		items = append(items, groupInfo{ID: g.id, Metadata: groupMetadata{orNull(g.name), g.external}, Models: []any{model},
			EffectiveModels: []any{model}, Hierarchy: groupHierarchy{"INDEPENDENT", orNull(g.parent)}, CreatedAt: stamp(g.created)})
	}
	c.sendPage(items, skip, skip < len(groups))
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
	limit, skip := c.page(100, 1000)
	keys := s.groupKeys(c)
	if c.failed {
		return
	}
	items := []groupKey{}
	for ; skip < len(keys) && len(items) < limit; skip++ {
		items = append(items, groupKey{keys[skip].prefix, orNull(keys[skip].name)})
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
