package pgops

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

const (
	maxCreated = 200    // relation files listed by name
	maxTouched = 20_000 // relations whose records are counted one by one
	maxIslands = 64     // stretches of valid WAL behind damage that are read
)

// scanWAL reads pg_wal from pg_control's redo point, or the newest checkpoint in WAL where pg_control
// cannot be believed, to the end of valid records, and the valid stretches behind damage as well.
func (c *Cluster) scanWAL(ctx context.Context, ev *Evidence, report Report) error {
	w := &ev.WAL
	w.Systems, w.Majors = map[string]int{}, map[int]int{}
	wal, err := fs.Sub(c.fsys, "pg_wal")
	if err != nil {
		return err
	}
	if w.SegSize, err = pgdisk.DetectWALSegSize(wal); err != nil {
		w.SegSize = 0
		w.Why = err.Error()
	}
	size := w.SegSize
	if size == 0 && ev.Control.State == ControlGood {
		size = ev.Control.Values.WALSegmentSize
	}
	if !pgdisk.ValidWALSegSize(size) {
		size = defaultSegSize
	}
	dir, err := pgdisk.ReadWALDir(wal, size)
	if err != nil {
		w.Why = err.Error()
		return ctx.Err()
	}
	w.names(dir, size)
	w.headers(wal, dir)
	if w.SegSize == 0 {
		return ctx.Err()
	}
	scan := &walScan{c: c, w: w, wal: wal, report: report, total: int64(len(dir.Segments)) * int64(size)}
	return scan.run(ctx, ev, dir)
}

// names takes in what file names say. pg_resetwal counts partial segments too.
func (w *WALEvidence) names(dir *pgdisk.WALDir, size uint32) {
	w.Files = len(dir.Segments)
	for i, f := range append(dir.Segments, dir.Partials...) {
		if i == 0 || f.Segment.Number > w.LastSegment {
			w.LastFile, w.LastSegment = f.Segment.Name(size), f.Segment.Number
		}
		w.Timeline = max(w.Timeline, f.Timeline)
	}
	if len(dir.Segments) > 0 {
		w.FirstFile = dir.Segments[0].Name
	}
	for _, f := range dir.Histories {
		w.Timeline = max(w.Timeline, f.Timeline)
	}
}

// headers counts the clusters and majors that the segments' first pages name.
func (w *WALEvidence) headers(wal fs.FS, dir *pgdisk.WALDir) {
	for _, f := range dir.Segments {
		b, err := readSmall(wal, f.Name, 40)
		if err != nil {
			continue // said by the scan, if it needs the file
		}
		h, err := pgdisk.DecodeWALPageHeader(b)
		if err != nil || !h.Long() {
			continue
		}
		if major, ok := h.Major(); ok {
			w.Majors[major]++
			w.Systems[strconv.FormatUint(h.SystemID, 10)]++
		}
	}
}

// walScan reads the records.
type walScan struct {
	c      *Cluster
	w      *WALEvidence
	wal    fs.FS
	report Report
	total  int64
	sum    pgdisk.WALSummary
	from   pgdisk.LSN
}

func (s *walScan) run(ctx context.Context, ev *Evidence, dir *pgdisk.WALDir) error {
	src := pgdisk.WALSource{FS: s.wal, SegSize: s.w.SegSize, Timeline: max(s.w.Timeline, 1)}
	var err error
	if ev.Control.State == ControlGood {
		s.from = ev.Control.Values.CheckpointCopy.Redo
		src.SystemID = ev.Control.Values.SystemIdentifier
		src.Timeline = max(src.Timeline, ev.Control.Values.CheckpointCopy.ThisTimeLineID)
	} else if s.from, err = s.newestRedo(ctx, src, dir); err != nil {
		return err
	}
	if s.from == 0 {
		s.w.Why = "no checkpoint record and no readable start of records"
		return ctx.Err()
	}
	end, err := pgdisk.FindWALEnd(ctx, src, s.from, s.add)
	if err != nil {
		if ctx.Err() == nil {
			s.w.Why = err.Error()
		}
		return ctx.Err()
	}
	s.w.Scanned = end.Records > 0
	s.w.From, s.w.End, s.w.Stop, s.w.Records = s.from, end.LSN, end.Reason, end.Records
	s.w.Damaged = end.Kind.Lossy()
	if err := s.islands(ctx, src, end); err != nil {
		return err
	}
	s.summarise()
	return nil
}

// newestRedo finds where to read from without pg_control: the redo point of the newest checkpoint whose
// segment is there, else the first record of the oldest segment.
func (s *walScan) newestRedo(ctx context.Context, src pgdisk.WALSource, dir *pgdisk.WALDir) (pgdisk.LSN, error) {
	there := make(map[uint64]bool, len(dir.Segments))
	for _, f := range dir.Segments {
		there[f.Segment.Number] = true
	}
	var redo, at pgdisk.LSN
	err := pgdisk.ScanWALCheckpoints(ctx, s.wal, s.w.SegSize, func(cp pgdisk.WALFoundCheckpoint) error {
		if cp.LSN > at && there[uint64(cp.Redo)/uint64(s.w.SegSize)] {
			redo, at = cp.Redo, cp.LSN
		}
		return nil
	})
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if err == nil && redo != 0 {
		return redo, nil
	}
	for _, f := range dir.Segments {
		r, err := pgdisk.NewWALReader(src, 0)
		if err != nil {
			return 0, nil
		}
		lsn, err := r.First(ctx, f.Segment.Start(s.w.SegSize))
		r.Close()
		if err == nil {
			return lsn, nil
		}
	}
	return 0, ctx.Err()
}

// add takes in one record.
func (s *walScan) add(rec *pgdisk.WALRecord) error {
	if err := s.sum.Add(rec); err != nil {
		return err
	}
	if s.sum.Records%4096 == 0 {
		s.report.send(Progress{What: "pg_wal", Done: int64(rec.EndLSN - s.from), Total: s.total})
	}
	s.touch(rec)
	if path, ok := createdFile(rec); ok {
		if s.w.CreatedCount++; len(s.w.Created) < maxCreated {
			s.w.Created = append(s.w.Created, path)
		}
	}
	return nil
}

// touch counts the record for every relation whose main fork it changes.
func (s *walScan) touch(rec *pgdisk.WALRecord) {
	if s.w.Touched == nil {
		s.w.Touched = map[string]uint64{}
	}
	last := ""
	for _, b := range rec.Blocks {
		if b.Fork != 0 {
			continue
		}
		key := RelationKey(b.Rel.Database, b.Rel.Number)
		if key == last {
			continue
		}
		last = key
		if _, known := s.w.Touched[key]; !known && len(s.w.Touched) >= maxTouched {
			s.w.TouchedMore++
			continue
		}
		s.w.Touched[key]++
	}
}

// RelationKey names a relation's files within a cluster, whatever its tablespace; database
// 0 is for the shared catalogs.
func RelationKey(database pgdisk.OID, number pgdisk.OID) string {
	return fmt.Sprintf("%d/%d", database, number)
}

// islands reads the valid stretches that recovery would not reach: their ids were given out all the same.
func (s *walScan) islands(ctx context.Context, src pgdisk.WALSource, end *pgdisk.WALEnd) error {
	r, err := pgdisk.NewWALReader(src, end.ResumeLSN)
	if err != nil || end.ResumeLSN == 0 {
		return ctx.Err()
	}
	defer r.Close()
	for n, from := 0, end.ResumeLSN; n < maxIslands && from <= end.LastBeyond; n++ {
		r.Seek(from)
		for {
			rec, err := r.Next(ctx)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				break
			}
			if err := s.add(rec); err != nil {
				return err
			}
			s.w.Beyond++
		}
		next := (r.Position() + pgdisk.BlockSize) &^ (pgdisk.BlockSize - 1)
		if from, err = r.First(ctx, next); err != nil {
			return ctx.Err()
		}
	}
	return nil
}

func (s *walScan) summarise() {
	w, sum := s.w, &s.sum
	w.HaveXID, w.NextXID, w.EpochKnown = sum.HaveXID, sum.NextXID, sum.EpochKnown
	if sum.HaveMulti {
		w.NextMulti, w.NextOffset = sum.NextMulti, sum.NextMultiOffset
	}
	w.NextOID, w.OldestXID, w.OldestMulti = sum.NextOID, sum.OldestXID, sum.OldestMulti
	w.MultisCreated, w.Commits, w.Aborts = sum.Multis, sum.Commits, sum.Aborts
	if sum.Commits > 0 {
		w.FirstCommit, w.LastCommit = sum.FirstCommit.Time.UnixMicro(), sum.LastCommit.Time.UnixMicro()
	}
}

// createdFile decodes a Storage/CREATE record (xl_smgr_create, catalog/storage_xlog.h).
func createdFile(rec *pgdisk.WALRecord) (string, bool) {
	const create = 0x10
	if !rec.Is(pgdisk.RmgrStorage, create) || len(rec.MainData) < 16 {
		return "", false
	}
	b := rec.MainData
	oid := func(at int) pgdisk.OID {
		return pgdisk.OID(uint32(b[at]) | uint32(b[at+1])<<8 | uint32(b[at+2])<<16 | uint32(b[at+3])<<24)
	}
	if oid(12) != 0 {
		return "", false // another fork than the main one
	}
	f := pgdisk.RelFile{Tablespace: oid(0), Database: oid(4), Number: pgdisk.RelFileNumber(oid(8))}
	if f.Tablespace != pgdisk.DefaultTablespace && f.Tablespace != pgdisk.GlobalTablespace {
		return fmt.Sprintf("tablespace %d, database %d, file %d", f.Tablespace, f.Database, f.Number), true
	}
	return f.Path(), true
}

// errNoReaderAt says that a file system gives files which cannot be read at a position.
var errNoReaderAt = errors.New("the file system gives files that cannot be read at a position")
