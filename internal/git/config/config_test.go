package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/gittest"
)

// sound are files that git reads.
var sound = []string{
	"",
	"[core]\n\tbare = false\n",
	"[core]bare\n[core] ignoreCase=yes\n",
	"\ufeff[Core]\r\n\tExcludesFile = C:\\\\x\\\\y\r\n",
	"; c\n# c\n[remote \"origin\"] ; c\n\turl = https://example.com/a.git # c\n\turl=\"b ; c\" ; d\n",
	"[remote \"a \\\"b\\\\ \\c\"]\nurl = x\n[remote.Old]\nurl = y\n",
	"[a]\nb = one\\\n  two \\\nthree  \nc = \"x\\\n y\"\n",
	"[a]\nb = \\t\\n\\\"\\\\ x\n b2 = \" lead and trail \"  \nc = a\"b\"c  d\n",
	"[a]\nb = x \"\"  \nd =\ne = \"\"\nf = a  b\n",
	"[a-b.c.D]\ne-1 = f",
	"[a]\nb = last line ends in \\\\",
}

// Parse agrees with what git lists.
func TestParseAsGit(t *testing.T) {
	for _, text := range sound {
		name := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out := gittest.Pipe(t, t.TempDir(), nil, "config", "-f", name, "--list", "-z")
		var want []string
		for _, entry := range strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00") {
			if key, _, ok := strings.Cut(entry, "\n"); !ok && key != "" {
				entry += "\ntrue" // a key without a value
			}
			if entry != "" {
				want = append(want, entry)
			}
		}
		vars, err := Read(name)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for v := range vars {
			key := v.Section + "." + v.Subsection + "." + v.Key
			if v.Subsection == "" {
				key = v.Section + "." + v.Key
			}
			got = append(got, key+"\n"+v.Value)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q:\n got %q\nwant %q", text, got, want)
		}
	}
}

// Where git would refuse a file, what can be read is; a section with a malformed
// header is not taken for the one before it.
func TestParseMalformed(t *testing.T) {
	for text, want := range map[string][]Variable{
		"a = b\n[c]\nd = e\n":               {{"c", "", "d", "e"}},
		"[a]\nb = 1\n[c\nd = 2\n[e]\nf = 3": {{"a", "", "b", "1"}, {"e", "", "f", "3"}},
		"[a \"b\nc = 1\n[d]e=2":             {{"d", "", "e", "2"}},
		"[a \"b\" c]\nd = 1\n[e]\n= 2\n":    nil,
		"[a]\nb = \"open\nc = 1\n":          {{"a", "", "b", "open"}, {"a", "", "c", "1"}},
		"[a]\nb = c\\":                      {{"a", "", "b", `c\`}},
		"[a \"b\\":                          nil,
	} {
		if got := slices.Collect(Parse([]byte(text))); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestReadBounds(t *testing.T) {
	name := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, maxFile+1); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(name); err == nil || !strings.Contains(err.Error(), "larger than 4194304 bytes") {
		t.Errorf("got %v", err)
	}
}

// Whatever is in a file, the variables have a section and a key on one line.
func FuzzParse(f *testing.F) {
	for _, text := range sound {
		f.Add([]byte(text))
	}
	f.Add([]byte("[a \"b\\\n=\\"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for v := range Parse(data) {
			if v.Section == "" || v.Key == "" || strings.Contains(v.Section+v.Subsection+v.Key, "\n") {
				t.Errorf("%q gives %q", data, v)
			}
			if len(v.Value) > max(4, len(data)) {
				t.Errorf("%q gives a longer value %q", data, v.Value)
			}
		}
	})
}
