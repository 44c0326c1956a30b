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

// TakeSurvey reads the list of keys, the gateway's groups, the audit log and the usage
// of the Model APIs: what cannot be undone goes by all that is known of a key's last
// use, as the audit does. The error is that of the list of keys, or ctx's; whatever else could
// not be read is a gap. self is the prefix of the credential that the client uses.
func TakeSurvey(ctx context.Context, c *baseten.Client, self string) (*Survey, error) {
	inv, err := baseten.Gather(ctx, c, baseten.SourceKeys)
	if state := inv.Source(baseten.SourceKeys); err == nil && state.Err != nil {
		err = fmt.Errorf("the list of keys could not be read: %w", state.Err)
	}
	if err != nil {
		return nil, err
	}
	err = inv.Add(ctx, c, baseten.SourceMe, baseten.SourceGateway, baseten.SourceKeyEvents, baseten.SourceActions, baseten.SourceUsage)
	s := &Survey{Inventory: *inv, Endpoint: endpointOf(c), Self: self}
	for _, state := range inv.Sources {
		if state.Err != nil && !state.NotUsed {
			s.Gaps = append(s.Gaps, fmt.Sprintf("%s could not be read: %v", gapWords[state.Name], state.Err))
		}
	}
	if missing := inv.Unlisted(); len(missing) > 0 {
		s.Gaps = append(s.Gaps, "the list of keys is only a part: it lacks "+listed20(missing)+", which live")
	}
	return s, err
}

// listed20 names the first 20 of many.
func listed20(all []string) string {
	text := strings.Join(all[:min(len(all), 20)], ", ")
	if n := len(all) - 20; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// gapWords name what a source that could not be read would have said.
var gapWords = map[baseten.Source]string{
	baseten.SourceMe:        "who the credential belongs to",
	baseten.SourceGateway:   "the gateway's keys",
	baseten.SourceKeyEvents: "the audit log",
	baseten.SourceActions:   "what keys did, in the audit log,",
	baseten.SourceUsage:     "the usage of the Model APIs",
}

// endpointOf is the address of the API that a client calls.
func endpointOf(c *baseten.Client) string {
	endpoint, _, _ := strings.Cut(c.Scope(), " ")
	return endpoint
}
