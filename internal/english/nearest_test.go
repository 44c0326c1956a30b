package english

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	names := []string{"scan", "exclude", "leaked-key", "leaked-key-live", "on", "severity"}
	for word, want := range map[string]string{
		"scna": "scan", "scan": "scan", "sacn": "scan", "exlude": "exclude", "exculde": "exclude", "leakd-key": "leaked-key",
		"sever": "severity", "leaked": "", "o": "", "no": "", "xyzzy": "", "": "", strings.Repeat("x", 100): "", "scän": "scan",
	} {
		if got := Nearest(word, names); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}
