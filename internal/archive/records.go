package archive

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/b10lint/b10lint/internal/sqlite"
)

// shortRow is how much text and blobs a row has at least to be looked at: nobody's secret is
// shorter.
const shortRow = 32

// sqlite shows the rows of a database as members: a line for each column, with its name.
func (w *walk) sqlite(n node) error {
	var text []byte
	damage, err := sqlite.Rows(n.at, n.size, shortRow, w.limits.Memory, func(r *sqlite.Row) error {
		where := fmt.Sprintf("page %d, row %d", r.Page, r.ID)
		if r.Table != "" {
			where = fmt.Sprintf("table %s, row %d", r.Table, r.ID)
		}
		m := n.child(where)
		text = text[:0]
		for _, v := range r.Values {
			if sniff(v.Data, v.Data) != none {
				in := m
				in.leaf += "!" + v.Column
				in.path, in.base = in.leaf, ""
				in.at, in.size = bytes.NewReader(bytes.Clone(v.Data)), int64(len(v.Data))
				if err := w.enter(in); err != nil {
					return err
				}
				continue
			}
			text = append(append(append(append(text, v.Column...), ": "...), v.Data...), '\n')
		}
		return w.record(m, text)
	})
	var s *stopped
	if err != nil && errors.As(err, &s) {
		return err
	}
	if err == nil && damage != (sqlite.Damage{}) {
		err = fmt.Errorf("%d rows are not whole, and %d pages make no sense or are missing", damage.Rows, damage.Pages)
	}
	return err
}

// record hands over a text that is put together of a record, and does not count as a member.
func (w *walk) record(m node, text []byte) error {
	if len(text) < shortRow {
		return nil
	}
	if Carries(text, nil) {
		m.at, m.size = bytes.NewReader(bytes.Clone(text)), int64(len(text))
		return w.enter(m)
	}
	if err := w.charge(int64(len(text))); err != nil {
		return &stopped{err}
	}
	_, err := w.v.Member(Member{Path: m.leaf, Size: int64(len(text)), Data: text, Reader: bytes.NewReader(text), Inline: w.inline})
	if err != nil {
		return &stopped{err}
	}
	return nil
}
