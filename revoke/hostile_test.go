package revoke

import (
	"bytes"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/fakekey"
)

// Names that would be a flag, another line or the end of a quotation for what they are given
// to are refused, wherever a Secret is named; those that pass stand in one line of the
// manifest, between quotes.
func TestHostileNamesOfSecrets(t *testing.T) {
	for _, bad := range []string{"", "-o", "--all", "-", "a b", "a\nb", "a\r", "a\x00b", `a"b`, "a'b", "a: b", "a/b", "../a", "a#b", "$(a)", "`a`", "a~1b",
		"{a", "&a", "*a", "é", "a\u202e", strings.Repeat("a", 300), "a\n"} {
		for what, s := range map[string]SinkSpec{
			"name":      {Name: bad, Key: "key"},
			"key":       {Name: "name", Key: bad},
			"namespace": {Name: "name", Key: "key", Namespace: bad},
		} {
			if what == "namespace" && bad == "" || what == "key" && strings.HasPrefix(bad, "-") {
				continue // no namespace; a key is in the text alone, and may begin so
			}
			if _, err := KubernetesOutput(s, nil); err == nil {
				t.Errorf("%s %q is taken for a manifest", what, bad)
			} else if strings.ContainsAny(err.Error(), "\n\r\x00\u202e") {
				t.Errorf("%s: the error shows it as it is: %q", what, err)
			}
			if _, err := KubernetesFile(s); err == nil {
				t.Errorf("%s %q is taken for a file", what, bad)
			}
			if _, err := KubernetesSecret(s, Program{}); err == nil {
				t.Errorf("%s %q is taken for kubectl", what, bad)
			}
		}
	}
	key := fakekey.New(9).B10()
	for _, s := range []SinkSpec{{Name: "a.b-c", Key: "-o"}, {Name: "0", Key: "..", Namespace: "n"}, {Name: "true", Key: "null"}} {
		text, err := manifest(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{"  name: \"" + s.Name + "\"\n", "  \"" + s.Key + "\": \""} {
			if out := text(key); bytes.Count(out, []byte(line)) != 1 {
				t.Errorf("%+v: %s", s, bytes.ReplaceAll(out, []byte(key), []byte("****")))
			}
		}
		for _, arg := range kubeArgs(s, "get", "secret", s.Name)[1:] {
			if strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--namespace=") {
				t.Errorf("%+v: kubectl is given %q", s, arg)
			}
		}
	}
}
