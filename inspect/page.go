package inspect

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// PageChecksums says whether the pages of a cluster carry checksums.
type PageChecksums uint8

// The answers. Where pg_control cannot be asked, each page is judged by what is on it.
const (
	ChecksumsUnknown PageChecksums = iota
	ChecksumsOn
	ChecksumsOff
)

// PageFile is one file of a relation.
type PageFile struct {
	Name      string
	R         io.ReaderAt
	Size      int64              // bytes
	Fork      pgdisk.Fork        // MainFork when the name does not tell
	First     pgdisk.BlockNumber // number of the file's first block within the fork
	Checksums PageChecksums
}

// blocks counts the blocks, the last of which may be cut off.
func (f PageFile) blocks() int64 { return (f.Size + pgdisk.BlockSize - 1) / pgdisk.BlockSize }

// PageOptions say what is shown of a file. Block numbers count over all files of the fork, as
// they do in the server.
type PageOptions struct {
	From, To pgdisk.BlockNumber // with Range
	Range    bool               // else all blocks
	Full     bool               // everything that is on each page, else a line for each
	Hex      bool               // the bytes too
	JSON     bool               // an object per line and page
}

// PageRangeError says that the file has not the blocks asked for.
type PageRangeError struct {
	Name        string
	From, To    pgdisk.BlockNumber
	First, Last pgdisk.BlockNumber // what there is
	Empty       bool
}

func (e *PageRangeError) Error() string {
	if e.Empty {
		return e.Name + " is empty"
	}
	asked := fmt.Sprint(e.From)
	if e.To != e.From {
		asked = fmt.Sprintf("%d to %d", e.From, e.To)
	}
	return fmt.Sprintf("%s has the blocks %d to %d, not %s", e.Name, e.First, e.Last, asked)
}

// Pages prints the pages of a file. It returns how many of them are damaged; what is still
// readable of those is printed too. Errors are the context's, those of the writer, and a
// *PageRangeError.
func Pages(ctx context.Context, f PageFile, opt PageOptions, w io.Writer) (damaged int, err error) {
	from, to, err := pageRange(f, opt)
	if err != nil {
		return 0, err
	}
	buffered := bufio.NewWriterSize(w, 1<<16)
	p := pagePrinter{w: buffered, opt: opt}
	if opt.JSON {
		p.json = json.NewEncoder(buffered)
	}
	page := make([]byte, pgdisk.BlockSize)
	for i := from; i < to && p.err == nil; i++ {
		if err := ctx.Err(); err != nil {
			return damaged, err
		}
		r := readPage(f, i, page, opt)
		if len(r.Problems) > 0 || r.damagedItems() {
			damaged++
		}
		p.page(r)
	}
	if p.err != nil {
		return damaged, p.err
	}
	return damaged, buffered.Flush()
}

// pageRange turns the options into indexes of blocks in the file, to excluded.
func pageRange(f PageFile, opt PageOptions) (from, to int64, err error) {
	n := f.blocks()
	if !opt.Range {
		return 0, n, nil
	}
	from, to = int64(opt.From)-int64(f.First), int64(opt.To)-int64(f.First)+1
	if from < 0 || to > n || from >= to {
		return 0, 0, &PageRangeError{Name: f.Name, From: opt.From, To: opt.To, First: f.First, Last: f.First + pgdisk.BlockNumber(max(0, n-1)), Empty: n == 0}
	}
	return from, to, nil
}

// readPage reads and describes one block. A block that cannot be read, or not to its end, is
// described as far as it goes.
func readPage(f PageFile, i int64, page []byte, opt PageOptions) *pageReport {
	blk := f.First + pgdisk.BlockNumber(i)
	want := min(pgdisk.BlockSize, f.Size-i*pgdisk.BlockSize)
	n, err := f.R.ReadAt(page[:want], i*pgdisk.BlockSize)
	if int64(n) < want {
		if err == nil {
			err = io.ErrUnexpectedEOF // the file has become shorter
		}
		return &pageReport{full: opt.Full, pageRow: pageRow{Block: uint32(blk), Kind: "unread", Problems: []string{fmt.Sprintf("cannot be read: %v", err)}}}
	}
	clear(page[n:])
	r := describePage(f, blk, page, opt)
	if n < pgdisk.BlockSize {
		r.Problems = append(r.Problems, fmt.Sprintf("the file ends after %d bytes of the block; the rest is shown as zeroes", n))
	}
	return r
}
