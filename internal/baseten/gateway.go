package baseten

import (
	"context"
	"errors"
	"iter"
	"net/url"
	"strings"
)

// A GatewayGroup is a group of the Frontier Gateway, under which federated keys
// are made. Workspaces that do not use the gateway answer 403.
type GatewayGroup struct {
	ID       string `json:"id"`
	Metadata struct {
		Name             string `json:"name"`
		ExternalEntityID string `json:"external_entity_id"`
	} `json:"metadata"`
	Hierarchy struct {
		ParentGroupID string `json:"parent_group_id"`
	} `json:"hierarchy"`
	CreatedAt Time `json:"created_at"`
}

// registeredPrefix is how much of a key that a customer brought along is shown.
const registeredPrefix = 16

// A GatewayKey is a federated key. Prefix is the part before the dot, or the
// first 16 characters of a key that a customer brought along.
type GatewayKey struct {
	Prefix string `json:"prefix"`
	Name   string `json:"name"`
}

// GatewayGroups iterates over the gateway's groups.
func (c *Client) GatewayGroups(ctx context.Context) iter.Seq2[GatewayGroup, error] {
	return pages[GatewayGroup](ctx, c, "/v1/gateway/groups", nil)
}

// GatewayKeys iterates over the keys of one group.
func (c *Client) GatewayKeys(ctx context.Context, groupID string) iter.Seq2[GatewayKey, error] {
	group, err := segment("group", groupID)
	if err != nil {
		return func(yield func(GatewayKey, error) bool) { yield(GatewayKey{}, err) }
	}
	return pages[GatewayKey](ctx, c, "/v1/gateway/groups/"+group+"/api_keys", url.Values{"limit": {"1000"}})
}

// DeleteGatewayKey revokes one key of one group, as DeleteKey does. The group
// itself is never touched: to delete it would revoke everything below it.
func (c *Client) DeleteGatewayKey(ctx context.Context, groupID, prefix string) error {
	if strings.Contains(prefix, ".") && len(prefix) > registeredPrefix {
		return errors.New("a gateway key is deleted by its prefix, as the group's list shows it: nothing was sent")
	}
	group, err := segment("group", groupID)
	if err != nil {
		return err
	}
	return c.deletePrefix(ctx, "/v1/gateway/groups/"+group+"/api_keys/", prefix)
}
