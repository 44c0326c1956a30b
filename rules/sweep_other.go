//go:build !amd64

package rules

const hasVectors = false

func sweepVector([]byte, int, int, *carries, *[maxRecords]record) (at, n int) { return 0, 0 }

func nextName(b []byte) int { return nextNameGeneric(b) }
