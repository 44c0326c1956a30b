package baseten

import (
	"context"
	"net/http"
	"net/url"
)

// CountModels asks as a Probe does for the models of one name.
func (c *Client) CountModels(ctx context.Context, name string) (int, error) {
	var answer struct {
		Models []struct{} `json:"models"`
	}
	err := c.call(ctx, http.MethodGet, "/v1/models", url.Values{"name": {name}}, nil, &answer)
	return len(answer.Models), err
}
