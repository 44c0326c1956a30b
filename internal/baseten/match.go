package baseten

import (
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/secret"
)

// candidates calls yield with every prefix that the list could show for a key,
// until it returns true. That is what comes before a dot; the usual key has
// one dot. No length is assumed: the prefixes of the three formats differ.
func candidates(k secret.Secret, yield func(prefix string) bool) bool {
	text := k.Reveal()
	for i := range len(text) {
		if text[i] == '.' && i > 0 && i+1 < len(text) && yield(text[:i]) {
			return true
		}
	}
	return false
}

// Stub returns a stand-in for a key of which only the prefix is known. An
// Inventory matches it as it would the key. It is not one, and must not be sent:
// see Verifier.VerifyKeeping.
func Stub(prefix string) secret.Secret { return secret.New(prefix + ".*") }

// registered returns what a gateway group shows of a key that a customer
// brought along: its first 16 characters. Such keys have at least 32.
func registered(k secret.Secret) (prefix string, ok bool) {
	text := k.Reveal()
	if len(text) < 2*registeredPrefix {
		return "", false
	}
	return text[:registeredPrefix], true
}

// lookUp finds a key's entry in an index by prefix.
func lookUp[T any](index map[string]T, k secret.Secret) (entry T, prefix string, ok bool) {
	candidates(k, func(p string) bool {
		entry, ok = index[p]
		prefix = p
		return ok
	})
	return entry, prefix, ok
}

// Facts returns what the list says of a key, in the words of a finding.
func (k Key) Facts() *finding.Key {
	f := &finding.Key{Name: k.Name, Type: string(k.Type), Team: k.TeamName, ModelIDs: k.ModelIDs,
		CreatedAt: k.CreatedAt.Ptr(), LastUsedAt: k.LastUsedAt.Ptr()}
	if k.Owner != nil {
		f.Owner = firstOf(k.Owner.Email, k.Owner.Name, k.Owner.UserID)
	}
	return f
}

func firstOf(words ...string) string {
	for _, w := range words {
		if strings.TrimSpace(w) != "" {
			return w
		}
	}
	return ""
}
