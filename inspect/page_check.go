package inspect

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"sync"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// PageCheckSource is what PageCheck reads: the files of a data directory, or one file.
type PageCheckSource struct {
	FS         fs.FS  // a data directory with its tablespaces, or the directory of Only
	VersionDir string // PG_15_202209061, the only directory that is read in a tablespace; empty: all
	Only       *PageCheckFile
	Checksums  PageChecksums
	SegBlocks  uint32 // blocks per file, pgdisk.RelSegmentBlocks when 0
	Workers    int    // GOMAXPROCS when 0
}

// PageCheckFile is a single file to check.
type PageCheckFile struct {
	Path  string // in FS
	Fork  pgdisk.Fork
	First pgdisk.BlockNumber
}

// PageCheckSummary counts what was looked at.
type PageCheckSummary struct {
	Files     int64  `json:"files"`
	Blocks    int64  `json:"blocks"`
	Bytes     int64  `json:"bytes"`
	New       int64  `json:"new_blocks"` // all zeroes: nothing to check
	Bad       int64  `json:"bad_blocks"`
	Checksums string `json:"checksums"` // on, off, unknown
}

// badPage is a page that cannot be as the server wrote it.
type badPage struct {
	File     string `json:"file"`
	Block    uint32 `json:"block"`         // counted over the fork's files
	InFile   uint32 `json:"block_in_file"` // counted in the file, as pg_checksums does
	Kind     string `json:"kind"`          // one of the kinds below
	Stored   uint16 `json:"stored,omitempty"`
	Computed uint16 `json:"computed,omitempty"`
	LSN      string `json:"lsn,omitempty"` // as stored: it may be damaged too
	Problem  string `json:"problem"`
}

// Kinds of bad pages.
const (
	badChecksum  = "checksum"
	badStructure = "structure" // header, line pointers or special part do not hold together
	badNew       = "new"       // marked as never used, with content
	badTorn      = "torn"      // the file ends in the middle of the page
	badRead      = "read"      // the page could not be read
)

// checkEnd is the last line of JSON output.
type checkEnd struct {
	Summary PageCheckSummary `json:"summary"`
}

// PageCheck reads all pages of the source, on all processors, and prints those that are bad, in
// the order of their files, and a summary. Where there are checksums these judge, and the header;
// where there are none, header, line pointers and the special parts of indexes have to do.
//
// Its memory does not grow with the source. A file that goes away meanwhile is passed over. The
// errors are the context's, those of the writer and of listing directories: what cannot be read
// of a file is a bad page.
func PageCheck(ctx context.Context, src PageCheckSource, asJSON bool, w io.Writer) (PageCheckSummary, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := src.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	c := &pageCheck{src: src, work: make(chan *checkJob), queue: make(chan *checkJob, 8*workers)}
	var running sync.WaitGroup
	for range workers {
		running.Go(func() { c.worker(ctx) })
	}
	var listed error
	running.Go(func() { listed = c.list(ctx) })
	buffered := bufio.NewWriterSize(w, 1<<16)
	sum, err := c.print(buffered, asJSON, cancel)
	running.Wait()
	if err == nil && listed != nil {
		err = listed
	}
	if flushed := buffered.Flush(); err == nil {
		err = flushed
	}
	return sum, err
}

// pageCheck is one run. Jobs go to the workers in any order and to the printer in theirs; the
// queue's length bounds how far the workers are ahead.
type pageCheck struct {
	src   PageCheckSource
	work  chan *checkJob
	queue chan *checkJob
}

// checkJob is a part of a file.
type checkJob struct {
	path  string
	fork  pgdisk.Fork
	first pgdisk.BlockNumber // of the file
	off   int64              // in the file
	size  int64
	start bool  // the file's first part
	odd   error // why the file cannot hold pages, nil for one that can

	done   chan struct{}
	sum    PageCheckSummary
	bad    []badPage
	gone   bool
	cancel error
}

// checkPart is the size of a job: what is kept of bad pages is bounded by it.
const checkPart = 16 << 20

// add makes jobs of a file and hands them out.
func (c *pageCheck) add(ctx context.Context, path string, fork pgdisk.Fork, first pgdisk.BlockNumber, size int64) error {
	for off := int64(0); off == 0 || off < size; off += checkPart {
		j := &checkJob{path: path, fork: fork, first: first, off: off, size: min(checkPart, size-off), start: off == 0}
		if err := c.send(ctx, j); err != nil {
			return err
		}
	}
	return nil
}

// send hands out one job.
func (c *pageCheck) send(ctx context.Context, j *checkJob) error {
	j.done = make(chan struct{})
	select {
	case c.queue <- j:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case c.work <- j:
		return nil
	case <-ctx.Done():
		j.cancel = ctx.Err()
		close(j.done)
		return ctx.Err()
	}
}

func (c *pageCheck) worker(ctx context.Context) {
	r := checkReader{fsys: c.src.FS, checksums: c.src.Checksums, buf: make([]byte, checkBuffer)}
	for j := range c.work {
		j.cancel = r.run(ctx, j)
		close(j.done)
	}
}

// print writes what the jobs found, in their order, and the summary.
func (c *pageCheck) print(w io.Writer, asJSON bool, cancel func()) (PageCheckSummary, error) {
	sum := PageCheckSummary{Checksums: [...]string{ChecksumsUnknown: "unknown", ChecksumsOn: "on", ChecksumsOff: "off"}[c.src.Checksums]}
	enc := json.NewEncoder(w)
	var failed error
	for j := range c.queue {
		<-j.done
		if failed == nil {
			failed = j.cancel
		}
		if failed != nil {
			cancel()
			continue // until the queue is closed
		}
		sum.add(j)
		for i := range j.bad {
			if failed = writeBad(w, enc, asJSON, &j.bad[i]); failed != nil {
				break
			}
		}
	}
	if failed != nil {
		return sum, failed
	}
	if asJSON {
		return sum, enc.Encode(checkEnd{sum})
	}
	_, err := fmt.Fprintf(w, "%d files, %d blocks, %d bytes, %d new blocks, %d bad blocks; checksums %s\n", sum.Files, sum.Blocks, sum.Bytes, sum.New, sum.Bad, sum.Checksums)
	return sum, err
}

func (s *PageCheckSummary) add(j *checkJob) {
	if j.gone {
		return
	}
	if j.start {
		s.Files++
	}
	s.Blocks += j.sum.Blocks
	s.Bytes += j.sum.Bytes
	s.New += j.sum.New
	s.Bad += int64(len(j.bad))
}

func writeBad(w io.Writer, enc *json.Encoder, asJSON bool, b *badPage) error {
	if asJSON {
		return enc.Encode(b)
	}
	where := fmt.Sprintf("%s block %d", b.File, b.Block)
	if b.InFile != b.Block {
		where += fmt.Sprintf(" (%d in the file)", b.InFile)
	}
	if b.LSN != "" {
		where += " lsn " + b.LSN
	}
	_, err := fmt.Fprintf(w, "%s: %s\n", where, b.Problem)
	return err
}
