package pgdisk

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func (p *pageTruth) btree(t *testing.T) {
	levels := 0
	for _, name := range []string{"b_id", "b_dup", "b_wide", "b_two", "b_none", "fake_index", "nothing_index", "toast_index"} {
		t.Run(name, func(t *testing.T) {
			relation := name
			if name == "toast_index" {
				relation = p.ask(t, "select i.indexrelid::regclass from pg_class c join pg_index i on i.indrelid = c.reltoastrelid where relname = 'toasted'")[0]
			}
			levels = max(levels, p.btreeMeta(t, name, relation))
			p.btreePages(t, name, relation)
			p.btreeItems(t, name, relation)
		})
	}
	if levels < 2 {
		t.Errorf("no tree is higher than level %d", levels)
	}
}

func (p *pageTruth) btreeMeta(t *testing.T, name, relation string) int {
	cleanup := "last_cleanup_num_delpages"
	if p.Major == 13 {
		cleanup = "oldest_xact"
	}
	want := p.ask(t, fmt.Sprintf("select magic, version, root, level, fastroot, fastlevel, %s, last_cleanup_num_tuples, allequalimage from bt_metap('%s')", cleanup, relation))
	level := 0
	got := p.each(t, name, "", func(page []byte, blk BlockNumber) []string {
		if blk > 0 {
			return nil
		}
		m := must[BTreeMetaPage](t, blk)(DecodeBTreeMetaPage(page))
		level = int(m.Level)
		return []string{row(m.Magic, m.Version, m.Root, m.Level, m.FastRoot, m.FastLevel, m.CleanupPages, m.CleanupTuples, m.AllEqualImage)}
	})
	diffRows(t, got, want)
	return level
}

func (p *pageTruth) btreePages(t *testing.T, name, relation string) {
	level := "btpo_level"
	if p.Major == 13 {
		level = "btpo"
	}
	// Of a deleted page, the contents of the tuple area are no line pointers to 14 and later.
	want := p.ask(t, fmt.Sprintf(`select n, btpo_prev, btpo_next, %s, btpo_flags, case when type in ('d', 'D') then 0 else live_items + dead_items end, free_size
		from %s, bt_page_stats('%s', n)`, level, blocks(relation, 1), relation))
	bare := func(blk BlockNumber, level uint32) string { return row(blk, -1, -1, level, 0, 0, 0) } // what 13 says of a deleted page
	deleted := 0
	got := p.each(t, name, "", func(page []byte, blk BlockNumber) []string {
		if blk == 0 {
			return nil
		}
		h := must[PageHeader](t, blk)(DecodePageHeader(page))
		o := must[BTreeOpaque](t, blk)(DecodeBTreeOpaque(page))
		n := len(PageItems(page, PageBTree))
		if xid, ok := o.DeletedXID(page); ok {
			deleted++
			if n = 0; xid.XID() < 400 || xid.Epoch() != 0 {
				t.Errorf("block %d was deleted by %v", blk, xid)
			}
			if p.Major == 13 {
				return []string{bare(blk, o.Level)}
			}
		}
		return []string{row(blk, o.Prev, o.Next, o.Level, uint16(o.Flags), n, int(h.Upper)-int(h.Lower)-ItemIDSize)}
	})
	if len(want)+len(got) > 0 {
		diffRows(t, got, want)
	}
	if deleted == 0 && (name == "b_id" || name == "fake_index") {
		t.Error("no page was deleted")
	}
}

func (p *pageTruth) btreeItems(t *testing.T, name, relation string) {
	want := p.ask(t, fmt.Sprintf(`select n, itemoffset, ctid, itemlen, nulls, vars, data, dead, htid, array_to_string(tids, ',') from %s,
		bt_page_items('%s', n) where (select type not in ('d', 'D') from bt_page_stats('%s', n))`, blocks(relation, 1), relation, relation))
	posting, pivotTID := 0, 0
	got := p.each(t, name, "", func(page []byte, blk BlockNumber) []string {
		o := must[BTreeOpaque](t, blk)(DecodeBTreeOpaque(page))
		var rows []string
		if o.Flags&(BTreeMeta|BTreeDeleted) != 0 {
			return nil
		}
		for i, id := range PageItems(page, PageBTree) {
			tu := must[BTreeTuple](t, blk)(DecodeBTreeTuple(Item(page, id)))
			var tids []string
			heap, dead := "", ""
			switch tu.Kind {
			case BTreePosting:
				posting++
				for _, tid := range tu.TIDs() {
					tids = append(tids, tid.String())
				}
				heap = tids[0]
			case BTreePlain:
				heap = tu.TID.String()
			case BTreePivot:
				if tu.HeapTID != nil {
					pivotTID++
					heap = tu.HeapTID.String()
				}
			}
			if o.IsLeaf() && i+1 >= o.FirstKey() {
				dead = fmt.Sprint(id.Flags == ItemDead)[:1]
			}
			data := strings.ReplaceAll(fmt.Sprintf("% x", tu.Key()), " ", "")
			rows = append(rows, row(blk, i+1, tu.TID, tu.Size(), tu.HasNulls(), tu.HasVarWidths(), data, dead, heap, strings.Join(tids, ",")))
		}
		return rows
	})
	if len(want)+len(got) > 0 {
		diffRows(t, got, want)
	}
	if name == "b_dup" && (posting == 0 || pivotTID == 0) {
		t.Errorf("%d posting lists, %d heap TIDs in pivots", posting, pivotTID)
	}
}

// toastSearch looks every value up and wants what the leaves have of it.
func (p *pageTruth) toastSearch(t *testing.T) {
	for _, name := range []string{"toast_index", "fake_index", "nothing_index"} {
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join(p.root, p.paths[name]))
			if err != nil {
				t.Fatal(err)
			}
			want := leafEntries(t, b)
			read := func(blk BlockNumber) ([]byte, error) {
				if int(blk) >= len(b)/BlockSize {
					return nil, fmt.Errorf("no block %d", blk)
				}
				return b[int(blk)*BlockSize:][:BlockSize], nil
			}
			for id := range want {
				for _, id := range []OID{id, id - 1, id + 1} {
					got, err := FindTOASTChunks(read, id)
					if err != nil || !slices.Equal(got, want[id]) {
						t.Fatalf("%d: %d chunks, want %d, %v\n got %v\nwant %v", id, len(got), len(want[id]), err, got, want[id])
					}
				}
			}
			if len(want) < 200 && name != "nothing_index" {
				t.Errorf("only %d values", len(want))
			}
		})
	}
}

// leafEntries reads all leaves of a TOAST index, from the left to the right within a value.
func leafEntries(t *testing.T, index []byte) map[OID][]TOASTEntry {
	entries := map[OID][]TOASTEntry{}
	for i := BlockSize; i < len(index); i += BlockSize {
		page, blk := index[i:i+BlockSize], BlockNumber(i/BlockSize)
		o := must[BTreeOpaque](t, blk)(DecodeBTreeOpaque(page))
		if !o.IsLeaf() || o.Ignored() {
			continue
		}
		for j, id := range PageItems(page, PageBTree) {
			if j+1 < o.FirstKey() {
				continue
			}
			tu := must[BTreeTuple](t, blk)(DecodeBTreeTuple(Item(page, id)))
			value, seq := OID(binary.LittleEndian.Uint32(tu.Key())), int32(binary.LittleEndian.Uint32(tu.Key()[4:]))
			for _, tid := range tu.TIDs() {
				entries[value] = append(entries[value], TOASTEntry{Seq: seq, TID: tid, Dead: id.Flags == ItemDead})
			}
		}
	}
	for _, list := range entries {
		slices.SortFunc(list, func(a, b TOASTEntry) int {
			return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.TID.Block, b.TID.Block), cmp.Compare(a.TID.Item, b.TID.Item))
		})
	}
	return entries
}
