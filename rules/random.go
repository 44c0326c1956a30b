package rules

// The two halves of a real key are even draws from 62 letters and digits. The
// tests below ask whether a draw could look like this text; each is set so that
// one key in a thousand million or fewer would fail it (random_test.go works the
// shares out exactly, docs/rules.md lists them). Two of them are scores, the logarithm of
// how much likelier the text is as something written than as a draw; the others are
// what no score of steps sees.

const (
	// maxNameScore is the likelihood ratio, in eighths of a bit and over both
	// halves, above which a match reads as names that somebody wrote.
	maxNameScore = 205
	// maxTermScore is the same for names made of terms that end in digits.
	maxTermScore = 215
	// maxOrder is the same ratio above which letters and digits follow their order.
	maxOrder = 140
	// minDistinct is the least number of different bytes in a secret half.
	minDistinct = 13
	// maxSequence is the longest run of consecutive code points in either half.
	maxSequence = 6
)

// readsAsMade reports whether the halves of a match look like something that a
// person or another program made, and not like even draws: names, a sequence, letters
// and digits in order, few or repeated characters, a small alphabet. Both are letters
// and digits; the secret has 32.
func readsAsMade(prefix, secret []byte) bool {
	return distinct(secret) < minDistinct || hasSmallAlphabet(prefix, secret) ||
		sequence(prefix) > maxSequence || sequence(secret) > maxSequence ||
		nameScore(prefix, &classSteps)+nameScore(secret, &classSteps) > maxNameScore ||
		nameScore(prefix, &termSteps)+nameScore(secret, &termSteps) > maxTermScore || orderScore(prefix, secret) > maxOrder
}

// termSteps stands in for classSteps where names are made of technical terms, as in
// Float16Int64Sse42: nearly every word ends in digits, and the next begins large. Its
// rows are the shares of such steps that its author takes for likely: from a small
// letter .68 .17 .15, from a large one .88 .08 .04, from a digit .08 .50 .42.
var termSteps = [3][3]int8{
	{6, -10, -1},
	{9, -19, -16},
	{-19, 2, 11},
}

// nameScore returns the logarithm, in eighths of a bit, of how much likelier s is
// as a name than as an even draw, by the steps of its classes and those of its letters
// in model.go. It is a first-order Markov model of the classes and of the case-folded
// letters; see Shannon 1948, section 3, for the idea.
func nameScore(s []byte, classSteps *[3][3]int8) int {
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

// The alphabets that other programs draw from, each too small to be a key's by chance:
// numbers, digests, identifiers and seeds. Of small letters and digits together a draw is
// not rare enough, so there the prefix has to be of them, too.
const (
	decimal = 1 << iota
	hexLower
	hexUpper
	lowerCase
	upperCase
	base32Upper // RFC 4648, as seeds of one-time passwords are written
	base32Lower
	lowerDigits
)

var alphabets = func() (t [256]byte) {
	for bit, set := range []string{"0123456789", "0123456789abcdef", "0123456789ABCDEF", "abcdefghijklmnopqrstuvwxyz",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "abcdefghijklmnopqrstuvwxyz234567",
		"abcdefghijklmnopqrstuvwxyz0123456789"} {
		for _, c := range []byte(set) {
			t[c] |= 1 << bit
		}
	}
	return t
}()

func hasSmallAlphabet(prefix, secret []byte) bool {
	all := func(s []byte) byte {
		in := ^byte(0)
		for _, c := range s {
			in &= alphabets[c]
		}
		return in
	}
	in := all(secret)
	return in&^(base32Lower|lowerDigits) != 0 || in&base32Lower != 0 && all(prefix)&lowerDigits != 0
}

// orderScore returns the logarithm, in eighths of a bit, of how much likelier the two
// halves are as a placeholder whose letters follow their order, in the alphabet or on the
// keyboard, and whose digits follow theirs, than as an even draw: a1b2c3d4, aBcDeF,
// abc123def456, aabbcc, acegik. It takes the letters, in one case, and the digits apart,
// compares each with the next or the next but one, and counts the steps of 0 to 3 up, or
// down; a writer takes nine in ten so, a draw four of 26 and four of ten.
func orderScore(prefix, secret []byte) int {
	best := 0
	for _, order := range [...]*[256]int8{&alphabetOrder, &keyboardOrder} {
		var letters, digits [prefixLen + secretLen]int8
		nl, nd := 0, 0
		for _, half := range [2][]byte{prefix, secret} {
			for _, c := range half {
				if class(c) == digitClass {
					digits[nd], nd = int8(c-'0'), nd+1
				} else {
					letters[nl], nl = order[c|0x20], nl+1
				}
			}
		}
		for _, lag := range [2]int{1, 2} {
			up, down := 0, 0
			for i := lag; i < nl; i++ {
				d := letters[i] - letters[i-lag] + 26
				up, down = up+int(letterUp[d]), down+int(letterUp[52-d])
			}
			for i := lag; i < nd; i++ {
				d := digits[i] - digits[i-lag] + 10
				up, down = up+int(digitUp[d]), down+int(digitUp[20-d])
			}
			best = max(best, up, down)
		}
	}
	return best
}

// letterUp and digitUp are the score of a step, by its width and the number of signs.
var letterUp, digitUp = func() (letters [53]int8, digits [21]int8) {
	for d := range letters {
		letters[d] = int8(choose(d%26 <= 3, 20, -25))
	}
	for d := range digits {
		digits[d] = int8(choose(d%10 <= 3, 9, -21))
	}
	return letters, digits
}()

func choose(yes bool, a, b int) int {
	if yes {
		return a
	}
	return b
}

var alphabetOrder, keyboardOrder = orderOf("abcdefghijklmnopqrstuvwxyz"), orderOf("qwertyuiopasdfghjklzxcvbnm")

func orderOf(letters string) (t [256]int8) {
	for i, c := range []byte(letters) {
		t[c] = int8(i)
	}
	return t
}
