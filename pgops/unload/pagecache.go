package unload

import "github.com/pgrescue/pgrescue/pgops/pgdisk"

// pageCache keeps the pages of a relation that were read last. It is for one goroutine.
type pageCache struct {
	rel   *relReader
	size  int
	slots []cachedPage
	where map[pgdisk.BlockNumber]int
	hand  int // the slot that the clock looks at next
}

type cachedPage struct {
	blk    pgdisk.BlockNumber
	page   []byte
	recent bool // used since the clock passed
}

func newPageCache(rel *relReader, size int) *pageCache {
	return &pageCache{rel: rel, size: size, where: make(map[pgdisk.BlockNumber]int, size)}
}

// page returns a page, valid until the next call.
func (c *pageCache) page(blk pgdisk.BlockNumber) ([]byte, error) {
	if i, ok := c.where[blk]; ok {
		c.slots[i].recent = true
		return c.slots[i].page, nil
	}
	i := c.victim()
	s := &c.slots[i]
	if err := c.rel.read(s.page, blk); err != nil {
		return nil, err
	}
	s.blk, s.recent = blk, false
	c.where[blk] = i
	return s.page, nil
}

// victim returns a slot that may be overwritten, forgotten already.
func (c *pageCache) victim() int {
	if len(c.slots) < c.size {
		c.slots = append(c.slots, cachedPage{page: make([]byte, pgdisk.BlockSize)})
		return len(c.slots) - 1
	}
	for {
		i := c.hand
		c.hand = (c.hand + 1) % c.size
		s := &c.slots[i]
		if s.recent {
			s.recent = false
			continue
		}
		if at, ok := c.where[s.blk]; ok && at == i {
			delete(c.where, s.blk)
		}
		return i
	}
}
