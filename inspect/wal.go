package inspect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// WALMode says what is made of the records that are chosen.
type WALMode uint8

// What to print.
const (
	WALList        WALMode = iota // every record
	WALCommits                    // ends of transactions only
	WALStats                      // numbers per resource manager
	WALRecordStats                // numbers per kind of record
	WALCount                      // how many
)

// WALInput is the WAL to read.
type WALInput struct {
	FS      fs.FS           // its root holds segment files, as pg_wal does
	File    string          // one file of it, read alone; empty for all
	Control *pgdisk.Control // of the data directory, nil if there is none that can be believed
}

// WALOptions says what to read of it and how to print it. The zero value prints every
// record from the first segment to the end of WAL.
type WALOptions struct {
	Mode           WALMode
	Start          pgdisk.LSN // the first record that begins here or later; 0 = the first segment
	FromCheckpoint bool       // from the redo point of pg_control instead
	End            pgdisk.LSN // only records that end here or before; 0 = no limit
	Timeline       pgdisk.TimelineID
	Limit          uint64 // records to print, 0 = no limit
	Filter         WALFilter
	PastDamage     bool // go on behind WAL that cannot be read
	Bytes          bool // print the bytes of each record
	JSON           bool

	// SaveImage, if not nil, is given each page image of the chosen records under the name
	// that pg_waldump --save-fullpage gives it.
	SaveImage func(name string, page []byte) error
}

// errWALEnough ends a walk that has all it was asked for.
var errWALEnough = errors.New("read as far as was asked")

// WAL reads write-ahead log and writes what it holds to w: one line per record, or one
// JSON object per record, gap, set of numbers and, last, end. Other remarks and, in text,
// the end go to notes. The end is returned as well: the caller decides what a lossy one is
// worth.
func WAL(ctx context.Context, in WALInput, opt WALOptions, w, notes io.Writer) (*WALEnd, error) {
	run, err := newWALRun(in, opt, w, notes)
	if err != nil {
		return nil, err
	}
	defer run.reader.Close()
	end, err := run.read(ctx)
	if err != nil {
		return nil, err
	}
	end.BadImages = run.bad
	if err := run.total(end); err != nil {
		return nil, err
	}
	return end, run.printEnd(end)
}

// walRun is one reading of WAL.
type walRun struct {
	in     WALInput
	opt    WALOptions
	src    pgdisk.WALSource
	reader *pgdisk.WALReader
	end    pgdisk.LSN // of what is read; 0 = the end of WAL
	first  pgdisk.LSN // where reading began

	filtered bool       // not every record is wanted
	sum      walPart    // what was read so far
	last     pgdisk.LSN // end of the last record read
	walked   uint64     // records read in order
	gaps     []walGapJSON
	bad      int // images that could not be restored
	w        io.Writer
	notes    io.Writer
}

func newWALRun(in WALInput, opt WALOptions, w, notes io.Writer) (*walRun, error) {
	run := &walRun{in: in, opt: opt, end: opt.End, filtered: !opt.Filter.empty(), w: w, notes: notes}
	if err := run.open(); err != nil {
		return nil, err
	}
	reader, err := pgdisk.NewWALReader(run.src, 0)
	if err != nil {
		return nil, err
	}
	run.reader = reader
	return run, nil
}

// read goes through the records, in parallel as far as that is possible.
func (r *walRun) read(ctx context.Context) (*WALEnd, error) {
	if err := r.seek(ctx); err != nil {
		return nil, err
	}
	before, err := r.readParallel(ctx)
	if err != nil {
		return nil, err
	}
	end, err := r.reader.Walk(ctx, pgdisk.WALVisit{Record: r.record, Gap: r.gap, Beyond: r.beyond})
	if errors.Is(err, errWALEnough) {
		return r.stopped(before), r.flush(&r.sum)
	}
	if err != nil {
		return nil, err
	}
	if end.Major == 0 && end.RecordsBeyond == 0 && end.Stop.Cause == pgdisk.WALStopPageMagic {
		return nil, walInputErrorf("WAL of PostgreSQL 13 to 18 is read here: at %s %s", end.Stop.Page, end.Stop.Text)
	}
	end.Records += before
	return newWALEnd(r, end), r.flush(&r.sum)
}

// seek moves the reader to the first record asked for.
func (r *walRun) seek(ctx context.Context) error {
	start, err := r.start()
	if err != nil {
		return err
	}
	r.first = start
	_, err = r.reader.First(ctx, start)
	if stop, ok := errors.AsType[*pgdisk.WALStop](err); ok {
		// Damage right at the start: the walk says so, and looks for what follows. Pages before
		// it that hold the rest of one record are passed over.
		at := max(start, stop.LSN)
		r.reader.Seek(max(at&^7, (at+7)&^7)) // not around the end of all LSNs
		return nil
	}
	return err
}

// record takes in one valid record.
func (r *walRun) record(rec *pgdisk.WALRecord) error {
	if r.past(rec) {
		return errWALEnough
	}
	r.last = rec.EndLSN
	r.walked++
	if err := r.add(&r.sum, rec); err != nil {
		return err
	}
	if r.opt.Limit > 0 && r.sum.shown >= r.opt.Limit {
		return errWALEnough
	}
	if len(r.sum.out) < walFlushAt {
		return nil
	}
	return r.flush(&r.sum)
}

// beyond takes in one valid record behind damage.
func (r *walRun) beyond(rec *pgdisk.WALRecord) error {
	if !r.opt.PastDamage {
		return nil
	}
	return r.record(rec)
}

func (r *walRun) gap(gap pgdisk.WALGap) error {
	if !r.opt.PastDamage || r.end != 0 && gap.From >= r.end {
		return nil
	}
	r.gaps = append(r.gaps, newWALGapJSON(gap))
	if err := r.appendGap(&r.sum, gap); err != nil {
		return err
	}
	return r.flush(&r.sum)
}

// past reports whether a record does not lie wholly before the end that was asked for. Its
// last byte counts, not the padding behind it.
func (r *walRun) past(rec *pgdisk.WALRecord) bool {
	if r.end == 0 || rec.EndLSN <= r.end {
		return false
	}
	if rec.Is(pgdisk.RmgrXLOG, walSwitch) {
		return rec.LSN+pgdisk.LSN(rec.TotLen) > r.end
	}
	return rec.EndLSN-pgdisk.LSN(-rec.TotLen&7) > r.end
}

// walSwitch is the class of the record that skips the rest of its segment (XLOG_SWITCH,
// catalog/pg_control.h).
const walSwitch = 0x40

// walFlushAt is how much output is collected before it is written, bytes.
const walFlushAt = 64 << 10

// walPart is what a stretch of WAL comes to: output to write, numbers to add.
type walPart struct {
	out   []byte
	shown uint64 // records that passed the filter
	stats *walStats

	major  int              // of the names in kinds
	kinds  [256][16]walKind // names met so far
	fields pgdisk.RecordText
}

// walKind is how a kind of record is named.
type walKind struct {
	text string // Heap/INSERT
	json string // ,"rmgr":"Heap","class":"INSERT"
}

// add takes one record into a part. It is safe for concurrent use on different parts.
func (r *walRun) add(p *walPart, rec *pgdisk.WALRecord) error {
	if r.filtered && !r.opt.Filter.match(rec) {
		return nil
	}
	switch r.opt.Mode {
	case WALList:
		if err := r.appendRecord(p, rec); err != nil {
			return err
		}
	case WALCommits:
		shown, err := r.appendCommit(p, rec)
		if !shown || err != nil {
			return err
		}
	case WALStats, WALRecordStats:
		if p.stats == nil {
			p.stats = new(walStats)
		}
		p.stats.add(rec)
	}
	p.shown++
	if r.opt.SaveImage == nil {
		return nil
	}
	return r.saveImages(rec)
}

// flush writes the output of a part.
func (r *walRun) flush(p *walPart) error {
	if len(p.out) == 0 {
		return nil
	}
	_, err := r.w.Write(p.out)
	p.out = p.out[:0]
	if err != nil {
		return fmt.Errorf("write what was read: %w", err)
	}
	return nil
}

// merge adds a part that was read on the side, the next in order.
func (r *walRun) merge(p *walPart) error {
	if err := r.flush(p); err != nil {
		return err
	}
	r.sum.shown += p.shown
	p.shown = 0
	if p.stats == nil {
		return nil
	}
	if r.sum.stats == nil {
		r.sum.stats = new(walStats)
	}
	r.sum.stats.merge(p.stats)
	return nil
}
