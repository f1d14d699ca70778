package unload

import (
	"encoding/binary"
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// heapPage is a page of a table and how far it is to be trusted.
type heapPage struct {
	page   []byte
	blk    pgdisk.BlockNumber
	header pgdisk.PageHeader
	count  int    // line pointers
	why    string // why its rows are not to be trusted; empty if they are
}

// judge looks at the page as a whole: header, checksum, and that no byte belongs to two
// items. A header that is wrong is replaced by one in which whatever line pointers make
// sense can be followed.
func (p *heapPage) judge(checksums bool) {
	if checksums {
		if verdict, stored, computed := pgdisk.VerifyPage(p.page, p.blk); verdict == pgdisk.PageChecksumBad {
			p.why = fmt.Sprintf("the page fails its checksum: %04X is stored, %04X computed", stored, computed)
		}
	}
	problems := p.header.Problems()
	if len(problems) == 0 && p.header.Special != pgdisk.BlockSize {
		problems = []*pgdisk.FormatError{{Off: 16, Field: "pd_special", Want: fmt.Sprintf("%d on a page of a table", pgdisk.BlockSize), Got: fmt.Sprint(p.header.Special)}}
	}
	if len(problems) == 0 && p.count > pgdisk.MaxHeapTuplesPerPage {
		problems = []*pgdisk.FormatError{{Off: 12, Field: "pd_lower", Want: fmt.Sprintf("at most %d line pointers", pgdisk.MaxHeapTuplesPerPage), Got: fmt.Sprint(p.count)}}
	}
	if len(problems) > 0 {
		if p.why == "" {
			p.why = problems[0].Error()
		}
		p.guess()
		return
	}
	if a, b, overlap := p.overlap(); overlap && p.why == "" {
		p.why = fmt.Sprintf("line pointers %d and %d lead to the same bytes", a, b)
	}
	if p.why == "" && !checksums {
		p.doubt()
	}
}

// doubt asks a page that has no checksum what a checksum would tell: whether line pointers
// were lost, and whether the page was written to another place.
func (p *heapPage) doubt() {
	if n := pgdisk.UnclaimedBytes(p.page, p.header); n != 0 {
		p.why = fmt.Sprintf("%d bytes of the page belong to no line pointer: line pointers were lost or changed, and rows with them", n)
		return
	}
	if n, home := pgdisk.ForeignRows(p.page, p.header, p.blk); n > 0 {
		p.why = fmt.Sprintf("%d of its rows were written to block %d: the page, or a part of it, is a copy of another", n, home)
	}
}

// guess takes as line pointers whatever looks like them, up to the first item.
func (p *heapPage) guess() {
	lower := int(p.header.Lower)
	if lower < pgdisk.PageHeaderSize || lower > pgdisk.BlockSize || lower%pgdisk.ItemIDSize != 0 {
		lower = pgdisk.BlockSize
	}
	p.header.Lower, p.header.Upper, p.header.Special = pgdisk.PageHeaderSize, pgdisk.PageHeaderSize, pgdisk.BlockSize
	p.count = 0
	for number := 1; number <= pgdisk.MaxHeapTuplesPerPage; number++ {
		end := pgdisk.PageHeaderSize + number*pgdisk.ItemIDSize
		if end > lower {
			break
		}
		id := p.item(number)
		if !plausibleItem(id, end) {
			break
		}
		if id.Flags == pgdisk.ItemNormal {
			lower = min(lower, int(id.Off))
		}
		if id != (pgdisk.ItemID{}) {
			p.count = number
		}
	}
}

// plausibleItem is strict: bytes of a tuple must not pass for a line pointer.
func plausibleItem(id pgdisk.ItemID, end int) bool {
	switch id.Flags {
	case pgdisk.ItemNormal:
		return int(id.Off) >= end && id.Off%8 == 0 && id.Len >= pgdisk.TupleHeaderSize && int(id.Off)+int(id.Len) <= pgdisk.BlockSize
	case pgdisk.ItemRedirect:
		return id.Len == 0 && id.Off > 0 && id.Off <= pgdisk.MaxHeapTuplesPerPage
	}
	return id.Len == 0
}

// overlap finds two line pointers with bytes in common. Items are put on a page from its end
// to its start, so that mostly each lies before all others.
func (p *heapPage) overlap() (a, b int, found bool) {
	lowest := pgdisk.BlockSize
	for number := 1; number <= p.count; number++ {
		id := p.item(number)
		if id.Flags != pgdisk.ItemNormal {
			continue
		}
		if int(id.Off)+int(id.Len) > lowest {
			return p.overlapAnyOrder()
		}
		lowest = int(id.Off)
	}
	return 0, 0, false
}

// overlapAnyOrder is overlap on a page where space was used again. Items are aligned to 8
// bytes, so a bit stands for that many.
func (p *heapPage) overlapAnyOrder() (a, b int, found bool) {
	var used [pgdisk.BlockSize / 8 / 64]uint64
	for number := 1; number <= p.count; number++ {
		id := p.item(number)
		if id.Flags != pgdisk.ItemNormal || int(id.Off)+int(id.Len) > pgdisk.BlockSize {
			continue
		}
		for bit := int(id.Off) / 8; bit < (int(id.Off)+int(id.Len)+7)/8; bit++ {
			if used[bit/64]&(1<<(bit%64)) != 0 {
				return p.owner(bit, number), number, true
			}
			used[bit/64] |= 1 << (bit % 64)
		}
	}
	return 0, 0, false
}

// owner finds who else has the 8 bytes of a bit.
func (p *heapPage) owner(bit, not int) int {
	for number := 1; number <= p.count; number++ {
		id := p.item(number)
		if number != not && id.Flags == pgdisk.ItemNormal && int(id.Off)/8 <= bit && bit < (int(id.Off)+int(id.Len)+7)/8 {
			return number
		}
	}
	return 0
}

// item decodes a line pointer by its number, from 1.
func (p *heapPage) item(number int) pgdisk.ItemID {
	return pgdisk.DecodeItemID(binary.LittleEndian.Uint32(p.page[pgdisk.PageHeaderSize+(number-1)*pgdisk.ItemIDSize:]))
}

// sound is the quick look at a line pointer without a tuple.
func (p *heapPage) sound(number int, id pgdisk.ItemID) bool {
	return id.Problem(p.header, number, p.count) == nil
}
