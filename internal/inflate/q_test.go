package inflate

import (
	"bytes"
	"testing"
)

func TestQuick(t *testing.T) {
	var d Decoder
	b := testing.B{}
	for _, o := range packObjects(&b) {
		dst := make([]byte, o.size)
		n, c, err := d.Zlib(dst, o.src)
		if err != nil || n != o.size {
			t.Fatal(n, c, err, o.size)
		}
		_ = bytes.Equal
	}
}
