package baseten

import (
	"crypto/rand"
	"strings"

	"github.com/b10lint/b10lint/secret"
)

const alphanumerics = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// lookalike returns a random key of the same form as k, and a name for the form.
// The tag of the format stays; every other letter and digit is drawn anew.
func lookalike(k secret.Secret) (form string, random secret.Secret) {
	text := k.Reveal()
	tag := ""
	for _, t := range []string{"b10_", "sky_"} {
		if strings.HasPrefix(text, t) {
			tag = t
		}
	}
	mask, made := []byte(text), []byte(text)
	draw := []byte(randomWord(len(text)))
	for i := len(tag); i < len(text); i++ {
		if strings.IndexByte(alphanumerics, text[i]) >= 0 {
			mask[i], made[i] = 'x', draw[i]
		}
	}
	return string(mask), secret.New(string(made))
}

// randomWord returns n letters and digits from the system's random source.
func randomWord(n int) string {
	b := make([]byte, 0, n)
	var buf [64]byte
	for len(b) < n {
		_, _ = rand.Read(buf[:]) // documented never to fail
		for _, c := range buf {
			// Values past the last whole multiple would favour some letters.
			if int(c) < 256-256%len(alphanumerics) && len(b) < n {
				b = append(b, alphanumerics[int(c)%len(alphanumerics)])
			}
		}
	}
	return string(b)
}

// isAccountKey reports whether k has the form of the keys that the management
// API makes: 8 letters and digits, b10_ before them since October 2026, a dot,
// and 32 more.
func isAccountKey(k secret.Secret) bool {
	prefix, half, found := strings.Cut(strings.TrimPrefix(k.Reveal(), "b10_"), ".")
	return found && len(prefix) == 8 && len(half) == 32 && strings.Trim(prefix+half, alphanumerics) == ""
}
