package agent

import (
	"strconv"
	"strings"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// BadPage is a page of a relation that cannot be as the server wrote it.
type BadPage struct {
	Block    uint32 `json:"block"` // counted from the start of the relation, across its 1 GB files
	Kind     string `json:"kind"`  // BadChecksum, BadHeader or BadNew
	Found    uint16 `json:"found,omitempty"`
	Expected uint16 `json:"expected,omitempty"` // computed from the content
	LSN      string `json:"lsn,omitempty"`      // pd_lsn as stored: later than redo means that replay may repair it
	Detail   string `json:"detail,omitempty"`
}

// Kinds of bad pages.
const (
	BadChecksum = "checksum" // stored and computed checksum differ
	BadHeader   = "header"   // checksums are off and the header does not hold together
	BadNew      = "new"      // pd_upper is 0 as on a page never used, yet there is content
)

// pageCheck looks at the pages of one file as they stream by.
type pageCheck struct {
	rec       *Record
	next      uint32 // block number of the next page
	checksums bool
}

// newPageCheck returns nil for a file that is not made of relation pages.
func newPageCheck(t *tree, path string, c clusterFacts, rec *Record) *pageCheck {
	part, rel, ok := t.partOf(path)
	if !ok {
		return nil
	}
	seg, ok := relationSegment(part, rel)
	if !ok {
		return nil
	}
	return &pageCheck{rec: rec, next: seg * c.relSegSize, checksums: c.checksums}
}

// feed takes the next bytes of the file. All but the last must be whole pages.
func (p *pageCheck) feed(b []byte) {
	for ; len(b) >= pgdisk.BlockSize; b = b[pgdisk.BlockSize:] {
		p.page(b[:pgdisk.BlockSize])
		p.next++
	}
	p.rec.TornTail = int64(len(b))
}

// skip passes over n bytes of zeros, which are sound pages.
func (p *pageCheck) skip(n int64) {
	p.rec.Pages += n / pgdisk.BlockSize
	p.next += uint32(n / pgdisk.BlockSize)
	p.rec.TornTail = n % pgdisk.BlockSize
}

func (p *pageCheck) page(page []byte) {
	p.rec.Pages++
	if p.checksums {
		verdict, stored, computed := pgdisk.VerifyPage(page, pgdisk.BlockNumber(p.next))
		switch verdict {
		case pgdisk.PageChecksumBad:
			p.bad(page, BadPage{Kind: BadChecksum, Found: stored, Expected: computed})
		case pgdisk.PageNewDirty:
			p.bad(page, BadPage{Kind: BadNew, Found: stored, Expected: computed})
		}
		return
	}
	h, err := pgdisk.DecodePageHeader(page)
	if err != nil {
		return // only a page of the wrong length, which feed never passes
	}
	if h.IsNew() {
		if !pgdisk.PageIsZero(page) {
			p.bad(page, BadPage{Kind: BadNew})
		}
		return
	}
	if problems := h.Problems(); len(problems) > 0 {
		p.bad(page, BadPage{Kind: BadHeader, Detail: problems[0].Error()})
	}
}

func (p *pageCheck) bad(page []byte, b BadPage) {
	p.rec.BadPageCount++
	if len(p.rec.BadPages) >= maxBadPages {
		return
	}
	b.Block = p.next
	if h, err := pgdisk.DecodePageHeader(page); err == nil {
		b.LSN = h.LSN.String()
	}
	p.rec.BadPages = append(p.rec.BadPages, b)
}

// clusterFacts is what reading pages needs to know from pg_control.
type clusterFacts struct {
	checksums  bool
	known      bool   // pg_control was read
	relSegSize uint32 // blocks per file of a relation
}

const defaultRelSegSize = 131072 // RELSEG_SIZE of every packaged server: 1 GB

// readClusterFacts reads pg_control of the data part of a tree. What is missing or
// damaged leaves the facts unknown: pages are then judged by their headers.
func readClusterFacts(trees []*tree) clusterFacts {
	facts := clusterFacts{relSegSize: defaultRelSegSize}
	for _, t := range trees {
		for _, part := range t.parts() {
			if part.Role != RoleData {
				continue
			}
			raw, err := readSmall(t.root, join(string(part.Sub), pgdisk.ControlFilePath), pgdisk.ControlFileSize)
			if err != nil {
				continue
			}
			c, err := pgdisk.DecodeControl(raw)
			if c == nil || err != nil {
				continue
			}
			facts.known, facts.checksums = true, c.DataChecksumVersion != 0
			if c.RelSegSize != 0 && c.RelSegSize <= 1<<24 {
				facts.relSegSize = c.RelSegSize
			}
		}
	}
	return facts
}

// relationSegment tells whether a file of a part holds relation pages, and which 1 GB
// file of its relation it is. rel is relative to the part. The names are those of
// GetRelationPath (common/relpath.c): global/N, base/DB/N and, in a tablespace,
// PG_<major>_<catalog version>/DB/N, with _fsm, _vm or _init and .SEGMENT after N, and
// tBACKEND_ before it for temporary relations.
func relationSegment(part Part, rel string) (uint32, bool) {
	dirs := strings.Split(rel, "/")
	name := dirs[len(dirs)-1]
	switch {
	case part.Role == RoleData && len(dirs) == 2 && dirs[0] == "global":
	case part.Role == RoleData && len(dirs) == 3 && dirs[0] == "base" && digits(dirs[1]):
	case len(dirs) == 3 && strings.HasPrefix(dirs[0], "PG_") && digits(dirs[1]):
		if _, ok := part.tablespaceOID(); !ok {
			return 0, false
		}
	default:
		return 0, false
	}
	return segmentOf(name)
}

// segmentOf reads the name of a relation's file.
func segmentOf(name string) (uint32, bool) {
	name, seg, hasSeg := strings.Cut(name, ".")
	if t, rest, ok := strings.Cut(name, "_"); ok && strings.HasPrefix(t, "t") && digits(t[1:]) {
		name = rest
	}
	for _, fork := range [...]string{"_fsm", "_vm", "_init"} {
		if n, ok := strings.CutSuffix(name, fork); ok {
			name = n
			break
		}
	}
	if !digits(name) {
		return 0, false
	}
	if !hasSeg {
		return 0, true
	}
	n, err := strconv.ParseUint(seg, 10, 15) // 32 TB, a relation's limit, in 1 GB files
	if err != nil || !digits(seg) {
		return 0, false
	}
	return uint32(n), true
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
