package baseten

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
)

// maxPages bounds one listing against a server that never ends it.
const maxPages = 100_000

// page is the form of every paginated answer.
type page[T any] struct {
	// Items is nil when the answer has none: it is then not Baseten's, and must not
	// pass for an empty list.
	Items      *[]T `json:"items"`
	Pagination struct {
		HasMore bool    `json:"has_more"`
		Cursor  *string `json:"cursor"`
	} `json:"pagination"`
}

// pages iterates over the items of all pages, asking for each page when it is
// needed. An error is yielded once, with a zero item, and ends the sequence.
func pages[T any](ctx context.Context, c *Client, path string, query url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		query := maps.Clone(query)
		if query == nil {
			query = url.Values{}
		}
		last := ""
		for range maxPages {
			var p page[T]
			if err := c.call(ctx, http.MethodGet, path, query, nil, &p); err != nil {
				yield(zero, err)
				return
			}
			if p.Items == nil {
				yield(zero, fmt.Errorf("GET %s: the answer has no list of items", path))
				return
			}
			for _, item := range *p.Items {
				if !yield(item, nil) {
					return
				}
			}
			if !p.Pagination.HasMore {
				return
			}
			if p.Pagination.Cursor == nil || *p.Pagination.Cursor == "" || *p.Pagination.Cursor == last {
				yield(zero, fmt.Errorf("GET %s: the answer announces a further page but gives no new cursor", path))
				return
			}
			last = *p.Pagination.Cursor
			query.Set("cursor", last)
		}
		yield(zero, fmt.Errorf("GET %s: more than %d pages", path, maxPages))
	}
}

// all collects a sequence. With an error it returns what came before it.
func all[T any](items iter.Seq2[T, error]) (list []T, err error) {
	for item, err := range items {
		if err != nil {
			return list, err
		}
		list = append(list, item)
	}
	return list, nil
}
