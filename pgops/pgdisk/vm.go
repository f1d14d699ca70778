package pgdisk

import "fmt"

// VMFlags say what is known of a block of a table (VISIBILITYMAP_*, access/visibilitymapdefs.h).
type VMFlags uint8

// The flags.
const (
	VMAllVisible VMFlags = 1 << iota // VISIBILITYMAP_ALL_VISIBLE: all rows are visible to all
	VMAllFrozen                      // VISIBILITYMAP_ALL_FROZEN: and frozen
)

// VMBlocksPerPage is the number of blocks of the table that a page of the map covers
// (HEAPBLOCKS_PER_PAGE, access/heap/visibilitymap.c): 32672.
const VMBlocksPerPage = (BlockSize - PageHeaderSize) * 4

// VMPlace returns the block of the map's fork that has the flags of a table's block.
func VMPlace(heap BlockNumber) BlockNumber { return heap / VMBlocksPerPage }

// VMPageFlags returns the flags of a block of the table from the page of the map that VMPlace
// names (visibilitymap_get_status).
func VMPageFlags(page []byte, heap BlockNumber) (VMFlags, error) {
	if err := wholePage("visibility map page", page); err != nil {
		return 0, err
	}
	i := int(heap % VMBlocksPerPage)
	return VMFlags(page[PageHeaderSize+i/4] >> (i % 4 * 2) & 3), nil
}

// VMProblem says that a block is called all-frozen but not all-visible, which no server
// writes; nil when all is well. first is the table's block that the page starts with.
func VMProblem(page []byte, first BlockNumber) *FormatError {
	if len(page) != BlockSize {
		return nil
	}
	for i, b := range page[PageHeaderSize:] {
		if frozen := b >> 1 & 0x55; frozen&^b != 0 {
			return &FormatError{Off: int64(PageHeaderSize + i), Field: "visibility map byte",
				Want: "no block all-frozen without all-visible", Got: vmByte(b, first+BlockNumber(4*i))}
		}
	}
	return nil
}

func vmByte(b byte, first BlockNumber) string {
	return fmt.Sprintf("0x%02X for the blocks from %d", b, first)
}
