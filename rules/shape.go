package rules

import (
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
)

// A shape is a span of the input that follows a grammar and stands between
// boundaries. Nothing is said yet about whether it is a key.
type shape struct {
	start, dot, end int
	format          finding.Format
}

// touches reports whether data[start:end] overlaps one of the ordered spans or
// stands right beside it: a change beside a key can make or break its boundary.
func touches(spans []finding.Span, start, end int) bool {
	i := sort.Search(len(spans), func(i int) bool { return spans[i].End >= start })
	return i < len(spans) && spans[i].Start <= end
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
