package rules

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/internal/worstcase"
	"github.com/b10lint/b10lint/secret"
)

// However a text is made, the bytes that are looked at are a bounded multiple of it: in
// a small text, and no more in a larger one.
func TestWorkIsLinear(t *testing.T) {
	for _, c := range worstcase.All() {
		t.Run(c.Name, func(t *testing.T) {
			for _, size := range []int{10 << 10, 200 << 10} {
				data := c.Make(size)
				_, work := findAll(c.Name, data, nil, true, nil, func(Match) bool { return true })
				if ratio := float64(work) / float64(len(data)); ratio > 40 {
					t.Errorf("%d bytes: %.1f bytes were looked at for each", len(data), ratio)
				} else if size > 100000 {
					t.Logf("%.1f", ratio)
				}
			}
		})
	}
}

// Encoded noise in front cannot take what is behind it the budget, and where the budget
// does not suffice, Find says so.
func TestBudgetIsFair(t *testing.T) {
	key := fakekey.New(4).Legacy()
	encoded := "\n\nbaseten: " + base64.StdEncoding.EncodeToString([]byte("key: "+key+"\n")) + "\n"
	for _, c := range worstcase.All() {
		noise := c.Make(50_000)
		data := append(noise, encoded...)
		n := 0
		gaveUp := Find("", data, nil, func(m Match) bool {
			if m.Start >= len(noise) && len(m.Decoded) == 1 && m.Secret.Equal(secret.New(key)) {
				n++
			}
			return true
		})
		if n != 1 {
			t.Errorf("%s: found %d times behind it", c.Name, n)
		}
		switch {
		case c.Name == "all-escapes" || c.Name == "base64-of-escapes":
			if gaveUp < 0 || gaveUp >= len(noise) {
				t.Errorf("%s: gave up at %d", c.Name, gaveUp)
			}
		case gaveUp >= 0:
			t.Errorf("%s: gave up at %d", c.Name, gaveUp)
		}
	}
}

// FuzzWork looks for a text that costs the most: anything over and over, under a header.
func FuzzWork(f *testing.F) {
	for _, c := range worstcase.All() {
		f.Add([]byte("baseten\n"), c.Make(100))
	}
	f.Fuzz(func(t *testing.T, head, unit []byte) {
		if len(unit) == 0 || len(unit) > 4<<10 || len(head) > 1<<10 {
			return
		}
		const size = 16 << 10
		data := append(head, bytes.Repeat(unit, size/len(unit)+1)...)
		if _, work := findAll("", data, nil, true, nil, func(Match) bool { return true }); work > mostWork*int64(len(data)) {
			t.Fatalf("%d bytes: %d were looked at for each", len(data), work/int64(len(data)))
		}
	})
}

// mostWork is how many bytes are looked at for each byte of a text, at most: what may be
// decoded for it, searched in turn, what is read over joints, and what the floors add to a
// small text.
const mostWork = 2*DecodeFactor + joinFactor + 16

// Keys that stand behind a variable's name, one a line, are all read once from their marks
// and once from their dots: neither takes the other's budget.
func TestManyKeysNeedNoBudget(t *testing.T) {
	m := fakekey.New(71)
	var b strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&b, "BASETEN_API_KEY_%d=%s\n", i, m.B10())
	}
	n := 0
	if gaveUp := Find("keys.env", []byte(b.String()), nil, func(Match) bool { n++; return true }); gaveUp >= 0 || n != 3000 {
		t.Errorf("%d of 3000 keys, given up at %d", n, gaveUp)
	}
}
