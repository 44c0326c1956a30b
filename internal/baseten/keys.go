package baseten

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/httpc"
	"github.com/b10lint/b10lint/internal/keyformat"
	"github.com/b10lint/b10lint/secret"
)

// A KeyType says what a key may do. Others than these may come.
type KeyType string

// The types that the list of keys knows.
const (
	Personal               KeyType = "PERSONAL"
	WorkspaceManageAll     KeyType = "WORKSPACE_MANAGE_ALL"
	WorkspaceExportMetrics KeyType = "WORKSPACE_EXPORT_METRICS"
	WorkspaceInvoke        KeyType = "WORKSPACE_INVOKE"
	WorkspaceManageAPIKeys KeyType = "WORKSPACE_MANAGE_API_KEYS"
	Routes                 KeyType = "ROUTES"
)

// Federated is the type of a gateway key here. The API has no word for it.
const Federated KeyType = "FEDERATED"

// A Key is what Baseten lists of an unrevoked key. All but Prefix and Type may
// be absent.
type Key struct {
	// Prefix is everything before the dot, b10_ included; of a federated key that a
	// customer brought along, the first 16 characters.
	Prefix string  `json:"prefix"`
	Name   string  `json:"name"`
	Type   KeyType `json:"type"`
	// ModelIDs is the scope of an invoke or metrics key. Empty means every model:
	// the API does not distinguish that from none.
	ModelIDs []string `json:"model_ids"`
	TeamName string   `json:"team_name"`
	Owner    *Owner   `json:"owner"` // personal keys only
	// CreatedAt and LastUsedAt came with newer versions of the API. A LastUsedAt
	// whose Null is true was never used; one that is just zero is unknown.
	CreatedAt  Time `json:"created_at"`
	LastUsedAt Time `json:"last_used_at"`
	// Group and GroupName are the gateway group of a federated key, by id and name.
	Group     string `json:"-"`
	GroupName string `json:"-"`
}

// OwnerName returns whom a personal key belongs to: an email address, a name or
// an id; empty for other keys.
func (k Key) OwnerName() string {
	if k.Owner == nil {
		return ""
	}
	return cmp.Or(k.Owner.Email, k.Owner.Name, k.Owner.UserID)
}

// Format returns the format of the key, and "" for one that is not known.
func (k Key) Format() finding.Format {
	if k.Type == Federated {
		return finding.Federated
	}
	f, _ := keyformat.Of(k.Prefix)
	return finding.Format(f.Name)
}

// Facts returns what Baseten lists of a key, in the words of a finding.
func (k Key) Facts() *finding.Key {
	return &finding.Key{Name: k.Name, Type: string(k.Type), Team: k.TeamName, Owner: k.OwnerName(), ModelIDs: k.ModelIDs,
		Group: k.Group, CreatedAt: k.CreatedAt.Ptr(), LastUsedAt: k.LastUsedAt.Ptr()}
}

// An Owner is the user a personal key belongs to.
type Owner struct {
	UserID string `json:"user_id"`
	Email  string `json:"email"`
	Name   string `json:"name"`
}

// Keys lists the unrevoked keys that the credential may see. A personal key of
// an organisation's admin sees every member's; others see less.
func (c *Client) Keys(ctx context.Context) ([]Key, error) {
	var answer struct {
		Keys *[]Key `json:"keys"`
	}
	if err := c.call(ctx, http.MethodGet, "/v1/api_keys", nil, nil, &answer); err != nil {
		return nil, err
	}
	if answer.Keys == nil {
		return nil, errors.New("GET /v1/api_keys: the answer has no list of keys")
	}
	return *answer.Keys, nil
}

// A NewKey is a key to be made.
type NewKey struct {
	Type     KeyType  `json:"type"`
	Name     string   `json:"name,omitempty"`      // lower-case letters, digits, hyphens; unique in its scope
	ModelIDs []string `json:"model_ids,omitempty"` // invoke and metrics keys only
	TeamID   string   `json:"-"`                   // empty: the default team
}

// CreateKey makes a key and returns it; Baseten shows it this once. The request
// is sent at most once. When it fails without an *Error the key may exist all
// the same: look for its name in Keys before trying again.
func (c *Client) CreateKey(ctx context.Context, k NewKey) (secret.Secret, error) {
	path := "/v1/api_keys"
	if k.TeamID != "" {
		team, err := segment("team", k.TeamID)
		if err != nil {
			return secret.Secret{}, err
		}
		path = "/v1/teams/" + team + "/api_keys"
	}
	var answer struct {
		APIKey string `json:"api_key"`
	}
	if err := c.call(ctx, http.MethodPost, path, nil, k, &answer); err != nil {
		return secret.Secret{}, err
	}
	if answer.APIKey == "" {
		return secret.Secret{}, fmt.Errorf("POST %s: the answer holds no key; look for it in the list of keys", path)
	}
	return secret.New(answer.APIKey), nil
}

// DeleteKey revokes the key with a prefix. It cannot be undone. A key that is
// not there gives an *Error with status 404, unless an earlier attempt of this
// same call may have been the one that removed it.
func (c *Client) DeleteKey(ctx context.Context, prefix string) error {
	if strings.Contains(prefix, ".") {
		return errors.New("a key is deleted by its prefix, the part before the dot: nothing was sent")
	}
	return c.deletePrefix(ctx, "/v1/api_keys/", prefix)
}

// deletePrefix sends a DELETE for a prefix below path.
func (c *Client) deletePrefix(ctx context.Context, path, prefix string) error {
	name, err := segment("prefix", prefix)
	if err != nil {
		return err
	}
	var attempts int
	var answer struct {
		Prefix string `json:"prefix"`
	}
	err = c.call(httpc.CountAttempts(ctx, &attempts), http.MethodDelete, path+name, url.Values{}, nil, &answer)
	switch {
	case StatusOf(err) == http.StatusNotFound && attempts > 1:
		return nil
	case err != nil:
		return err
	case answer.Prefix != prefix:
		return fmt.Errorf("DELETE %s%s: the answer names another key, %q: list the keys to see what happened", path, name, clean(answer.Prefix))
	}
	return nil
}

// A GatewayGroup is a group of the Frontier Gateway, under which federated keys
// are made. Workspaces that do not use the gateway answer 403.
type GatewayGroup struct {
	ID       string `json:"id"`
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
}

// registeredPrefix is how much of a key that a customer brought along is shown.
const registeredPrefix = 16

// GatewayGroups iterates over the gateway's groups.
func (c *Client) GatewayGroups(ctx context.Context) iter.Seq2[GatewayGroup, error] {
	return pages[GatewayGroup](ctx, c, "/v1/gateway/groups", nil)
}

// GatewayKeys iterates over the keys of one group. They have a prefix, perhaps a
// name, and their Group.
func (c *Client) GatewayKeys(ctx context.Context, groupID string) iter.Seq2[Key, error] {
	return func(yield func(Key, error) bool) {
		group, err := segment("group", groupID)
		if err != nil {
			yield(Key{}, err)
			return
		}
		type entry struct {
			Prefix string `json:"prefix"`
			Name   string `json:"name"`
		}
		for e, err := range pages[entry](ctx, c, "/v1/gateway/groups/"+group+"/api_keys", url.Values{"limit": {"1000"}}) {
			if !yield(Key{Prefix: e.Prefix, Name: e.Name, Type: Federated, Group: groupID}, err) {
				return
			}
		}
	}
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
