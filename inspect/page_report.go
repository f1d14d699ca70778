package inspect

import (
	"fmt"
	"strings"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// pageReport is everything that is on a page.
type pageReport struct {
	pageRow
	Header  *pageHeader `json:"header,omitempty"`
	Special []pageField `json:"special,omitempty"` // the index's own part, and a meta page's content
	Content []pageField `json:"content,omitempty"` // what a page has in place of line pointers
	Entries []pageItem  `json:"line_pointers,omitempty"`
	Hex     string      `json:"hex,omitempty"` // all bytes
	full    bool
}

// pageField is a named value, under PostgreSQL's name for it.
type pageField struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// pageHeader is the page header as it is stored.
type pageHeader struct {
	Lower    uint16 `json:"lower"`
	Upper    uint16 `json:"upper"`
	Special  uint16 `json:"special"`
	PageSize uint16 `json:"page_size"`
	Version  uint8  `json:"version"`
	PruneXID uint32 `json:"prune_xid"`
}

// damagedItems reports whether something on a line pointer does not hold together.
func (r *pageReport) damagedItems() bool {
	for _, e := range r.Entries {
		if len(e.Problems) > 0 {
			return true
		}
	}
	return false
}

// describePage makes the description that opt wants.
func describePage(f PageFile, blk pgdisk.BlockNumber, page []byte, opt PageOptions) *pageReport {
	row, kind := describeRow(f, blk, page)
	r := &pageReport{pageRow: row, full: opt.Full}
	if opt.Hex {
		r.Hex = fmt.Sprintf("%x", page)
	}
	if !opt.Full || kind == pgdisk.PageZero {
		return r
	}
	if h, err := pgdisk.DecodePageHeader(page); err == nil {
		r.Header = &pageHeader{h.Lower, h.Upper, h.Special, h.Size, h.LayoutVersion, uint32(h.PruneXID)}
	}
	if part, err := pgdisk.DecodeSpecial(page, kind); err == nil {
		r.addSpecial(part, page)
	}
	switch kind {
	case pgdisk.PageSequence:
		r.addSequence(page)
	case pgdisk.PageFSM:
		r.addFSM(page, blk)
	case pgdisk.PageVM:
		r.addVM(page, blk)
	}
	r.addEntries(page, kind, blk)
	return r
}

func (r *pageReport) special(name, format string, args ...any) {
	r.Special = append(r.Special, pageField{name, fmt.Sprintf(format, args...)})
}

func (r *pageReport) content(name, format string, args ...any) {
	r.Content = append(r.Content, pageField{name, fmt.Sprintf(format, args...)})
}

// broken notes an error of a decoder, once: the problems of the row may have it already.
func (r *pageReport) broken(what string, err error) {
	if err == nil {
		return
	}
	text := fmt.Sprintf("%s: %v", what, err)
	for _, p := range r.Problems {
		if strings.Contains(text, p) {
			return
		}
	}
	r.Problems = append(r.Problems, text)
}

// link writes a block number that may lead nowhere.
func link(b pgdisk.BlockNumber) string {
	if b == pgdisk.InvalidBlock {
		return "none"
	}
	return fmt.Sprint(b)
}

// sibling writes a link of a btree, where 0 leads nowhere.
func sibling(b pgdisk.BlockNumber) string {
	if b == pgdisk.BTreeNone {
		return "none"
	}
	return fmt.Sprint(b)
}

func (r *pageReport) addSequence(page []byte) {
	s, err := pgdisk.DecodeSequence(page)
	if r.broken("sequence", err); err != nil {
		return
	}
	r.content("last_value", "%d", s.LastValue)
	r.content("log_cnt", "%d", s.LogCount)
	r.content("is_called", "%t", s.IsCalled)
}
