package baseten

import (
	"cmp"
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// A Team is a part of an organisation. Every organisation has a default one.
type Team struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Default bool   `json:"default"`
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
	UserID string `json:"user_id"`
	Email  string `json:"email"`
	Name   string `json:"name"`
	// WorkspaceName is the workspace's, where the API gives it.
	WorkspaceName string `json:"workspace_name,omitempty"`
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

// UsageRetention is how far back Model API usage is kept.
const UsageRetention = 92 * 24 * time.Hour

// A UsageBucket is a stretch of time and what was used in it.
type UsageBucket struct {
	StartTime Time    `json:"start_time"`
	EndTime   Time    `json:"end_time"`
	Results   []Usage `json:"results"`
}

// Usage is what one key, one model or both together used. Only Model APIs are
// counted: not dedicated deployments, chains, training or metrics.
type Usage struct {
	APIKeyPrefix string `json:"api_key_prefix"`
	Model        string `json:"model"`
	InputTokens  int64  `json:"input_tokens"`
	OutputTokens int64  `json:"output_tokens"`
	RequestCount int64  `json:"request_count"`
}

// A UsageQuery says what to count.
type UsageQuery struct {
	Start, End time.Time // Start has to be there; a zero End means now
	// Width is "1d", "1h" or "1m"; empty means days.
	Width   string
	GroupBy []string // "api_key", "model"; none means by model
}

// ModelAPIUsage iterates over contiguous buckets, oldest first, empty ones included.
func (c *Client) ModelAPIUsage(ctx context.Context, q UsageQuery) iter.Seq2[UsageBucket, error] {
	width := cmp.Or(q.Width, "1d")
	// The largest page that the API allows for each width.
	limit := map[string]string{"1d": "31", "1h": "168", "1m": "1440"}[width]
	query := url.Values{"bucket_width": {width}, "start_time": {q.Start.UTC().Format(time.RFC3339)}, "limit": {limit}}
	if !q.End.IsZero() {
		query.Set("end_time", q.End.UTC().Format(time.RFC3339))
	}
	for _, g := range q.GroupBy {
		query.Add("group_by", g)
	}
	return pages[UsageBucket](ctx, c, "/v1/model_apis/usage", query)
}
