// Package english puts counted words into the right form, and guesses at misspelt ones.
package english

// Plural returns one when n is 1, else many.
func Plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
