package baseten

import (
	"crypto/rand"
	"strings"

	"github.com/b10lint/b10lint/internal/keyformat"
	"github.com/b10lint/b10lint/secret"
)

// lookalike returns a random key of the same form as k, and a name for the form.
// The mark of the format stays; every other letter and digit is drawn anew.
func lookalike(k secret.Secret) (form string, random secret.Secret) {
	text := k.Reveal()
	format, _ := keyformat.Of(text)
	mask, made := []byte(text), []byte(text)
	draw := []byte(randomWord(len(text)))
	for i := len(format.Mark); i < len(text); i++ {
		if strings.IndexByte(keyformat.Alphabet, text[i]) >= 0 {
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
			if int(c) < 256-256%len(keyformat.Alphabet) && len(b) < n {
				b = append(b, keyformat.Alphabet[int(c)%len(keyformat.Alphabet)])
			}
		}
	}
	return string(b)
}

// isAccountKey reports whether k has the form of the keys that the management
// API makes.
func isAccountKey(k secret.Secret) bool {
	format, _ := keyformat.Of(k.Reveal())
	return format.Account && format.Has(k.Reveal())
}
