package archive

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/archive/archivetest"
	"github.com/b10lint/b10lint/internal/fakekey"
)

// The rows of a database: text beside text, over pages, with something packed in a column.
func TestSQLite(t *testing.T) {
	program, err := exec.LookPath("sqlite3")
	if err != nil {
		t.Skip("sqlite3 is not installed")
	}
	m := fakekey.New(31)
	legacy, over, packed, encoded := m.Legacy(), m.B10(), m.B10(), m.B10()
	dir := t.TempDir()
	c := exec.Command(program, "-batch", "x.db")
	c.Dir, c.Stdin = dir, strings.NewReader(fmt.Sprintf(`create table params (key text, value text, run text);
		insert into params values ('BASETEN_API_KEY', '%s', 'abcdef0123456789'), ('long', '%s', ''), ('e', '%s', '');
		create table files (name text, body blob); insert into files values ('a', x'%x');`,
		legacy, strings.Repeat("x", 4020)+" "+over+strings.Repeat("y", 9000), base64.StdEncoding.EncodeToString(archivetest.Gzip(t, []byte("KEY="+encoded+m.Word(50)))),
		archivetest.Gzip(t, []byte("KEY="+packed))))
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("sqlite3: %v\n%s", err, out)
	}
	data := read(t, filepath.Join(dir, "x.db"))
	for name, in := range map[string][]byte{"": data, "x.db!": archivetest.Tar(tar.FormatGNU)(t, archivetest.File{Name: "x.db", Data: data})} {
		s := walked(t, Limits{}, "name", in)
		for key, want := range map[string]string{legacy: "table params, row 1", over: "table params, row 2", packed: "table files, row 1!body",
			encoded: "table params, row 3!base64 in line 2"} {
			if !slices.Contains(s.find(key), name+want) {
				t.Errorf("the key of %q is in %q", name+want, s.find(key))
			}
		}
		if got := string(s.members[name+"table params, row 1"]); got != "key: BASETEN_API_KEY\nvalue: "+legacy+"\nrun: abcdef0123456789\n" {
			t.Errorf("a row of %d bytes", len(got))
		}
		if len(s.problems) > 0 {
			t.Errorf("problems: %q", s.problems)
		}
	}
	s := newSeen()
	if err := NewWalker(Limits{}).Walk(t.Context(), bytes.NewReader(data[:len(data)-4096]), int64(len(data)-4096), "x.db", s.visitor()); err != nil || len(s.problems) != 1 {
		t.Errorf("of a database that is cut: %q, %v", s.problems, err)
	}
}
