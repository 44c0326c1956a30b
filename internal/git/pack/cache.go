package pack

const (
	cacheBytes = 16 << 20 // of one generation; there are two
	cacheEntry = 2 << 20  // larger objects are not kept
)

// A cache keeps what was made lately. What was asked for in one generation lives
// on into the next.
type cache struct {
	young, old map[place]found
	bytes      int
}

func (c *cache) get(at place) (found, bool) {
	if f, ok := c.young[at]; ok {
		return f, true
	}
	f, ok := c.old[at]
	if ok {
		c.put(at, f)
	}
	return f, ok
}

func (c *cache) put(at place, f found) {
	if len(f.data) > cacheEntry {
		return
	}
	if c.young == nil || c.bytes > cacheBytes {
		c.old, c.young, c.bytes = c.young, make(map[place]found), 0
	}
	c.young[at] = f
	c.bytes += len(f.data) + 128 // what an entry itself takes, about
}
