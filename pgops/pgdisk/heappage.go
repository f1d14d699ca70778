package pgdisk

// HeapPage is a page of a table taken apart: line pointers and the headers of its tuples.
// It does not own the page and is valid as long as that.
type HeapPage struct {
	Block  BlockNumber
	Header PageHeader
	Items  []ItemID      // line pointers; number 1 has index 0
	Tuples []TupleHeader // by index of Items; the zero value where Sound is false
	Sound  []bool        // by index of Items: a normal line pointer whose tuple's header holds together

	page []byte
}

// Decode takes a page apart and returns what does not hold together, item by item. The page's
// header must have been judged before (PageHeader.Problems). Memory of an earlier page is used
// again, so that a scan allocates nothing for sound pages.
func (p *HeapPage) Decode(page []byte, blk BlockNumber) ([]*FormatError, error) {
	h, err := DecodePageHeader(page)
	if err != nil {
		return nil, err
	}
	p.Block, p.Header, p.page = blk, h, page
	p.Items = appendItemIDs(p.Items[:0], page, h)
	n := len(p.Items)
	if cap(p.Tuples) < n {
		p.Tuples, p.Sound = make([]TupleHeader, n), make([]bool, n)
	}
	p.Tuples, p.Sound = p.Tuples[:n], p.Sound[:n]
	clear(p.Tuples)
	clear(p.Sound)
	var problems []*FormatError
	for i, item := range p.Items {
		if bad := item.Problem(h, i+1, n); bad != nil {
			problems = append(problems, bad)
			continue
		}
		if item.Flags == ItemNormal {
			problems = append(problems, p.decodeTuple(i)...)
		}
	}
	return problems, nil
}

// appendItemIDs is ItemIDs into memory that is there.
func appendItemIDs(items []ItemID, page []byte, h PageHeader) []ItemID {
	for i := range h.LinePointers() {
		at := PageHeaderSize + i*ItemIDSize
		items = append(items, DecodeItemID(uint32(page[at])|uint32(page[at+1])<<8|uint32(page[at+2])<<16|uint32(page[at+3])<<24))
	}
	return items
}

// decodeTuple reads the header of one item; offsets of problems are moved to the page.
func (p *HeapPage) decodeTuple(i int) []*FormatError {
	item := p.Items[i]
	header, err := DecodeTupleHeader(Item(p.page, item))
	if err != nil {
		bad := FormatError{Field: "tuple header", Off: int64(item.Off), Want: "a whole one", Got: "a shorter item"}
		return []*FormatError{&bad}
	}
	problems := header.Problems(int(item.Len))
	for _, bad := range problems {
		bad.Off += int64(item.Off)
	}
	p.Tuples[i], p.Sound[i] = header, len(problems) == 0
	return problems
}

// TID returns the place of the item with an index of Items.
func (p *HeapPage) TID(i int) TID { return TID{Block: p.Block, Item: uint16(i + 1)} }

// Item returns the bytes of an item by its index, nil where it has none.
func (p *HeapPage) Item(i int) []byte { return Item(p.page, p.Items[i]) }
