package keyformat_test

import (
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/internal/keyformat"
)

// A made-up key of each format has that format and no other.
func TestFormats(t *testing.T) {
	m := fakekey.New(1)
	for _, f := range keyformat.All() {
		key := m.Of(f)
		prefix, _, _ := strings.Cut(key, ".")
		for _, text := range []string{key, prefix} {
			if got, ok := keyformat.Of(text); !ok || got != f {
				t.Errorf("a key of format %s has format %q", f.Name, got.Name)
			}
		}
		for _, other := range keyformat.All() {
			if other.Has(key) != (other == f) {
				t.Errorf("Has of format %s, of a key of format %s: %t", other.Name, f.Name, other.Has(key))
			}
		}
		for _, bad := range []string{"", prefix, key + strings.Repeat("x", 300), "x" + key, strings.Replace(key, ".", "", 1), key[:len(key)-1] + "!", key[:len(key)-17]} {
			if f.Has(bad) {
				t.Errorf("%s has a text of %d characters that is not a key", f.Name, len(bad))
			}
		}
		if f.Title == "" || f.Named < f.Alone {
			t.Errorf("%+v", f)
		}
	}
	if _, ok := keyformat.Of("abc"); ok {
		t.Error("three letters have a format")
	}
}
