package pack

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strconv"

	"github.com/b10lint/b10lint/internal/span"
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

// IsZero reports whether id is the zero ID, which names no object.
func (id ID) IsZero() bool { return id.size == 0 }

// Bytes is the raw form of id.
func (id ID) Bytes() []byte { return bytes.Clone(id.sum[:id.size]) }

// First gives the first two bytes of id, which are as good as random.
func (id ID) First() (a, b byte) { return id.sum[0], id.sum[1] }

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

// The two further entry types of the pack format, which are not kinds of objects.
const (
	ofsDelta = 6
	refDelta = 7
)

var kindNames = []string{Commit: "commit", Tree: "tree", Blob: "blob", Tag: "tag"}

// String returns git's word for the kind.
func (k Kind) String() string {
	if k.valid() {
		return kindNames[k]
	}
	return "object"
}

func (k Kind) valid() bool { return k >= Commit && k <= Tag }

func kindFromName(name string) Kind { return Kind(max(0, slices.Index(kindNames, name))) }

// Kinds is a set of kinds of objects.
type Kinds uint8

// KindSet is the set of the given kinds.
func KindSet(kinds ...Kind) Kinds {
	var s Kinds
	for _, k := range kinds {
		s |= 1 << k
	}
	return s
}

// Has reports whether k is in s.
func (s Kinds) Has(k Kind) bool { return s&(1<<k) != 0 }

// A Span is a half-open range of bytes, [Start, End).
type Span = span.Span

// An Object is what a sweep hands over. It and all it points to are only valid
// during the call, and must not be written to.
type Object struct {
	// ID is zero in a store that was received, where it is not known yet; see Identify.
	ID   ID
	Kind Kind
	// Pack is the path of the pack the object was read from; "" for a loose one.
	Pack string
	Data []byte
	// Fresh are the places, in order, where Data differs from an object that was
	// handed over before and in which nothing was hit; nil means all of Data.
	//
	// A span of no length is a seam: the bytes on both sides of it, or of the
	// start or end of Data, were not neighbours before. So whoever looks for
	// tokens must widen each span to the tokens that touch it, on both sides.
	// A match that touches no span was in the earlier object, byte for byte.
	Fresh []Span
	// Window is set when Data is a part of an object too large to hold.
	Window *Window

	by *maker
	at *item
}

// Identify returns the id of the object, and works it out where it is not known.
func (o *Object) Identify() ID {
	if o.ID.IsZero() && o.by != nil {
		o.by.identify(o.at, o.Data)
		o.ID = o.at.id
	}
	return o.ID
}

// Offset is where the object's entry starts in its pack; 0 for a loose one.
func (o *Object) Offset() uint64 {
	if o.at == nil || o.at.group.pack == nil {
		return 0
	}
	return o.at.off
}

// A Window places a part of a large object in the whole. Neighbouring windows
// overlap, so that what straddles a border is whole in one of them.
type Window struct {
	Offset int64 // of Data[0] in the object
	Size   int64 // of the object
	// Own is the part of Data this window answers for: each byte of the object
	// is Own in exactly one window.
	Own Span
	// Last is set on the final window.
	Last bool
}

// SweepOptions say what a sweep reads. The zero value is every blob, commit and
// tag of the store.
type SweepOptions struct {
	// Jobs is the number of worker goroutines; 0 is one for each processor.
	Jobs int
	// Kinds are the kinds of objects to hand over; 0 is blobs, commits and tags.
	// What is of another kind is not even inflated.
	Kinds Kinds
	// SkipPacks are paths of packs whose objects were seen in an earlier sweep.
	// They are not handed over, from whatever place, and only read where an
	// object to be handed over is a delta of one.
	SkipPacks []string
	// Identify are the kinds of objects whose ids are worked out where they are not
	// known. Those of objects with hits always are.
	Identify Kinds
	// Rest leaves out what Receive has handed over already, and counts it.
	Rest bool

	// Set by tests: verify compares packed objects with their ids, as loose ones always
	// are; what differs is handed over all the same, and is a Problem with
	// ErrWrongContent. window and overlap are the sizes in bytes of the windows of an
	// object over streamOver, and of what is shown before and after each; 4 MiB and
	// 64 KiB.
	verify          bool
	window, overlap int
}

// SweepStats counts what a sweep did.
type SweepStats struct {
	Handed [Tag + 1]int64 // objects handed over, by Kind
	Seen   [Tag + 1]int64 // objects in packs that were skipped, by Kind
	Others [Tag + 1]int64 // objects of kinds not asked for
	Failed int64          // objects that could not be read
	Loose  int64          // all loose objects, and
	packed int64          // all in packs, of which
	copies int64          // were further copies of others
	bytes  int64          // content of the objects handed over
	fresh  int64          // the part of bytes that was fresh
}

func (s *SweepStats) add(o *SweepStats) {
	for k := range s.Handed {
		s.Handed[k] += o.Handed[k]
		s.Seen[k] += o.Seen[k]
		s.Others[k] += o.Others[k]
	}
	s.Failed += o.Failed
	s.packed += o.packed
	s.Loose += o.Loose
	s.copies += o.copies
	s.bytes += o.bytes
	s.fresh += o.fresh
}

// A hasher computes object ids.
type hasher struct {
	hash.Hash
	buf []byte
}

func newHasher(size int) *hasher {
	if size == sha256Size {
		return &hasher{Hash: sha256.New()}
	}
	return &hasher{Hash: sha1.New()} // git's choice; collisions are not our concern
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

// A Problem is something in the store that could not be read.
type Problem struct {
	ID     ID     // of the object; zero when a whole file or folder is meant
	Path   string // of the file
	Offset int64  // in Path, where that says more; else 0
	Err    error
}

func (p Problem) Error() string {
	switch {
	case p.ID.IsZero():
		return fmt.Sprintf("%s: %v", p.Path, p.Err)
	case p.Path == "":
		return fmt.Sprintf("object %s: %v", p.ID, p.Err)
	}
	return fmt.Sprintf("object %s in %s at %d: %v", p.ID, p.Path, p.Offset, p.Err)
}

// Unwrap gives the cause.
func (p Problem) Unwrap() error { return p.Err }

var (
	// ErrNotFound says that no part of the store has the object.
	ErrNotFound = errors.New("not in the object store")
	// ErrWrongContent says that an object was read but is not what its id says.
	ErrWrongContent = errors.New("content does not match the object id")
	// errTooLarge says that an object was not read because of a limit in Options.
	errTooLarge = errors.New("larger than the limit")
)

// What is wrong with a damaged store. The text follows the name of the object or
// file in a message.
var (
	errTruncated      = errors.New("truncated")
	errChanged        = errors.New("the file changed or could not be paged in while it was read")
	errEntryType      = errors.New("unknown entry type in the pack")
	errEntrySize      = errors.New("object size does not fit in 64 bits")
	errAbsurdSize     = errors.New("declared size is more than its compressed bytes can hold")
	errWrongSize      = errors.New("content is not as long as declared")
	errBaseOffset     = errors.New("delta base is outside the pack")
	errBaseMissing    = errors.New("delta base is not in the object store")
	errBaseUnread     = errors.New("delta base could not be read")
	errCycle          = errors.New("delta chain leads back to itself or has no end")
	errDeltaBase      = errors.New("delta was made for a base of another size")
	errDeltaCopy      = errors.New("delta copies from outside its base")
	errDeltaCommand   = errors.New("delta has a reserved command")
	errDeltaSize      = errors.New("delta does not make the size it declares")
	errIndexMagic     = errors.New("not a pack index of version 1 or 2")
	errIndexSize      = errors.New("pack index has the wrong length")
	errIndexFanout    = errors.New("pack index fan-out table is not in order")
	errIndexOrder     = errors.New("pack index is not sorted")
	errIndexOffset    = errors.New("pack index points outside the pack")
	errIndexTwice     = errors.New("pack index names this place twice")
	errIndexCount     = errors.New("pack and index disagree on the number of objects")
	errIndexPack      = errors.New("pack does not end as its index says")
	errPackHeader     = errors.New("not a pack of version 2 or 3")
	errLooseHeader    = errors.New("loose object has a malformed header")
	errLooseLong      = errors.New("loose object file is much longer than its content")
	errTooMany        = errors.New("more objects than can be numbered")
	errAlternateDepth = errors.New("alternates nest too deep")
	errReceivedSum    = errors.New("the pack's checksum does not match: it was damaged on its way")
	errReceivedMore   = errors.New("data follows the pack")
	errReceivedMost   = errors.New("the pack is larger than the limit")
	errWalk           = errors.New("pack cannot be read to its end, and no index says where objects start")
	errCommit         = errors.New("malformed commit: no tree")
	errTag            = errors.New("malformed tag: no object")
	errTree           = errors.New("malformed tree")
)

func baseMissing(id ID) error { return fmt.Errorf("%w: %s", errBaseMissing, id) }
