package catalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/pgops/values"
)

// chunkPages is how many pages of a catalog are read at once.
const chunkPages = 32

// scanner reads the heap files of catalogs.
type scanner struct {
	fsys       fs.FS
	perSegment uint32 // blocks in one file
	checksums  bool
	vis        pgdisk.Visibility
	problems   *problems
	buf        []byte // chunkPages pages
}

// row is a visible row of a catalog. The columns are part of a buffer that the next page
// overwrites.
type row struct {
	*table
	seen
	cols [][]byte
}

// seen says where a row was seen and how sure that is.
type seen struct {
	tid    pgdisk.TID
	xmin   pgdisk.XID // FrozenXID for a frozen row
	doubt  string     // empty when sure
	origin string     // file
}

// newer reports whether s is the younger of two versions of a row, both taken as visible.
func (s seen) newer(t seen) bool {
	if s.xmin != t.xmin {
		return t.xmin.Precedes(s.xmin)
	}
	if s.tid.Block != t.tid.Block {
		return s.tid.Block > t.tid.Block
	}
	return s.tid.Item > t.tid.Item
}

// scan visits the visible rows of a catalog. Pages and rows that do not hold together become
// problems; only a file that cannot be opened and ctx are errors.
func (s *scanner) scan(ctx context.Context, t *table, file pgdisk.RelFile, visit func(row) error) error {
	deformer := values.NewDeformer(t.columns)
	r := row{table: t, cols: make([][]byte, len(t.columns))}
	var zeros zeroPages
	return s.pages(ctx, t.name, file, func(path string, blk pgdisk.BlockNumber, page []byte) {
		if pgdisk.PageIsZero(page) {
			zeros.add(path, blk)
			return
		}
		zeros.before(s.problems, t.name)
		s.suspect(page, path, blk, t.name)
		doubt := s.checksum(page, path, blk, t.name)
		s.page(page, path, blk, t.name, func(item uint16, tuple pgdisk.Tuple) error {
			verdict := s.vis.Judge(tuple.TupleHeader)
			if verdict.Fate != pgdisk.FateVisible {
				return nil
			}
			if err := deformer.Deform(tuple, r.cols); err != nil {
				return err
			}
			r.seen = seen{tid: pgdisk.TID{Block: blk, Item: item}, xmin: tuple.Xmin, origin: path, doubt: doubt}
			if tuple.XminFrozen() {
				r.xmin = pgdisk.FrozenXID
			}
			if verdict.Doubtful {
				r.doubt = verdict.Why
			}
			return visit(r)
		})
	})
}

// checksum says what makes the rows of a page doubtful, if it has a sound header at all.
func (s *scanner) checksum(page []byte, path string, blk pgdisk.BlockNumber, name string) string {
	if !s.checksums {
		return ""
	}
	h, err := pgdisk.DecodePageHeader(page)
	if err != nil || len(h.Problems()) > 0 {
		return ""
	}
	verdict, stored, computed := pgdisk.VerifyPage(page, blk)
	if verdict != pgdisk.PageChecksumBad {
		return ""
	}
	s.problems.add(Problem{File: path, Block: blk, InBlock: true,
		What: fmt.Sprintf("%s: checksum %04X where the content gives %04X: what its rows say is doubtful", name, stored, computed)})
	return "the checksum of its page does not match"
}

// page visits the tuples of one page.
func (s *scanner) page(page []byte, path string, blk pgdisk.BlockNumber, name string, visit func(uint16, pgdisk.Tuple) error) {
	bad := func(item int, err error) {
		s.problems.add(Problem{File: path, Block: blk, InBlock: true, Item: uint16(item), What: fmt.Sprintf("%s: %v", name, err)})
	}
	h, err := pgdisk.DecodePageHeader(page)
	if err != nil {
		return
	}
	if found := h.Problems(); len(found) > 0 {
		bad(0, fmt.Errorf("the page is damaged, its rows are lost: %w", found[0]))
		return
	}
	items := pgdisk.ItemIDs(page, h)
	for i, id := range items {
		if p := id.Problem(h, i+1, len(items)); p != nil {
			bad(i+1, p)
			continue
		}
		if id.Flags != pgdisk.ItemNormal {
			continue
		}
		tuple, err := pgdisk.DecodeTuple(pgdisk.Item(page, id))
		if err == nil {
			err = visit(uint16(i+1), tuple)
		}
		if err != nil {
			bad(i+1, err)
		}
	}
}

// pages reads the main fork of a relation, segment by segment.
func (s *scanner) pages(ctx context.Context, name string, file pgdisk.RelFile, visit func(string, pgdisk.BlockNumber, []byte)) error {
	if s.buf == nil {
		s.buf = make([]byte, chunkPages*pgdisk.BlockSize)
	}
	for ; ; file.Segment++ {
		first, ok := file.FirstBlock(s.perSegment)
		if !ok {
			return nil
		}
		path := file.Path()
		f, err := s.fsys.Open(path)
		if errors.Is(err, fs.ErrNotExist) && file.Segment > 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		full, err := s.segment(ctx, f, path, name, first, visit)
		f.Close()
		if err != nil || !full {
			return err
		}
	}
}

// maxUnreadable bounds how many blocks of a file are tried after a read failed.
const maxUnreadable = 1000

// segment reads one file and reports whether it is full, so that another may follow. A block
// that the disk does not give costs that block.
func (s *scanner) segment(ctx context.Context, f fs.File, path, name string, first pgdisk.BlockNumber, visit func(string, pgdisk.BlockNumber, []byte)) (full bool, err error) {
	unreadable := 0
	for blk := uint32(0); blk < s.perSegment; {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		n, err := io.ReadFull(f, s.buf)
		for at := 0; at+pgdisk.BlockSize <= n; at += pgdisk.BlockSize {
			visit(path, first+pgdisk.BlockNumber(blk), s.buf[at:at+pgdisk.BlockSize])
			blk++
		}
		if err == nil {
			continue
		}
		p := Problem{File: path, Block: first + pgdisk.BlockNumber(blk), InBlock: true}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			if rest := n % pgdisk.BlockSize; rest != 0 {
				p.What = fmt.Sprintf("%s: the file ends after %d bytes of the page", name, rest)
				s.problems.add(p)
			}
			return false, nil
		}
		p.What = fmt.Sprintf("%s: %v", name, err)
		s.problems.add(p)
		blk++
		unreadable++
		seeker, ok := f.(io.Seeker)
		if !ok || unreadable > maxUnreadable {
			s.problems.file(path, "%s: the rest of the file is not read", name)
			return false, nil
		}
		if _, err := seeker.Seek(int64(blk)*pgdisk.BlockSize, io.SeekStart); err != nil {
			return false, fmt.Errorf("read %s: %w", name, err)
		}
	}
	return true, nil
}
