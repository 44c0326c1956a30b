package rules

// The two halves of a real key are even draws from 62 letters and digits. The
// tests below ask whether a draw could look like this text; each is set so that
// one key in a thousand million or fewer would fail it (random_test.go works the
// shares out exactly, docs/rules.md lists them).

const (
	// maxNameScore is the likelihood ratio, in eighths of a bit and over both
	// halves, above which a match reads as names that somebody wrote.
	maxNameScore = 205
	// minDistinct is the least number of different bytes in a secret half.
	minDistinct = 13
	// maxSequence is the longest run of consecutive code points in either half.
	maxSequence = 6
)

// readsAsMade reports whether the halves of a match look like something that a
// person or another program made, and not like even draws: names, a sequence, few
// or repeated characters, a hexadecimal or decimal number. Both are letters and
// digits; the secret has 32.
func readsAsMade(prefix, secret []byte) bool {
	return distinct(secret) < minDistinct || isNumber(secret) ||
		sequence(prefix) > maxSequence || sequence(secret) > maxSequence ||
		nameScore(prefix)+nameScore(secret) > maxNameScore
}

// nameScore returns the logarithm, in eighths of a bit, of how much likelier s is
// as a name than as an even draw, by the steps in model.go. It is a first-order
// Markov model of the classes and of the case-folded letters; see Shannon 1948,
// section 3, for the idea.
func nameScore(s []byte) int {
	score := 0
	prev, prevLetter := class(s[0]), s[0]|0x20
	for _, c := range s[1:] {
		cur, letter := class(c), c|0x20
		score += int(classSteps[prev][cur])
		if prev < digitClass && cur < digitClass {
			score += int(letterSteps[prevLetter-'a'][letter-'a'])
		}
		prev, prevLetter = cur, letter
	}
	return score
}

const digitClass = 2

// class returns 0 for a lower-case letter, 1 for an upper-case one, 2 for a digit.
func class(c byte) int {
	switch {
	case c >= 'a':
		return 0
	case c >= 'A':
		return 1
	}
	return digitClass
}

// distinct returns how many different bytes s has.
func distinct(s []byte) int {
	var seen [2]uint64
	n := 0
	for _, c := range s {
		word, bit := c>>6&1, uint64(1)<<(c&63)
		if seen[word]&bit == 0 {
			seen[word] |= bit
			n++
		}
	}
	return n
}

// sequence returns the length of the longest run in which each byte is one more,
// or each is one less, than the one before. After 9 comes 0, as on a keyboard.
func sequence(s []byte) int {
	longest := 1
	up, down := 1, 1
	for i := 1; i < len(s); i++ {
		up, down = up+1, down+1
		if s[i] != s[i-1]+1 && !(s[i-1] == '9' && s[i] == '0') {
			up = 1
		}
		if s[i] != s[i-1]-1 && !(s[i-1] == '0' && s[i] == '9') {
			down = 1
		}
		longest = max(longest, up, down)
	}
	return longest
}

// isNumber reports whether s is all decimal digits, or all hexadecimal digits of
// one case.
func isNumber(s []byte) bool {
	lower, upper := true, true
	for _, c := range s {
		digit := c <= '9'
		lower = lower && (digit || c >= 'a' && c <= 'f')
		upper = upper && (digit || c >= 'A' && c <= 'F')
	}
	return lower || upper
}
