package basetentest

import (
	"cmp"
	"net/http"
	"slices"
	"time"
)

type bucket struct {
	StartTime stamp         `json:"start_time"`
	EndTime   stamp         `json:"end_time"`
	Results   []usageResult `json:"results"`
}

type usageResult struct {
	APIKeyPrefix        *string `json:"api_key_prefix"`
	Model               *string `json:"model"`
	InputTokens         int64   `json:"input_tokens"`
	CachedInputTokens   int64   `json:"cached_input_tokens"`
	UncachedInputTokens int64   `json:"uncached_input_tokens"`
	OutputTokens        int64   `json:"output_tokens"`
	RequestCount        int64   `json:"request_count"`
}

// retention is how far back usage is kept: older buckets are empty.
const retention = 92 * 24 * time.Hour

// widths are the bucket widths, with the usual and the largest page of each.
var widths = map[string]struct {
	width       time.Duration
	usual, most int
}{
	"1d": {24 * time.Hour, 7, 31}, "1h": {time.Hour, 24, 168}, "1m": {time.Minute, 60, 1440},
}

// listUsage answers GET /v1/model_apis/usage with contiguous buckets.
func (s *Server) listUsage(c *call) {
	q := c.query()
	width, ok := widths[cmp.Or(q.Get("bucket_width"), "1d")]
	if !ok {
		c.refuse(http.StatusUnprocessableEntity, "bucket_width is not one of 1m, 1h, 1d")
		return
	}
	limit, skip := c.page(width.usual, width.most)
	start, end := c.time("start_time", time.Time{}), c.time("end_time", s.org.now())
	if c.failed {
		return
	}
	if start.IsZero() {
		c.refuse(http.StatusBadRequest, "start_time is required.")
		return
	}
	start = start.Truncate(width.width)
	total := int((end.Sub(start) + width.width - 1) / width.width)
	items := []bucket{}
	for ; skip < total && len(items) < limit; skip++ {
		from := start.Add(time.Duration(skip) * width.width)
		items = append(items, bucket{StartTime: stamp(from), EndTime: stamp(from.Add(width.width)), Results: []usageResult{}})
	}
	groupBy := q["group_by"]
	byKey, byModel := slices.Contains(groupBy, "api_key"), len(groupBy) == 0 || slices.Contains(groupBy, "model")
	first, oldest := start.Add(time.Duration(skip-len(items))*width.width), s.org.now().Add(-retention)
	type slot struct {
		bucket        int
		prefix, model string
	}
	sums := map[slot]int{}
	for _, u := range s.org.usage {
		if u.at.Before(first) || u.at.Before(oldest) || !has(q["api_keys"], u.prefix) || !has(q["models"], u.model) {
			continue
		}
		at := slot{bucket: int(u.at.Sub(first) / width.width)}
		if at.bucket >= len(items) {
			continue
		}
		var r usageResult
		if byKey {
			at.prefix, r.APIKeyPrefix = u.prefix, &u.prefix
		}
		if byModel {
			at.model, r.Model = u.model, &u.model
		}
		b := &items[at.bucket]
		i, seen := sums[at]
		if !seen {
			i = len(b.Results)
			sums[at] = i
			b.Results = append(b.Results, r)
		}
		sum := &b.Results[i] // of requests with 100 tokens in and 20 out each
		sum.RequestCount += u.requests
		sum.InputTokens += 100 * u.requests
		sum.UncachedInputTokens += 100 * u.requests
		sum.OutputTokens += 20 * u.requests
	}
	for _, b := range items {
		slices.SortStableFunc(b.Results, func(x, y usageResult) int {
			return int(y.InputTokens + y.OutputTokens - x.InputTokens - x.OutputTokens)
		})
	}
	c.sendPage(items, skip, skip < total)
}

// time reads an ISO 8601 parameter.
func (c *call) time(name string, fallback time.Time) time.Time {
	v := c.query().Get(name)
	if v == "" {
		return fallback
	}
	at, err := time.Parse(time.RFC3339Nano, v)
	if err != nil {
		c.refuse(http.StatusUnprocessableEntity, name+" is not a date-time")
	}
	return at.UTC()
}
