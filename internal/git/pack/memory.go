package pack

import (
	"bytes"
	"crypto/sha256"
)

// FromMemory returns a Store of a pack alone, without an index, that is whole in memory, as
// a bundle or an archive has it. Its kind of hash is the one of its trailer. Deltas against
// objects that are elsewhere are problems. At most memory bytes are held for delta chains,
// and at most expand bytes made of deltas in each pass over the pack.
func FromMemory(data []byte, memory, expand int64, problem func(Problem)) (*Store, error) {
	s := &Store{hash: sha1Size, opts: Options{Problem: problem, holdMost: memory, expandAll: expand}.withDefaults()}
	if n := len(data) - sha256Size; n > 0 {
		if sum := sha256.Sum256(data[:n]); bytes.Equal(sum[:], data[n:]) {
			s.hash = sha256Size
		}
	}
	p := &packFile{hash: s.hash, mapped: data}
	err := p.readHeader()
	p.mapped = nil // there is nothing to unmap
	if err != nil {
		return nil, err
	}
	s.packs = []*packFile{p}
	s.walkPack(p)
	return s, nil
}
