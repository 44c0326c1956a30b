// Package fakekey makes well-formed keys at run time, so that no fixture of the
// project looks like a leak. The keys are made up: no service knows them.
package fakekey

import (
	"math/rand/v2"
	"strings"

	"github.com/b10lint/b10lint/internal/keyformat"
)

// Alphabet is the set of bytes that both halves of a key are drawn from.
const Alphabet = keyformat.Alphabet

// A Maker makes keys. The same seed gives the same keys in the same order.
// It is not safe for use by several goroutines at once.
type Maker struct{ r *rand.Rand }

// New returns a Maker for a seed.
func New(seed uint64) *Maker { return &Maker{rand.New(rand.NewPCG(seed, 0xb10))} }

// B10 returns a key of the format made since October 2026: b10_, 8, a dot, 32.
func (m *Maker) B10() string { return m.Of(keyformat.B10) }

// Legacy returns a key of the older format: 8, a dot, 32.
func (m *Maker) Legacy() string { return m.Of(keyformat.Legacy) }

// Federated returns a gateway key: sky_, 12, a dot, 32.
func (m *Maker) Federated() string { return m.Of(keyformat.Federated) }

// Of returns a key of a format; its secret half has 32 characters where the format
// allows that.
func (m *Maker) Of(f keyformat.Format) string {
	return f.Mark + m.Word(f.Prefix) + "." + m.Word(max(f.MinSecret, min(32, f.MaxSecret)))
}

// Word returns n letters and digits, each drawn evenly.
func (m *Maker) Word(n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte(Alphabet[m.r.IntN(len(Alphabet))])
	}
	return b.String()
}

// IntN returns an even draw from [0, n), for tests that place keys at random.
func (m *Maker) IntN(n int) int { return m.r.IntN(n) }
