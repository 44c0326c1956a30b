package rules

import (
	"math"
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
func nameScores(n int) distribution {
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
			steps[a][b] = nameScore([]byte{symbols[a], symbols[b]})
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

// nameTail returns the exact share of keys whose name score is above the limit.
var nameTail = sync.OnceValue(func() (tail float64) {
	prefix, secret := nameScores(prefixLen), nameScores(secretLen)
	above := make([]float64, len(secret.shares)+1) // share of secrets at i or more
	for i := len(secret.shares) - 1; i >= 0; i-- {
		above[i] = above[i+1] + secret.shares[i]
	}
	for i, p := range prefix.shares {
		at := maxNameScore - (i - prefix.zero) + 1 + secret.zero
		tail += p * above[min(max(at, 0), len(above)-1)]
	}
	return tail
})

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
	t.Logf("share of even draws that fail: name %.2g, few symbols %.2g, sequence at most %.2g", name, few, run)
	for what, p := range map[string]float64{"name": name, "few symbols": few, "sequence": run} {
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
				s, nameScore([]byte("internal"))+nameScore([]byte(s)), distinct([]byte(s)), sequence([]byte(s)))
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
		highest = max(highest, nameScore(prefix)+nameScore(half))
		if readsAsMade(prefix, half) {
			t.Fatalf("an even draw with prefix %s reads as made", prefix)
		}
	}
	t.Logf("highest name score of %d draws: %d, limit %d", n, highest, maxNameScore)
}
