package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
)

// A sink keeps what comes out; it is read while a Writer works.
type sink struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *sink) Write(p []byte) (int, error) { s.mu.Lock(); defer s.mu.Unlock(); return s.b.Write(p) }
func (s *sink) String() string              { s.mu.Lock(); defer s.mu.Unlock(); return s.b.String() }

func redact(t *testing.T, text string, sizes func() int) string {
	t.Helper()
	var out sink
	w := NewWriter(&out, finding.LowConfidence)
	w.set = true // no timer: the same text comes out however slow the machine is
	for rest := text; rest != ""; {
		n := min(len(rest), sizes())
		if _, err := io.WriteString(w, rest[:n]); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func leaks(out string, keys ...string) bool {
	for _, key := range keys {
		half := key[strings.IndexByte(key, '.')+1:]
		for _, form := range []string{half, base64.StdEncoding.EncodeToString([]byte(half)), hex.EncodeToString([]byte(half))} {
			for at := 0; at+8 <= len(form); at++ {
				if strings.Contains(out, form[at:at+8]) {
					return true
				}
			}
		}
	}
	return false
}

func TestEveryKeyIsMaskedHoweverItArrives(t *testing.T) {
	m := fakekey.New(60)
	a, b, c := m.B10(), m.Legacy(), m.Federated()
	encoded := base64.StdEncoding.EncodeToString([]byte("key=" + a))
	text := "start " + a + "\nBASETEN=" + b + " é " + c + "\nauth: " + encoded + "\nend\n"
	want := "start " + a[:12] + ".****\nBASETEN=" + b[:8] + ".**** é " + c[:16] + ".****\nauth: a2V5P****==\nend\n"
	for size := 1; size <= len(text); size++ {
		if got := redact(t, text, func() int { return size }); got != want {
			t.Fatalf("writes of %d bytes: %d bytes come out, want %d", size, len(got), len(want))
		}
	}
}

func TestLongStreams(t *testing.T) {
	m := fakekey.New(61)
	for range 2 {
		var in, want strings.Builder
		var keys []string
		for in.Len() < 3*block {
			filler := strings.Repeat("all is well; ", m.IntN(3000)) + strings.Repeat("x", m.IntN(3)*hold)
			key := m.B10()
			keys = append(keys, key)
			in.WriteString(filler + " " + key + "\n")
			want.WriteString(filler + " " + key[:12] + ".****\n")
		}
		for _, most := range []int{100, 5000, 10 * block} {
			if got := redact(t, in.String(), func() int { return 1 + m.IntN(most) }); got != want.String() {
				t.Fatalf("writes up to %d: not the same text, or not masked: leaks %v", most, leaks(got, keys...))
			}
		}
	}
}

// What is encoded in more ways than there is a budget for does not go out, nor what comes
// behind it in what is searched together, and the text says so; later text goes out.
func TestWhatCannotBeSearchedIsWithheld(t *testing.T) {
	m := fakekey.New(66)
	key := m.B10()
	encoded := "k " + key
	for _, format := range []string{"%%%02x", "=%02X", "%%%02x", "=%02X"} {
		var b strings.Builder
		for _, c := range []byte(encoded) {
			fmt.Fprintf(&b, format, c)
		}
		encoded = b.String()
	}
	hostile := strings.Repeat(`%41&#65;\x41=41\101`, 6000) + encoded
	calm := strings.Repeat("all is well\n", 2*block/12)
	for _, size := range []int{1 << 10, 64 << 10, 4 * block} {
		got := redact(t, "first "+key+"\n"+hostile+"\n"+calm+"last "+key+"\n", func() int { return size })
		if strings.Contains(got, encoded[len(encoded)-200:]) || leaks(got, key) {
			t.Errorf("writes of %d bytes: an encoded key came out", size)
		}
		masked := key[:12] + ".****\n"
		if !strings.HasPrefix(got, "first "+masked) || !strings.HasSuffix(got, "all is well\nlast "+masked) || strings.Count(got, Notice) == 0 {
			t.Errorf("writes of %d bytes: %d bytes came out, of them %d notices", size, len(got), strings.Count(got, Notice))
		}
	}
}

// Keys at each offset about the end of a block.
func TestSeams(t *testing.T) {
	key := fakekey.New(62).B10()
	for off := block - hold - 60; off < block+60; off += 7 {
		pad := strings.Repeat("y ", off/2)
		got := redact(t, pad+key+" "+strings.Repeat("z ", block), func() int { return 32 << 10 })
		if leaks(got, key) || !strings.Contains(got, key[:12]+".**** ") {
			t.Fatalf("offset %d: the key came out", off)
		}
	}
}

// What cannot be a part of a secret goes out after a moment; what may be stays.
func TestPauses(t *testing.T) {
	key := fakekey.New(63).B10()
	for _, c := range []struct{ write, out string }{
		{"Password: ", "Password: "},
		{"a line\n", "a line\n"},
		{".......................", "......................."}, // a test runner's dots
		{"token " + key[:12], "token " + key[:12]},             // public
		{"token " + key[:20], "token "},
		{"token " + key, "token "},
		{"x\nYjEwX0FiQ2RFZkdoLjEyMzQ1", "x\n"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var out sink
			w := NewWriter(&out, finding.LowConfidence)
			if _, err := io.WriteString(w, c.write); err != nil {
				t.Fatal(err)
			}
			for _, passed := range []time.Duration{Delay, 2 * Delay} {
				pause(Delay)
				if out.String() != c.out {
					t.Errorf("%d bytes written, %d came out after %v, want %d", len(c.write), len(out.String()), passed, len(c.out))
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// pause lets the time of a bubble pass, and what it sets off come to an end.
func pause(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// A key whose public part went out before its secret half arrived.
func TestSplitAtTheDot(t *testing.T) { synctest.Test(t, splitAtTheDot) }

func splitAtTheDot(t *testing.T) {
	key := fakekey.New(64).B10()
	var out sink
	w := NewWriter(&out, finding.LowConfidence)
	for _, part := range []string{"k " + key[:12], key[12:13], key[13:30], key[30:] + "\nnext\n"} {
		if _, err := io.WriteString(w, part); err != nil {
			t.Fatal(err)
		}
		pause(2 * Delay)
	}
	if got := out.String(); got != "k "+key[:12]+"****\nnext\n" && got != "k "+key[:12]+".****\nnext\n" {
		t.Errorf("leaks: %v, %d bytes", leaks(got, key), len(got))
	}
	if w.Keys() != 1 {
		t.Errorf("%d keys", w.Keys())
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestErrorsComeBack(t *testing.T) {
	full := errors.New("disk full")
	w := NewWriter(failing{full}, finding.LowConfidence)
	if _, err := w.Write(make([]byte, 2*block)); !errors.Is(err, full) {
		t.Errorf("write: %v", err)
	}
	if err := w.Close(); !errors.Is(err, full) {
		t.Errorf("close: %v", err)
	}
	if _, err := w.Write([]byte("x")); !errors.Is(err, ErrClosed) {
		t.Errorf("write after close: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

// FuzzWriter cuts made-up text with keys in it into made-up writes: all text but
// the keys comes out, in order.
func FuzzWriter(f *testing.F) {
	f.Add(uint64(1), []byte("a \xff\n"), uint16(3))     // short writes
	f.Add(uint64(2), []byte("AAAA"), uint16(9000))      // one long run
	f.Add(uint64(3), []byte("\x00\x01.%"), uint16(500)) // what escapes look like
	f.Fuzz(func(t *testing.T, seed uint64, text []byte, size uint16) {
		m := fakekey.New(seed)
		var in bytes.Buffer
		for range 4 {
			in.Write(bytes.Repeat(text, 1+m.IntN(3000)/(1+len(text)/16)))
			in.WriteString("\n " + m.B10() + " \n")
		}
		whole := redact(t, in.String(), func() int { return in.Len() })
		if got := redact(t, in.String(), func() int { return 1 + m.IntN(int(size)+1) }); in.Len() < block-hold && got != whole {
			t.Fatalf("another text comes out in pieces: %d bytes, %d whole", len(got), len(whole))
		}
		m = fakekey.New(seed)
		for range 4 {
			m.IntN(3000)
			if leaks(whole, m.B10()) {
				t.Fatal("a key came out")
			}
		}
	})
}

func BenchmarkWriter(b *testing.B) {
	line := []byte("2026-11-21T10:00:00Z INFO request handled path=/v1/models status=200 in 12ms id=4f7c2a9e\n")
	text := bytes.Repeat(line, (4<<20)/len(line))
	for _, c := range []struct {
		name string
		size int
	}{{"write=4KiB", 4 << 10}, {"write=64KiB", 64 << 10}} {
		b.Run(c.name, func(b *testing.B) {
			w := NewWriter(io.Discard, finding.LowConfidence)
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				for at := 0; at < len(text); at += c.size {
					if _, err := w.Write(text[at:min(len(text), at+c.size)]); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
