package finding

import "github.com/b10lint/b10lint/internal/span"

// A Span is a half-open range of bytes, [Start, End).
type Span = span.Span
