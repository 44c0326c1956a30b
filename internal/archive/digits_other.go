//go:build !amd64

package archive

func digitBlock(data []byte) int { return digitBlockGeneric(data) }
