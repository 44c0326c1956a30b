// Package refs reads what a git repository keeps beside its objects:
// references, HEAD, the index, the shallow boundary, the stash's log, submodules.
// It executes nothing, and every length and count in a file is input.
//
// The formats are those of git's gitrepository-layout and gitformat-index manual
// pages. Object ids are lower-case hexadecimal where files have them so, and raw
// where the index has them so.
package refs
