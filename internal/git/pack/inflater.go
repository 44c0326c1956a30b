package pack

import "github.com/b10lint/b10lint/internal/inflate"

// An inflater decodes one whole zlib stream at a time.
type inflater = inflate.Decoder
