//go:build !amd64

package rules

func nextDense(data []byte, i int) int { return nextDenseGeneric(data, i) }

func indexPair(data []byte, i int, first, fourth byte) int {
	return indexPairGeneric(data, i, first, fourth)
}
