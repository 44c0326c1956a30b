package trussrc

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// script reads a JSON list of hexadecimal files and prints what configparser
// makes of each, in the shape of view.
const script = `
import configparser, io, json, sys
kinds = {"InterpolationSyntaxError": "bad use of %",
         "InterpolationMissingOptionError": "reference to an option that is not there",
         "InterpolationDepthError": "references nested too deeply"}
def view(data):
    c = configparser.ConfigParser()
    try:
        text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8").read()
        c.read_file(io.StringIO(text, newline=None))
    except UnicodeDecodeError:
        return {"Fatal": "not UTF-8", "Sections": None}
    except configparser.DuplicateSectionError as e:
        return {"Fatal": "duplicate section %d" % e.lineno, "Sections": None}
    except configparser.DuplicateOptionError as e:
        return {"Fatal": "duplicate option %d" % e.lineno, "Sections": None}
    except configparser.MissingSectionHeaderError as e:
        return {"Fatal": "missing section header %d" % e.lineno, "Sections": None}
    except configparser.ParsingError as e:
        return {"Fatal": "line that is not an assignment " + " ".join(str(n) for n, _ in e.errors), "Sections": None}
    out = {}
    for name in c.sections():
        out[name] = {}
        for option in c[name]:
            try:
                out[name][option] = c.get(name, option)
            except configparser.InterpolationError as e:
                out[name][option] = "error: " + kinds[type(e).__name__]
    return {"Fatal": "", "Sections": out}
json.dump([view(bytes.fromhex(h)) for h in json.load(sys.stdin)], sys.stdout)
`

func TestAgainstPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 in PATH")
	}
	files := append([]string{}, texts...)
	r := rand.New(rand.NewPCG(5, 0xb10))
	for range 3000 {
		files = append(files, random(r))
	}
	hexed := make([]string, len(files))
	for i, f := range files {
		hexed[i] = hexOf(f)
	}
	in, err := json.Marshal(hexed)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-c", script)
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	var want []view
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	read := 0
	for i, f := range files {
		got := viewOf([]byte(f))
		if got.Fatal == "" {
			read++
		}
		if diff := cmp.Diff(want[i], got); diff != "" {
			t.Errorf("%q (-python +ours):\n%s", f, diff)
		}
	}
	if read < 500 {
		t.Errorf("only %d of %d files are readable: the generator is too wild", read, len(files))
	}
}

func hexOf(s string) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for i := range len(s) {
		b.WriteByte(digits[s[i]>>4])
		b.WriteByte(digits[s[i]&15])
	}
	return b.String()
}

// random returns a file of a few lines, each made of pieces that matter to the grammar.
func random(r *rand.Rand) string {
	pieces := []string{"a", "B", "api_key", "x", "[", "]", "=", ":", " = ", "#", ";", "%", "%%", "%(a)s", "%(x)s", "%(b)s", "%(", ")s", " ", "\t", "\u00a0", "\x1d", "é", "1"}
	starts := []string{"[a]", "[b]", "[c c]", "[DEFAULT]", "a = ", "b: ", "x=", "api_key = ", "  ", "\t", "#", " ;", "", "", "c =", "d ="}
	ends := []string{"\n", "\n", "\n", "\n", "\r\n", "\r", "\n\n"}
	var b strings.Builder
	if r.IntN(10) > 0 {
		b.WriteString("[" + string(rune('a'+r.IntN(3))) + "]\n")
	}
	for range r.IntN(8) {
		b.WriteString(starts[r.IntN(len(starts))])
		for range r.IntN(4) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		b.WriteString(ends[r.IntN(len(ends))])
	}
	return b.String()
}
