package archive

import "unicode/utf16"

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
