package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/rules/encodingtest"
)

// find returns the matches in text as "format/confidence" in order, and checks
// that each span holds what it says.
func find(t *testing.T, path, text string) (out []string) {
	t.Helper()
	Find(path, []byte(text), nil, func(m Match) bool {
		if len(m.Decoded) == 0 && text[m.Start:m.End] != m.Secret.Reveal() {
			t.Errorf("span %d-%d does not hold the key %s", m.Start, m.End, m.Secret)
		}
		out = append(out, fmt.Sprintf("%s/%s", m.Format, m.Confidence))
		return true
	})
	return out
}

func TestBoundaries(t *testing.T) {
	m := fakekey.New(2)
	// N stands for a key of format b10, L for a legacy one.
	for _, c := range []struct {
		text string
		want int
	}{
		{"N", 1}, {"N\n", 1}, {"'N'", 1}, {`"N"`, 1}, {"(N)", 1}, {"=N;", 1}, {"/N/", 1}, {"@N:", 1},
		{"Bearer N", 1}, {"N.", 1}, {"N. And", 1}, {"N...", 1}, {"N,N", 2}, {"N N\nN", 3}, {"N.\n", 1},
		// A mark with both halves stands by itself; only what makes them longer ends it.
		{"xN", 1}, {"_N", 1}, {"-N", 1}, {".N", 1}, {"0N", 1}, {"N_", 1}, {"N-", 1}, {"N.js", 1}, {"N.N", 2}, {"N-N", 2}, {"N_old", 1}, {"N->x", 1},
		{"Nx", 0}, {"N0", 0}, {"NN", 2}, {"Nx\x00", 1}, {"Nx" + strings.Repeat(" ", 60000) + "\x00", 1}, {"Nx" + strings.Repeat(" ", 70000) + "\x00", 0},
		{"\x8c-N\x94", 1}, {"X-\x00\x00\x00Nq\x01", 1},
		// Without a mark it has to be a token.
		{"L", 1}, {"xL", 0}, {"_L", 1}, {"-L", 1}, {":-L}", 1}, {"\n-L\n+L\n", 2}, {"__L__", 1}, {"L->x", 1}, {"L---", 1}, {"L_ L", 2}, {"key-L", 0}, {"k_L", 0}, {"x.-L", 0},
		{"L-x", 0}, {"L_x", 0}, {"L.js", 0}, {"L-.x", 0}, {"Lx", 0}, {"L. And", 1}, {"L.L", 0},
		// In data that is not text, one side may touch a letter, and a length the left one.
		{"\x00xL\x00", 0}, {"\x00Lx\x00", 0}, {"\x00xLx\x00", 0}, {"RL-x\x00", 1}, {"\x01UL_z", 1}, {"\x01baseten" + "UL\x00", 1}, {"\x01lt_aU" + "L\x00", 0}, {"\x02\".L\x01", 1}, {"\x02.L\x01", 0}, {"\x02_L\x01", 1}, {"k_L\x01", 0}, {"k.L\x01", 0},
		{"\x00L.js", 0}, {"\x00L.\x01", 1}, {"\x00)L-b10", 1}, {"\x1b[0mxL", 0}, {"x" + strings.Repeat(" ", 80) + "xL" + strings.Repeat(" ", 80) + "\x00", 0},
		{`\nN`, 1}, {`\tN`, 1}, {`\rN`, 1}, {`\"N\"`, 1}, {`\\nN\\n`, 1}, {`\x0aN\x0a`, 1}, {`\x3dN`, 1}, {`\x41N`, 1}, {`\x41L`, 0},
		{`\u003dN\u0026`, 1}, {`\u000aN`, 1}, {`\u0041N`, 1}, {`\u0041L`, 0}, {`\U0000000aN`, 1}, {`\u{3d}N`, 1}, {`\012N`, 1}, {`\075N\046`, 1},
		{"%3DN%26", 1}, {"%20N", 1}, {"%0aN", 1}, {"%41N", 1}, {"%41L", 0}, {"%253DN", 1}, {"%2EN", 1}, {"%2EL", 0}, {"=3DN=20", 1}, {"=3D=\nN=\n", 1},
		{"&quot;N&quot;", 1}, {"&#34;N&#34;", 1}, {"&amp;N&amp;", 1},
		{`\u001b[1;32mN\u001b[0m`, 1}, {`\x1b[32mN\x1b[0m`, 1}, {`\033[1mN\033[0m`, 1}, {`\e[31mN`, 1},
		{"\x1b[1;32mN\x1b[0m", 1}, {"\x1b[mN\x1b[K", 1}, {"[32mN", 1}, {"[abcN", 1}, {"[abcL", 0},
		{"lt_L", 0}, {"lt_L b10_L", 1}, {"sk-L", 0}, {"b10_", 0}, {"b10__L", 0}, {"B10_L", 0}, {"xb10_L", 1},
		{"\xff\xfeN\xff", 1}, {"\x00N\x00", 1}, {"\u00a0N\u00a0", 1}, {"é" + "N", 1},
	} {
		var text string
		for _, r := range "baseten " + c.text {
			switch r {
			case 'N':
				text += m.B10()
			case 'L':
				text += m.Legacy()
			default:
				text += string(r)
			}
		}
		if got := find(t, "x", text); len(got) != c.want {
			t.Errorf("%q with N a key, L a legacy key: %v, want %d", c.text, got, c.want)
		}
	}
}

func TestNotKeys(t *testing.T) {
	m := fakekey.New(3)
	for name, text := range map[string]string{
		"documented placeholder": "abcdefgh." + "1234567890ABCDEFGHIJKL1234567890",
		"new placeholder":        "b10_abcdefgh." + "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF",
		"prefix alone":           "b10_" + m.Word(8),
		"prefix and dot":         "b10_" + m.Word(8) + ".",
		"masked":                 "b10_" + m.Word(8) + ".****",
		"short secret":           "b10_" + m.Word(8) + "." + m.Word(31),
		"long secret":            "b10_" + m.Word(8) + "." + m.Word(33),
		"short prefix":           "b10_" + m.Word(7) + "." + m.Word(32),
		"long prefix":            "b10_" + m.Word(9) + "." + m.Word(32),
		"JWT":                    m.Word(8) + "." + m.Word(32) + "." + m.Word(43),
		"hashed asset":           "manifest." + strings.ToLower("D41D8CD98F00B204E9800998ECF8427E") + ".js",
		"hex":                    "polyfill." + strings.ToLower("D41D8CD98F00B204E9800998ECF8427E"),
		"digits":                 "12345678." + "31415926535897932384626433832795",
		"name":                   "internal." + "NewAuthenticationProviderFactory",
		"name with a digit":      "internal." + "NewAuthenticationProvider2Config",
		"repeated":               "xxxxxxxx." + strings.Repeat("x", 32),
		"dots":                   strings.Repeat(".", 100),
		"database name":          "b10_12345678_name",
		"module alias":           "b10_types.TrussConfigurationForDeployments",
	} {
		if got := find(t, "baseten", text+"\nbaseten truss "+text+" "); len(got) > 0 {
			t.Errorf("%s: found %v", name, got)
		}
	}
}

// What a path says can be added when it is learned later: Find(path, data) gives each
// match of Find("", data) the confidence that Silent and PathSpeaks lead to.
func TestPathSpeaks(t *testing.T) {
	m := fakekey.New(41)
	words := []string{"baseten", "truss", "ultravox", "rest_framework", "key", "Api-Key", "b10", "x = 1"}
	keys := []func() string{m.B10, m.Legacy, m.Federated}
	encodings := append(encodingtest.All(), encodingtest.Encoding{Encode: func(_ *fakekey.Maker, s string) string { return s }})
	counts := map[string]int{}
	for range 1000 {
		var text strings.Builder
		for range 1 + m.IntN(6) {
			text.WriteString(strings.Repeat("nothing here\n", m.IntN(2)*m.IntN(300)))
			if m.IntN(3) == 0 {
				text.WriteString(words[m.IntN(len(words))])
			}
			text.WriteString([]string{" ", "\n", "\n\n\n"}[m.IntN(3)])
			key := "key = '" + keys[m.IntN(len(keys))]() + "'"
			if m.IntN(4) == 0 {
				key = words[m.IntN(len(words))] + " " + key
			}
			for range m.IntN(3) {
				key = encodings[m.IntN(len(encodings))].Encode(m, key)
			}
			text.WriteString(key + "\n")
		}
		data := []byte(text.String())
		for _, path := range []string{"", "a.py", "src/baseten/a.py", "x.trussrc", "truss/ultravox.py", "ultravox/a.py", "djangorestframework/x"} {
			got := map[string]finding.Confidence{}
			Find(path, data, nil, func(f Match) bool {
				got[fmt.Sprint(f.Start, f.End, f.Secret.Digest())] = f.Confidence
				return true
			})
			Find("", data, nil, func(f Match) bool {
				want := f.Confidence
				if c, ok := PathSpeaks(f.Format, path); ok && f.Silent {
					want = c
				}
				if c, ok := got[fmt.Sprint(f.Start, f.End, f.Secret.Digest())]; !ok || c != want {
					t.Errorf("%s: %s at %d: %s, want %s (found %t, silent %t)", path, f.Format, f.Start, c, want, ok, f.Silent)
				}
				counts[fmt.Sprintf("%s was %s, is %s", f.Format, f.Confidence, want)]++
				return true
			})
		}
	}
	t.Log(counts)
}

func TestConfidence(t *testing.T) {
	m := fakekey.New(4)
	far := strings.Repeat("nothing here\n", 400)
	for _, c := range []struct{ path, text, want string }{
		{"x", "N", "b10/high"},
		{"x", "ultravox N", "b10/high"},
		{"x", "L", "legacy/low"},
		{"x", "BASETEN_API_KEY=L", "legacy/high"},
		{"x", "basetenApiKey: 'L'", "legacy/high"},
		{"x", `truss.login("L")`, "legacy/high"},
		{"x", "https://model-x.api.baseten.co/ -H 'Authorization: Api-Key L'", "legacy/high"},
		{"x", "# b10\nkey: L", "legacy/high"},
		{"x", "0fb10a key: L", "legacy/low"},
		{"x", "trusses hold: L", "legacy/low"},
		{"x", "curl -H 'Authorization: Api-Key L' https://example.com", "legacy/medium"},
		{"x", "authorization: {type: Api-Key, credentials: L}", "legacy/medium"},
		{"x", "X-API-Key: L", "legacy/low"},
		{"x", "--api-key L", "legacy/low"},
		{"x", "from rest_framework_api_key import x\n\nAuthorization: Api-Key L", "legacy/low"},
		{"x", "ULTRAVOX_API_KEY=L", "legacy/low"},
		{"x", "BASETEN_API_KEY=N\nULTRAVOX_API_KEY=L", "b10/high legacy/low"},
		{"x", `{"baseten":"L","ultravox":"L"}`, "legacy/high legacy/low"},
		{"x", "baseten:\n  # the key\n  api_key: L\nultravox:\n  api_key: L\n", "legacy/high legacy/low"},
		{"x", "// baseten and voice\nconst key = 'L'\nfetch('https://api.ultravox.ai/api')", "legacy/low"},
		{"x", "# ultravox, then speech\nkey = 'L'\nurl = 'https://model-x.api.baseten.co/'", "legacy/high"},
		{"x", "// baseten and voice\nconst key = 'L'\nconst model = 'fixie-ai/ultravox'", "legacy/high"},
		{"x", "// baseten\nconst key = 'L'\nload('https://huggingface.co/fixie-ai/ultravox')", "legacy/high"},
		{"home/.trussrc", "api_key = L", "legacy/high"},
		{"baseten/client.py", far + "key = 'L'", "legacy/high"},
		{"x", "import baseten\n" + far + "key = 'L'", "legacy/high"},
		{"x", far + "import baseten\n" + far + "key = 'L'", "legacy/medium"},
		{"x", far + "key = 'L'" + far + "baseten", "legacy/medium"},
		{"x", "F", "federated/low"},
		{"x", "BASETEN_GATEWAY_KEY=F", "federated/medium"},
	} {
		text := strings.NewReplacer("N", m.B10(), "L", m.Legacy(), "F", m.Federated()).Replace(protect(c.text))
		if got := strings.Join(find(t, c.path, text), " "); got != c.want {
			t.Errorf("%s: %.60q: %s, want %s", c.path, c.text, got, c.want)
		}
	}
}

// protect spells out the capitals of ordinary words that would be replaced.
func protect(s string) string {
	for _, w := range []string{"BASETEN", "ULTRAVOX", "API-Key"} {
		s = strings.ReplaceAll(s, w, strings.ToLower(w))
	}
	return s
}

func TestFreshLimitsTheSearch(t *testing.T) {
	m := fakekey.New(5)
	text := []byte(m.B10() + " " + m.B10() + " " + m.B10())
	n := len(m.B10())
	for _, c := range []struct {
		fresh []finding.Span
		want  string
	}{
		{nil, "012"},
		{[]finding.Span{}, ""},
		{[]finding.Span{{Start: 0, End: 1}}, "0"},
		{[]finding.Span{{Start: n / 2, End: n / 2}}, "0"},
		{[]finding.Span{{Start: n, End: n + 1}}, "01"}, // the blank touches both
		{[]finding.Span{{Start: n + 5, End: n + 6}}, "1"},
		{[]finding.Span{{Start: n + 5, End: n + 6}, {Start: n + 9, End: n + 10}, {Start: 3*n + 1, End: 3*n + 2}}, "12"},
		{[]finding.Span{{Start: 0, End: len(text)}}, "012"},
	} {
		got := ""
		Find("x", text, c.fresh, func(m Match) bool {
			got += fmt.Sprint(m.Start / n)
			return true
		})
		if got != c.want {
			t.Errorf("fresh %v: %q, want %q", c.fresh, got, c.want)
		}
	}
}

func TestFindStops(t *testing.T) {
	m := fakekey.New(6)
	n := 0
	Find("x", []byte(m.B10()+" "+m.B10()), nil, func(Match) bool { n++; return false })
	if n != 1 {
		t.Errorf("yielded %d times after false", n)
	}
}

// A search allocates its own state and nothing more where there is nothing to find.
func TestAllocationWithoutAMatch(t *testing.T) {
	data := []byte(strings.Repeat("some.source(text).with.dots = 1; // and words\n", 1000))
	if n := testing.AllocsPerRun(10, func() { Find("x", data, nil, func(Match) bool { return true }) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}
