package revoke

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/clock"
)

// maxJournal bounds a journal that is read.
const maxJournal = 64 << 20

// ErrBusy is in the error of a journal that another run has open.
var ErrBusy = errors.New("another run has this journal open")

// A step is what a record says was about to be done, or was done.
type step string

// The steps. Each is on the disk before the next thing is done.
const (
	stepBegin   step = "begin"   // the first record: what the journal is for
	stepResumed step = "resumed" // a later run took over
	stepEnd     step = "end"     // nothing is left to be done

	// Of a revocation, for each key.
	stepIntend step = "intend-revoke"
	stepSent   step = "deleted"      // Baseten accepted the delete
	stepGone   step = "already-gone" // there was no such key
	stepAbsent step = "absent"       // the list does not have it any more
	stepProbed step = "probed"       // asked with the key itself
	stepFailed step = "failed"       // to be tried again by a later run
)

// A record is one line of a journal. The order is that of N; At is for people
// only, since clocks jump.
type record struct {
	N      int             `json:"n"`
	At     time.Time       `json:"at"`
	Step   step            `json:"step"`
	Prefix string          `json:"prefix,omitempty"`
	Name   string          `json:"name,omitempty"`
	Detail string          `json:"detail,omitempty"`
	Place  int             `json:"place,omitempty"`   // of a rotation's places, from 1
	Kind   string          `json:"journal,omitempty"` // of the first record
	Data   json.RawMessage `json:"data,omitempty"`    // of the first record
	// Credential is what the run goes by that took over: where it came from, and its prefix.
	Credential string `json:"credential,omitempty"`
	// Prev is the SHA-256 of the line of the record before, without its end. The first
	// record has none; nor have those of versions that did not chain.
	Prev string `json:"prev,omitempty"`

	sum  string // the SHA-256 of its own line
	line int    // where it stands in the file
}

// A journal is an append-only file of records, one a line, which makes it safe
// to end at any moment and go on later. Every record is on the disk when append
// returns. While it is open no other run can open it. It is safe for use by
// several goroutines.
type journal struct {
	path    string
	clock   clock.Clock
	mu      sync.Mutex
	f       *os.File
	records []record
	err     error
	// point is called around every write; tests end the process in it.
	point func(name string)
}

// DefaultDir returns where journals are kept: $XDG_STATE_HOME/b10lint or
// ~/.local/state/b10lint; on Windows below %LocalAppData%.
func DefaultDir(env baseten.Lookup) (string, error) {
	for _, root := range [][2]string{{"XDG_STATE_HOME", ""}, {"LocalAppData", ""}, {"HOME", ".local/state"}, {"USERPROFILE", ".local/state"}} {
		if v, ok := env(root[0]); ok && filepath.IsAbs(v) {
			return filepath.Join(v, filepath.FromSlash(root[1]), "b10lint"), nil
		}
	}
	return "", errors.New("no folder for the journal: HOME is not set; name one with --journal")
}

// newJournal makes the file path, which must not exist, and writes the first
// record. The folder is made if need be.
func newJournal(path, kind string, data any, by clock.Clock, point func(string)) (*journal, error) {
	raw, err := json.Marshal(data)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	f, err := openExclusive(path, true)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j := &journal{path: path, clock: by.OrSystem(), f: f, point: point}
	err = j.write(record{Step: stepBegin, Kind: kind, Data: raw})
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		err = errors.Join(fmt.Errorf("journal: %w", err), f.Close(), os.Remove(path))
		return nil, err
	}
	return j, nil
}

// openJournal opens a journal of a kind to resume it. ErrBusy is in the error
// when another run has it open. A last line that was cut off by a crash is
// passed over; anything else that does not belong there is an error.
func openJournal(path, kind, credential string, by clock.Clock, point func(string)) (*journal, error) {
	f, err := openExclusive(path, false)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j := &journal{path: path, clock: by.OrSystem(), f: f, point: point}
	open, err := j.read(kind)
	if err == nil && open {
		_, err = f.WriteString("\n")
	}
	if err == nil {
		err = j.write(record{Step: stepResumed, Credential: credential})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("journal %s: %w", path, err), f.Close())
	}
	return j, nil
}

// read takes the records over. open is set when the last line has no end.
func (j *journal) read(kind string) (open bool, err error) {
	data, err := io.ReadAll(io.LimitReader(j.f, maxJournal+1))
	if err != nil {
		return false, err
	}
	if len(data) > maxJournal {
		return false, fmt.Errorf("larger than %d bytes: this is not a journal", maxJournal)
	}
	j.records, _, err = parseJournal(data)
	if err != nil {
		return false, err
	}
	if len(j.records) == 0 {
		return false, errors.New("it contains no complete record: nothing was started and nothing sent; start again")
	}
	if got := j.records[0].Kind; got != kind {
		return false, fmt.Errorf("it is of the kind %q, and not %q", show(got), kind)
	}
	return !bytes.HasSuffix(data, []byte("\n")), nil
}

// sumOf is the SHA-256 of a line of a journal, in hexadecimal digits.
func sumOf(line []byte) string {
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:])
}

// parseJournal reads records. A line that is not a record is where a crash cut the
// file off: it can only be the last, or come before a run that took over. No record
// can be lost in between, since they are numbered, and none changed, since each names
// the SHA-256 of the one before.
func parseJournal(data []byte) (records []record, torn bool, err error) {
	lines := bytes.Split(data, []byte("\n"))
	last := len(lines) - 1
	for i, line := range lines {
		if i == last && len(line) == 0 {
			break
		}
		var r record
		whole := json.Unmarshal(line, &r) == nil && r.Step != ""
		switch {
		case !whole:
			torn = true
			continue
		case r.N != len(records)+1:
			return nil, false, fmt.Errorf("line %d: record %d where %d belongs", i+1, r.N, len(records)+1)
		case torn && r.Step != stepResumed && len(records) > 0:
			return nil, false, fmt.Errorf("line %d is not a record", i)
		case (r.Step == stepBegin) != (len(records) == 0):
			return nil, false, fmt.Errorf("line %d: the step %q does not belong there", i+1, show(string(r.Step)))
		}
		if len(records) > 0 {
			if before := records[len(records)-1]; r.Prev != before.sum && (r.Prev != "" || before.Prev != "") {
				return nil, false, fmt.Errorf("line %d: it was written after another line than line %d is now: one of them was changed", i+1, before.line)
			}
		}
		torn = false
		r.sum, r.line = sumOf(line), i+1
		records = append(records, r)
	}
	return records, torn, nil
}

// append writes a record and puts it on the disk. After a failure nothing more
// can be appended: the error is returned again.
func (j *journal) append(r record) error {
	_, err := j.add(r)
	return err
}

// add is append, and returns the record as it stands in the file.
func (j *journal) add(r record) (record, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err == nil {
		if err := j.write(r); err != nil {
			j.err = fmt.Errorf("the journal %s cannot be written: %w", j.path, err)
		}
	}
	if j.err != nil {
		return r, j.err
	}
	return j.records[len(j.records)-1], nil
}

func (j *journal) write(r record) error {
	r.N, r.At = len(j.records)+1, j.clock.Now().UTC()
	if len(j.records) > 0 {
		r.Prev = j.records[len(j.records)-1].sum
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	r.sum = sumOf(line)
	line = append(line, '\n')
	j.at("before " + string(r.Step))
	if j.point != nil { // two halves, so that a test can end the process between them
		half := len(line) / 2
		if _, err := j.f.Write(line[:half]); err != nil {
			return err
		}
		j.at("half of " + string(r.Step))
		line = line[half:]
	}
	if _, err := j.f.Write(line); err != nil {
		return err
	}
	j.at("unsynced " + string(r.Step))
	if err := j.f.Sync(); err != nil {
		return err
	}
	j.records = append(j.records, r)
	j.at("after " + string(r.Step))
	return nil
}

func (j *journal) at(point string) {
	if j.point != nil {
		j.point(point)
	}
}

// close lets other runs open the journal.
func (j *journal) close() error { return j.f.Close() }
