package finding

// A Span is a half-open range of bytes, [Start, End).
type Span struct{ Start, End int }
