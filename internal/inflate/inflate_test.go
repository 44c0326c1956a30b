package inflate

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
)

// compress returns data as a zlib stream.
func compress(t testing.TB, data []byte, level int) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := zlib.NewWriterLevel(&buf, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// samples are contents of n bytes that compress in different ways.
func samples(n int) map[string][]byte {
	rng := rand.New(rand.NewPCG(uint64(n), 7))
	random, words, skewed := make([]byte, n), make([]byte, 0, n+10), make([]byte, n)
	for i := range random {
		random[i] = byte(rng.Uint32())
		skewed[i] = byte(rng.ExpFloat64() * 9)
	}
	for len(words) < n {
		words = append(words, []string{"func ", "return ", "err\n", "if ", "\t\t", "{}", "stream "}[rng.IntN(7)]...)
		words = append(words, byte(rng.Uint32()))
	}
	return map[string][]byte{"random": random, "words": words[:n], "skewed": skewed, "zeros": make([]byte, n)}
}

// decode is Zlib or Raw into the middle of a larger buffer, from the middle of a larger one, to see that nothing
// outside is written or has a say.
func decode(t testing.TB, f func(dst, src []byte) (int, int, error), size int, src []byte) ([]byte, int, error) {
	t.Helper()
	const guard = 64
	var out []byte
	var consumed int
	var failed error
	for round, fill := range []byte{0x00, 0xa5} {
		in := bytes.Repeat([]byte{fill}, len(src)+guard)
		copy(in, src)
		buf := bytes.Repeat([]byte{fill}, size+guard)
		n, used, err := f(buf[:size], in[:len(src)])
		if !bytes.Equal(buf[size:], bytes.Repeat([]byte{fill}, guard)) {
			t.Fatalf("wrote past the end of a buffer of %d", size)
		}
		if n > size || used > len(src) {
			t.Fatalf("%d of %d bytes written, %d of %d read", n, size, used, len(src))
		}
		if round > 0 && (!bytes.Equal(out, buf[:n]) || used != consumed || err != failed) {
			t.Fatalf("bytes outside of the buffers made a difference: %v then %v", failed, err)
		}
		out, consumed, failed = buf[:n], used, err
	}
	return out, consumed, failed
}

func TestZlibSizes(t *testing.T) {
	var d Decoder
	sizes := []int{299, 1000, 5000, 70000, 300000}
	for n := range 120 {
		sizes = append(sizes, n)
	}
	for _, n := range sizes {
		for name, data := range samples(n) {
			for level := zlib.HuffmanOnly; level <= zlib.BestCompression; level++ {
				if n > 40 && n < 120 && (n+level)%4 != 0 {
					continue
				}
				stream := compress(t, data, level)
				for _, after := range []int{0, 1, 20} {
					src := append(bytes.Clone(stream), make([]byte, after)...)
					got, consumed, err := decode(t, d.Zlib, n, src)
					if err != nil || consumed != len(stream) || !bytes.Equal(got, data) {
						t.Fatalf("%s, %d bytes, level %d, %d bytes after: %d bytes, %d of %d consumed, %v",
							name, n, level, after, len(got), consumed, len(stream), err)
					}
				}
			}
		}
	}
}

func TestZlibWrongSize(t *testing.T) {
	var d Decoder
	for name, data := range samples(700) {
		for _, level := range []int{zlib.HuffmanOnly, zlib.NoCompression, zlib.BestSpeed, zlib.BestCompression} {
			src := compress(t, data, level)
			for size := range len(data) + 70 {
				got, _, err := decode(t, d.Zlib, size, src)
				want := ErrLong
				if size >= len(data) {
					want = nil
				}
				if err != want || !bytes.Equal(got, data[:min(size, len(data))]) {
					t.Fatalf("%s, level %d, buffer of %d: %d bytes, %v", name, level, size, len(got), err)
				}
			}
		}
	}
}

func TestZlibTruncated(t *testing.T) {
	var d Decoder
	for name, data := range samples(2500) {
		for _, level := range []int{zlib.HuffmanOnly, zlib.NoCompression, zlib.BestSpeed, zlib.BestCompression} {
			src := compress(t, data, level)
			for n := range src {
				got, consumed, err := decode(t, d.Zlib, len(data), src[:n])
				if err != ErrShort || consumed != 0 || !bytes.HasPrefix(data, got) {
					t.Fatalf("%s, level %d, %d of %d bytes: %d bytes, %v", name, level, n, len(src), len(got), err)
				}
			}
		}
	}
}

func TestZlibHeader(t *testing.T) {
	var d Decoder
	valid := compress(t, []byte("hello"), zlib.DefaultCompression)
	for h := range 1 << 16 {
		src := append([]byte{byte(h >> 8), byte(h)}, valid[2:]...)
		_, _, err := d.Zlib(make([]byte, 5), src)
		r, stdErr := zlib.NewReader(bytes.NewReader(src))
		if stdErr == nil {
			_, stdErr = io.ReadAll(r)
		}
		if (err == nil) != (stdErr == nil) {
			t.Fatalf("header %04x: %v, standard library: %v", h, err, stdErr)
		}
	}
	// A preset dictionary is refused, though this one's identifier is that of no bytes at all.
	src := append([]byte{0x78, 0xbb, 0, 0, 0, 1}, valid[2:]...)
	if _, _, err := d.Zlib(make([]byte, 5), src); err != ErrCorrupt {
		t.Errorf("preset dictionary: %v", err)
	}
}

func TestChecksum(t *testing.T) {
	src := compress(t, []byte("hello"), zlib.DefaultCompression)
	src[len(src)-1] ^= 1
	dst := make([]byte, 5)
	var d Decoder
	if _, _, err := d.Zlib(dst, src); err != ErrCorrupt {
		t.Errorf("wrong checksum: %v", err)
	}
	if n, ended, err := d.Prefix(dst, src); n != 5 || ended || err != ErrCorrupt {
		t.Errorf("wrong checksum: %d, %v, %v", n, ended, err)
	}
	if _, _, err := d.Zlib(dst, src[:len(src)-1]); err != ErrShort {
		t.Errorf("checksum cut off: %v", err)
	}
}

func TestPrefix(t *testing.T) {
	var d Decoder
	for name, data := range samples(20000) {
		src := compress(t, data, zlib.DefaultCompression)
		for _, n := range []int{0, 1, 31, 32, 33, 500, len(data) - 1, len(data), len(data) + 1} {
			for _, cut := range []int{0, 1, 3} {
				dst := make([]byte, n)
				got, ended, err := d.Prefix(dst, src[:len(src)-cut])
				wantErr, wantEnd := error(nil), n >= len(data) && cut == 0
				if n > len(data) && cut > 0 {
					wantErr = ErrShort
				}
				if got != min(n, len(data)) || ended != wantEnd || err != wantErr || !bytes.Equal(dst[:got], data[:got]) {
					t.Errorf("%s, %d bytes, %d cut off: %d, %v, %v", name, n, cut, got, ended, err)
				}
			}
		}
	}
}

func TestNoAllocations(t *testing.T) {
	data := samples(5000)["words"]
	src := compress(t, data, zlib.DefaultCompression)
	dst := make([]byte, len(data))
	var d Decoder
	if n := testing.AllocsPerRun(20, func() { _, _, _ = d.Zlib(dst, src) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// stdRaw decodes with the standard library, at most limit bytes.
func stdRaw(src []byte, limit int) (out []byte, consumed int, err error) {
	in := bytes.NewReader(src)
	out, err = io.ReadAll(io.LimitReader(flate.NewReader(in), int64(limit)+1))
	return out, len(src) - in.Len(), err
}

// stdZlib is stdRaw for zlib streams.
func stdZlib(src []byte, limit int) (out []byte, consumed int, err error) {
	in := bytes.NewReader(src)
	r, err := zlib.NewReader(in)
	if err != nil {
		return nil, 0, err
	}
	out, err = io.ReadAll(io.LimitReader(r, int64(limit)+1))
	return out, len(src) - in.Len(), err
}

var errLimit = errors.New("longer than the limit")

// agree checks that a decoder and the standard library make the same of src. Both must accept or refuse it. They need
// not refuse it for the same reason or at the same place: with input that ends within an invalid code, either error is
// right, and a block without a code for its end is refused here before it is decoded.
func agree(own, std func([]byte, int) ([]byte, int, error), src []byte) error {
	const limit = 1 << 18
	want, wantUsed, wantErr := std(src, limit)
	if len(want) > limit {
		want, wantErr = want[:limit], errLimit
	}
	got, used, err := own(src, limit)
	switch {
	case (err == nil) != (wantErr == nil):
		return fmt.Errorf("error %v, standard library: %v", err, wantErr)
	case err != nil && !bytes.HasPrefix(want, got) && !bytes.HasPrefix(got, want):
		return fmt.Errorf("output differs before the error %v", err)
	case err == nil && (!bytes.Equal(got, want) || used != wantUsed):
		return fmt.Errorf("%d bytes from %d, standard library: %d from %d", len(got), used, len(want), wantUsed)
	case err == nil:
		exact, used, err := own(src, len(want))
		if err != nil || !bytes.Equal(exact, want) || used != wantUsed {
			return fmt.Errorf("into a buffer of the right size: %d bytes from %d, %v", len(exact), used, err)
		}
	}
	return nil
}

func agreeRaw(t testing.TB, d *Decoder, src []byte) error {
	return agree(func(src []byte, n int) ([]byte, int, error) { return decode(t, d.Raw, n, src) }, stdRaw, src)
}

func agreeZlib(t testing.TB, d *Decoder, src []byte) error {
	return agree(func(src []byte, n int) ([]byte, int, error) { return decode(t, d.Zlib, n, src) }, stdZlib, src)
}

func TestCorrupted(t *testing.T) {
	var d Decoder
	rng := rand.New(rand.NewPCG(3, 4))
	for name, data := range samples(400) {
		for _, level := range []int{zlib.HuffmanOnly, zlib.NoCompression, zlib.BestCompression} {
			src := compress(t, data, level)
			for range 40 {
				bad := bytes.Clone(src)
				bad[2+rng.IntN(len(bad)-2)] ^= 1 << rng.IntN(8)
				if err := agreeZlib(t, &d, bad); err != nil {
					t.Errorf("%s, level %d: %v", name, level, err)
				}
				if err := agreeRaw(t, &d, bad[2:]); err != nil {
					t.Errorf("%s, level %d, raw: %v", name, level, err)
				}
			}
		}
	}
}

func FuzzZlib(f *testing.F) {
	for _, level := range []int{zlib.HuffmanOnly, zlib.NoCompression, zlib.BestSpeed, zlib.BestCompression} {
		for _, data := range samples(300) { // one of each kind of block
			f.Add(compress(f, data, level))
		}
	}
	f.Add([]byte{0x78, 0x9c, 0x03, 0x00, 0, 0, 0, 1}) // an empty stream
	f.Add([]byte{0x78, 0xbb, 0, 0, 0, 1, 0x03, 0x00}) // a preset dictionary
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > 1 && src[1]&0x20 != 0 {
			return // a preset dictionary: see Zlib
		}
		var d Decoder
		if err := agreeZlib(t, &d, src); err != nil {
			t.Error(err)
		}
	})
}

func FuzzRaw(f *testing.F) {
	for _, level := range []int{zlib.HuffmanOnly, zlib.NoCompression, zlib.BestSpeed, zlib.BestCompression} {
		for _, data := range samples(300) {
			f.Add(compress(f, data, level)[2:])
		}
	}
	f.Add([]byte{0x03, 0x00})                   // an empty block with fixed codes
	f.Add([]byte{0x01, 0x01, 0x00, 0xfe, 0xff}) // a stored block that is cut off
	f.Add([]byte{0x07})                         // a kind of block that does not exist
	for _, c := range codeSets() {              // sets of codes at the edge of what is valid
		f.Add(c.stream())
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		var d Decoder
		if err := agreeRaw(t, &d, src); err != nil {
			t.Error(err)
		}
	})
}
