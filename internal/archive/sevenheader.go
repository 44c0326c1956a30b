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
	outs   int     // of all coders
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
	id    string
	props []byte
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

// sevenFields reads the header. Once something makes no sense there is nothing left to be
// read, every number is 0, which is sevenEnd, and so every loop ends.
type sevenFields struct {
	fields
	room  int // bytes that what is read may take in memory
	large bool
}

// hold counts n items of a size in bytes, and fails when there is no room for them: a few
// bytes of a header, which may be packed, can announce very many.
func (f *sevenFields) hold(n, size int) {
	if f.room -= n * size; f.room < 0 && !f.bad {
		f.large = true
		f.fail()
	}
}

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

// length reads a number that cannot be more than what is left of the header,
// as every item takes at least one byte there.
func (f *sevenFields) length() int {
	n := f.number()
	if n > uint64(len(f.b)) {
		f.fail()
		return 0
	}
	return int(n)
}

func (f *sevenFields) size() int64 {
	n := f.number()
	if n > 1<<56 {
		f.fail()
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
	var defined []bool
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

// header reads the header. Most is the limit that room comes from.
func (f *sevenFields) header(most int64) (*sevenArchive, error) {
	a := &sevenArchive{}
	for id := f.number(); id != sevenEnd; id = f.number() {
		switch id {
		case sevenProperties:
			for f.number() != sevenEnd {
				f.take(f.length())
			}
		case sevenAdditional:
			f.streams(&sevenArchive{})
		case sevenMain:
			f.streams(a)
		case sevenFiles:
			f.filesInfo(a)
		default:
			f.fail()
		}
	}
	switch {
	case f.large:
		return nil, &LimitError{limitMemory, most}
	case f.bad:
		return nil, errSeven
	}
	return a, nil
}

// streams reads what is packed where and how.
func (f *sevenFields) streams(a *sevenArchive) {
	for id := f.number(); id != sevenEnd; id = f.number() {
		switch id {
		case sevenPack:
			f.packInfo(a)
		case sevenUnpack:
			f.unpackInfo(a)
		case sevenSub:
			f.subStreams(a)
		default:
			f.fail()
		}
	}
	// Each folder gets its packed streams, and one without parts its only one.
	next := 0
	for i := range a.folders {
		d := &a.folders[i]
		if len(d.sizes) < len(d.coders) {
			f.fail()
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
	f.hold(n, 16)
	for id := f.number(); id != sevenEnd; id = f.number() {
		switch id {
		case sevenSize:
			for i := 0; i < n && !f.bad; i++ {
				size := f.size()
				if at > 1<<60 {
					f.fail()
					return
				}
				a.packs = append(a.packs, extent{at, at + size})
				at += size
			}
		case sevenCRC:
			f.digests(n, func(int, uint32) {})
		default:
			f.fail()
		}
	}
}

func (f *sevenFields) unpackInfo(a *sevenArchive) {
	if f.number() != sevenFolderID {
		f.fail()
	}
	n := f.length()
	if f.byte() != 0 { // the list lies in another stream; no program writes that
		f.fail()
	}
	for i := 0; i < n && !f.bad; i++ {
		f.hold(1, 2*256) // with what append sets aside
		a.folders = append(a.folders, f.folder())
	}
	for id := f.number(); id != sevenEnd; id = f.number() {
		switch id {
		case sevenUnpackSize:
			for i := range a.folders {
				for range a.folders[i].outs {
					a.folders[i].sizes = append(a.folders[i].sizes, f.size())
				}
			}
		case sevenCRC:
			f.digests(len(a.folders), func(i int, sum uint32) { a.folders[i].sum, a.folders[i].hasSum = sum, true })
		default:
			f.fail()
		}
	}
}

func (f *sevenFields) folder() (d sevenFolder) {
	ins := 0
	for range f.length() {
		flags := f.byte()
		k := sevenCoder{id: string(f.take(int(flags & 15)))}
		in, out := 1, 1
		if flags&16 != 0 {
			in, out = f.length(), f.length()
		}
		if flags&32 != 0 {
			k.props = f.take(f.length())
		}
		if (in != 1 || out != 1) && d.odd == "" {
			d.odd = "the method " + k.name()
		}
		ins, d.outs = ins+in, d.outs+out
		if len(d.coders) == maxCoders || ins > maxCoders || d.outs > maxCoders {
			f.fail()
			return d
		}
		d.coders = append(d.coders, k)
	}
	if d.outs == 0 {
		f.fail()
		return d
	}
	feeds, bound := map[uint64]uint64{}, map[uint64]bool{} // by input, the output that it reads
	for range d.outs - 1 {
		in := f.number()
		feeds[in] = f.number()
		bound[feeds[in]] = true
	}
	if d.packed = ins - (d.outs - 1); d.packed > 1 {
		for range d.packed {
			f.number()
		}
	}
	if d.odd != "" {
		return d
	}
	// The chain leads from the packed stream to the output that feeds no coder.
	for d.last = 0; d.last < d.outs && bound[uint64(d.last)]; d.last++ {
	}
	for at, more := uint64(d.last), true; more; {
		if at >= uint64(ins) || len(d.chain) > ins {
			d.odd = "a folder whose coders are tied in a ring"
			return d
		}
		d.chain = append([]int{int(at)}, d.chain...)
		at, more = feeds[at]
	}
	return d
}

func (f *sevenFields) subStreams(a *sevenArchive) {
	counts := make([]int, len(a.folders))
	for i := range counts {
		counts[i] = 1
	}
	id := f.number()
	if id == sevenNumUnpack {
		total := 0
		for i := range counts {
			counts[i] = f.length()
			if total += counts[i]; total > len(f.b)+len(counts) {
				f.fail()
				return
			}
			f.hold(counts[i], 24+8)
		}
		id = f.number()
	}
	for i := range a.folders { // the last part of a folder has what the others leave
		d := &a.folders[i]
		d.parts = make([]sevenPart, counts[i])
		left := d.size()
		for j := range d.parts {
			size := left
			if j < len(d.parts)-1 && id == sevenSize {
				size = f.size()
			}
			if size > left || size < 0 {
				f.fail()
				return
			}
			d.parts[j].size = size
			left -= size
		}
	}
	if id == sevenSize {
		id = f.number()
	}
	for ; id != sevenEnd; id = f.number() {
		if id != sevenCRC {
			f.fail()
			return
		}
		// All parts have one but those that are a folder with a checksum of its own.
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
}

func (f *sevenFields) filesInfo(a *sevenArchive) {
	n := f.length()
	if f.hold(n, 24); f.bad {
		return
	}
	a.files = make([]sevenName, n)
	for id := f.number(); id != sevenEnd; id = f.number() {
		p := sevenFields{fields: fields{b: f.take(f.length())}}
		switch id {
		case sevenEmptyStream:
			for i, empty := range p.bits(len(a.files)) {
				a.files[i].empty = empty
			}
		case sevenNames:
			if p.byte() != 0 { // they lie in another stream
				p.fail()
			}
			for i := range a.files {
				var units []uint16
				for u := p.take(2); u != nil && (u[0] != 0 || u[1] != 0); u = p.take(2) {
					units = append(units, uint16(u[0])|uint16(u[1])<<8)
				}
				a.files[i].name = string(utf16.Decode(units))
			}
		}
		if p.bad {
			f.fail()
		}
	}
}
