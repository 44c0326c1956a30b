package pack

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"slices"
	"testing"
)

// TestFindEvenAndUneven looks for ids that are there and such that are not, in tables as
// git writes them and in ones that are made to mislead.
func TestFindEvenAndUneven(t *testing.T) {
	for _, alike := range []int{0, 1, 7, 12} {
		for _, n := range []int{0, 1, 2, 9, 100, 3000} {
			var ids [][]byte
			for i := range n {
				sum := sha1.Sum(binary.BigEndian.AppendUint32(nil, uint32(i)))
				clear(sum[:alike])
				ids = append(ids, sum[:])
			}
			slices.SortFunc(ids, bytes.Compare)
			table := idTable{b: bytes.Join(ids, nil), n: n, hash: sha1.Size, stride: sha1.Size}
			for i, id := range ids {
				if got, ok := table.find(id, 0, n, 0); got != i || !ok {
					t.Fatalf("%d alike, %d ids: %d is found at %d, %v", alike, n, i, got, ok)
				}
				other := bytes.Clone(id)
				other[19]++
				if got, ok := table.find(other, 0, n, 0); ok || got < i || got > i+1 {
					t.Fatalf("%d alike, %d ids: one after %d is found at %d, %v", alike, n, i, got, ok)
				}
			}
			for _, c := range []byte{0, 0xFF} {
				id := bytes.Repeat([]byte{c}, 20)
				if got, ok := table.find(id, 0, n, 0); ok || got != n*int(c)/0xFF {
					t.Fatalf("%d alike, %d ids: the bound %d is found at %d, %v", alike, n, c, got, ok)
				}
			}
		}
	}
}
