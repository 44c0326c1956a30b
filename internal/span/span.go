// Package span is a range of bytes, one type for all rooms that speak of one.
package span

// A Span is a half-open range of bytes, [Start, End).
type Span struct{ Start, End int }
