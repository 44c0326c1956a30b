//go:build !amd64

package rules

func nextWindow(data []byte, i int) (at int, marks uint64) { return nextWindowGeneric(data, i) }
