package inflate

import (
	"bytes"
	stdadler "hash/adler32"
	"math/rand/v2"
	"testing"
)

func TestAdler32(t *testing.T) {
	random := make([]byte, 5000)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range random {
		random[i] = byte(rng.Uint32())
	}
	// Bytes of 255 fill the lanes most.
	for _, data := range [][]byte{random, bytes.Repeat([]byte{255}, 5000), make([]byte, 5000)} {
		for n := range data {
			if got, want := adler32(data[:n]), stdadler.Checksum(data[:n]); got != want {
				t.Fatalf("%d bytes, first %v: got %08x, want %08x", n, data[0], got, want)
			}
		}
	}
	long := bytes.Repeat([]byte{255}, 1<<22)
	if got, want := adler32(long), stdadler.Checksum(long); got != want {
		t.Fatalf("long: got %08x, want %08x", got, want)
	}
}

func BenchmarkAdler32(b *testing.B) {
	for _, c := range []struct {
		name string
		sum  func([]byte) uint32
		n    int
	}{
		{"own/500", adler32, 500}, {"std/500", stdadler.Checksum, 500},
		{"own/100000", adler32, 100000}, {"std/100000", stdadler.Checksum, 100000},
	} {
		b.Run(c.name, func(b *testing.B) {
			data := bytes.Repeat([]byte("0123456789abcdefghi"), c.n/19+1)[:c.n]
			b.SetBytes(int64(c.n))
			for b.Loop() {
				c.sum(data)
			}
		})
	}
}
