package pgdisk

import (
	"bytes"
	"fmt"
)

// walAfterImage compares a record with the page image it carries.
type walAfterImage struct {
	rec   *WALRecord
	b     *WALBlockRef
	page  []byte
	items []ItemID
	seen  map[string]int // what was compared
}

// item gives the bytes of a line pointer, nil if it has none.
func (p *walAfterImage) item(line uint16) []byte {
	if line == 0 || int(line) > len(p.items) {
		return nil
	}
	return Item(p.page, p.items[line-1])
}

func (p *walAfterImage) sameBytes(line uint16, want []byte) string {
	if got := p.item(line); !bytes.Equal(got, want) {
		return fmt.Sprintf("item %d is %X, the record says %X", line, got, want)
	}
	return ""
}

// tuple compares a tuple made from the record with the page, except for the command id.
func (p *walAfterImage) tuple(line uint16, t WALTuple, xmax XID, speculative bool) string {
	made, err := t.Tuple(p.rec.XID, xmax, TID{p.b.Block, line})
	if err != nil {
		return err.Error()
	}
	got := bytes.Clone(p.item(line))
	if len(got) < TupleHeaderSize {
		return fmt.Sprintf("no item %d", line)
	}
	clear(got[8:12])
	if speculative {
		copy(got[12:18], made.data[12:18]) // t_ctid holds the token
	}
	if !bytes.Equal(got, made.data) {
		return fmt.Sprintf("tuple %d is\n%X, the record makes\n%X", line, got, made.data)
	}
	return ""
}

// held compares t_xmax and its bits.
func (p *walAfterImage) held(line uint16, xmax XID, bits WALInfobits) string {
	h, err := DecodeTupleHeader(p.item(line))
	if err != nil {
		return err.Error()
	}
	m, m2 := bits.Apply(h.Infomask, h.Infomask2)
	if h.Xmax != xmax || m != h.Infomask || m2 != h.Infomask2 {
		return fmt.Sprintf("tuple %d has xmax %d, %v %v; the record says %d, %v", line, h.Xmax, h.Infomask.Words(), h.Infomask2.Words(), xmax, bits.Words())
	}
	return ""
}

func (p *walAfterImage) heap() (kind, diff string) {
	if p.b.Fork != 0 {
		return "", ""
	}
	if h, ok := p.rec.WALHeapInsert(); ok && h.HasTuple {
		return "insert", p.tuple(h.Line, h.Tuple, 0, h.Flags&WALInsertSpeculative != 0)
	}
	if h, ok := p.rec.WALHeapUpdate(); ok {
		return p.update(&h)
	}
	if h, ok := p.rec.WALHeapDelete(); ok && h.Flags&WALDeleteSuper == 0 {
		return "delete", p.held(h.Line, h.Xmax, h.Infobits)
	}
	if h, ok := p.rec.WALHeapLock(); ok {
		return "lock", p.held(h.Line, h.Xmax, h.Infobits)
	}
	if h, ok := p.rec.WALHeapInplace(); ok && h.Columns != nil {
		t, err := DecodeTuple(p.item(h.Line))
		if err != nil || !bytes.Equal(t.Columns(), h.Columns) {
			return "inplace", fmt.Sprintf("item %d is %X (%v), the record says %X", h.Line, p.item(h.Line), err, h.Columns)
		}
		return "inplace", ""
	}
	return "", ""
}

func (p *walAfterImage) update(h *WALHeapUpdate) (kind, diff string) {
	old := p.rec.Block(1)
	if p.b.ID == 1 {
		return "old version", p.held(h.OldLine, h.OldXmax, h.OldInfobits)
	}
	if !h.HasNew {
		return "", ""
	}
	kind = "update"
	var oldItem []byte
	if old == nil {
		oldItem = p.item(h.OldLine)
		if diff := p.held(h.OldLine, h.OldXmax, h.OldInfobits); diff != "" {
			return kind, diff
		}
	}
	if h.Prefix+h.Suffix > 0 {
		kind = "update with shares"
	}
	t, err := h.Rebuild(oldItem)
	if err != nil {
		return kind, err.Error()
	}
	return kind, p.tuple(h.NewLine, t, h.NewXmax, false)
}

func (p *walAfterImage) heap2() (kind, diff string) {
	if p.b.Fork != WALFork(MainFork) { // 17 on: the visibility map's page comes along
		return "", ""
	}
	if m, ok := p.rec.WALHeapMulti(); ok && m.HasTuples() {
		for line, t := range m.Tuples {
			if diff := p.tuple(line, t, 0, false); diff != "" {
				return "multi-insert", diff
			}
		}
		return "multi-insert", ""
	}
	if h, ok := p.rec.WALHeapLock(); ok {
		return "lock", p.held(h.Line, h.Xmax, h.Infobits)
	}
	h, ok := p.rec.WALPrune()
	if !ok || !h.HasItems {
		return "", ""
	}
	for plan := range h.Plans {
		for line := range plan.Lines.All() {
			t, err := DecodeTupleHeader(p.item(line))
			if err != nil || t.Infomask != plan.Infomask || t.Infomask2 != plan.Infomask2 || t.Xmax != plan.Xmax {
				return "frozen", fmt.Sprintf("tuple %d is %+v (%v), the plan %+v", line, t, err, plan)
			}
			p.seen["frozen"]++
		}
	}
	for i := range h.Redirected.Len() / 2 {
		from, to := h.Redirected.At(2*i), h.Redirected.At(2*i+1)
		if id := p.items[from-1]; id.Flags != ItemRedirect || id.Off != to {
			return "redirected", fmt.Sprintf("line pointer %d is %+v, the record redirects it to %d", from, id, to)
		}
		p.seen["redirected"]++
	}
	for line := range h.Dead.All() {
		if id := p.items[line-1]; id.Flags != ItemDead {
			return "dead", fmt.Sprintf("line pointer %d is %+v", line, id)
		}
		p.seen["dead"]++
	}
	for line := range h.Unused.All() {
		// Unused ones at the end of the page may be cut off (PageTruncateLinePointerArray).
		if int(line) <= len(p.items) && p.items[line-1].Flags != ItemUnused {
			return "unused", fmt.Sprintf("line pointer %d is %+v", line, p.items[line-1])
		}
		p.seen["unused"]++
	}
	return kind, ""
}

func (p *walAfterImage) btree() (kind, diff string) {
	if i, ok := p.rec.WALBtreeInsert(); ok && i.Tuple != nil && p.b.ID == 0 && !i.Posting {
		return "btree insert", p.sameBytes(i.Line, i.Tuple)
	}
	return "", ""
}
