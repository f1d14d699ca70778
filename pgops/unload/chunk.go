package unload

import (
	"iter"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// chunkBlocks is how many blocks are read and printed at a time: 512 kB.
const chunkBlocks = 64

// chunks cuts the blocks that are there into pieces of at most chunkBlocks that do not cross
// from one file into the next.
func (r relFiles) chunks() iter.Seq[span] {
	return func(yield func(span) bool) {
		for _, s := range r.segments {
			first, whole := s.number*r.perSegment, s.whole(r.perSegment)
			for at := uint32(0); at < whole; at += chunkBlocks {
				if !yield(span{pgdisk.BlockNumber(first + at), min(chunkBlocks, whole-at)}) {
					return
				}
			}
		}
	}
}
