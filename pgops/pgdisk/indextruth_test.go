package pgdisk

import (
	"fmt"
	"strings"
	"testing"
)

func (p *pageTruth) hash(t *testing.T) {
	want := p.ask(t, `select magic, version, ntuples, ffactor, bsize, bmsize, bmshift, maxbucket, highmask, lowmask, ovflpoint, firstfree, procid,
		spares[1:ovflpoint + 1], mapp[1:nmaps] from hash_metapage_info(get_raw_page('h_hash', 0))`)
	array := func(v any) string { return "{" + strings.ReplaceAll(strings.Trim(fmt.Sprint(v), "[]"), " ", ",") + "}" }
	got := p.each(t, "h_hash", "", func(page []byte, blk BlockNumber) []string {
		if blk > 0 {
			return nil
		}
		m := must[HashMetaPage](t, blk)(DecodeHashMetaPage(page))
		return []string{row(m.Magic, m.Version, m.Tuples, m.FillFactor, m.PageSize, m.BitmapBytes, m.BitmapShift, m.MaxBucket, m.HighMask, m.LowMask,
			m.OverflowPoint, m.FirstFree, m.Procedure, array(m.Spares), array(m.Maps))}
	})
	diffRows(t, got, want)
	pages := `(select n, get_raw_page('h_hash', n) page from ` + blocks("h_hash", 0) + `) p`
	want = p.ask(t, `select n, t, live_items + dead_items, hasho_prevblkno, hasho_nextblkno, hasho_bucket, hasho_flag, hasho_page_id from
		(select n, hash_page_type(page) t, page from `+pages+`) q left join lateral hash_page_stats(case when t in ('bucket', 'overflow') then page end) on true`)
	kinds := map[string]int{}
	got = p.each(t, "h_hash", "", func(page []byte, blk BlockNumber) []string {
		if PageIsZero(page) {
			return []string{row(blk, "unused", "", "", "", "", "", "")}
		}
		o := must[HashOpaque](t, blk)(DecodeHashOpaque(page))
		kind := map[HashFlags]string{0: "unused", HashMeta: "metapage", HashBitmap: "bitmap", HashBucket: "bucket", HashOverflow: "overflow"}[o.Flags.Type()]
		if kinds[kind]++; !o.HasItems() {
			return []string{row(blk, kind, "", "", "", "", "", "")}
		}
		return []string{row(blk, kind, len(PageItems(page, PageHash)), o.Prev, o.Next, o.Bucket, uint16(o.Flags), o.PageID)}
	})
	diffRows(t, got, want)
	if kinds["overflow"] == 0 || kinds["bitmap"] == 0 {
		t.Errorf("pages: %v", kinds)
	}
	want = p.ask(t, `select n, itemoffset, ctid, data from `+pages+`, hash_page_items(case when hash_page_type(page) in ('bucket', 'overflow') then page end)`)
	got = p.each(t, "h_hash", "", func(page []byte, blk BlockNumber) []string {
		var rows []string
		for i, id := range PageItems(page, RecognisePage(page, MainFork, blk)) {
			tu := must[IndexTuple](t, blk)(DecodeIndexTuple(Item(page, id)))
			d := tu.Data()
			rows = append(rows, row(blk, i+1, tu.TID, uint32(d[0])|uint32(d[1])<<8|uint32(d[2])<<16|uint32(d[3])<<24))
		}
		return rows
	})
	diffRows(t, got, want)
}

func (p *pageTruth) gin(t *testing.T) {
	want := p.ask(t, `select * from gin_metapage_info(get_raw_page('g_gin', 0))`)
	got := p.each(t, "g_gin", "", func(page []byte, blk BlockNumber) []string {
		if blk > 0 {
			return nil
		}
		m := must[GinMetaPage](t, blk)(DecodeGinMetaPage(page))
		if m.PendingTuples == 0 {
			t.Error("the pending list is empty")
		}
		return []string{row(m.PendingHead, m.PendingTail, m.TailFree, m.PendingPages, m.PendingTuples, m.TotalPages, m.EntryPages, m.DataPages, m.Entries, m.Version)}
	})
	diffRows(t, got, want)
	want = p.ask(t, `select n, rightlink, maxoff, array_to_string(flags, ',') from `+blocks("g_gin", 0)+`, gin_page_opaque_info(get_raw_page('g_gin', n))`)
	kinds := map[string]int{}
	got = p.each(t, "g_gin", "", func(page []byte, blk BlockNumber) []string {
		o := must[GinOpaque](t, blk)(DecodeGinOpaque(page))
		words := strings.Join(o.Flags.Words(), ",")
		kinds[words]++
		p.ginEntries(t, page, blk, o)
		return []string{row(blk, o.Right, o.MaxOff, words)}
	})
	diffRows(t, got, want)
	for _, words := range []string{"", "leaf", "data", "data,leaf,compressed", "list,list_fullrow"} {
		if kinds[words] == 0 {
			t.Errorf("no page %q among %v", words, kinds)
		}
	}
	want = p.ask(t, `select n, first_tid, nbytes, array_to_string(tids, ',') from `+blocks("g_gin", 0)+`, gin_leafpage_items(get_raw_page('g_gin', n))
		where (select flags = '{data,leaf,compressed}' from gin_page_opaque_info(get_raw_page('g_gin', n)))`)
	got = p.each(t, "g_gin", "", func(page []byte, blk BlockNumber) []string {
		if o := must[GinOpaque](t, blk)(DecodeGinOpaque(page)); o.Flags != GinData|GinLeaf|GinCompressed {
			return nil
		}
		var rows []string
		for _, l := range must[[]GinPostingList](t, blk)(GinLeafPostings(page)) {
			var tids []string
			for _, tid := range l.TIDs {
				tids = append(tids, tid.String())
			}
			rows = append(rows, row(blk, l.First, l.Bytes, strings.Join(tids, ",")))
		}
		return rows
	})
	diffRows(t, got, want)
}

// ginEntries wants the entry tree and the inner pages of posting trees to lead to pages that
// there are. Nothing prints these.
func (p *pageTruth) ginEntries(t *testing.T, page []byte, blk BlockNumber, o GinOpaque) {
	t.Helper()
	if o.Flags == GinData {
		items, _, err := GinPostingItems(page, o)
		if err != nil || len(items) == 0 || items[0].Child == 0 || items[0].Key.Block > 10000 {
			t.Errorf("block %d: %v, %v", blk, items, err)
		}
	}
	if o.Flags&^GinLeaf != 0 {
		return
	}
	for i, id := range PageItems(page, PageGin) {
		e, err := DecodeGinEntry(Item(page, id), o.Flags == GinLeaf)
		if err != nil || o.Flags == 0 && e.Child == 0 || e.Tree && e.TreeRoot == 0 || len(e.PlainTIDs) > 0 {
			t.Errorf("block %d item %d: %+v, %v", blk, i+1, e, err)
		}
	}
}

func (p *pageTruth) gist(t *testing.T) {
	if p.Major == 13 { // its pageinspect does not know GiST
		p.gistBare(t)
		return
	}
	want := p.ask(t, `select n, lsn, nsn, rightlink, array_to_string(flags, ',') from `+blocks("g_gist", 0)+`, gist_page_opaque_info(get_raw_page('g_gist', n))`)
	deleted := 0
	got := p.each(t, "g_gist", "", func(page []byte, blk BlockNumber) []string {
		o := must[GistOpaque](t, blk)(DecodeGistOpaque(page))
		h := must[PageHeader](t, blk)(DecodePageHeader(page))
		if xid, ok := o.DeletedXID(page); ok && xid > 700 {
			deleted++
		}
		return []string{row(blk, h.LSN, o.NSN, o.Right, strings.Join(o.Flags.Words(), ","))}
	})
	diffRows(t, got, want)
	if deleted == 0 {
		t.Error("no page was deleted")
	}
	want = p.ask(t, `select n, itemoffset, ctid, itemlen, dead, key_data from `+blocks("g_gist", 0)+`, gist_page_items_bytea(get_raw_page('g_gist', n))
		where (select not 'deleted' = any (flags) from gist_page_opaque_info(get_raw_page('g_gist', n)))`)
	got = p.each(t, "g_gist", "", func(page []byte, blk BlockNumber) []string {
		var rows []string
		for i, id := range PageItems(page, PageGist) {
			tu := must[IndexTuple](t, blk)(DecodeIndexTuple(Item(page, id)))
			rows = append(rows, row(blk, i+1, tu.TID, tu.Size(), id.Flags == ItemDead, fmt.Sprintf("\\x%x", tu.data)))
		}
		return rows
	})
	diffRows(t, got, want)
}

// gistBare looks at what there must be.
func (p *pageTruth) gistBare(t *testing.T) {
	words := map[string]int{}
	p.each(t, "g_gist", "", func(page []byte, blk BlockNumber) []string {
		o := must[GistOpaque](t, blk)(DecodeGistOpaque(page))
		words[strings.Join(o.Flags.Words(), ",")]++
		return nil
	})
	if words[""] == 0 || words["leaf"] == 0 || len(words) < 3 {
		t.Errorf("pages: %v", words)
	}
}

// spgist has no tool to compare with: every tuple must be readable, every node lead to a page
// and every row of the table be found.
func (p *pageTruth) spgist(t *testing.T) {
	for _, name := range []string{"g_sppoint", "g_sptext"} {
		rows, inner := map[TID]bool{}, 0
		pages := 0
		p.each(t, name, "", func(page []byte, blk BlockNumber) []string {
			pages++
			if PageIsZero(page) {
				return nil
			}
			o := must[SPGistOpaque](t, blk)(DecodeSPGistOpaque(page))
			if (blk == 0) != (o.Flags == SPGistMeta) || blk == 2 && o.Flags&SPGistNulls == 0 {
				t.Errorf("%s block %d: flags %v", name, blk, o.Flags.Words())
			}
			if blk == 0 {
				must[SPGistMetaPage](t, blk)(DecodeSPGistMetaPage(page))
			}
			states := map[SPGistState]int{}
			for _, id := range PageItems(page, PageSPGist) {
				tu := must[SPGistTuple](t, blk)(DecodeSPGistTuple(Item(page, id), o.Flags&SPGistLeaf != 0))
				states[tu.State]++
				if tu.State == SPGistLive && o.Flags&SPGistLeaf != 0 {
					rows[tu.HeapTID] = true
				}
				inner += len(tu.Nodes)
			}
			if states[SPGistRedirect] != int(o.Redirections) || states[SPGistPlaceholder] != int(o.Placeholders) {
				t.Errorf("%s block %d: %v, but the page says %+v", name, blk, states, o)
			}
			return nil
		})
		live := p.ask(t, "select ctid from g where p is not null")
		if len(rows) < len(live) || len(rows) > len(live)+len(live)/10 || inner == 0 || pages < 10 {
			t.Errorf("%s: %d rows of %d, %d nodes, %d pages", name, len(rows), len(live), inner, pages)
		}
		missing := 0
		for _, ctid := range live {
			var tid TID
			if _, err := fmt.Sscanf(ctid, "(%d,%d)", &tid.Block, &tid.Item); err != nil || !rows[tid] {
				missing++
			}
		}
		if missing > 0 {
			t.Errorf("%s: %d rows are not in the index", name, missing)
		}
	}
}

func (p *pageTruth) brin(t *testing.T) {
	want := p.ask(t, `select n, brin_page_type(get_raw_page('g_brin', n)) from `+blocks("g_brin", 0))
	got := p.each(t, "g_brin", "", func(page []byte, blk BlockNumber) []string {
		return []string{row(blk, must[BrinOpaque](t, blk)(DecodeBrinOpaque(page)).Type)}
	})
	diffRows(t, got, want)
	want = p.ask(t, `select magic, version, pagesperrange, lastrevmappage from brin_metapage_info(get_raw_page('g_brin', 0))`)
	want = append(want, p.ask(t, `select d from `+blocks("g_brin", 1)+`, brin_revmap_data(get_raw_page('g_brin', n)) d where brin_page_type(get_raw_page('g_brin', n)) = 'revmap'`)...)
	want = append(want, p.ask(t, `select n, itemoffset, blknum, placeholder from `+blocks("g_brin", 1)+`, brin_page_items(get_raw_page('g_brin', n), 'g_brin')
		where brin_page_type(get_raw_page('g_brin', n)) = 'regular'`)...)
	got = p.each(t, "g_brin", "", func(page []byte, blk BlockNumber) []string {
		var rows []string
		switch must[BrinOpaque](t, blk)(DecodeBrinOpaque(page)).Type {
		case BrinMeta:
			m := must[BrinMetaPage](t, blk)(DecodeBrinMetaPage(page))
			rows = append(rows, row(fmt.Sprintf("0x%08X", m.Magic), m.Version, m.PagesPerRange, m.LastRevmap))
		case BrinRevmap:
			for _, tid := range must[[]TID](t, blk)(BrinRevmapTIDs(page)) {
				rows = append(rows, tid.String())
			}
		case BrinRegular:
			for i, id := range PageItems(page, PageBrin) {
				tu := must[BrinTuple](t, blk)(DecodeBrinTuple(Item(page, id)))
				rows = append(rows, row(blk, i+1, tu.Block, tu.Placeholder))
			}
		}
		return rows
	})
	diffRows(t, got, want)
}
