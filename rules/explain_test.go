package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/fakekey"
)

func TestExplain(t *testing.T) {
	m := fakekey.New(71)
	b10, legacy := m.B10(), m.Legacy()
	prefix, secret, _ := strings.Cut(legacy, ".")
	for _, c := range []struct {
		text string
		key  bool
		want string
	}{
		{"x = '" + b10 + "'", true, "evidence enough"},
		{"BASETEN_API_KEY=" + legacy, true, "Baseten is named on its line"},
		{"import baseten\n\n\nkey = '" + legacy + "'", true, "in the lines around it"},
		{"import baseten\n" + strings.Repeat("#\n", 40) + "key = '" + legacy + "'", true, "in the file's name or first lines"},
		{"key = '" + legacy + "'", true, "nothing in the file names Baseten"},
		{"sentry key = '" + legacy + "'", true, ""},
		{"x = '" + b10[:20] + "'", false, "7 letters and digits follow the dot where a key has 32"},
		{"x = '" + b10[:12] + "'", false, "the mark b10_ without 8 letters and digits, a dot"},
		{"x = '" + b10[:11] + b10[12:] + "'", false, "7 characters are before the dot where a key has 8"},
		{"x = '" + prefix + "." + secret + "A'", false, "more than 32"},
		{"x = '" + "w" + legacy + "'", false, "part of a longer word: 9 characters"},
		{"x = '" + prefix + "." + strings.Repeat("ab", 16) + "'", false, "2 different characters"},
		{"x = 'b10_" + "abcdefgh" + "." + "abcdefghijklmnopqrstuvwxyz012345" + "'", false, "in order"},
		{"import os.path; print('hello.world')", false, ""},
	} {
		all, _ := Explain("x", []byte(c.text), 0, len(c.text))
		said := fmt.Sprintf("%+v", all)
		found := false
		for _, e := range all {
			found = found || e.Key
		}
		if found != c.key || !strings.Contains(said, c.want) || c.want == "" && !c.key && len(all) > 0 {
			t.Errorf("%q, want %q:\n%s", c.text[:4], c.want, said)
		}
		for _, half := range []string{b10[13:], secret} {
			for i := 0; i+6 <= len(half); i++ {
				if strings.Contains(said, half[i:i+6]) {
					t.Fatal("a part of a secret half is shown")
				}
			}
		}
	}
}

// The words agree with the judgement that they are about.
func FuzzExplain(f *testing.F) {
	m := fakekey.New(72)
	f.Add("a "+m.B10()+" b", 3)
	f.Add("baseten: "+m.Legacy()+".x", 9)
	f.Add("wandb\n\n"+m.Legacy(), 9)
	f.Add("b10_abcdefgh."+strings.Repeat("abcd", 8), 2)
	f.Fuzz(func(t *testing.T, in string, at int) {
		data := []byte(in)
		found := 0
		Find("x", data, nil, func(Match) bool { found++; return true })
		all, _ := Explain("x", data, 0, len(data))
		keys := 0
		for _, e := range all {
			if e.Key {
				keys++
			}
			if len(e.Reasons) == 0 || e.Start > e.End || e.End > len(data) {
				t.Fatalf("%+v", e)
			}
		}
		if keys != min(found, maxExplained) {
			t.Fatalf("%d keys, of %d", keys, found)
		}
		if at >= 0 && at < len(data) {
			var work int64
			x := &text{path: "x", data: data, work: &work}
			if s, ok := legacy.at(x, at); ok {
				w, _ := x.weigh(s)
				if got, _ := x.why(s); got != w {
					t.Fatalf("why says %d, weigh %d", got, w)
				}
				prefix, secret := data[s.dot-legacy.Prefix:s.dot], data[s.dot+1:s.end]
				if (made(prefix, secret) != "") != readsAsMade(prefix, secret) {
					t.Fatal("made and readsAsMade do not agree")
				}
			}
		}
	})
}
