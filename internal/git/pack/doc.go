// Package pack reads a git object store: packs, their indexes, loose objects
// and alternates, of SHA-1 and SHA-256 repositories. It executes nothing and
// takes nothing on trust: every length, offset and checksum in a store is input.
//
// [Store.Sweep] hands every object over once. It follows the delta chains from
// their bases, so that each base is inflated once, and says of each object which
// bytes its delta added. [Reader] reads single objects, [Store.List] names them.
//
// The formats are those of git's gitformat-pack, gitformat-index and
// gitrepository-layout manual pages.
package pack
