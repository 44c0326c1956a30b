// Package pack reads a git object store: packs, their indexes, loose objects
// and alternates, of SHA-1 and SHA-256 repositories. It executes nothing and
// takes nothing on trust: every length, offset and checksum in a store is input.
//
// [Store.Sweep] hands every object over once, [Reader] reads single objects. The
// formats are those of git's gitformat-pack, gitformat-index and
// gitrepository-layout manual pages. It is written by hand because of the sweep:
// libraries read one object after the other, with a cache of bases at best, and give
// no account of which bytes a delta added.
//
// # The delta forest
//
// A pack stores most objects as deltas: copy these runs of that other object, the
// base, and insert these bytes. Turned round, from a base to its deltas, that is a
// forest, and its trees are called families:
//
//	offset   entry                      10 root: a blob, inflated once
//	    10   blob                       ├── 20 delta, the heavy one of 10
//	    20   delta of 10                │   └── 30 delta
//	    30   delta of 20     becomes    │       └── 50 delta
//	    40   delta of 10                └── 40 delta
//	    50   delta of 30                    └── 60 delta
//	    60   delta of 40
//	    70   commit                     70 root: a commit, alone
//
// Objects are numbered (nodes) over all packs and then the loose ones, and the forest
// is four slices by node: first child, next sibling, kind, and weight, which is the
// compressed bytes in and below a node. It is built from the headers alone. An object
// that the store holds twice is in it once: the first copy stands for the others and
// takes over their deltas, and the others are there for when it is damaged. Where a
// base is missing the delta is a head; where deltas lead to each other they are
// cyclic. Both are a Problem unless another copy can be read.
//
// # What is searched once
//
// In a history of edits nearly all of an object is its base. While a delta is
// applied it is known which bytes it inserted and where two runs meet that were not
// neighbours (a seam); these are Object.Fresh, and the callback searches only them:
//
//	base      aaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbccccccccc
//	delta     copy─────────┐ insert┐ copy───┐  copy────┐
//	object    aaaaaaaaaaaaaa NNNNNNN bbbbbbbb │ccccccccc
//	fresh                   [───────]         []
//
// So each base is inflated once, and each of its bytes searched once. The callback
// returns its number of hits. Deltas of an object with hits are handed over whole, as
// they may have inherited them; so are those of an object that was not searched.
//
// # The workers and their lists
//
// Families are independent, so workers take runs of roots from a queue, in the order
// of the disk. A worker goes depth first, and has on its stack a frame for each object
// of which deltas are still to be made. When 40 has just been made:
//
//	queue.roots    70 80 90 ...             families that no one has taken
//	queue.tasks    a part of a frame        given away by a busy worker
//	worker.stack   10: done but for 20      a frame is the base, and the list of its
//	               40: done but for 60      deltas from next up to end
//
// The heavy delta of a frame, the one with most weight, comes last, when the frame is
// gone and its base free: the order above is 10, 40, 60, 20, 30, 50. Every other delta
// has at most half of the weight below its base, so the stack, and with it the number
// of bases in memory, grows with the logarithm of the family, however long its chains
// are. When workers are idle (hungry) and no root is left, a busy one gives a part of
// its lowest frame away: the heavy delta, or half of the others. Both then hold the
// base, by a count of references. What is handed over for an object is the same
// however the work is divided.
//
// # A pack that arrives
//
// [Receive] takes a pack from a connection. A pack does not say where its objects end,
// so each is inflated once while the pack comes; that finds the offsets, which is all
// that the forest needs. What is whole by then is handed over at once (live.go), and a
// delta too while its base is still held, which is so for most, as git writes families
// together; a sweep of the rest comes after. Ids it does without: a delta names its base by distance. What
// a sweep hands over then has no id until someone asks (Object.Identify), which is for
// what holds a match; commits and trees get theirs when something has to be located
// (Store.Identify). SHA-1 over everything would cost more than all the rest.
//
// # Windows
//
// An object of more than 32 MiB that is neither a delta nor a base is not held:
//
//	window 1   [own───────────────|overlap]
//	window 2              [overlap|own───────────────|overlap]
//	window 3                                 [overlap|own─────────]
//
// Each byte is Own in one window, and overlaps of 64 KiB keep a token that straddles a
// border whole in one of them.
//
// # Memory
//
// Packs and indexes are mapped, not read; a fault on a mapped page is an error of the
// object (guard). The forest takes 25 to 29 bytes for each object. A worker has
// buffers by powers of two and reuses them. Members of delta chains of 16 MiB and more
// share one lane: one worker at a time holds any, and at most 1 GiB of them. What all
// deltas of a sweep expand to has a limit in proportion to the packs. What goes
// beyond a limit is a Problem, as is whatever is damaged; the rest is handed over.
//
// # Reading the code
//
// Each file calls only files below it in this list:
//
//	sweep.go       Sweep: the forest, the queue, the workers
//	worker.go      a worker's way through families, and how it gives work away
//	maker.go       one object: read or made of its base, and handed over
//	work.go        what workers share: steps, frames, tasks, the queue
//	forest.go      the forest, from headers
//	group.go       the numbering of objects, and copies
//	open.go        Open: folders, alternates, kind of hash, packs
//	memory.go      a pack in memory
//	unindexed.go   a pack without an index is read from its start
//	receive.go     a pack as a server sends it, whose ids are not known yet
//	live.go        its objects are handed over while it arrives
//	reader.go      single objects, with a cache
//	store.go       the store, its options, and what it has
//	loose.go       loose objects
//	packfile.go    packs: mapping, entries           index.go   their indexes
//	delta.go       deltas                            buffers.go a worker's memory
//	parse.go       commits, tags and trees
//	object.go      ids, kinds, and all that a sweep takes and gives; errors
package pack
