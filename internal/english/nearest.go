package english

// Nearest returns the name that a misspelt word is nearest to: one letter, or of a long
// word two, changed, added, removed or swapped with the next. A name that begins with the
// word, or that the word begins with, is near too where it is the only one. It is empty
// when none is near. (The distance is Damerau's, of optimal alignments.)
func Nearest(word string, names []string) string {
	best, least := "", 2
	if len(word) > 5 {
		least = 3
	}
	var begins []string
	for _, name := range names {
		if len(word) > 2 && len(name) > len(word) && name[:len(word)] == word {
			begins = append(begins, name)
		}
		if d := distance(word, name); d < least {
			best, least = name, d
		}
	}
	if best == "" && len(begins) == 1 {
		return begins[0]
	}
	return best
}

// distance is how many changes lead from one word to the other; words of more than 40
// letters, and names of one or two, are far from all.
func distance(word, name string) int {
	const far = 1000
	a, b := []rune(word), []rune(name)
	if len(a) > 40 || len(b) > 40 || len(b) <= 2 {
		return far
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		for j := range rows[i] {
			if i == 0 || j == 0 {
				rows[i][j] = i + j
				continue
			}
			same := 1
			if a[i-1] == b[j-1] {
				same = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+same)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
