package pack

import (
	"errors"
	"fmt"
)

var (
	// ErrNotFound says that no part of the store has the object.
	ErrNotFound = errors.New("not in the object store")
	// ErrWrongContent says that an object was read but is not what its id says.
	ErrWrongContent = errors.New("content does not match the object id")
	// ErrTooLarge says that an object was left out because of a limit in Options.
	ErrTooLarge = errors.New("larger than the limit")
)

// What is wrong with a damaged store. The text follows the name of the object or
// file in a message.
var (
	errTruncated    = errors.New("truncated")
	errChanged      = errors.New("the file changed or could not be paged in while it was read")
	errEntryType    = errors.New("unknown entry type in the pack")
	errEntrySize    = errors.New("object size does not fit in 64 bits")
	errAbsurdSize   = errors.New("declared size is more than its compressed bytes can hold")
	errWrongSize    = errors.New("content is not as long as declared")
	errBaseOffset   = errors.New("delta base lies outside the pack")
	errBaseMissing  = errors.New("delta base is not in the object store")
	errBaseUnread   = errors.New("delta base could not be read")
	errCycle        = errors.New("delta chain leads back to itself or has no end")
	errDeltaBase    = errors.New("delta was made for a base of another size")
	errDeltaCopy    = errors.New("delta copies from outside its base")
	errDeltaCommand = errors.New("delta has a reserved command")
	errDeltaSize    = errors.New("delta does not make the size it declares")
	errIndexMagic   = errors.New("not a pack index of version 1 or 2")
	errIndexSize    = errors.New("pack index has the wrong length")
	errIndexFanout  = errors.New("pack index fan-out table is not in order")
	errIndexOrder   = errors.New("pack index is not sorted")
	errIndexOffset  = errors.New("pack index points outside the pack")
	errIndexTwice   = errors.New("pack index names this place twice")
	errIndexCount   = errors.New("pack and index disagree on the number of objects")
	errIndexPack    = errors.New("pack does not end as its index says")
	errPackHeader   = errors.New("not a pack of version 2 or 3")
	errLooseHeader  = errors.New("loose object has a malformed header")
	errLooseLong    = errors.New("loose object file is much longer than its content")
	errTooMany      = errors.New("more objects than can be numbered")
)

func baseMissing(id ID) error { return fmt.Errorf("%w: %s", errBaseMissing, id) }
