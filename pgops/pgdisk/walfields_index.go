package pgdisk

import (
	"fmt"
	"math"
)

// Records of the index methods other than btree are not decoded into types: replay alone
// needs them. What is told of them here is what stands at the start of their bodies.

// walIndexFields reads numbers and writes them as fields at once.
type walIndexFields struct {
	*walFieldWriter
	d walBody
}

func (w *walFieldWriter) index() bool {
	x := walIndexFields{w, walBody{b: w.r.MainData}}
	switch w.r.Rmid {
	case RmgrBRIN:
		x.brin()
	case RmgrHash:
		x.hash()
	case RmgrGist:
		x.gist()
	case RmgrSPGist:
		x.spgist()
	case RmgrGin:
		x.gin()
	}
	return !x.d.short
}

func (x *walIndexFields) flag(name string) { x.letter(name, x.d.u8() != 0) }

func (x *walIndexFields) n16(names ...string) {
	x.d.align(2)
	for _, name := range names {
		x.uint(name, uint64(x.d.u16()))
	}
}

func (x *walIndexFields) n32(names ...string) {
	x.d.align(4)
	for _, name := range names {
		x.uint(name, uint64(x.d.u32()))
	}
}

func (x *walIndexFields) float(name string) {
	x.text(name, fmt.Sprintf("%g", math.Float64frombits(x.d.u64())))
}

// catalogRel writes isCatalogRel, which 16 added.
func (x *walIndexFields) catalogRel() {
	if x.r.Major >= 16 {
		x.flag("isCatalogRel")
	}
}

// brin follows brin_desc (brindesc.c; access/brin_xlog.h).
func (x *walIndexFields) brin() {
	switch x.r.Info & 0x70 { // XLOG_BRIN_OPMASK
	case 0x00:
		x.n32("pagesPerRange")
		x.n16("version")
	case 0x10:
		x.n32("heapBlk", "pagesPerRange")
		x.n16("offnum")
	case 0x20:
		x.n16("old offnum")
		x.n32("heapBlk", "pagesPerRange")
		x.n16("offnum")
	case 0x30:
		x.n16("offnum")
	case 0x40:
		x.n32("targetBlk")
	case 0x50:
		x.n32("pagesPerRange", "heapBlk")
		x.n16("page offset")
	}
}

// hash follows hash_desc (hashdesc.c; access/hash_xlog.h).
func (x *walIndexFields) hash() {
	switch x.r.Info & walInfoRmgrMask {
	case 0x00:
		x.float("num_tuples")
		x.n32("procid")
		x.n16("fillfactor")
	case 0x10:
		x.n16("bmsize")
	case 0x20:
		x.n16("off")
	case 0x30:
		x.n16("bmsize")
		x.flag("bmpage_found")
	case 0x40:
		x.n32("new_bucket")
		x.n16("old_bucket_flag", "new_bucket_flag")
		flags := x.d.u8()
		x.letter("meta_page_masks_updated", flags&1 != 0)
		x.letter("issplitpoint_changed", flags&2 != 0)
	case 0x60:
		x.n16("old_bucket_flag", "new_bucket_flag")
	case 0x70:
		x.n16("ntups")
		x.flag("is_primary")
	case 0x80:
		x.n32("prevblkno", "nextblkno")
		x.n16("ntups")
		x.flag("is_primary")
	case 0x90:
		x.flag("clear_dead_marking")
		x.flag("is_primary")
	case 0xB0:
		x.float("ntuples")
	case 0xC0:
		x.n32("snapshotConflictHorizon")
		if x.r.Major >= 16 {
			x.n16("ntuples")
		} else {
			x.n32("ntuples")
		}
		x.catalogRel()
	}
}

// gist follows gist_desc (gistdesc.c; access/gistxlog.h).
func (x *walIndexFields) gist() {
	switch x.r.Info & walInfoRmgrMask {
	case 0x00:
		x.n16("ntodelete", "ntoinsert")
	case 0x10:
		x.n32("snapshotConflictHorizon")
		x.n16("nitems")
		x.catalogRel()
	case 0x20:
		x.text("rel", x.d.relation().String())
		x.n32("blk")
		x.text("snapshotConflictHorizon", FullXID(x.d.u64()).String())
		x.catalogRel()
	case 0x30:
		x.n32("origrlink")
		x.d.align(8)
		x.text("orignsn", LSN(x.d.u64()).String())
		x.flag("origleaf")
		x.n16("npage")
	case 0x60:
		x.text("deleteXid", FullXID(x.d.u64()).String())
		x.n16("downlink")
	}
}

// spgist follows spg_desc (spgdesc.c; access/spgxlog.h).
func (x *walIndexFields) spgist() {
	switch x.r.Info & walInfoRmgrMask {
	case 0x10:
		x.flag("newpage")
		x.flag("nulls")
		x.n16("off", "headoff", "parentoff", "nodeI")
	case 0x20:
		x.n16("nmoves")
		x.flag("newpage")
		x.flag("replacedead")
		x.flag("nulls")
		x.n16("parentoff", "nodeI")
	case 0x30:
		x.n16("off", "newoff")
		x.flag("newpage")
		x.text("parentBlk", fmt.Sprint(int8(x.d.u8())))
		x.n16("parentoff", "nodeI")
	case 0x40:
		x.n16("prefixoff", "postfixoff")
		x.flag("newpage")
		x.flag("same")
	case 0x50:
		x.flag("isRootSplit")
		x.n16("ndelete", "ninsert")
		x.d.take(2) // initSrc, initDest
		x.n16("inneroff")
		x.d.u8() // initInner
		x.flag("nulls")
		x.flag("innerIsParent")
		x.n16("parentoff", "nodeI")
	case 0x60:
		x.n16("ndead", "nplaceholder", "nmove", "nchain")
	case 0x70:
		x.n16("ndelete")
	case 0x80:
		x.n16("ntoplaceholder", "firstplaceholder")
		x.n32("snapshotConflictHorizon")
		x.catalogRel()
	}
}

// gin follows gin_desc (gindesc.c; access/ginxlog.h), without the parts of posting lists.
func (x *walIndexFields) gin() {
	const metaPage = 56 // sizeof(GinMetaPageData)
	switch x.r.Info & walInfoRmgrMask {
	case 0x10:
		x.n32("size")
	case 0x20:
		x.ginInsert()
	case 0x30:
		x.text("rel", x.d.relation().String())
		x.n32("rrlink", "leftChild", "rightChild")
		flags := x.d.u16()
		x.letter("isrootsplit", flags&4 != 0) // GIN_SPLIT_ROOT
		x.letter("isdata", flags&1 != 0)
		x.letter("isleaf", flags&2 != 0)
	case 0x50:
		x.n16("parentOffset")
		x.n32("rightLink", "deleteXid")
	case 0x60:
		x.text("rel", x.d.relation().String())
		x.d.align(8)
		x.d.take(metaPage)
		x.n32("prevTail", "newRightlink", "ntuples")
	case 0x70:
		x.n32("rightlink", "ntuples")
	case 0x80:
		x.d.take(metaPage)
		x.n32("ndeleted")
	}
}

// ginInsert reads ginxlogInsert, and the children that the insertion of a downlink names.
func (x *walIndexFields) ginInsert() {
	flags := x.d.u16()
	x.letter("isdata", flags&1 != 0) // GIN_INSERT_ISDATA
	x.letter("isleaf", flags&2 != 0) // GIN_INSERT_ISLEAF
	if flags&2 != 0 {
		return
	}
	block := func() uint32 {
		high := uint32(x.d.u16())
		return high<<16 | uint32(x.d.u16())
	}
	left := block()
	x.text("children", fmt.Sprintf("%d/%d", left, block()))
}
