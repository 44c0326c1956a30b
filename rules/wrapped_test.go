package rules

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/fakekey"
)

// The base64 of a text whose length is a multiple of three has no padding. What stands on
// the next line, or on the one before, reads as more digits of it and must not hide the
// key, as in the plainest secret of Kubernetes.
func TestWordsBesideDigits(t *testing.T) {
	m := fakekey.New(24)
	for _, frame := range [][2]string{
		{"data:\n  BASETEN_API_KEY: ", "\napiVersion: v1\nkind: Secret\n"}, {"data:\n  baseten: ", "\n  database: eA==\n"},
		{"BASETEN=", "\nOTHER=1\n"}, {"# baseten\n- ", "\n- abc\n"}, {"baseten\n", "\nconfig\n"}, {"the baseten\nabout\n", "\n"},
		{"the baseten\nabout\nit\n", "\nconfiguration\nof\n"},
	} {
		for _, width := range []int{1000, 76, 64, 40, 30} {
			for i := range 30 {
				key := m.B10()
				text := []string{"", "IT=", "TOKEN="}[i%3] + key
				wide := wrap(base64.StdEncoding.EncodeToString([]byte(text)), width)
				if found := countKey(frame[0]+wide+frame[1], key); found != 1 {
					t.Errorf("%q, lines of %d: %d matches", frame, width, found)
					break
				}
			}
		}
	}
}

// A list of keys, one a line, is not one long text.
func TestDigitsOfSeveralKeys(t *testing.T) {
	m := fakekey.New(25)
	for n := 2; n < 6; n++ {
		var keys, lines []string
		for range n {
			keys = append(keys, m.B10())
			lines = append(lines, base64.StdEncoding.EncodeToString([]byte(keys[len(keys)-1])))
		}
		for i, key := range keys {
			if found := countKey(strings.Join(lines, "\n"), key); found != 1 {
				t.Errorf("key %d of %d: %d matches", i, n, found)
			}
		}
	}
}

func wrap(s string, width int) string {
	var b strings.Builder
	for len(s) > width {
		fmt.Fprintln(&b, s[:width])
		s = s[width:]
	}
	return b.String() + s
}

func countKey(text, key string) (found int) {
	Find("secret.yaml", []byte(text), nil, func(f Match) bool {
		if f.Secret.Reveal() == key {
			found++
		}
		return true
	})
	return found
}

// A line longer than what is gathered at once is looked at to its end.
func TestLongLineOfDigits(t *testing.T) {
	m := fakekey.New(26)
	words := strings.Repeat("some words of a text ", 1000)
	for n := 10; n < len(words); n = n*5/4 + 1 {
		for _, tail := range []string{"", "\nkind: Secret\n", "\n" + strings.Repeat("QUJD", 10), "\n" + strings.Repeat("QUJD", 1000)} {
			key := m.B10()
			for _, text := range []string{words[:n] + " " + key, words[:n] + " " + key + " more of it", "x " + key + " " + words[:n]} {
				lines := "Secret\n" + base64.RawStdEncoding.EncodeToString([]byte(text)) + tail
				if found := countKey(lines, key); found != 1 {
					t.Errorf("%d bytes, then %d of other lines: %d matches", len(text), len(tail), found)
				}
			}
		}
	}
}
