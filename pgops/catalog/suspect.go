package catalog

import (
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// zeroPages remembers the last run of pages that are all zeroes. At the end of a file they
// are new; before others they may have had rows.
type zeroPages struct {
	path  string
	first pgdisk.BlockNumber
	count uint32
}

// add takes in a page of zeroes.
func (z *zeroPages) add(path string, blk pgdisk.BlockNumber) {
	if z.count == 0 {
		z.path, z.first = path, blk
	}
	z.count++
}

// before reports the run when a page with something on it follows.
func (z *zeroPages) before(found *problems, name string) {
	if z.count == 0 {
		return
	}
	found.add(Problem{File: z.path, Block: z.first, InBlock: true,
		What: fmt.Sprintf("%s: %d pages of zeroes before others: rows that were there are lost, unless they were new", name, z.count)})
	z.count = 0
}

// suspect looks for what a page has lost or got from elsewhere though all of its parts look
// sound. Its rows are taken all the same.
func (s *scanner) suspect(page []byte, path string, blk pgdisk.BlockNumber, name string) {
	h, err := pgdisk.DecodePageHeader(page)
	if err != nil || len(h.Problems()) > 0 {
		return
	}
	report := func(format string, args ...any) {
		s.problems.add(Problem{File: path, Block: blk, InBlock: true, What: name + ": " + fmt.Sprintf(format, args...)})
	}
	switch n := pgdisk.UnclaimedBytes(page, h); {
	case h.Special != pgdisk.BlockSize:
		report("pd_special is %d, and a table has nothing there: rows may be lost", h.Special)
	case n > 0:
		report("%d bytes of rows belong to no line pointer: these rows are lost", n)
	case n < 0:
		report("%d bytes belong to more than one line pointer: some rows are wrong", -n)
	}
	if n, home := pgdisk.ForeignRows(page, h, blk); n > 0 {
		report("%d of its rows were written to block %d: rows may be lost, and others be there twice", n, home)
	}
}
