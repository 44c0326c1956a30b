// Package secret holds key material in a type that cannot print itself.
//
// Nothing in this package may import anything of ours: it is the floor of the house.
package secret

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// A Secret is key material. Every ordinary way of printing one — each verb of
// fmt, each encoder that honours a Marshaler, slog — yields its redacted form:
// the public prefix, then "****". The zero Secret is empty and prints as "****".
//
// The value sits behind a pointer because fmt, when it meets a Secret in another
// struct's unexported field, may not call its methods and prints the memory
// instead: an address then, and not the key.
type Secret struct{ v *string }

// New wraps key material. The string is not copied or checked.
func New(v string) Secret { return Secret{v: &v} }

// Reveal returns the key material itself. It is the only way out; a test in
// this package lists every caller in the project.
func (s Secret) Reveal() string {
	if s.v == nil {
		return ""
	}
	return *s.v
}

// IsZero reports whether the Secret holds nothing.
func (s Secret) IsZero() bool { return s.v == nil || *s.v == "" }

// Prefix returns the public part: everything before the first dot. Baseten shows
// it in its console, its lists and its audit log. It is empty for a value
// without a dot, which has no public part.
func (s Secret) Prefix() string {
	prefix, _, found := strings.Cut(s.Reveal(), ".")
	if !found {
		return ""
	}
	return prefix
}

// Digest returns the SHA-256 of the value as 64 lower-case hexadecimal digits.
// The secret half of a key carries about 190 bits, so its digest is safe to store
// and cannot be turned back.
func (s Secret) Digest() string {
	sum := sha256.Sum256([]byte(s.Reveal()))
	return hex.EncodeToString(sum[:])
}

// Equal reports whether both hold the same value.
func (s Secret) Equal(t Secret) bool { return s.Reveal() == t.Reveal() }

// String returns the redacted form.
func (s Secret) String() string { return s.Prefix() + "****" }

// GoString returns the redacted form, for %#v.
func (s Secret) GoString() string { return `secret.New("` + s.String() + `")` }

// Format writes the redacted form whatever the verb and flags.
func (s Secret) Format(f fmt.State, verb rune) {
	if verb == 'v' && f.Flag('#') {
		_, _ = io.WriteString(f, s.GoString())
		return
	}
	_, _ = io.WriteString(f, s.String())
}

// MarshalText returns the redacted form, so that JSON, YAML and XML encoders do.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON returns the redacted form as a JSON string.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// MarshalXML writes the redacted form as the element's text.
func (s Secret) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	return e.EncodeElement(s.String(), start)
}

// MarshalYAML returns the redacted form.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }

// LogValue returns the redacted form for log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
