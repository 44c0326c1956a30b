package baseten

import (
	"encoding/json"
	"time"
)

// A Time is a moment as the API gives it. The zero Time stands for one that was
// absent, null or not readable: a date that cannot be read must not cost the
// whole list.
type Time struct {
	time.Time
	null bool
}

// Null reports whether the API gave the time as null, which is more than absent.
func (t Time) Null() bool { return t.null }

// layouts are tried in order. The last two have no zone, which the API's own
// language prints for a time without one; they are taken as UTC.
var layouts = [...]string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999"}

// UnmarshalJSON reads an ISO 8601 time. It never fails.
func (t *Time) UnmarshalJSON(data []byte) error {
	*t = Time{null: string(data) == "null"}
	var s string
	if json.Unmarshal(data, &s) != nil {
		return nil
	}
	for _, layout := range layouts {
		if at, err := time.Parse(layout, s); err == nil {
			t.Time = at.UTC()
			return nil
		}
	}
	return nil
}

// MarshalJSON writes RFC 3339, and null for the zero Time.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(t.Time)
}

// Ptr returns the moment, or nil for the zero Time.
func (t Time) Ptr() *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t.Time
}
