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
			s.Gaps = append(s.Gaps, fmt.Sprintf("%s could not be read: %v", gapWords(state.Name), state.Err))
		}
	}
	return s, err
}

func gapWords(name baseten.Source) string {
	switch name {
	case baseten.SourceMe:
		return "who the credential belongs to"
	case baseten.SourceGateway:
		return "the gateway's keys"
	case baseten.SourceKeyEvents:
		return "the audit log"
	case baseten.SourceUsage:
		return "the usage of the Model APIs"
	}
	return string(name)
}

// endpointOf is the address of the API that a client calls.
func endpointOf(c *baseten.Client) string {
	endpoint, _, _ := strings.Cut(c.Scope(), " ")
	return endpoint
}
