package archive

import "unicode/utf16"

// Property numbers of the 7z header.
const (
	sevenEnd, sevenHeader, sevenProperties, sevenAdditional = 0, 1, 2, 3
	sevenMain, sevenFiles, sevenPack, sevenUnpack, sevenSub = 4, 5, 6, 7, 8
	sevenSize, sevenCRC, sevenFolderID, sevenUnpackSize     = 9, 10, 11, 12
	sevenNumUnpack, sevenEmptyStream, sevenNames            = 13, 14, 17
	sevenEncodedHeader                                      = 23
)

// maxCoders is what programs use at most, with room.
const maxCoders = 32

type sevenArchive struct {
	packs   []extent // where the packed streams lie
	folders []sevenFolder
	files   []sevenName
}

type sevenName struct {
	name  string
	empty bool
}

type sevenFolder struct {
	coders []sevenCoder
	sizes  []int64 // unpacked, of each coder
	chain  []int   // the coders, in the order in which they are undone
	last   int     // the coder whose output is the folder's
	pack   int     // first packed stream
	packed int     // number of packed streams
	odd    string  // why it cannot be undone as a chain
	parts  []sevenPart
	sum    uint32
	hasSum bool
}

type sevenPart struct {
	size   int64
	sum    uint32
	hasSum bool
}

type sevenCoder struct {
	id      string
	props   []byte
	in, out int
}

func (d *sevenFolder) size() int64 {
	if d.last < len(d.sizes) {
		return d.sizes[d.last]
	}
	return 0
}

// name returns the name of the next file that has content, and moves on.
func (a *sevenArchive) name(next *int) string {
	for *next < len(a.files) {
		*next++
		if f := a.files[*next-1]; !f.empty {
			return f.name
		}
	}
	return "unnamed"
}

type sevenFields struct{ fields }

// number reads a number whose first byte's leading ones count the bytes that follow.
func (f *sevenFields) number() uint64 {
	first, v, mask := f.byte(), uint64(0), byte(0x80)
	for i := range 8 {
		if first&mask == 0 {
			return v | uint64(first&(mask-1))<<(8*i)
		}
		v |= uint64(f.byte()) << (8 * i)
		mask >>= 1
	}
	return v
}

func (f *sevenFields) id() uint64 { return f.number() }

// length reads a number that cannot be more than what is left of the header,
// as every item takes at least one byte there.
func (f *sevenFields) length() int {
	n := f.number()
	if n > uint64(len(f.b)) {
		f.bad, f.b = true, nil
		return 0
	}
	return int(n)
}

func (f *sevenFields) size() int64 {
	n := f.number()
	if n > 1<<56 {
		f.bad = true
		return 0
	}
	return int64(n)
}

func (f *sevenFields) bits(n int) []bool {
	b := f.take((n + 7) / 8)
	out := make([]bool, n)
	for i := range out {
		out[i] = b != nil && b[i/8]&(0x80>>(i%8)) != 0
	}
	return out
}

// digests reads up to n checksums and hands each to set.
func (f *sevenFields) digests(n int, set func(i int, sum uint32)) {
	defined := make([]bool, 0)
	all := f.byte() != 0
	if !all {
		defined = f.bits(n)
	}
	for i := 0; i < n && !f.bad; i++ {
		if all || defined[i] {
			set(i, f.u32())
		}
	}
}

func (f *sevenFields) header() (*sevenArchive, error) {
	a := &sevenArchive{}
	for !f.bad {
		switch f.id() {
		case sevenEnd:
			if f.bad {
				return nil, errSeven
			}
			return a, nil
		case sevenProperties:
			for f.id() != sevenEnd && !f.bad {
				f.take(f.length())
			}
		case sevenAdditional:
			f.streams(&sevenArchive{})
		case sevenMain:
			f.streams(a)
		case sevenFiles:
			f.filesInfo(a)
		default:
			f.bad = true
		}
	}
	return nil, errSeven
}

// streams reads what is packed where and how.
func (f *sevenFields) streams(a *sevenArchive) {
	for !f.bad {
		switch f.id() {
		case sevenEnd:
			f.assign(a)
			return
		case sevenPack:
			f.packInfo(a)
		case sevenUnpack:
			f.unpackInfo(a)
		case sevenSub:
			f.subStreams(a)
		default:
			f.bad = true
		}
	}
}

// assign gives each folder its packed stream, and the folders of an archive that
// says nothing of parts their only one.
func (f *sevenFields) assign(a *sevenArchive) {
	next := 0
	for i := range a.folders {
		d := &a.folders[i]
		if len(d.sizes) < len(d.coders) {
			f.bad = true
			return
		}
		d.pack = next
		next += d.packed
		if d.parts == nil {
			d.parts = []sevenPart{{d.size(), d.sum, d.hasSum}}
		}
	}
}

func (f *sevenFields) packInfo(a *sevenArchive) {
	at := 32 + f.size()
	n := f.length()
	for !f.bad {
		switch f.id() {
		case sevenEnd:
			return
		case sevenSize:
			for range n {
				size := f.size()
				if at > 1<<60 {
					f.bad = true
					return
				}
				a.packs = append(a.packs, extent{at, at + size})
				at += size
			}
		case sevenCRC:
			f.digests(n, func(int, uint32) {})
		default:
			f.bad = true
		}
	}
}

func (f *sevenFields) unpackInfo(a *sevenArchive) {
	if f.id() != sevenFolderID {
		f.bad = true
		return
	}
	n := f.length()
	if f.byte() != 0 { // the list lies in another stream; no program writes that
		f.bad = true
		return
	}
	for range n {
		if f.bad {
			return
		}
		a.folders = append(a.folders, f.folder())
	}
	for !f.bad {
		switch f.id() {
		case sevenEnd:
			return
		case sevenUnpackSize:
			for i := range a.folders {
				d := &a.folders[i]
				for range d.outs() {
					d.sizes = append(d.sizes, f.size())
				}
			}
		case sevenCRC:
			f.digests(len(a.folders), func(i int, sum uint32) { a.folders[i].sum, a.folders[i].hasSum = sum, true })
		default:
			f.bad = true
		}
	}
}

func (d *sevenFolder) outs() (n int) {
	for _, k := range d.coders {
		n += k.out
	}
	return n
}

func (f *sevenFields) folder() sevenFolder {
	var d sevenFolder
	n := f.length()
	if n == 0 || n > maxCoders {
		f.bad = true
		return d
	}
	ins, outs := 0, 0
	for range n {
		k := f.coder()
		ins, outs = ins+k.in, outs+k.out
		d.coders = append(d.coders, k)
	}
	if ins > maxCoders || outs > maxCoders || outs == 0 {
		f.bad = true
		return d
	}
	feeds := map[uint64]uint64{} // by input, the output that it reads
	for range outs - 1 {
		in := f.number()
		feeds[in] = f.number()
	}
	d.packed = ins - (outs - 1)
	if d.packed > 1 {
		for range d.packed {
			f.number()
		}
	}
	d.order(feeds, ins, outs)
	return d
}

func (f *sevenFields) coder() sevenCoder {
	flags := f.byte()
	k := sevenCoder{id: string(f.take(int(flags & 15))), in: 1, out: 1}
	if flags&16 != 0 {
		k.in, k.out = f.length(), f.length()
	}
	if flags&32 != 0 {
		k.props = f.take(f.length())
	}
	if k.in > maxCoders || k.out > maxCoders {
		f.bad = true
	}
	return k
}

// order finds the chain from the packed stream to the folder's output.
func (d *sevenFolder) order(feeds map[uint64]uint64, ins, outs int) {
	for i := range d.coders {
		if d.coders[i].in != 1 || d.coders[i].out != 1 {
			d.odd = "the method " + d.coders[i].name()
			return
		}
	}
	bound := map[uint64]bool{}
	for _, out := range feeds {
		bound[out] = true
	}
	for d.last = 0; d.last < outs && bound[uint64(d.last)]; d.last++ {
	}
	for at := uint64(d.last); ; {
		if at >= uint64(ins) || len(d.chain) > ins {
			d.odd = "a folder whose coders are tied in a ring"
			return
		}
		d.chain = append([]int{int(at)}, d.chain...)
		next, ok := feeds[at]
		if !ok {
			return
		}
		at = next
	}
}

func (f *sevenFields) subStreams(a *sevenArchive) {
	counts := make([]int, len(a.folders))
	for i := range counts {
		counts[i] = 1
	}
	id := f.id()
	if id == sevenNumUnpack {
		total := 0
		for i := range counts {
			counts[i] = f.length()
			if total += counts[i]; total > len(f.b)+len(counts) {
				f.bad = true
				return
			}
		}
		id = f.id()
	}
	for i := range a.folders {
		f.parts(&a.folders[i], counts[i], id == sevenSize)
	}
	if id == sevenSize {
		id = f.id()
	}
	for !f.bad && id != sevenEnd {
		if id != sevenCRC {
			f.bad = true
			return
		}
		f.partSums(a)
		id = f.id()
	}
}

// parts divides a folder; the last part has what the others leave.
func (f *sevenFields) parts(d *sevenFolder, n int, sizes bool) {
	d.parts = make([]sevenPart, n)
	left := d.size()
	for i := range d.parts {
		size := left
		if i < n-1 && sizes {
			size = f.size()
		}
		if size > left || size < 0 {
			f.bad = true
			return
		}
		d.parts[i].size = size
		left -= size
	}
}

// partSums reads the checksums of all parts but of those that are a folder with
// a checksum of its own.
func (f *sevenFields) partSums(a *sevenArchive) {
	var unknown []*sevenPart
	for i := range a.folders {
		d := &a.folders[i]
		if len(d.parts) == 1 && d.hasSum {
			d.parts[0].sum, d.parts[0].hasSum = d.sum, true
			continue
		}
		for j := range d.parts {
			unknown = append(unknown, &d.parts[j])
		}
	}
	f.digests(len(unknown), func(i int, sum uint32) { unknown[i].sum, unknown[i].hasSum = sum, true })
}

func (f *sevenFields) filesInfo(a *sevenArchive) {
	a.files = make([]sevenName, f.length())
	for !f.bad {
		id := f.id()
		if id == sevenEnd {
			return
		}
		p := sevenFields{fields{b: f.take(f.length())}}
		switch id {
		case sevenEmptyStream:
			for i, empty := range p.bits(len(a.files)) {
				a.files[i].empty = empty
			}
		case sevenNames:
			if p.byte() != 0 {
				f.bad = true
				return
			}
			p.names(a.files)
		}
		f.bad = f.bad || p.bad
	}
}

func (f *sevenFields) names(files []sevenName) {
	for i := range files {
		var units []uint16
		for {
			b := f.take(2)
			if b == nil {
				return
			}
			u := uint16(b[0]) | uint16(b[1])<<8
			if u == 0 {
				break
			}
			units = append(units, u)
		}
		files[i].name = string(utf16.Decode(units))
	}
}
