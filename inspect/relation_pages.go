package inspect

import (
	"cmp"
	"slices"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// relKind counts pages of one kind.
type relKind struct {
	Kind  string `json:"kind"`
	Pages uint64 `json:"pages"`
	First uint32 `json:"first_block"`
	kind  pgdisk.PageKind
}

// relChecksums counts pages of all forks by what their checksum says.
type relChecksums struct {
	State   string `json:"state"` // on, off, or as it seems: seem on, seem off
	Good    uint64 `json:"good"`
	Bad     uint64 `json:"bad"`
	Without uint64 `json:"without"` // stored as 0
	New     uint64 `json:"new"`     // all zeroes, which carry none
}

// relLSNs are the lowest and the highest LSN of the main fork's pages.
type relLSNs struct {
	Lowest       string `json:"lowest"`
	LowestBlock  uint32 `json:"lowest_block"`
	Highest      string `json:"highest"`
	HighestBlock uint32 `json:"highest_block"`
}

// relPages is what is collected of pages of any kind.
type relPages struct {
	kinds    [256]relKind // by pgdisk.PageKind
	lsns     relLSNs
	low, top pgdisk.LSN
	sums     relChecksums
	bad      []relBadSum // while it is not known whether checksums are on
}

type relBadSum struct {
	fork             string
	blk              pgdisk.BlockNumber
	stored, computed uint16
}

// sumsOn reports whether a page with a wrong checksum is damaged: known from pg_control.
func (rel *relation) sumsOn() bool {
	return rel.src.Control != nil && rel.src.ControlErr == nil && rel.src.Control.DataChecksumVersion != 0
}

// sumsKnown reports whether pg_control tells if checksums are on.
func (rel *relation) sumsKnown() bool { return rel.src.Control != nil && rel.src.ControlErr == nil }

// checksum counts a page and reports whether its content may be looked at.
func (rel *relation) checksum(fork pgdisk.Fork, blk pgdisk.BlockNumber, page []byte) bool {
	s := &rel.pages.sums
	if rel.sumsKnown() && !rel.sumsOn() {
		if pgdisk.PageIsZero(page) {
			s.New++
		} else {
			s.Without++
		}
		return true
	}
	verdict, stored, computed := pgdisk.VerifyPage(page, blk)
	switch {
	case verdict == pgdisk.PageNew:
		s.New++
	case verdict == pgdisk.PageNewDirty:
		return true // told as damage of the header
	case verdict == pgdisk.PageChecksumOK:
		s.Good++
	case !rel.sumsKnown() && stored == 0:
		s.Without++
	default:
		s.Bad++
		bad := relBadSum{fork.String(), blk, stored, computed}
		if rel.sumsOn() {
			rel.badSum(bad)
			return false
		}
		if len(rel.pages.bad) < slruMaxListed {
			rel.pages.bad = append(rel.pages.bad, bad)
		}
	}
	return true
}

func (rel *relation) badSum(b relBadSum) {
	rel.r.finding("%s fork, block %d: checksum %04X is stored and %04X computed: its content is not counted", b.fork, b.blk, b.stored, b.computed)
}

// mainPage looks at a page of the main fork.
func (rel *relation) mainPage(blk pgdisk.BlockNumber, page []byte) {
	kind := pgdisk.RecognisePage(page, pgdisk.MainFork, blk)
	k := &rel.pages.kinds[kind]
	if k.Pages++; k.Pages == 1 {
		*k = relKind{Kind: kind.String(), Pages: 1, First: uint32(blk), kind: kind}
	}
	if !rel.checksum(pgdisk.MainFork, blk, page) || kind == pgdisk.PageZero {
		return
	}
	h, err := pgdisk.DecodePageHeader(page)
	if err != nil {
		return // whole blocks have a header
	}
	if problems := h.Problems(); len(problems) > 0 || h.IsNew() {
		rel.pageProblems(blk, pgdisk.PageProblems(page, kind))
		return
	}
	rel.pages.lsn(h.LSN, blk)
	switch kind {
	case pgdisk.PageHeap:
		if rel.heap == nil {
			rel.heap = newRelHeapScan(rel)
		}
		rel.heap.page(blk, page)
	case pgdisk.PageSequence:
		rel.sequencePage(page)
	default:
		rel.pageProblems(blk, pgdisk.PageProblems(page, kind))
		rel.indexPage(blk, page, kind)
	}
}

func (rel *relation) pageProblems(blk pgdisk.BlockNumber, problems []*pgdisk.FormatError) {
	for _, p := range problems {
		rel.r.finding("block %d: %s at byte %d: want %s, found %s", blk, p.Field, p.Off, p.Want, p.Got)
	}
}

// initPage looks at a page that an unlogged relation is reset to.
func (rel *relation) initPage(blk pgdisk.BlockNumber, page []byte) {
	rel.checksum(pgdisk.InitFork, blk, page)
}

func (p *relPages) lsn(lsn pgdisk.LSN, blk pgdisk.BlockNumber) {
	if lsn == 0 {
		return
	}
	if p.low == 0 || lsn < p.low {
		p.low, p.lsns.Lowest, p.lsns.LowestBlock = lsn, "", uint32(blk)
	}
	if lsn > p.top {
		p.top, p.lsns.Highest, p.lsns.HighestBlock = lsn, "", uint32(blk)
	}
}

// judge draws the conclusions that need all pages.
func (rel *relation) judge() {
	rel.judgeKinds()
	rel.judgeChecksums()
	rel.judgeLSN()
	rel.judgeVM()
	if rel.heap != nil {
		rel.r.Heap = rel.heap.report()
	}
	if !rel.clean && rel.sumsKnown() {
		rel.r.note("the server was not stopped in order: what replay would change is not seen here")
	}
}

// judgeKinds takes the most frequent kind for the relation's. Pages of zeroes go with any.
func (rel *relation) judgeKinds() {
	for _, k := range rel.pages.kinds {
		if k.Pages > 0 {
			rel.r.Pages = append(rel.r.Pages, k)
		}
	}
	slices.SortStableFunc(rel.r.Pages, func(a, b relKind) int { return cmp.Compare(b.Pages, a.Pages) })
	for _, k := range rel.r.Pages {
		switch {
		case k.kind == pgdisk.PageZero || k.kind == pgdisk.PageUnknown:
		case rel.r.Kind == "":
			rel.r.Kind = k.Kind
		default:
			rel.r.finding("%d pages are of kind %s among those of %s, the first is block %d", k.Pages, k.Kind, rel.r.Kind, k.First)
		}
	}
	switch {
	case rel.r.Kind != "":
	case len(rel.r.Pages) == 0:
		rel.r.Kind = "empty"
	default:
		rel.r.Kind = rel.r.Pages[0].Kind
	}
	if u := rel.pages.kinds[pgdisk.PageUnknown]; u.Pages > 0 {
		rel.r.finding("%d pages are of no kind that a server writes, the first is block %d", u.Pages, u.First)
	}
}

// judgeChecksums decides by the pages where pg_control does not tell whether checksums are on.
func (rel *relation) judgeChecksums() {
	s := rel.pages.sums
	switch {
	case rel.sumsOn():
		s.State = "on"
	case rel.sumsKnown():
		s.State = "off"
	case s.Good > s.Bad+s.Without:
		s.State = "seem on"
		for _, b := range rel.pages.bad {
			rel.r.finding("%s fork, block %d: checksum %04X is stored and %04X computed", b.fork, b.blk, b.stored, b.computed)
		}
	default:
		s.State = "seem off"
		if s.Bad > 0 {
			rel.r.note("%d pages have a checksum that does not match, %d none: checksums were turned off, or the file holds other blocks than its name says", s.Bad, s.Without)
		}
	}
	rel.r.Checksums = s
}

// judgeLSN: after an orderly stop nothing on disk is younger than the checkpoint.
func (rel *relation) judgeLSN() {
	p := &rel.pages
	if p.top == 0 {
		return
	}
	p.lsns.Lowest, p.lsns.Highest = p.low.String(), p.top.String()
	rel.r.LSN = &p.lsns
	unlogged := slices.ContainsFunc(rel.forks, func(f *relFork) bool { return f.fork == pgdisk.InitFork })
	if unlogged {
		rel.r.note("unlogged: a server empties it after a crash")
	}
	if rel.clean && !unlogged && !rel.src.File.Temp && p.top > rel.src.Control.Checkpoint {
		rel.r.finding("block %d has the LSN %s, after the last checkpoint at %s, and the server was stopped in order: pg_control or WAL is older than this file", p.lsns.HighestBlock, p.lsns.Highest, rel.src.Control.Checkpoint)
	}
}
