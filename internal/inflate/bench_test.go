package inflate

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	kzlib "github.com/klauspost/compress/zlib"
)

// An object is a zlib stream, with what follows it in the file, and the size of what it holds.
type object struct {
	src  []byte
	size int
}

// benchRepo names a git directory whose first pack is decoded; without it, the files of Go's own source tree are,
// compressed as git would.
const benchRepo = "INFLATE_BENCH_REPO"

// corpus returns the objects of at least low and fewer than high bytes, at most limit bytes of them.
func corpus(b *testing.B, low, high int) (objs []object, total int64) {
	b.Helper()
	const limit = 3 << 20
	all := treeObjects
	if os.Getenv(benchRepo) != "" {
		all = packObjects
	}
	for _, o := range all(b) {
		if o.size >= low && o.size < high && total < limit {
			objs = append(objs, o)
			total += int64(o.size)
		}
	}
	if len(objs) == 0 {
		b.Skip("no objects of this size")
	}
	return objs, total
}

// packObjects finds the streams of a pack by its index, whose order by object name mixes them well.
func packObjects(b *testing.B) (objs []object) {
	names, err := filepath.Glob(filepath.Join(os.Getenv(benchRepo), "objects/pack/*.idx"))
	if err != nil || len(names) == 0 {
		b.Fatalf("no pack in %s: %v", os.Getenv(benchRepo), err)
	}
	idx, err := os.ReadFile(names[0])
	if err != nil {
		b.Fatal(err)
	}
	pack, err := os.ReadFile(names[0][:len(names[0])-3] + "pack")
	if err != nil {
		b.Fatal(err)
	}
	const fanout, entry = 8, 20 + 4 + 4
	count := int(binary.BigEndian.Uint32(idx[fanout+4*255:]))
	offsets := idx[fanout+4*256+count*(entry-4):]
	for i := range count {
		objs = append(objs, packObject(pack, int(binary.BigEndian.Uint32(offsets[4*i:]))))
	}
	return objs
}

// packObject skips the header of the entry at off.
func packObject(pack []byte, off int) object {
	kind, size := pack[off]>>4&7, int(pack[off]&15)
	for shift := 4; pack[off]&0x80 != 0; shift += 7 {
		off++
		size |= int(pack[off]&0x7f) << shift
	}
	off++
	switch kind {
	case 6:
		for pack[off]&0x80 != 0 {
			off++
		}
		off++
	case 7:
		off += 20
	}
	return object{pack[off:], size}
}

func treeObjects(b *testing.B) (objs []object) {
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		b.Fatal(err)
	}
	root := filepath.Join(strings.TrimSpace(string(goroot)), "src", "cmd", "compile")
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, part := range [][]byte{data, data[:len(data)%1900]} {
			packed.Reset()
			w.Reset(&packed)
			w.Write(part)
			w.Close()
			objs = append(objs, object{bytes.Clone(packed.Bytes()), len(part)})
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return objs
}

type resetter interface {
	io.Reader
	Reset(r io.Reader, dict []byte) error
}

// throughReader decodes an object the way that it is done with an io.Reader, at its cheapest.
func throughReader(open func(io.Reader) (io.ReadCloser, error)) func(dst []byte, o object) error {
	var in bytes.Reader
	var z resetter
	end := make([]byte, 1)
	return func(dst []byte, o object) error {
		in.Reset(o.src)
		if z == nil {
			r, err := open(&in)
			if err != nil {
				return err
			}
			z = r.(resetter)
		} else if err := z.Reset(&in, nil); err != nil {
			return err
		}
		if _, err := io.ReadFull(z, dst); err != nil {
			return err
		}
		if n, err := z.Read(end); n != 0 || err != io.EOF {
			return io.ErrShortBuffer
		}
		return nil
	}
}

// BenchmarkZlib runs all decoders in turn over the same objects, a few at a time, and reports the sum of the shortest
// times that each took for those: on a machine that does other work too, only ratios of such minima mean anything.
func BenchmarkZlib(b *testing.B) {
	for _, class := range []struct {
		name      string
		low, high int
	}{
		{"tiny", 1, 100}, {"small", 100, 2000}, {"medium", 2000, 16 << 10}, {"large", 16 << 10, 16 << 20},
	} {
		b.Run(class.name, func(b *testing.B) {
			objs, total := corpus(b, class.low, class.high)
			benchClass(b, objs, total)
		})
	}
}

func benchClass(b *testing.B, objs []object, total int64) {
	var d Decoder
	own := func(dst []byte, o object) error {
		_, _, err := d.Zlib(dst, o.src)
		return err
	}
	// The first goes untimed, so that no other finds its input colder than the rest do.
	names := []string{"", "own", "klauspost", "std"}
	decoders := []func([]byte, object) error{
		throughReader(zlib.NewReader), own, throughReader(kzlib.NewReader), throughReader(zlib.NewReader),
	}
	best := make([]time.Duration, len(decoders))
	dst := make([]byte, 16<<20)
	parts := split(objs)
	shortest := make([]time.Duration, len(parts)*len(decoders))
	for b.Loop() {
		for i := range shortest {
			decode := decoders[i%len(decoders)]
			start := time.Now()
			for _, o := range parts[i/len(decoders)] {
				if err := decode(dst[:o.size], o); err != nil {
					b.Fatal(err)
				}
			}
			if took := time.Since(start); shortest[i] == 0 || took < shortest[i] {
				shortest[i] = took
			}
		}
	}
	for i, d := range shortest {
		best[i%len(decoders)] += d
	}
	for i, name := range names[1:] {
		b.ReportMetric(float64(total)/best[i+1].Seconds()/1e6, name+"-MB/s")
	}
	b.ReportMetric(best[2].Seconds()/best[1].Seconds(), "x-klauspost")
	b.ReportMetric(best[3].Seconds()/best[1].Seconds(), "x-std")
	b.ReportMetric(float64(total)/float64(len(objs)), "B/object")
}

// split cuts objs into parts that take well under a millisecond each, and not so little that the clock matters.
func split(objs []object) (parts [][]object) {
	start, size := 0, 0
	for i, o := range objs {
		if size += o.size; size >= 16<<10 || i == len(objs)-1 {
			parts = append(parts, objs[start:i+1])
			start, size = i+1, 0
		}
	}
	return parts
}
