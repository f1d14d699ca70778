package inspect

import (
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// indexItem is an entry of an index. What it has depends on the index and the page.
type indexItem struct {
	Kind     string   `json:"kind"`
	TID      string   `json:"tid,omitempty"`      // the row it leads to
	Downlink *uint32  `json:"downlink,omitempty"` // the page it leads to
	HeapTID  string   `json:"heap_tid,omitempty"` // of a pivot tuple that needs one
	Natts    *int     `json:"natts,omitempty"`    // columns that a pivot tuple has kept
	Postings int      `json:"postings,omitempty"` // number of rows of a posting list
	TIDs     []string `json:"tids,omitempty"`     // those rows
	Size     int      `json:"size"`
	Nulls    bool     `json:"nulls,omitempty"`
	VarWidth bool     `json:"var_width,omitempty"`
	Note     string   `json:"note,omitempty"`
	Key      string   `json:"key,omitempty"` // the columns' bytes, padding and all, in hexadecimal
}

func newIndexItem(kind string, t pgdisk.IndexTuple, key []byte) *indexItem {
	return &indexItem{Kind: kind, Size: t.Size(), Nulls: t.HasNulls(), VarWidth: t.HasVarWidths(), Key: fmt.Sprintf("%x", key)}
}

func (x *indexItem) downlink(b pgdisk.BlockNumber) { x.Downlink = (*uint32)(&b) }

func (x *indexItem) rows(tids []pgdisk.TID) {
	x.Postings = len(tids)
	for _, t := range tids {
		x.TIDs = append(x.TIDs, t.String())
	}
}

func (i *pageItem) btree(item []byte, o pgdisk.BTreeOpaque) {
	t, err := pgdisk.DecodeBTreeTuple(item)
	if err != nil {
		i.broken(err)
		return
	}
	x := newIndexItem(t.Kind.String(), t.IndexTuple, t.Key())
	i.Index = x
	high := i.Number < o.FirstKey()
	switch {
	case high:
		x.Kind = "high key"
	case !o.IsLeaf():
		x.Kind = "downlink"
		x.downlink(t.Downlink())
	case t.Kind == pgdisk.BTreePlain:
		x.TID = t.TID.String()
	case t.Kind == pgdisk.BTreePosting:
		x.rows(t.TIDs())
	default:
		i.Problems = append(i.Problems, "a pivot tuple among the entries of a leaf")
	}
	if t.Kind == pgdisk.BTreePivot {
		x.Natts = &t.Natts
	}
	if t.HeapTID != nil {
		x.HeapTID = t.HeapTID.String()
	}
	if high && o.Flags&pgdisk.BTreeHalfDead != 0 {
		x.Note = fmt.Sprintf("top parent of the pages to be deleted: %s", link(t.TID.Block))
	}
}

func (i *pageItem) hash(item []byte) {
	t, err := pgdisk.DecodeIndexTuple(item)
	if err != nil {
		i.broken(err)
		return
	}
	i.Index = newIndexItem("hash", t, t.Data())
	if i.Index.TID = t.TID.String(); t.Reserved() {
		i.Index.Note = "moved by split"
	}
}

func (i *pageItem) gist(item []byte, o pgdisk.GistOpaque) {
	t, err := pgdisk.DecodeIndexTuple(item)
	if err != nil {
		i.broken(err)
		return
	}
	i.Index = newIndexItem("leaf", t, t.Data())
	if o.Flags&pgdisk.GistLeaf != 0 {
		i.Index.TID = t.TID.String()
		return
	}
	i.Index.Kind = "downlink"
	if i.Index.downlink(t.TID.Block); pgdisk.GistInvalid(t) {
		i.Problems = append(i.Problems, "an unfinished split of 9.0 or before: the index wants a REINDEX")
	}
}

func (i *pageItem) gin(item []byte, o pgdisk.GinOpaque) {
	if o.Flags&pgdisk.GinList != 0 {
		t, err := pgdisk.DecodeIndexTuple(item)
		if err != nil {
			i.broken(err)
			return
		}
		i.Index = newIndexItem("pending", t, t.Data())
		i.Index.TID = t.TID.String()
		return
	}
	leaf := o.Flags&pgdisk.GinLeaf != 0
	e, err := pgdisk.DecodeGinEntry(item, leaf)
	if err != nil {
		i.broken(err)
		return
	}
	i.Index = newIndexItem("entry", e.IndexTuple, e.Key())
	switch {
	case !leaf:
		i.Index.Kind = "downlink"
		i.Index.downlink(e.Child)
	case e.Tree:
		i.Index.Kind = "posting tree"
		i.Index.downlink(e.TreeRoot)
	default:
		i.Index.rows(e.TIDs())
	}
}

func (i *pageItem) spgist(item []byte, o pgdisk.SPGistOpaque) {
	leaf := o.Flags&pgdisk.SPGistLeaf != 0
	t, err := pgdisk.DecodeSPGistTuple(item, leaf)
	if err != nil {
		i.broken(err)
		return
	}
	x := &indexItem{Kind: t.State.String(), Size: t.Size}
	i.Index = x
	switch {
	case t.State == pgdisk.SPGistRedirect:
		x.Note = fmt.Sprintf("to %s, by transaction %d", t.Target, t.XID)
	case t.State != pgdisk.SPGistLive:
	case leaf:
		if x.Kind, x.TID = "leaf", t.HeapTID.String(); t.Next != 0 {
			x.Note = fmt.Sprintf("next in chain: %d", t.Next)
		}
	default:
		x.Kind, x.Key, x.Note = "inner", fmt.Sprintf("%x", t.Prefix), fmt.Sprintf("%d nodes", len(t.Nodes))
		if t.AllTheSame {
			x.Note += ", all the same"
		}
		for _, n := range t.Nodes {
			x.TIDs = append(x.TIDs, n.TID.String())
		}
	}
}

func (i *pageItem) brin(item []byte) {
	t, err := pgdisk.DecodeBrinTuple(item)
	if err != nil {
		i.broken(err)
		return
	}
	i.Index = &indexItem{Kind: "range", Size: len(item), Nulls: t.HasNulls, Key: fmt.Sprintf("%x", t.Data()), Note: fmt.Sprintf("from block %d", t.Block)}
	if t.Placeholder {
		i.Index.Note += ", placeholder"
	}
	if t.EmptyRange {
		i.Index.Note += ", empty range"
	}
}
