package baseten

import (
	"context"
	"iter"
	"net/http"
	"net/url"
)

// A Team is a part of an organisation. Every organisation has a default one.
type Team struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Default   bool   `json:"default"`
	CreatedAt Time   `json:"created_at"`
}

// Teams lists the teams, or those of one exact name.
func (c *Client) Teams(ctx context.Context, name string) ([]Team, error) {
	query := url.Values{}
	if name != "" {
		query.Set("name", name)
	}
	var answer struct {
		Teams []Team `json:"teams"`
	}
	err := c.call(ctx, http.MethodGet, "/v1/teams", query, nil, &answer)
	return answer.Teams, err
}

// A User is a member, or the identity behind a key: a workspace key acts as a
// service account, which has no email address.
type User struct {
	UserID        string `json:"user_id"`
	Email         string `json:"email"`
	Name          string `json:"name"`
	WorkspaceName string `json:"workspace_name"`
}

// Me returns the identity behind the Client's credential.
func (c *Client) Me(ctx context.Context) (User, error) {
	var u User
	err := c.call(ctx, http.MethodGet, "/v1/users/me", nil, nil, &u)
	return u, err
}

// Users iterates over the members who joined. Invited users and service
// accounts are not among them.
func (c *Client) Users(ctx context.Context) iter.Seq2[User, error] {
	return pages[User](ctx, c, "/v1/users", url.Values{"limit": {"1000"}})
}
