package rules

import (
	"math"
	"testing"

	"github.com/b10lint/b10lint/internal/fakekey"
)

// nameScores returns the exact distribution of the name score of even draws of n
// letters and digits. It walks the Markov chain over the symbols the score can
// tell apart: each letter in each case, and "a digit".
func nameScores(n int) map[int]float64 {
	const states = 53
	symbol := func(s int) (byte, float64) {
		switch {
		case s < 26:
			return byte('a' + s), 1.0 / 62
		case s < 52:
			return byte('A' + s - 26), 1.0 / 62
		}
		return '0', 10.0 / 62
	}
	cur := make([]map[int]float64, states)
	for s := range states {
		_, p := symbol(s)
		cur[s] = map[int]float64{0: p}
	}
	for range n - 1 {
		next := make([]map[int]float64, states)
		for b := range states {
			next[b] = map[int]float64{}
			to, p := symbol(b)
			for a := range states {
				from, _ := symbol(a)
				step := nameScore([]byte{from, to})
				for score, v := range cur[a] {
					next[b][score+step] += v * p
				}
			}
		}
		cur = next
	}
	all := map[int]float64{}
	for _, m := range cur {
		for score, v := range m {
			all[score] += v
		}
	}
	return all
}

// nameScoreTail returns the exact share of keys whose name score is above limit.
func nameScoreTail(limit int) (tail float64) {
	secret := nameScores(32)
	for x, p := range nameScores(8) {
		for y, q := range secret {
			if x+y > limit {
				tail += p * q
			}
		}
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
	name, few := nameScoreTail(maxNameScore), distinctTail(32, minDistinct)
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
