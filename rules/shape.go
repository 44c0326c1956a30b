package rules

import (
	"bytes"
	"sort"

	"github.com/b10lint/b10lint/finding"
)

// The grammars, from Baseten's documentation of its keys (b10), from the shape of
// the documented placeholder (legacy) and from third-party notes (federated):
//
//	b10       "b10_" [A-Za-z0-9]{8} "." [A-Za-z0-9]{32}
//	legacy           [A-Za-z0-9]{8} "." [A-Za-z0-9]{32}
//	federated "sky_" [A-Za-z0-9]{12} "." [A-Za-z0-9_-]{16,}
const (
	prefixLen       = 8
	secretLen       = 32
	b10Mark         = "b10_"
	federatedMark   = "sky_"
	federatedPrefix = 12
	minFederated    = 16
	maxFederated    = 256
	// A shape that touches a span has its dot this far before or after it at most.
	reachBack, reachAhead = maxFederated + 1, len(federatedMark) + federatedPrefix + 1
)

// A shape is a span of the input that follows a grammar and stands between
// boundaries. Nothing is said yet about whether it is a key.
type shape struct {
	start, dot, end int
	format          finding.Format
}

// each calls yield for every shape in data, in order, that touches fresh.
//
// All three grammars have a dot with eight letters and digits before it. The
// search jumps from dot to dot with bytes.IndexByte, which the standard library
// writes in vector instructions, looks at the far end of each half first, and
// after a dot that does not fit skips the eight bytes in which no fitting dot can
// follow. On source text that reads faster than sampling every 32nd byte, on
// base64 and binary data much faster.
func each(data []byte, fresh []finding.Span, yield func(shape) bool) {
	if fresh == nil {
		eachIn(data, 0, len(data), yield)
		return
	}
	for len(fresh) > 0 {
		// Spans so close that their searches would overlap are searched as one.
		n := 1
		for n < len(fresh) && fresh[n].Start-reachBack <= fresh[n-1].End+reachAhead {
			n++
		}
		group := fresh[:n]
		fresh = fresh[n:]
		from, to := max(0, group[0].Start-reachBack), min(group[n-1].End+reachAhead, len(data))
		if !eachIn(data, from, to, func(s shape) bool { return !touches(group, s) || yield(s) }) {
			return
		}
	}
}

// touches reports whether a shape overlaps one of the ordered spans or stands
// right beside it: a change beside a key can make or break its boundary.
func touches(spans []finding.Span, s shape) bool {
	i := sort.Search(len(spans), func(i int) bool { return spans[i].End >= s.start })
	return i < len(spans) && spans[i].Start <= s.end
}

// eachIn yields the shapes whose dot lies in [from, to). It reports whether yield
// never returned false.
func eachIn(data []byte, from, to int, yield func(shape) bool) bool {
	last := min(to, len(data)-minFederated)
	for i := max(from, prefixLen); i < last; {
		n := bytes.IndexByte(data[i:last], '.')
		if n < 0 {
			return true
		}
		dot := i + n
		if alnum[data[dot-1]]&alnum[data[dot-prefixLen]]&token[data[dot+1]]&token[data[dot+minFederated]] != 0 {
			if s, ok := at(data, dot); ok && !yield(s) {
				return false
			}
		}
		i = dot + prefixLen + 1
	}
	return true
}

// at returns the shape around the dot at data[dot], if there is one.
func at(data []byte, dot int) (shape, bool) {
	if !allAlnum(data[dot-prefixLen : dot]) {
		return shape{}, false
	}
	if start, ok := federatedStart(data, dot); ok {
		end := dot + 1
		for end < len(data) && token[data[end]] != 0 && end-dot-1 <= maxFederated {
			end++
		}
		n := end - dot - 1
		return shape{start, dot, end, finding.Federated}, n >= minFederated && n <= maxFederated && endsAt(data, end)
	}
	end := dot + 1 + secretLen
	if end > len(data) || !allAlnum(data[dot+1:end]) || !endsAt(data, end) {
		return shape{}, false
	}
	start := dot - prefixLen
	if mark := start - len(b10Mark); mark >= 0 && string(data[mark:start]) == b10Mark {
		return shape{mark, dot, end, finding.B10}, startsAt(data, mark)
	}
	return shape{start, dot, end, finding.Legacy}, startsAt(data, start)
}

// federatedStart returns where a federated key with this dot begins.
func federatedStart(data []byte, dot int) (int, bool) {
	start := dot - federatedPrefix - len(federatedMark)
	ok := start >= 0 && string(data[start:start+len(federatedMark)]) == federatedMark &&
		allAlnum(data[dot-federatedPrefix:dot]) && startsAt(data, start)
	return start, ok
}

func allAlnum(s []byte) bool {
	for _, c := range s {
		if alnum[c] == 0 {
			return false
		}
	}
	return true
}

// alnum is 1 for letters and digits, token also for the underscore and the hyphen.
var alnum, token = tables()

func tables() (a, t [256]byte) {
	for c := range 256 {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			a[c], t[c] = 1, 1
		case c == '_', c == '-':
			t[c] = 1
		}
	}
	return a, t
}
