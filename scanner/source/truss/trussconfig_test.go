package truss

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTrussConfig(t *testing.T) {
	config, err := ParseConfig([]byte("secrets:\n  a: null\n  b: ~\n  c:\n  d: \"\"\n  e: given\n  baseten_chain_api_key: docker_dummy_key\n  f: &x 12\n  g: *x\nmodel_name: m\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []ConfigEntry{{"e", 6, 6}, {"f", 8, 6}, {"g", 8, 6}}
	if diff := cmp.Diff(want, config.SecretValues); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for text, say := range map[string]string{"a: 1\nb: s3cret: b": "see line 2", "- s3cret": "not a YAML mapping", "": "", "# x": "", "a: *s3cret": "structure is broken", "\n{a: [s3cret}": "not YAML"} {
		_, err := ParseConfig([]byte(text))
		if (err == nil) != (say == "") || err != nil && (!strings.Contains(err.Error(), say) || strings.Contains(err.Error(), "s3cret")) {
			t.Errorf("%q: %v, want %q", text, err, say)
		}
	}
}

func FuzzTrussConfig(f *testing.F) {
	f.Add([]byte("secrets: {a: 1}\nexternal_package_dirs: [x]\n")) // the parts that are read
	f.Add([]byte("a: &a [*a]\nsecrets: *a\n"))                     // an alias to itself
	f.Fuzz(func(t *testing.T, data []byte) { _, _ = ParseConfig(data) })
}
