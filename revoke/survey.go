package revoke

import (
	"context"
	"fmt"
	"strings"

	"github.com/b10lint/b10lint/internal/baseten"
)

// A Survey is the inventory of an organisation's keys as one credential sees it.
// The list of keys could be read; the rest as far as Gaps do not say otherwise.
type Survey struct {
	baseten.Inventory
	Endpoint string   // of the management API
	Self     string   // prefix of the credential; empty for a login token
	Gaps     []string // what could not be read
}

// TakeSurvey reads the list of keys, the gateway's groups, the audit log and,
// only where the list does not say when keys were last used, the usage of the
// Model APIs. The error is that of the list of keys, or ctx's; whatever else could
// not be read is a gap. self is the prefix of the credential that the client uses.
func TakeSurvey(ctx context.Context, c *baseten.Client, self string) (*Survey, error) {
	inv, err := baseten.Gather(ctx, c, baseten.SourceKeys)
	if state := inv.Source(baseten.SourceKeys); err == nil && state.Err != nil {
		err = fmt.Errorf("the list of keys could not be read: %w", state.Err)
	}
	if err != nil {
		return nil, err
	}
	want := []baseten.Source{baseten.SourceMe, baseten.SourceGateway, baseten.SourceKeyEvents}
	for _, k := range inv.Keys {
		if k.LastUsedAt.IsZero() && !k.LastUsedAt.Null() {
			want = append(want, baseten.SourceUsage)
			break
		}
	}
	err = inv.Add(ctx, c, want...)
	s := &Survey{Inventory: *inv, Endpoint: endpointOf(c), Self: self}
	for _, state := range inv.Sources {
		if state.Err != nil && !state.NotUsed {
			s.Gaps = append(s.Gaps, fmt.Sprintf("%s could not be read: %v", gapWords[state.Name], state.Err))
		}
	}
	return s, err
}

// gapWords name what a source that could not be read would have said.
var gapWords = map[baseten.Source]string{
	baseten.SourceMe:        "who the credential belongs to",
	baseten.SourceGateway:   "the gateway's keys",
	baseten.SourceKeyEvents: "the audit log",
	baseten.SourceUsage:     "the usage of the Model APIs",
}

// endpointOf is the address of the API that a client calls.
func endpointOf(c *baseten.Client) string {
	endpoint, _, _ := strings.Cut(c.Scope(), " ")
	return endpoint
}
