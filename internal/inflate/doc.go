// Package inflate decodes DEFLATE (RFC 1951) and zlib (RFC 1950) data that is whole in memory, into memory.
//
// # Why not compress/flate
//
// Git stores every object as one zlib stream of known size, and most of them are small; a zip says the size of each
// member. compress/flate pulls its input byte by byte through an interface, and keeps a window of 32 KiB of its own
// that it copies out of. With both ends in memory neither is needed: a match is copied within the output, which is
// the window. The input is only read, so that many goroutines can decode from one mapped pack.
//
//	src   ......┌ header ┬── code lengths ──┬──── symbols ────┐......
//	                                        ▲ sp
//	            bits [56 or more bits read ahead; the next one is the lowest]
//	                            │
//	                            │ low 10 bits              low 8 bits
//	                            ▼                          ▼
//	tables      lit  [1024]uint32 ──▶ litSub      dist [256]uint32 ──▶ distSub
//	            literal · length · end of block   distance
//	            └──────────┬─────────────┘        └───┬──┘
//	                       ▼                          ▼
//	dst   the output so far is the window ──────────▶ copy ────▶|
//	                                              ▲ dp - distance ▲ dp
//
// # Why it is fast
//
//   - A 64-bit bit buffer is refilled with one unaligned load, which brings at least 56 bits: enough for up to three
//     literals, or two literals and a length, before the next one (fast.go counts them).
//   - A table entry of 32 bits says everything about a symbol: the bits to take, how many of them are extra bits, the
//     base value, and whether it is a literal (tables.go has the layout). Codes too long for the main table go
//     through one pointer to a subtable.
//   - A table is filled by doubling: codes of n bits are written once, and the table is copied over itself when the
//     codes get longer. Building tables is most of the work for small objects.
//   - Matches are copied 16 bytes at a time, past their end where there is room; near the ends of src and dst the
//     careful loop (stream.go) does the same symbol by symbol, with every check.
//
// The layout of an entry and the filling by doubling follow libdeflate (https://github.com/ebiggers/libdeflate,
// lib/deflate_decompress.c).
//
// # What is guaranteed
//
// No input makes it panic, read outside src, or write outside dst; time is bounded by a constant times the lengths of
// both, memory by the tables of the Decoder (about 20 KB), and no call allocates. What it accepts is what zlib accepts,
// and the bytes are the same: the tests compare with compress/flate and compress/zlib on text, on streams of every
// block type that are made to reach each table, and on mutations of those. Sets of code lengths that are incomplete are
// refused as zlib refuses them, at the start of the block.
package inflate
