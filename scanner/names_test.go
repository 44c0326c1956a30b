package scanner

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/archive/archivetest"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/scanner/source/target"
)

// A key that is the name of a file, a folder or a member, or a part of one, is found, and
// no name in the report shows it.
func TestKeysInNames(t *testing.T) {
	m := fakekey.New(120)
	var keys []string
	key := func() string { keys = append(keys, m.B10()); return keys[len(keys)-1] }
	legacy := "baseten " + m.Legacy()
	keys = append(keys, legacy[len("baseten "):])
	dir := t.TempDir()
	write(t, dir, key()+".json", "key: "+key()+"\n")
	write(t, dir, "baseten-"+key()+"_old/a.txt", "nothing\n")
	write(t, dir, legacy, "nothing\n")
	write(t, dir, "x.zip", string(archivetest.Builders()["zip"](t, archivetest.File{Name: "in/" + key() + ".txt", Data: []byte("nothing")})))
	write(t, dir, key()+".gz", string(archivetest.Gzip(t, []byte("nothing"))[:20]))
	r := scanTarget(t, dir, target.Options{NoHistory: true})
	found := map[string]int{}
	for _, f := range r.Findings {
		found[f.Prefix] += len(f.Locations)
	}
	text, err := json.Marshal(struct {
		F []finding.Finding
		P []finding.Problem
	}{r.Findings, r.Problems})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		prefix, half, _ := strings.Cut(k, ".")
		if found[prefix] == 0 {
			t.Errorf("%s is not found", prefix)
		}
		for i := 0; i+8 <= len(half); i++ {
			if strings.Contains(string(text), half[i:i+8]) {
				t.Fatalf("%s: a part of its secret half is shown", prefix)
			}
		}
	}
	if len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Path, ".****.gz") || len(found) != len(keys) {
		t.Errorf("%d problems, %d keys of %d", len(r.Problems), len(found), len(keys))
	}
}

// What is asked of every file's name before it is searched misses no key.
func TestNamesThatMayHoldAKey(t *testing.T) {
	m := fakekey.New(121)
	for _, name := range []string{"§", "a/§.json", "a.b/§", "v1.2.3/x.§", "a.tar!§", "..." + "§"} {
		for _, key := range []string{m.B10(), m.Legacy(), m.Federated()} {
			if !mayHoldKey(strings.Replace(name, "§", key, 1)) {
				t.Errorf("%s with %s", name, key[:5])
			}
		}
	}
	for _, name := range []string{"", "main.go", "src/" + strings.Repeat("long/", 20) + "name.test.js", m.Word(80), "x." + m.Word(31)} {
		if mayHoldKey(name) {
			t.Error(name)
		}
	}
}
