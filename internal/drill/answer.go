package drill

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/secret"
)

type object = map[string]any

// RoundTrip answers a request and sends nothing. A key that it did not make up gets 401.
func (b *Baseten) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(io.LimitReader(r.Body, 1<<20)); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	_, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	by := b.find(b.in[secret.New(value).Digest()])
	status, answer := http.StatusUnauthorized, any(object{"error": "Invalid API key."})
	if by != nil {
		status, answer = b.answer(r, body, *by)
	}
	data, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(data)), Body: io.NopCloser(bytes.NewReader(data))}, nil
}

// find returns the key with a prefix, nil for one that is not there.
func (b *Baseten) find(prefix string) *baseten.Key {
	i := slices.IndexFunc(b.org.Keys, func(k baseten.Key) bool { return k.Prefix == prefix && prefix != "" })
	if i < 0 {
		return nil
	}
	return &b.org.Keys[i]
}

// answer answers one request of a key that is let in.
func (b *Baseten) answer(r *http.Request, body []byte, by baseten.Key) (status int, answer any) {
	page := func(items any) (int, any) {
		return http.StatusOK, object{"items": items, "pagination": object{"has_more": false, "cursor": nil}}
	}
	path, query := strings.TrimSuffix(r.URL.Path, "/"), r.URL.Query()
	switch {
	case r.Method == http.MethodDelete && strings.HasPrefix(path, "/v1/api_keys/"):
		return b.delete(strings.TrimPrefix(path, "/v1/api_keys/"), by)
	case r.Method == http.MethodPost && strings.HasSuffix(path, "/api_keys"):
		return b.create(strings.TrimSuffix(strings.TrimPrefix(path, "/v1/teams/"), "/api_keys"), body, by)
	case r.Method != http.MethodGet:
	case path == "/v1/api_keys":
		return http.StatusOK, object{"keys": b.listed()}
	case path == "/v1/users/me":
		if by.Owner == nil {
			return http.StatusOK, object{"user_id": "u_service", "email": "", "name": by.Name}
		}
		return http.StatusOK, by.Owner
	case path == "/v1/teams":
		teams := slices.DeleteFunc(slices.Clone(b.org.Teams), func(t baseten.Team) bool { return query.Get("name") != "" && t.Name != query.Get("name") })
		return http.StatusOK, object{"teams": teams}
	case path == "/v1/users":
		return page(b.org.Users)
	case path == "/v1/models":
		return http.StatusOK, object{"models": []any{}, "data": []any{}, "object": "list"}
	case path == "/v1/audit_logs":
		return page(b.logged(query["event_type_groups"], query["sources"], query.Get("direction") == "ASC", query.Get("start_epoch_millis")))
	case path == "/v1/model_apis/usage":
		start, _ := time.Parse(time.RFC3339, query.Get("start_time"))
		days := slices.DeleteFunc(slices.Clone(b.org.Usage), func(u baseten.UsageBucket) bool {
			return query.Get("bucket_width") != "1d" || u.StartTime.Before(start)
		})
		return page(days)
	}
	return http.StatusNotFound, object{"message": "Not found."}
}

// listed is the list of keys, with the times that the API gave.
func (b *Baseten) listed() []object {
	keys := []object{}
	for _, k := range b.org.Keys {
		o := object{"prefix": k.Prefix, "name": k.Name, "type": k.Type, "model_ids": k.ModelIDs, "team_name": k.TeamName, "owner": k.Owner}
		if !k.CreatedAt.IsZero() {
			o["created_at"] = k.CreatedAt
		}
		if !k.LastUsedAt.IsZero() || !b.org.Undated {
			o["last_used_at"] = k.LastUsedAt
		}
		keys = append(keys, o)
	}
	return keys
}

// logged is the part of the audit log that was asked for.
func (b *Baseten) logged(groups, sources []string, oldest bool, since string) []event {
	from := time.Time{}
	if ms, err := strconv.ParseInt(since, 10, 64); err == nil {
		from = time.UnixMilli(ms)
	}
	has := func(list []string, word string) bool { return len(list) == 0 || slices.Contains(list, word) }
	events := []event{}
	for _, e := range b.org.Log {
		group := "OTHER"
		if strings.HasPrefix(e.EventType, "API_KEY_") {
			group = baseten.GroupAPIKeys
		} else if strings.HasPrefix(e.EventType, "USER_") {
			group = baseten.GroupUserManagement
		}
		if has(groups, group) && has(sources, e.Source) && !e.Created.Before(from) {
			events = append(events, e)
		}
	}
	if !oldest {
		slices.Reverse(events)
	}
	return events
}

// did adds an entry to the audit log.
func (b *Baseten) did(kind, prefix string, kindOfKey baseten.KeyType, by baseten.Key) {
	actor := baseten.AuditActor{Type: "API_KEY", APIKeyPrefix: by.Prefix, APIKeyName: by.Name}
	if by.Owner != nil {
		actor = baseten.AuditActor{Type: "USER", Email: by.Owner.Email}
	}
	b.org.Log = append(b.org.Log, event{time.Now().UTC(), kind, map[string]string{"prefix": prefix, "api_key_type": string(kindOfKey)}, "API", actor, "b10lint"})
}

// delete revokes a key.
func (b *Baseten) delete(prefix string, by baseten.Key) (int, any) {
	k := b.find(prefix)
	if k == nil {
		return http.StatusNotFound, object{"message": "Not found."}
	}
	b.did(baseten.EventKeyDeleted, prefix, k.Type, by)
	b.org.Keys = slices.DeleteFunc(b.org.Keys, func(k baseten.Key) bool { return k.Prefix == prefix })
	return b.saved(object{"prefix": prefix})
}

// create makes a key. Its secret half is in the answer and nowhere else.
func (b *Baseten) create(team string, body []byte, by baseten.Key) (int, any) {
	var in baseten.NewKey
	if json.Unmarshal(body, &in) != nil || in.Type == "" {
		return http.StatusBadRequest, []string{"type is required"}
	}
	if slices.ContainsFunc(b.org.Keys, func(k baseten.Key) bool { return in.Name != "" && k.Name == in.Name }) {
		return http.StatusBadRequest, []string{"there is a key of this name"}
	}
	value := fakekey.New(uint64(time.Now().UnixNano())).B10()
	k := baseten.Key{Prefix: secret.New(value).Prefix(), Name: in.Name, Type: in.Type, ModelIDs: in.ModelIDs, CreatedAt: baseten.Time{Time: time.Now().UTC()}}
	switch i := slices.IndexFunc(b.org.Teams, func(t baseten.Team) bool { return t.ID == team }); {
	case in.Type == baseten.Personal:
		k.Owner = by.Owner
	case i >= 0:
		k.TeamName = b.org.Teams[i].Name
	case in.Type != baseten.WorkspaceManageAPIKeys:
		k.TeamName = b.org.Teams[0].Name
	}
	digest := secret.New(value).Digest()
	b.org.Keys = append(b.org.Keys, k)
	b.org.Made[digest], b.in[digest] = k.Prefix, k.Prefix
	b.did(baseten.EventKeyCreated, k.Prefix, k.Type, by)
	return b.saved(object{"api_key": value})
}

// saved answers when the file has what was done.
func (b *Baseten) saved(answer object) (int, any) {
	if err := b.save(); err != nil {
		return http.StatusInternalServerError, object{"error": "the drill could not be saved: " + err.Error()}
	}
	return http.StatusOK, answer
}
