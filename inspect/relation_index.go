package inspect

import (
	"fmt"
	"strings"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// relIndex counts the pages of an index by their role.
type relIndex struct {
	Pages map[string]uint64 `json:"pages"` // by role: meta, leaf, internal, deleted, ...
	Items uint64            `json:"items"` // line pointers with an item, of all pages that have them
	Dead  uint64            `json:"dead_items"`
	Root  *uint32           `json:"root_block,omitempty"` // of a btree
	Level *uint32           `json:"root_level,omitempty"`
}

// relSequence are the values of a sequence.
type relSequence struct {
	LastValue int64 `json:"last_value"`
	LogCount  int64 `json:"log_cnt"`
	IsCalled  bool  `json:"is_called"`
}

// indexPage counts a page of an index.
func (rel *relation) indexPage(_ pgdisk.BlockNumber, page []byte, kind pgdisk.PageKind) {
	part, err := pgdisk.DecodeSpecial(page, kind)
	if err != nil {
		return // told as damage
	}
	x := rel.r.Index
	if x == nil {
		x = &relIndex{Pages: make(map[string]uint64)}
		rel.r.Index = x
	}
	x.Pages[relRole(part)]++
	if o, ok := part.(pgdisk.BTreeOpaque); ok && o.Flags&pgdisk.BTreeMeta != 0 {
		if m, err := pgdisk.DecodeBTreeMetaPage(page); err == nil {
			x.Root, x.Level = (*uint32)(&m.Root), &m.Level
		}
	}
	for _, item := range pgdisk.PageItems(page, kind) {
		switch item.Flags {
		case pgdisk.ItemNormal:
			x.Items++
		case pgdisk.ItemDead:
			x.Items++
			x.Dead++
		}
	}
}

// relRole says what a page is for in its index.
func relRole(part pgdisk.Special) string {
	switch o := part.(type) {
	case pgdisk.BTreeOpaque:
		switch {
		case o.Flags&pgdisk.BTreeMeta != 0:
			return "meta"
		case o.Flags&pgdisk.BTreeDeleted != 0:
			return "deleted"
		case o.Flags&pgdisk.BTreeHalfDead != 0:
			return "half dead"
		case o.IsLeaf():
			return "leaf"
		}
		return "internal"
	case pgdisk.BrinOpaque:
		return o.Type.String()
	case pgdisk.HashOpaque:
		return relWords(o.Flags.Type().Words(), "unused")
	case pgdisk.GinOpaque:
		return relWords(o.Flags.Words(), "internal")
	case pgdisk.GistOpaque:
		return relWords(o.Flags.Words(), "internal")
	case pgdisk.SPGistOpaque:
		return relWords(o.Flags.Words(), "inner")
	}
	return fmt.Sprintf("%T", part)
}

// relWords joins the flags of a page, as PostgreSQL names them, into a role.
func relWords(words []string, none string) string {
	if len(words) == 0 {
		return none
	}
	return strings.ToLower(strings.Join(words, " "))
}

func (rel *relation) sequencePage(page []byte) {
	s, err := pgdisk.DecodeSequence(page)
	if err != nil {
		rel.r.finding("the row of the sequence: %v", err)
		return
	}
	rel.r.Sequence = &relSequence{LastValue: s.LastValue, LogCount: s.LogCount, IsCalled: s.IsCalled}
}
