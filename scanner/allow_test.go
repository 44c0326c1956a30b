package scanner

import (
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/scanner/source/disk"
)

func TestAllow(t *testing.T) {
	m := fakekey.New(40)
	for _, c := range []struct{ name, path, text, want string }{
		{"shell, same line", "a.sh", "K=KEY # b10lint:allow made for a test", "made for a test"},
		{"Python, line before", "a.py", "# b10lint:allow revoked in May\nk = 'KEY'", "revoked in May"},
		{"CRLF", "a.py", "# b10lint:allow revoked in May\r\nk = 'KEY'\r\n", "revoked in May"},
		{"C", "a.c", "/* b10lint:allow sample */ k = \"KEY\";", "sample"},
		{"Go", "a.go", "k := \"KEY\" // b10lint:allow: sample, see #12", "sample, see #12"},
		{"HTML", "a.html", "<!-- b10lint:allow in a picture -->\n<b>KEY</b>", "in a picture"},
		{"SQL", "a.sql", "-- b10lint:allow x\nSELECT 'KEY'", "x"},
		{"Lisp", "a.el", ";; b10lint:allow x\n\"KEY\"", "x"},
		{"template", "a.j2", "{# b10lint:allow x #}\nKEY", "x"},
		{"batch", "a.bat", "REM b10lint:allow x\nset K=KEY", "x"},
		{"no reason", "a.sh", "K=KEY # b10lint:allow", ""},
		{"no reason, closed", "a.c", "/* b10lint:allow */ \"KEY\"", ""},
		{"two lines before", "a.sh", "# b10lint:allow x\n\nK=KEY", "-"},
		{"line after", "a.sh", "K=KEY\n# b10lint:allow x", "-"},
		{"another word", "a.sh", "# b10lint:allowed x\nK=KEY", "-"},
		{"notebook", "a.ipynb", "   \"# b10lint:allow x\\n\",\n   \"k = 'KEY'\\n\",", "x"},
		{"notebook, same line", "a.ipynb", "   \"k = 'KEY' # b10lint:allow y\\n\",", "y"},
		{"notebook in one line", "a.ipynb", `{"source":"import x\n# b10lint:allow z\nk='KEY'\nend"}`, "z"},
		{"notebook in one line, too far", "a.ipynb", `{"source":"# b10lint:allow z\n\nk='KEY'\nend"}`, "-"},
		{"notebook, only line", "a.ipynb", `{"source":"k='KEY' # b10lint:allow w"}`, "w"},
		{"notebook, other cell", "a.ipynb", `{"source":"k='KEY'\n# b10lint:allow w"}`, "-"},
	} {
		text := strings.Replace(c.text, "KEY", m.B10(), 1)
		r := scan(t, finding.LowConfidence, disk.Reader(strings.NewReader(text), finding.Location{Path: c.path}))
		got := "-"
		if a := r.place(0, 0).Allow; a != nil {
			got = *a
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// A reason stands beside a key and may come to stand before one: nothing of it
// gets out.
func TestAllowHoldsNoKey(t *testing.T) {
	m := fakekey.New(41)
	for range 100 {
		a, b := m.B10(), m.Legacy()
		for _, text := range []string{
			"# b10lint:allow " + a, "/* b10lint:allow " + m.Word(m.IntN(30)) + " */ " + a + " " + b,
			"x b10lint:allow=" + b + " y " + a, "# b10lint:allow " + b[9:] + "\n" + a,
		} {
			r := scan(t, finding.LowConfidence, disk.Reader(strings.NewReader(text), finding.Location{Path: "x"}))
			for _, f := range r.Findings {
				reason := f.Locations[0].Allow
				if reason == nil {
					t.Fatalf("no reason in %d bytes", len(text))
				}
				for _, half := range []string{a[13:], b[9:]} {
					for at := 0; at+8 <= len(half); at++ {
						if strings.Contains(*reason, half[at:at+8]) {
							t.Fatal("the reason shows a part of a key")
						}
					}
				}
			}
		}
	}
}

func FuzzAllow(f *testing.F) {
	f.Add([]byte("# b10lint:allow x\nkey"), 18, true)       // the line before
	f.Add([]byte(`"b10lint:allow \n\n","x\n"`), 20, true)   // escaped line ends
	f.Add([]byte("b10lint:allow\n"), 14, true)              // at the very end
	f.Add([]byte("\nb10lint:allow \xff\xfe*/ x"), 3, false) // not UTF-8
	f.Fuzz(func(t *testing.T, data []byte, start int, notebook bool) {
		if start < 0 || start > len(data) {
			return
		}
		at := finding.Location{Path: "x.py"}
		if notebook {
			at.Path = "x.ipynb"
		}
		r, marker := allow(data, start, at)
		if r != nil && (len(*r) > maxReason || strings.ContainsAny(*r, "\n")) {
			t.Fatalf("%q", *r)
		}
		if r != nil && !strings.HasPrefix(string(data[marker:]), allowMarker) {
			t.Fatalf("no marker at %d", marker)
		}
	})
}
