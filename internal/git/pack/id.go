package pack

import (
	"bytes"
	"encoding/hex"
	"fmt"
)

const (
	sha1Size   = 20
	sha256Size = 32
)

// An ID is an object's name: the SHA-1 or SHA-256 of its header and content. IDs
// can be compared with == and used as map keys. The zero ID names nothing.
type ID struct {
	sum  [sha256Size]byte
	size uint8
}

// IDFromBytes is the ID whose raw form is b, of 20 or 32 bytes; of any other
// length it is the zero ID.
func IDFromBytes(b []byte) ID {
	var id ID
	if len(b) == sha1Size || len(b) == sha256Size {
		id.size = uint8(copy(id.sum[:], b))
	}
	return id
}

// ParseID reads an ID of 40 or 64 hexadecimal digits.
func ParseID(s string) (ID, error) {
	b, err := hex.DecodeString(s)
	id := IDFromBytes(b)
	if err != nil || id.IsZero() {
		return ID{}, fmt.Errorf("object id %.70q: want 40 or 64 hexadecimal digits", s)
	}
	return id, nil
}

// IsZero says whether id is the zero ID, which names no object.
func (id ID) IsZero() bool { return id.size == 0 }

// Bytes is the raw form of id.
func (id ID) Bytes() []byte { return bytes.Clone(id.sum[:id.size]) }

// String is the hexadecimal form of id; "" for the zero ID.
func (id ID) String() string {
	var buf [2 * len(id.sum)]byte // on the stack: a sweep names every object
	return string(buf[:hex.Encode(buf[:], id.sum[:id.size])])
}

// Compare orders IDs by their bytes, as git does.
func (id ID) Compare(other ID) int {
	return bytes.Compare(id.sum[:id.size], other.sum[:other.size])
}

// A Kind is what an object is. The values are those of the pack format.
type Kind uint8

// The kinds of objects.
const (
	Commit Kind = 1
	Tree   Kind = 2
	Blob   Kind = 3
	Tag    Kind = 4
)

// The two further entry types of the pack format, which are no kinds of objects.
const (
	ofsDelta = 6
	refDelta = 7
)

// String returns the word that git has for the kind.
func (k Kind) String() string {
	switch k {
	case Commit:
		return "commit"
	case Tree:
		return "tree"
	case Blob:
		return "blob"
	case Tag:
		return "tag"
	}
	return "object"
}

func (k Kind) valid() bool { return k >= Commit && k <= Tag }

func kindFromName(name string) Kind {
	for k := Commit; k <= Tag; k++ {
		if k.String() == name {
			return k
		}
	}
	return 0
}

// First gives the first two bytes of id, which are as good as random.
func (id ID) First() (a, b byte) { return id.sum[0], id.sum[1] }
