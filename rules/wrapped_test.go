package rules

import (
	"encoding/base64"
	"testing"

	"github.com/b10lint/b10lint/internal/fakekey"
)

// A key of 45 bytes is base64 without padding. What stands on the next line, or on the
// one before, reads as more digits of it and must not hide the key, as in the plainest
// secret of Kubernetes.
func TestWordsBesideDigits(t *testing.T) {
	m := fakekey.New(24)
	for _, frame := range [][2]string{
		{"data:\n  BASETEN_API_KEY: ", "\napiVersion: v1\nkind: Secret\n"}, {"data:\n  baseten: ", "\n  database: eA==\n"},
		{"BASETEN=", "\nOTHER=1\n"}, {"# baseten\n- ", "\n- abc\n"}, {"baseten\n", "\nconfig\n"}, {"the baseten\nabout\n", "\n"},
	} {
		for range 50 {
			key, found := m.B10(), 0
			text := frame[0] + base64.StdEncoding.EncodeToString([]byte(key)) + frame[1]
			Find("secret.yaml", []byte(text), nil, func(f Match) bool {
				if f.Secret.Reveal() == key {
					found++
				}
				return true
			})
			if found != 1 {
				t.Errorf("%q: %d matches", frame, found)
				break
			}
		}
	}
}
