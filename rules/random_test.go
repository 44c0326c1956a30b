package rules

import (
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/b10lint/b10lint/internal/fakekey"
)

// A distribution gives the share of each score: shares[i] that of i - zero.
type distribution struct {
	shares []float64
	zero   int
}

// nameScores returns the exact distribution of the name score of even draws of n
// letters and digits. It walks the Markov chain over the symbols the score can
// tell apart: each letter in each case, and "a digit".
func nameScores(n int, classes *[3][3]int8) distribution {
	const states = 53
	var symbols [states]byte
	var p [states]float64
	for s := range states {
		symbols[s], p[s] = '0', 10.0/62
		if s < 52 {
			symbols[s], p[s] = byte('a'+s%26)&^byte(s/26*0x20), 1.0/62
		}
	}
	var steps [states][states]int
	widest := 0
	for a := range states {
		for b := range states {
			steps[a][b] = nameScore([]byte{symbols[a], symbols[b]}, classes)
			widest = max(widest, steps[a][b], -steps[a][b])
		}
	}
	zero := widest * n
	cur, next := make([][]float64, states), make([][]float64, states)
	for s := range states {
		cur[s], next[s] = make([]float64, 2*zero+1), make([]float64, 2*zero+1)
		cur[s][zero] = p[s]
	}
	for round := range n - 1 {
		from, to := zero-widest*round, zero+widest*round
		for b := range states {
			clear(next[b])
			for a := range states {
				target := next[b][from+steps[a][b]:]
				for i, v := range cur[a][from : to+1] {
					target[i] += v * p[b]
				}
			}
		}
		cur, next = next, cur
	}
	for _, shares := range cur[1:] {
		for i, v := range shares {
			cur[0][i] += v
		}
	}
	return distribution{cur[0], zero}
}

// nameTail returns the exact share of keys whose name score is above the limit, and
// termTail that by the steps of terms.
var (
	nameTail = sync.OnceValue(func() float64 { return scoreTail(&classSteps, maxNameScore) })
	termTail = sync.OnceValue(func() float64 { return scoreTail(&termSteps, maxTermScore) })
)

func scoreTail(classes *[3][3]int8, limit int) (tail float64) {
	prefix, secret := nameScores(prefixLen, classes), nameScores(secretLen, classes)
	above := make([]float64, len(secret.shares)+1) // share of secrets at i or more
	for i := len(secret.shares) - 1; i >= 0; i-- {
		above[i] = above[i+1] + secret.shares[i]
	}
	for i, p := range prefix.shares {
		at := limit - (i - prefix.zero) + 1 + secret.zero
		tail += p * above[min(max(at, 0), len(above)-1)]
	}
	return tail
}

// distinctTail returns the exact share of even draws of n out of 62 with fewer
// than limit different symbols.
func distinctTail(n, limit int) float64 {
	have := make([]float64, n+1)
	have[0] = 1
	for range n {
		for k := n; k > 0; k-- {
			have[k] = have[k]*float64(k)/62 + have[k-1]*float64(62-k+1)/62
		}
		have[0] = 0
	}
	tail := 0.0
	for _, p := range have[:limit] {
		tail += p
	}
	return tail
}

func TestRandomnessTestLosesNoKey(t *testing.T) {
	name, few := nameTail(), distinctTail(32, minDistinct)
	// 26 and 2 places for a run of seven, each step one successor out of 62, both ways.
	run := 2 * 28.0 / math.Pow(62, 6)
	order, seed := orderTail(), math.Pow(32.0/62, secretLen)
	t.Logf("share of even draws that fail: name %.2g, terms %.2g, few symbols %.2g, sequence at most %.2g, order at most %.2g, base32 %.2g", name, termTail(), few, run, order, seed)
	for what, p := range map[string]float64{"name": name, "terms": termTail(), "few symbols": few, "sequence": run, "order": order, "base32": seed} {
		if p > 1.1e-9 {
			t.Errorf("%s: one real key in %.3g would be dropped", what, 1/p)
		}
	}
}

func TestReadsAsMade(t *testing.T) {
	for _, s := range []string{
		"1234567890ABCDEFGHIJKL1234567890",
		"abcdefghijklmnopqrstuvwxyzabcdef",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF",
		"zyxwvutsrqponmlkjihgfedcbazyxwvu",
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
		"00000000000000000000000000000000",
		"SYNTHETIC0SYNTHETIC0SYNTHETIC000",
		"d41d8cd98f00b204e9800998ecf8427e",
		"D41D8CD98F00B204E9800998ECF8427E",
		"31415926535897932384626433832795",
		"NewAuthenticationProviderFactory",
		"NewAuthenticationProvider2Config",
		"getUserAuthenticationTokenFromDb",
		"thisisanexamplekeyforthedocument",
		"THISISANEXAMPLEKEYFORTHEDOCUMENT",
		"yourapikeygoeshereyourapikeygoes",
		"X509CertificateVerificationError",
		"HandleGetUserByIdentifierRequest",
	} {
		if len(s) != 32 {
			t.Fatalf("%q has %d characters", s, len(s))
		}
		if !readsAsMade([]byte("internal"), []byte(s)) {
			t.Errorf("%q passes for an even draw: name score %d, %d distinct, sequence %d",
				s, nameScore([]byte("internal"), &classSteps)+nameScore([]byte(s), &classSteps), distinct([]byte(s)), sequence([]byte(s)))
		}
	}
}

func TestMillionKeysRead(t *testing.T) {
	m := fakekey.New(1)
	n := 1_000_000
	if testing.Short() {
		n = 50_000
	}
	highest := -1 << 30
	for range n {
		prefix, half := []byte(m.Word(8)), []byte(m.Word(32))
		highest = max(highest, nameScore(prefix, &classSteps)+nameScore(half, &classSteps))
		if readsAsMade(prefix, half) {
			t.Fatalf("an even draw with prefix %s reads as made", prefix)
		}
	}
	t.Logf("highest name score of %d draws: %d, limit %d", n, highest, maxNameScore)
}

// orderTail returns the exact share of keys whose letters and digits score above the
// limit in one of the eight readings of orderScore, at most.
func orderTail() (tail float64) {
	binomial := func(n int, p float64) []float64 {
		shares := make([]float64, n+1)
		shares[0] = 1
		for range n {
			for k := n; k > 0; k-- {
				shares[k] = shares[k]*(1-p) + shares[k-1]*p
			}
			shares[0] *= 1 - p
		}
		return shares
	}
	const total = prefixLen + secretLen
	for _, lag := range []int{1, 2} {
		for letters, share := range binomial(total, 52.0/62) {
			l, d := max(0, letters-lag), max(0, total-letters-lag)
			for x, a := range binomial(l, 4.0/26) {
				for y, b := range binomial(d, 4.0/10) {
					if 20*x-25*(l-x)+9*y-21*(d-y) > maxOrder {
						tail += 4 * share * a * b // two orders of letters, up and down
					}
				}
			}
		}
	}
	return tail
}

// What people write in the place of a key is in order, whatever the case and the mixture.
func TestPlaceholdersAreInOrder(t *testing.T) {
	lower, digits, keys := "abcdefghijklmnopqrstuvwxyz", "1234567890", "qwertyuiopasdfghjklzxcvbnm"
	at := func(s string, i int) string { return s[i%len(s) : i%len(s)+1] }
	upper := strings.ToUpper
	for name, write := range map[string]func(i int) string{
		"a1b2c3":   func(i int) string { return at(lower, i) + at(digits, i) },
		"A1B2C3":   func(i int) string { return upper(at(lower, i)) + at(digits, i) },
		"A1b2C3d4": func(i int) string { return []string{upper(at(lower, i)), at(lower, i)}[i%2] + at(digits, i) },
		"1a2b3c":   func(i int) string { return at(digits, i) + at(lower, i) },
		"abcd1234": func(i int) string { return (lower + lower)[4*i%26:][:4] + (digits + digits)[4*i%10:][:4] },
		"abc123":   func(i int) string { return (lower + lower)[3*i%26:][:3] + (digits + digits)[3*i%10:][:3] },
		"AbC1dEf2": func(i int) string {
			return upper(at(lower, 3*i)) + at(lower, 3*i+1) + upper(at(lower, 3*i+2)) + at(digits, i)
		},
		"aBcDeF":       func(i int) string { return at(lower, 2*i) + upper(at(lower, 2*i+1)) },
		"AbCdEf":       func(i int) string { return upper(at(lower, 2*i)) + at(lower, 2*i+1) },
		"aabbcc":       func(i int) string { return at(lower, i) + at(lower, i) },
		"aAbBcC":       func(i int) string { return at(lower, i) + upper(at(lower, i)) },
		"aabb1122":     func(i int) string { return at(lower, i) + at(lower, i) + at(digits, i) + at(digits, i) },
		"acegik":       func(i int) string { return at(lower, 2*i) },
		"adgjmp":       func(i int) string { return at(lower, 3*i) },
		"zyxwvu":       func(i int) string { return at(lower, 2600-i) },
		"z9y8x7":       func(i int) string { return at(lower, 2599-i) + at(digits, 998-i) },
		"azbycx":       func(i int) string { return at(lower, i) + at(lower, 2599-i) },
		"q1w2e3r4":     func(i int) string { return at(keys, i) + at(digits, i) },
		"qWeRtY":       func(i int) string { return at(keys, 2*i) + upper(at(keys, 2*i+1)) },
		"aB3cD4":       func(i int) string { return at(lower, 2*i) + upper(at(lower, 2*i+1)) + at(digits, i+2) },
		"Ab1Cd2":       func(i int) string { return upper(at(lower, 2*i)) + at(lower, 2*i+1) + at(digits, i) },
		"xY7zA8 wraps": func(i int) string { return at(lower, 2*i+23) + upper(at(lower, 2*i+24)) + at(digits, i+6) },
	} {
		var b strings.Builder
		for i := 0; b.Len() < 80; i++ {
			b.WriteString(write(i))
		}
		text := b.String()
		for _, halves := range [][2]string{{text[:8], text[8:40]}, {"yourkey0", text[:32]}, {text[:8], text[:32]}} {
			if !readsAsMade([]byte(halves[0]), []byte(halves[1])) {
				t.Errorf("%s: %s and %s pass for even draws: order %d, limit %d", name, halves[0], halves[1],
					orderScore([]byte(halves[0]), []byte(halves[1])), maxOrder)
			}
		}
	}
}

// What other programs draw from a small alphabet is not a key's half.
func TestSmallAlphabets(t *testing.T) {
	m := fakekey.New(71)
	from := func(set string, n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = set[m.IntN(len(set))]
		}
		return b
	}
	for range 2000 {
		for set, prefix := range map[string]string{
			"0123456789": fakekey.Alphabet, "0123456789abcdef": fakekey.Alphabet, "0123456789ABCDEF": fakekey.Alphabet,
			"abcdefghijklmnop": fakekey.Alphabet, "abcdefghijklmnopqrstuvwxyz": fakekey.Alphabet, "ABCDEFGHIJKLMNOPQRSTUVWXYZ": fakekey.Alphabet,
			"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567": fakekey.Alphabet, "abcdefghijklmnopqrstuvwxyz234567": "abcdefghijklmnopqrstuvwxyz0123456789",
		} {
			if p, s := from(prefix, 8), from(set, 32); !readsAsMade(p, s) {
				t.Fatalf("%s and %s, drawn from %s, pass for a key", p, s, set)
			}
		}
	}
}

// Names made of technical terms read as made, nearly all.
func TestTermsAreNames(t *testing.T) {
	terms := strings.Fields("Float16 Int64 Sse42 Avx512 Neon128 Utf8 Utf16 Sha256 Md5 Base64 Ipv4 Ipv6 Amd64 Arm64 Crc32 Aes128 Uint32 " +
		"Int8 Http2 Tls13 Sha512 Rsa2048 Ed25519 Mp3 Vec3 Mat4 Win32 Fp8 Tf32 Cuda12 Gpt4 Llama3 Latin1 Iso8859 Cp1252 Decoder Encoder To From Matrix")
	prefixes := strings.Fields("decoders encoders numerics hardware internal platform features compiler")
	m, passed := fakekey.New(73), 0
	for range 5000 {
		secret := ""
		for len(secret) < 32 {
			secret += terms[m.IntN(len(terms))]
		}
		if !readsAsMade([]byte(prefixes[m.IntN(len(prefixes))]), []byte(secret[:32])) {
			passed++
		}
	}
	t.Logf("%d of 5000 pass for keys", passed)
	if passed > 250 {
		t.Errorf("%d of 5000 pass for keys", passed)
	}
}
