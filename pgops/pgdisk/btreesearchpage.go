package pgdisk

import (
	"encoding/binary"
	"fmt"
)

// toastPage is a page of the index, its header judged.
type toastPage struct {
	page []byte
	h    PageHeader
	o    BTreeOpaque
}

// appendEntries adds what one entry of a leaf leads to.
func (p *toastPage) appendEntries(entries []TOASTEntry, number int, seq int32) ([]TOASTEntry, error) {
	item, err := p.item(number)
	if err != nil {
		return entries, err
	}
	dead := p.itemID(number).Flags == ItemDead
	t, err := DecodeBTreeTuple(item)
	if err != nil {
		return entries, err
	}
	switch t.Kind {
	case BTreePlain:
		return append(entries, TOASTEntry{Seq: seq, TID: t.TID, Dead: dead}), nil
	case BTreePosting:
		for _, tid := range t.TIDs() {
			entries = append(entries, TOASTEntry{Seq: seq, TID: tid, Dead: dead})
		}
		return entries, nil
	}
	return entries, &FormatError{Off: int64(p.itemID(number).Off), Field: fmt.Sprintf("entry %d", number), Want: "an entry of a leaf", Got: "a pivot tuple"}
}

func (p *toastPage) itemID(number int) ItemID {
	return DecodeItemID(binary.LittleEndian.Uint32(p.page[PageHeaderSize+(number-1)*ItemIDSize:]))
}

// item returns the bytes of an entry by its number, from 1 to the page's line pointers.
func (p *toastPage) item(number int) ([]byte, error) {
	id := p.itemID(number)
	b := Item(p.page, id)
	if len(b) < IndexTupleHeaderSize {
		return nil, &FormatError{Off: int64(PageHeaderSize + (number-1)*ItemIDSize), Field: fmt.Sprintf("line pointer %d", number),
			Want: "an entry of the index", Got: fmt.Sprintf("%s, offset %d, length %d", id.Flags, id.Off, id.Len)}
	}
	return b, nil
}

// key reads the columns of an entry: two fixed ones of 4 bytes, never null.
func (p *toastPage) key(number int) (toastKey, error) {
	if number > p.h.LinePointers() {
		return toastKey{}, &FormatError{Off: 12, Field: "pd_lower", Want: fmt.Sprintf("%d line pointers or more", number), Got: fmt.Sprint(p.h.LinePointers())}
	}
	b, err := p.item(number)
	if err != nil {
		return toastKey{}, err
	}
	le := binary.LittleEndian
	info, offset := le.Uint16(b[6:]), le.Uint16(b[4:])
	k := toastKey{natts: 2}
	if info&indexAMBit != 0 && offset&btreeIsPosting == 0 {
		k.natts = min(2, int(offset&btreeOffsetMask))
	}
	if want := IndexTupleHeaderSize + 4*k.natts; len(b) < want || info&indexNullMask != 0 {
		return toastKey{}, &FormatError{Off: int64(p.itemID(number).Off), Field: fmt.Sprintf("entry %d", number),
			Want: fmt.Sprintf("%d bytes or more without nulls", want), Got: fmt.Sprintf("%d bytes, t_info 0x%04X", len(b), info)}
	}
	if k.natts > 0 {
		k.id = OID(le.Uint32(b[8:]))
	}
	if k.natts > 1 {
		k.seq = int32(le.Uint32(b[12:]))
	}
	return k, nil
}

// rightLinks notices when a chain of links runs in a circle, without remembering it: every
// power of two steps it keeps one block and waits for that to come again (Brent).
type rightLinks struct {
	steps, limit uint32
	kept         BlockNumber
}

// follow takes the next link; false when the chain has come around.
func (l *rightLinks) follow(blk BlockNumber) bool {
	if l.steps > 0 && blk == l.kept {
		return false
	}
	if l.steps >= l.limit {
		l.kept, l.limit, l.steps = blk, 2*l.limit+1, 0
	}
	l.steps++
	return true
}
