package inspect

import (
	"fmt"
	"strings"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// addSpecial lists the special part of an index page, a meta page's fields, and what other
// pages without line pointers hold.
func (r *pageReport) addSpecial(part pgdisk.Special, page []byte) {
	switch o := part.(type) {
	case pgdisk.BTreeOpaque:
		r.addBTree(o, page)
	case pgdisk.HashOpaque:
		r.addHash(o, page)
	case pgdisk.GinOpaque:
		r.addGin(o, page)
	case pgdisk.GistOpaque:
		r.special("nsn", "%s", o.NSN)
		r.special("rightlink", "%s", link(o.Right))
		r.special("flags", "%s", flagText(uint16(o.Flags), o.Flags.Words()))
		r.special("gist_page_id", "0x%04X", o.PageID)
		if xid, ok := o.DeletedXID(page); ok {
			r.content("deleteXid", "%s", xid)
		}
	case pgdisk.SPGistOpaque:
		r.addSPGist(o, page)
	case pgdisk.BrinOpaque:
		r.addBrin(o, page)
	}
}

// flagText writes flags as stored and in words.
func flagText(v uint16, words []string) string {
	return strings.TrimSpace(fmt.Sprintf("0x%04X %s", v, strings.Join(words, " ")))
}

func (r *pageReport) addBTree(o pgdisk.BTreeOpaque, page []byte) {
	r.special("btpo_prev", "%s", sibling(o.Prev))
	r.special("btpo_next", "%s", sibling(o.Next))
	r.special("btpo_level", "%d", o.Level)
	r.special("btpo_flags", "%s", flagText(uint16(o.Flags), o.Flags.Words()))
	r.special("btpo_cycleid", "%d", o.CycleID)
	if xid, ok := o.DeletedXID(page); ok {
		r.content("safexid", "%s", xid)
	}
	if o.Flags&pgdisk.BTreeMeta == 0 {
		return
	}
	m, err := pgdisk.DecodeBTreeMetaPage(page)
	r.broken("meta page", err)
	r.content("btm_magic", "0x%06X", m.Magic)
	r.content("btm_version", "%d", m.Version)
	r.content("btm_root", "%s", sibling(m.Root))
	r.content("btm_level", "%d", m.Level)
	r.content("btm_fastroot", "%s", sibling(m.FastRoot))
	r.content("btm_fastlevel", "%d", m.FastLevel)
	r.content("btm_last_cleanup_num_delpages", "%d", m.CleanupPages)
	r.content("btm_last_cleanup_num_heap_tuples", "%v", m.CleanupTuples)
	r.content("btm_allequalimage", "%t", m.AllEqualImage)
}

func (r *pageReport) addHash(o pgdisk.HashOpaque, page []byte) {
	prev := link(o.Prev)
	if o.Flags.Type() == pgdisk.HashBucket {
		prev += " (highest bucket at the last split)"
	}
	r.special("hasho_prevblkno", "%s", prev)
	r.special("hasho_nextblkno", "%s", link(o.Next))
	r.special("hasho_bucket", "%d", int32(o.Bucket)) // InvalidBucket is -1
	r.special("hasho_flag", "%s", flagText(uint16(o.Flags), o.Flags.Words()))
	r.special("hasho_page_id", "0x%04X", o.PageID)
	switch o.Flags.Type() {
	case pgdisk.HashBitmap:
		r.content("overflow pages in use", "%s", bitRuns(page[pgdisk.PageHeaderSize:pgdisk.BlockSize-16]))
	case pgdisk.HashMeta:
		m, err := pgdisk.DecodeHashMetaPage(page)
		r.broken("meta page", err)
		r.content("hashm_magic", "0x%07X", m.Magic)
		r.content("hashm_version", "%d", m.Version)
		r.content("hashm_ntuples", "%v", m.Tuples)
		r.content("hashm_ffactor", "%d", m.FillFactor)
		r.content("hashm_bsize", "%d", m.PageSize)
		r.content("hashm_bmsize", "%d", m.BitmapBytes)
		r.content("hashm_bmshift", "%d", m.BitmapShift)
		r.content("hashm_maxbucket", "%d", m.MaxBucket)
		r.content("hashm_highmask", "0x%X", m.HighMask)
		r.content("hashm_lowmask", "0x%X", m.LowMask)
		r.content("hashm_ovflpoint", "%d", m.OverflowPoint)
		r.content("hashm_firstfree", "%d", m.FirstFree)
		r.content("hashm_procid", "%d", m.Procedure)
		r.content("hashm_spares", "%v", m.Spares)
		r.content("hashm_mapp", "%v", m.Maps)
	}
}

func (r *pageReport) addGin(o pgdisk.GinOpaque, page []byte) {
	r.special("rightlink", "%s", link(o.Right))
	r.special("maxoff", "%d", o.MaxOff)
	r.special("flags", "%s", flagText(uint16(o.Flags), o.Flags.Words()))
	switch {
	case o.Flags&pgdisk.GinMeta != 0:
		m, err := pgdisk.DecodeGinMetaPage(page)
		r.broken("meta page", err)
		r.content("head", "%s", link(m.PendingHead))
		r.content("tail", "%s", link(m.PendingTail))
		r.content("tailFreeSize", "%d", m.TailFree)
		r.content("nPendingPages", "%d", m.PendingPages)
		r.content("nPendingHeapTuples", "%d", m.PendingTuples)
		r.content("nTotalPages", "%d", m.TotalPages)
		r.content("nEntryPages", "%d", m.EntryPages)
		r.content("nDataPages", "%d", m.DataPages)
		r.content("nEntries", "%d", m.Entries)
		r.content("ginVersion", "%d", m.Version)
	case o.Flags&(pgdisk.GinData|pgdisk.GinDeleted) == pgdisk.GinData:
		r.addGinData(o, page)
	}
}

// addGinData lists a page of a posting tree. The TIDs of a list are counted, not listed:
// there are thousands.
func (r *pageReport) addGinData(o pgdisk.GinOpaque, page []byte) {
	if o.Flags&pgdisk.GinLeaf == 0 {
		items, bound, err := pgdisk.GinPostingItems(page, o)
		r.broken("posting tree", err)
		r.content("right bound", "%s", bound)
		for i, item := range items {
			r.content(fmt.Sprintf("child %d", i+1), "block %d up to %s", item.Child, item.Key)
		}
		return
	}
	if o.Flags&pgdisk.GinCompressed == 0 {
		return // a leaf from before 9.4, which no index made since has
	}
	lists, err := pgdisk.GinLeafPostings(page)
	r.broken("posting list", err)
	for i, l := range lists {
		r.content(fmt.Sprintf("list %d", i+1), "%d TIDs from %s to %s in %d bytes", len(l.TIDs), l.First, l.TIDs[len(l.TIDs)-1], l.Bytes)
	}
}

func (r *pageReport) addSPGist(o pgdisk.SPGistOpaque, page []byte) {
	r.special("flags", "%s", flagText(uint16(o.Flags), o.Flags.Words()))
	r.special("nRedirection", "%d", o.Redirections)
	r.special("nPlaceholder", "%d", o.Placeholders)
	r.special("spgist_page_id", "0x%04X", o.PageID)
	if o.Flags&pgdisk.SPGistMeta == 0 {
		return
	}
	m, err := pgdisk.DecodeSPGistMetaPage(page)
	r.broken("meta page", err)
	r.content("magicNumber", "0x%08X", m.Magic)
	for i, last := range m.LastUsed {
		r.content(fmt.Sprintf("lastUsedPages[%d]", i), "block %s, %d bytes free", link(last.Block), last.Free)
	}
}

func (r *pageReport) addBrin(o pgdisk.BrinOpaque, page []byte) {
	r.special("type", "0x%04X %s", uint16(o.Type), o.Type)
	r.special("evacuate", "%t", o.Evacuate)
	switch o.Type {
	case pgdisk.BrinMeta:
		m, err := pgdisk.DecodeBrinMetaPage(page)
		r.broken("meta page", err)
		r.content("brinMagic", "0x%08X", m.Magic)
		r.content("brinVersion", "%d", m.Version)
		r.content("pagesPerRange", "%d", m.PagesPerRange)
		r.content("lastRevmapPage", "%d", m.LastRevmap)
	case pgdisk.BrinRevmap:
		tids, err := pgdisk.BrinRevmapTIDs(page)
		r.broken("range map", err)
		for i, tid := range tids {
			if tid.Item != 0 {
				r.content(fmt.Sprintf("range %d", (int(r.Block)-1)*pgdisk.BrinRevmapItems+i), "%s", tid)
			}
		}
	}
}
