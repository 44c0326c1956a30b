package shell

import (
	"os/exec"
	"testing"
)

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{
		"":            "''",
		"/a/b-c_1.2":  "/a/b-c_1.2",
		"a b":         "'a b'",
		"it's":        `'it'\''s'`,
		"$HOME":       "'$HOME'",
		"a\nb":        "'a\nb'",
		"~":           "'~'",
		"*.go":        "'*.go'",
		"-n":          "-n",
		"x;rm -rf .":  "'x;rm -rf .'",
		"\u00e9\xff`": "'\u00e9\xff`'",
	} {
		if got := Quote(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
		if sh, err := exec.LookPath("sh"); err == nil {
			if out, err := exec.Command(sh, "-c", "printf %s "+Quote(in)).Output(); err != nil || string(out) != in {
				t.Errorf("%q: a shell reads %q, %v", in, out, err)
			}
		}
	}
}
