package inspect

import (
	"fmt"
	"strings"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// pageRow is the short description of a page.
type pageRow struct {
	Block    uint32   `json:"block"`
	Kind     string   `json:"kind"`           // heap, btree, ..., zero, unknown, unread
	Role     string   `json:"role,omitempty"` // of the page in its index
	LSN      string   `json:"lsn,omitempty"`
	Checksum *pageSum `json:"checksum,omitempty"`
	Items    *int     `json:"items,omitempty"` // line pointers; absent on pages that have none by their kind
	Free     int      `json:"free_bytes"`      // between pd_lower and pd_upper
	Flags    []string `json:"flags,omitempty"` // pd_flags in words
	Problems []string `json:"problems,omitempty"`
}

// pageSum is what the checksum says.
type pageSum struct {
	Stored   uint16 `json:"stored"`
	Computed uint16 `json:"computed"`
	Verdict  string `json:"verdict"` // matches, does not match, none
}

// Verdicts on checksums.
const (
	sumMatches = "matches"
	sumDiffers = "does not match"
	sumNone    = "none"
)

// judgeSum compares stored and computed checksum. bad is true when the difference is damage,
// and not what is left of a time when checksums were on.
func judgeSum(page []byte, blk pgdisk.BlockNumber, state PageChecksums) (s pageSum, bad bool) {
	verdict, stored, computed := pgdisk.VerifyPage(page, blk)
	s = pageSum{Stored: stored, Computed: computed, Verdict: sumDiffers}
	switch {
	case verdict == pgdisk.PageNew || verdict == pgdisk.PageNewDirty:
		s.Verdict = sumNone // a new page has none; that a dirty one is damaged its header says
	case verdict == pgdisk.PageChecksumOK:
		s.Verdict = sumMatches
	case stored == 0 && state != ChecksumsOn:
		s.Verdict = sumNone
	default:
		bad = state != ChecksumsOff
	}
	return s, bad
}

// describeRow makes the short description.
func describeRow(f PageFile, blk pgdisk.BlockNumber, page []byte) (pageRow, pgdisk.PageKind) {
	kind := pgdisk.RecognisePage(page, f.Fork, blk)
	r := pageRow{Block: uint32(blk), Kind: kind.String()}
	sum, bad := judgeSum(page, blk, f.Checksums)
	if r.Checksum = &sum; bad {
		r.Problems = append(r.Problems, fmt.Sprintf("checksum %04X is stored, %04X computed", sum.Stored, sum.Computed))
	}
	for _, problem := range pgdisk.PageProblems(page, kind) {
		r.Problems = append(r.Problems, pageProblem(problem))
	}
	h, err := pgdisk.DecodePageHeader(page)
	if err != nil || kind == pgdisk.PageZero {
		return r, kind
	}
	r.LSN, r.Flags = h.LSN.String(), pageFlagWords(h.Flags)
	if h.Upper > h.Lower {
		r.Free = int(h.Upper) - int(h.Lower)
	}
	hasItems := kind == pgdisk.PageHeap || kind == pgdisk.PageSequence
	if part, err := pgdisk.DecodeSpecial(page, kind); err == nil {
		r.Role, hasItems = pageRole(part), part.HasItems()
	}
	if hasItems {
		n := len(pgdisk.PageItems(page, kind))
		r.Items = &n
	}
	if kind == pgdisk.PageVM {
		if problem := pgdisk.VMProblem(page, blk*pgdisk.VMBlocksPerPage); problem != nil {
			r.Problems = append(r.Problems, pageProblem(problem))
		}
	}
	return r, kind
}

// pageProblem puts a problem into words without naming a file.
func pageProblem(e *pgdisk.FormatError) string {
	return fmt.Sprintf("%s at byte %d: want %s, found %s", e.Field, e.Off, e.Want, e.Got)
}

// pageFlagWords names the bits of pd_flags, as bufpage.h does without PD_.
func pageFlagWords(f pgdisk.PageFlags) []string {
	var words []string
	for _, bit := range []struct {
		flag pgdisk.PageFlags
		word string
	}{{pgdisk.PageHasFreeLines, "HAS_FREE_LINES"}, {pgdisk.PageFull, "PAGE_FULL"}, {pgdisk.PageAllVisible, "ALL_VISIBLE"}} {
		if f&bit.flag != 0 {
			words = append(words, bit.word)
			f &^= bit.flag
		}
	}
	if f != 0 {
		words = append(words, fmt.Sprintf("0x%04X", uint16(f)))
	}
	return words
}

// pageRole says what a page is for in its index.
func pageRole(part pgdisk.Special) string {
	switch o := part.(type) {
	case pgdisk.BTreeOpaque:
		return btreeRole(o)
	case pgdisk.HashOpaque:
		return wordsOr(o.Flags.Words(), "unused")
	case pgdisk.GinOpaque:
		return wordsOr(o.Flags.Words(), "inner")
	case pgdisk.GistOpaque:
		return wordsOr(o.Flags.Words(), "inner")
	case pgdisk.SPGistOpaque:
		return wordsOr(o.Flags.Words(), "inner")
	case pgdisk.BrinOpaque:
		if o.Evacuate {
			return o.Type.String() + " evacuate_page"
		}
		return o.Type.String()
	}
	return ""
}

func btreeRole(o pgdisk.BTreeOpaque) string {
	role := fmt.Sprintf("level %d", o.Level)
	switch {
	case o.Flags&pgdisk.BTreeMeta != 0:
		return "meta"
	case o.Flags&pgdisk.BTreeDeleted != 0:
		return "deleted"
	case o.IsLeaf():
		role = "leaf"
	}
	for _, word := range (o.Flags &^ (pgdisk.BTreeLeaf | pgdisk.BTreeHasFullXID)).Words() {
		role += " " + strings.ToLower(word)
	}
	return role
}

func wordsOr(words []string, none string) string {
	if len(words) == 0 {
		return none
	}
	return strings.ToLower(strings.Join(words, " "))
}
