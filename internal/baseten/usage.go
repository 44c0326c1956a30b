package baseten

import (
	"context"
	"iter"
	"net/url"
	"time"
)

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
	width := q.Width
	if width == "" {
		width = "1d"
	}
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
