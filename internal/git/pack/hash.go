package pack

import (
	"crypto/sha1"
	"crypto/sha256"
	"hash"
	"strconv"
)

// A hasher computes object ids.
type hasher struct {
	hash.Hash
	buf []byte
}

func newHasher(size int) *hasher {
	if size == sha256Size {
		return &hasher{Hash: sha256.New()}
	}
	return &hasher{Hash: sha1.New()} // git's choice; collisions are no concern of ours
}

// begin starts on an object of size bytes, which are then written.
func (h *hasher) begin(kind Kind, size int64) {
	h.Reset()
	h.buf = append(h.buf[:0], kind.String()...)
	h.buf = append(h.buf, ' ')
	h.buf = strconv.AppendInt(h.buf, size, 10)
	h.Write(append(h.buf, 0))
}

func (h *hasher) end() ID {
	h.buf = h.Sum(h.buf[:0])
	return IDFromBytes(h.buf)
}

// object is the id of an object.
func (h *hasher) object(kind Kind, data []byte) ID {
	h.begin(kind, int64(len(data)))
	h.Write(data)
	return h.end()
}
