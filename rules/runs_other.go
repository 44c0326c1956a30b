//go:build !amd64

package rules

import "bytes"

func nextDense(data []byte, i int) int { return nextDenseGeneric(data, i) }

// indexMark returns the first place at or after i where "b10_" stands, or -1.
func indexMark(data []byte, i int) int {
	if n := bytes.Index(data[min(i, len(data)):], []byte(b10Mark)); n >= 0 {
		return i + n
	}
	return -1
}
