package sqlite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// run has sqlite3 run a script on a database in a folder. Tests that call it are skipped
// where there is none.
func run(t testing.TB, dir, script string) string {
	t.Helper()
	program, err := exec.LookPath("sqlite3")
	if err != nil {
		t.Skip("sqlite3 is not installed")
	}
	c := exec.Command(program, "-batch", "-noheader", "x.db")
	c.Dir, c.Stdin = dir, strings.NewReader(script)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("sqlite3: %v\n%s", err, out)
	}
	return string(out)
}

// rows reads all rows as "table row: column=value ...".
func rows(t testing.TB, data []byte) (all []string, damage Damage) {
	t.Helper()
	damage, err := Rows(bytes.NewReader(data), int64(len(data)), 0, 1<<20, func(r *Row) error {
		line := fmt.Sprintf("%s %d:", r.Table, r.ID)
		for _, v := range r.Values {
			line += fmt.Sprintf(" %s=%s", v.Column, v.Data)
		}
		all = append(all, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all, damage
}

func file(t testing.TB, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// What is read is what sqlite3 itself selects, for every size of page and every encoding:
// short rows, rows over many pages, tables of one page and of several levels, indexes.
func TestAgainstSQLite(t *testing.T) {
	for i, pageSize := range []int{512, 1024, 4096, 65536} {
		encoding := []string{"UTF-8", "UTF-16le", "UTF-16be"}[i%3]
		dir := t.TempDir()
		want := run(t, dir, fmt.Sprintf(`pragma page_size=%d; pragma encoding='%s';
			create table one (id integer primary key, "the key" text, value varchar(20) default (1), -- a note, with a comma
				raw blob, n int, last text);
			create index byvalue on one (value, n);
			create table two (k text primary key, v) without rowid;
			with recursive c(i) as (select 1 union all select i+1 from c where i<400)
				insert into one select i*3, 'key é€😀 '||i, substr(hex(zeroblob(i*i/11)), 1), x'414243', case i%%3 when 0 then -i when 1 then i*100000 else null end, 'end' from c;
			insert into two select 'k'||id, value from one where id < 90;
			alter table one add column late text;
			update one set late = 'added' where id = 30;
			select 'one '||id||': the key='||"the key"||' value='||value||' raw=ABC'||iif(n is null, '', ' n='||n)||' last=end'||iif(late is null, '', ' late='||late) from one;
			select 'two 0: k='||k||' v='||v from two;`, pageSize, encoding))
		got, damage := rows(t, file(t, dir, "x.db"))
		if damage != (Damage{}) {
			t.Errorf("%d: damage %+v", pageSize, damage)
		}
		has := map[string]bool{}
		indexed := 0
		for _, line := range got {
			has[line] = true
			if strings.HasPrefix(line, "byvalue 0: 1=") {
				indexed++
			}
		}
		for line := range strings.Lines(want) {
			if line = strings.TrimRight(line, "\n"); !has[line] {
				t.Fatalf("%d: not read: %.100s; read %.300q", pageSize, line, got[3:])
			}
		}
		if indexed != 400 {
			t.Errorf("%d: %d rows of the index", pageSize, indexed)
		}
	}
}

// Rows that were deleted are read from the pages that became free, and rows of a log.
func TestDeletedAndLogged(t *testing.T) {
	dir := t.TempDir()
	run(t, dir, `pragma secure_delete=off; create table t (v text);
		with recursive c(i) as (select 1 union all select i+1 from c where i<200) insert into t select 'row '||i||hex(zeroblob(100)) from c;
		delete from t;`)
	got, damage := rows(t, file(t, dir, "x.db"))
	if n := len(slices.DeleteFunc(got, func(s string) bool { return !strings.Contains(s, "=row ") })); n < 150 || damage != (Damage{}) {
		t.Errorf("%d of 200 deleted rows, damage %+v", n, damage)
	}
	dir = t.TempDir()
	run(t, dir, `.dbconfig no_ckpt_on_close on
		pragma journal_mode=wal; pragma wal_autocheckpoint=0; create table t (v text);
		with recursive c(i) as (select 1 union all select i+1 from c where i<50) insert into t select 'row '||i||hex(zeroblob(3000)) from c;`)
	got, damage = rows(t, file(t, dir, "x.db-wal"))
	for i := 1; i <= 50; i++ {
		if want := fmt.Sprintf("t %d: v=row %d%s", i, i, strings.Repeat("00", 3000)); !slices.Contains(got, want) {
			t.Errorf("the log's row %d is not read", i)
		}
	}
	if damage != (Damage{}) {
		t.Errorf("of a log: damage %+v", damage)
	}
}

// Damage is counted, the limits hold, and an error of the callback ends the reading.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	run(t, dir, `create table t (v text); insert into t select hex(zeroblob(20000)) from (values (1),(2),(3));`)
	data := file(t, dir, "x.db")
	if _, damage := rows(t, data[:len(data)-8192]); damage.Pages != 2 {
		t.Errorf("of a file that is cut: %+v", damage)
	}
	n := 0
	damage, err := Rows(bytes.NewReader(data), int64(len(data)), 100, 1000, func(r *Row) error { n++; return nil })
	if err != nil || n != 3 || damage.Rows != 3 {
		t.Errorf("rows over the limit: %d, %+v, %v", n, damage, err)
	}
	stop := errors.New("stop")
	if _, err := Rows(bytes.NewReader(data), int64(len(data)), 0, 1000, func(r *Row) error { return stop }); err != stop {
		t.Errorf("error %v", err)
	}
	for _, bad := range [][]byte{nil, data[:50], append([]byte(Magic+"\x00\x03"), data[18:]...)} {
		if _, err := Rows(bytes.NewReader(bad), int64(len(bad)), 0, 1000, func(r *Row) error { return nil }); err == nil {
			t.Errorf("%.20q is no error", bad)
		}
	}
}

// A file in which everything points to the longest chain of pages is read in time that is
// linear in its size.
func TestHostile(t *testing.T) {
	const pageSize, pages = 4096, 2000
	data := make([]byte, pageSize*pages)
	copy(data, Magic)
	binary.BigEndian.PutUint16(data[16:], pageSize)
	for no := 1; no < pages; no++ {
		p := data[no*pageSize:]
		p[0] = tableLeaf
		binary.BigEndian.PutUint16(p[3:], 400)
		for i := range 400 {
			binary.BigEndian.PutUint16(p[8+2*i:], 1000)
		}
		// A payload of 7 MB that begins with 4,000 bytes here and goes on in the next page.
		copy(p[1000:], "\x83\xad\xc0\x00\x01\x03\x8f\xff\x7f")
		binary.BigEndian.PutUint32(p, uint32(tableLeaf)<<24|uint32(no+1)&0xffffff)
	}
	counted := &counting{data: data}
	if _, err := Rows(counted, int64(len(data)), 0, 1<<30, func(r *Row) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if counted.n > 8*int64(len(data)) {
		t.Errorf("%d bytes read of %d", counted.n, len(data))
	}
}

type counting struct {
	data []byte
	n    int64
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	n, err := bytes.NewReader(c.data).ReadAt(p, off)
	c.n += int64(n)
	return n, err
}

func TestColumns(t *testing.T) {
	for sql, want := range map[string]string{
		`CREATE TABLE t (a, b TEXT /* x, y */, "c d" INT, [e f], PRIMARY KEY (a, b))`: "a|b|c d|e f|PRIMARY", "CREATE INDEX i ON t (a)": "", "": "", "CREATE TABLE t(": "",
		"create table `x` (\n  a varchar(3), -- one, two\n  b default ',')": "a|b",
	} {
		if got := strings.Join(columns(sql), "|"); got != want {
			t.Errorf("%s: %q", sql, got)
		}
	}
}

func FuzzRows(f *testing.F) {
	dir := f.TempDir()
	run(f, dir, `pragma page_size=512; create table t (a, b text); insert into t values (1, hex(zeroblob(600))), (2, 'x'); create index i on t(b);`)
	f.Add(file(f, dir, "x.db"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, head := range []string{Magic + "\x02\x00", LogMagic + "\x00\x2d\xe2\x18\x00\x00\x02\x00"} {
			data = append([]byte(head), data[min(len(head), len(data)):]...)
			c := &counting{data: data}
			_, err := Rows(c, int64(len(data)), 0, 1<<20, func(r *Row) error {
				for _, v := range r.Values {
					if len(v.Data) > 3*len(data)+64 {
						t.Fatalf("a value of %d bytes in a file of %d", len(v.Data), len(data))
					}
				}
				return nil
			})
			if err == nil && c.n > 12*int64(len(data))+2<<20 {
				t.Fatalf("%d bytes read of %d", c.n, len(data))
			}
		}
	})
}
