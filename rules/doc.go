// Package rules knows what a Baseten key looks like, how sure one can be that a text
// is one, and which words go with it. It is pure: no I/O, no network, no clock.
//
// # The way of a window of bytes
//
//	data ─► sweep ──► a place where a key can be, one in some 900 bytes of source text
//	        sweep.go    │
//	                    ├─ dot of a word of 32 ───────► shape without a mark ──┐
//	                    ├─ mark ──────────────────────► shape at the mark ─────┤
//	                    │    └─ in parts ──► joined.go, joints.go ───────┐     │
//	                    ├─ row of digits ──► base64, hex, digits.go,     │     │
//	                    │                    over lines, wrapped.go ─────┤     │
//	                    ├─ run of escapes ─► escape.go ──────────────────┤     │
//	                    └─ zero by turns ──► UTF-16, wide.go ────────────┤     │
//	                                                                     │     │
//	        a layer of decoded bytes, searched from the top, up to ◄─────┘     │
//	        four deep; place() leads back to the bytes above                   │
//	                                                                           ▼
//	                       between boundaries?  shape.go       no ─► not a key
//	                       drawn at random?     random.go      no ─► not a key
//	                       what stands near it? context.go, from the line outwards
//	                                                                           ▼
//	                                                       Match with a Confidence
//
// sweep looks at every byte once, with vector instructions where the processor has
// them, and must not miss a place; everything behind it is slow code that runs on few
// bytes and must not believe one. views.go holds the search itself: it keeps the
// layers, the budget and what was found.
//
// # Limits
//
// Encodings are taken off to a depth of four. The bytes that may be decoded are bounded
// by 8 times the input up to the place and 64 KiB, and by 8 times each decoded layer up
// to the place and 4 KiB, so that what is behind is not starved by what is in front; Find
// says where that did not suffice. A key is joined over at most 96 joints, of at most
// 160 bytes in source code and 2 KiB of tags; context is at most 12 lines or 2 KiB before and 6 lines or
// 1 KiB after, the first 2 KiB, and the first 8 MiB for a name anywhere. Any bytes are
// safe, and the time is linear in their number.
//
// # Where to add what
//
//   - a format: a row in internal/keyformat and a name in package finding. sweep.go
//     says what the vector code assumes of a row; when it no longer holds, so do the
//     tables in sweep_amd64.go and sweepWord.
//   - a name that counts as context: isOwn or isOther in context.go.
//   - a reason why a text is not a draw: readsAsMade in random.go, with its exact share
//     of real keys in random_test.go and in docs/rules.md.
//   - an encoding: of digits a row in digits.go, of escapes a row in escape.go, and the
//     way to write it in encodingtest, from which the tests of several rooms follow.
//   - something that may stand between two parts of a key: a row in joints.go, and the
//     way to write it in encodingtest.
//   - a rule, or words for one: words.md. Advice for a location: a row in advice.go.
//
// Version changes whenever Find may answer differently.
package rules
