package git

import (
	"errors"
	"slices"

	"github.com/b10lint/b10lint/internal/git/pack"
	"github.com/b10lint/b10lint/internal/git/refs"
)

// repository is an opened repository.
type repository struct {
	*pack.Store
	refs    []refs.Ref
	head    pack.ID
	shallow map[pack.ID]bool
	errs    []error // of references
}

func (h *History) open(problem func(pack.Problem)) (*repository, error) {
	s, err := pack.Open(h.path, pack.Options{ObjectDir: h.opts.ObjectDir, Alternates: h.opts.Alternates, Problem: problem})
	if err != nil {
		return nil, err
	}
	r := &repository{Store: s, shallow: map[pack.ID]bool{}}
	r.refs, r.errs = refs.Refs(s.CommonDir())
	head, err := refs.Head(s.GitDir(), r.refs)
	if err != nil {
		r.errs = append(r.errs, err)
	}
	r.head, _ = pack.ParseID(head)
	boundary, err := refs.Shallow(s.CommonDir())
	if err != nil {
		r.errs = append(r.errs, err)
	}
	for _, hex := range boundary {
		if id, err := pack.ParseID(hex); err == nil {
			r.shallow[id] = true
		}
	}
	return r, nil
}

// knowsRefs reports whether the references were read, so that what none of them
// leads to is known.
func (r *repository) knowsRefs() bool {
	return !slices.ContainsFunc(r.errs, func(err error) bool { return errors.Is(err, refs.ErrReftable) })
}
