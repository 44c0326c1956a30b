package pack

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	someTree   = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
	someCommit = "aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd"
)

func mustID(t testing.TB, s string) ID {
	t.Helper()
	id, err := ParseID(s)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestParseCommit(t *testing.T) {
	at := time.Unix(1700000000, 0)
	tests := []struct {
		name, data string
		want       CommitInfo
	}{
		{"merge", "tree " + someTree + "\nparent " + someCommit + "\nparent " + someTree +
			"\nauthor A B <a@b> 1700000000 +0130\ncommitter C <c@d> 1700000000 -0500\n\nmessage\n",
			CommitInfo{Tree: mustID(t, someTree), Parents: []ID{mustID(t, someCommit), mustID(t, someTree)},
				Author:    Signature{"A B", "a@b", at.In(time.FixedZone("", 5400))},
				Committer: Signature{"C", "c@d", at.In(time.FixedZone("", -18000))}, Message: []byte("message\n")}},
		{"signed, continued lines look like headers", "tree " + someTree + "\ngpgsig x\n tree " + someCommit + "\n \n author X <x> 1 +0000\n\nm",
			CommitInfo{Tree: mustID(t, someTree), Message: []byte("m")}},
		{"no message", "tree " + someTree + "\nauthor A <a> 1700000000 +0000",
			CommitInfo{Tree: mustID(t, someTree), Author: Signature{"A", "a", at.UTC()}}},
		{"odd people", "tree " + someTree + "\nauthor <> 1700000000 +9999\ncommitter Z <z> q>1700000000\n\n",
			CommitInfo{Tree: mustID(t, someTree), Author: Signature{"", "", at.UTC()}, Committer: Signature{"Z", "z> q", at.UTC()}, Message: []byte{}}},
		{"no address, no date, absurd date", "tree " + someTree + "\nauthor Just Name\ncommitter Z <z> 99999999999999\n\n",
			CommitInfo{Tree: mustID(t, someTree), Author: Signature{Name: "Just Name"}, Committer: Signature{Name: "Z", Email: "z"}, Message: []byte{}}},
		{"address without an end", "tree " + someTree + "\nauthor A <a@b 1\n\n",
			CommitInfo{Tree: mustID(t, someTree), Author: Signature{Name: "A", Email: "a@b 1"}, Message: []byte{}}},
	}
	for _, tt := range tests {
		got, err := ParseCommit([]byte(tt.data))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		same := cmp.Comparer(func(a, b time.Time) bool {
			return a.Equal(b) && a.Format(time.RFC3339) == b.Format(time.RFC3339)
		})
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(ID{}), same); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	for _, data := range []string{"", "\n", "tree \n", "tree 123\n\n", "tree " + someTree + "00\n\n", "tree" + someTree} {
		if _, err := ParseCommit([]byte(data)); err == nil {
			t.Errorf("%q: no error", data)
		}
	}
}

func TestParseTag(t *testing.T) {
	data := "object " + someCommit + "\ntype commit\ntag v1\ntagger T <t@t> 1700000000 +0000\n\nnotes\n"
	got, err := ParseTag([]byte(data))
	want := TagInfo{mustID(t, someCommit), Commit, []byte("v1"), Signature{"T", "t@t", time.Unix(1700000000, 0).UTC()}, []byte("notes\n")}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(ID{})); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if _, err := ParseTag([]byte("type commit\n\n")); err == nil {
		t.Error("a tag of nothing gave no error")
	}
}

func TestTreeEntries(t *testing.T) {
	id := mustID(t, someCommit)
	raw := string(id.Bytes())
	good := "40000 dir\x00" + raw + "100644 a file\n\xff\x00" + raw + "160000 sub\x00" + raw
	var got []TreeEntry
	for e, err := range TreeEntries([]byte(good), sha1Size) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	want := []TreeEntry{{0o40000, []byte("dir"), id}, {0o100644, []byte("a file\n\xff"), id}, {0o160000, []byte("sub"), id}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(ID{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !got[0].IsTree() || got[1].IsTree() || !got[2].IsCommit() || got[1].IsCommit() {
		t.Error("modes are told apart wrongly")
	}
	for _, bad := range []string{"4", "40000", "40000 dir", "40000 dir\x00" + raw[:19], "40800 dir\x00" + raw, " dir\x00" + raw, "40000 \x00" + raw, "100000000 dir\x00" + raw} {
		n, failed := 0, false
		for e, err := range TreeEntries([]byte(good+bad), sha1Size) {
			n++
			failed = err != nil
			_ = e
		}
		if n != 4 || !failed {
			t.Errorf("%q: %d entries, failed %v", bad, n, failed)
		}
	}
}

func TestParseID(t *testing.T) {
	for _, s := range []string{someTree, strings.Repeat("0f", 32)} {
		if id := mustID(t, s); id.String() != s || len(id.Bytes()) != len(s)/2 || id.IsZero() {
			t.Errorf("%s came back as %s", s, id)
		}
	}
	for _, s := range []string{"", "12", someTree[:39], someTree + "0", strings.Repeat("g", 40)} {
		if id, err := ParseID(s); err == nil || !id.IsZero() {
			t.Errorf("%q: %v %v", s, id, err)
		}
	}
}
