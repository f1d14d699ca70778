package inspect

import (
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// walStats counts records per resource manager and the upper four bits of xl_info.
type walStats struct {
	kinds [256][16]walTally
	major int
	first pgdisk.LSN
	end   pgdisk.LSN
}

// walTally counts records and their bytes.
type walTally struct {
	Count       uint64 `json:"count"`
	RecordBytes uint64 `json:"record_bytes"` // without page images
	ImageBytes  uint64 `json:"image_bytes"`  // as stored
}

func (t *walTally) add(u walTally) {
	t.Count += u.Count
	t.RecordBytes += u.RecordBytes
	t.ImageBytes += u.ImageBytes
}

func (s *walStats) add(rec *pgdisk.WALRecord) {
	if s.major == 0 {
		s.major, s.first = rec.Major, rec.LSN
	}
	s.end = rec.EndLSN
	class := rec.Info >> 4
	if rec.Rmid == pgdisk.RmgrTransaction {
		class &= 7 // XLOG_XACT_OPMASK: the uppermost bit only says that more follows
	}
	images := uint64(rec.ImageBytes())
	s.kinds[rec.Rmid][class].add(walTally{1, uint64(rec.TotLen) - images, images})
}

// merge adds what was counted further on, and empties it.
func (s *walStats) merge(o *walStats) {
	if o.major == 0 {
		return
	}
	if s.major == 0 {
		s.major, s.first = o.major, o.first
	}
	s.end = o.end
	for id := range o.kinds {
		for class := range o.kinds[id] {
			if o.kinds[id][class].Count > 0 {
				s.kinds[id][class].add(o.kinds[id][class])
			}
		}
	}
	*o = walStats{}
}

// walStatsRow is one line of statistics.
type walStatsRow struct {
	Type string `json:"type"` // Heap, or Heap/INSERT per kind of record
	walTally
}

// walStatsJSON is the object that --stats --json prints.
type walStatsJSON struct {
	Kind     string        `json:"kind"`
	StartLSN string        `json:"start_lsn"` // of the first record counted
	EndLSN   string        `json:"end_lsn"`   // of the last
	Rows     []walStatsRow `json:"rows"`      // what was not met is left out
	Total    walTally      `json:"total"`
}

// rows lists what was counted, per resource manager or per kind of record.
func (s *walStats) rows(perRecord bool) (rows []walStatsRow, total walTally) {
	for i := range s.kinds {
		id := pgdisk.RmgrID(i)
		var manager walTally
		for class, t := range s.kinds[i] {
			if t.Count == 0 {
				continue
			}
			manager.add(t)
			if perRecord {
				rows = append(rows, walStatsRow{id.String() + "/" + pgdisk.WALClassName(s.major, id, uint8(class)<<4), t})
			}
		}
		total.add(manager)
		if !perRecord && manager.Count > 0 {
			rows = append(rows, walStatsRow{id.String(), manager})
		}
	}
	return rows, total
}

// total prints what was counted rather than listed.
func (r *walRun) total(end *WALEnd) error {
	switch r.opt.Mode {
	case WALCount:
		if r.opt.JSON {
			return r.writeJSON(walCountJSON{"count", r.sum.shown})
		}
		_, err := fmt.Fprintln(r.w, r.sum.shown)
		return err
	case WALStats, WALRecordStats:
		stats := r.sum.stats
		if stats == nil {
			stats = new(walStats)
		}
		rows, total := stats.rows(r.opt.Mode == WALRecordStats)
		if r.opt.JSON {
			return r.writeJSON(walStatsJSON{"stats", stats.first.String(), stats.end.String(), rows, total})
		}
		return r.printStats(stats, rows, total)
	}
	return nil
}

// walCountJSON is the object that --count --json prints.
type walCountJSON struct {
	Kind    string `json:"kind"`
	Records uint64 `json:"records"`
}

// printStats writes the columns of pg_waldump --stats.
func (r *walRun) printStats(s *walStats, rows []walStatsRow, total walTally) error {
	b := fmt.Appendf(nil, "WAL statistics between %s and %s:\n", s.first, s.end)
	b = fmt.Appendf(b, "%-30s %12s %8s %16s %8s %16s %8s %16s %8s\n",
		"type", "records", "%", "record bytes", "%", "image bytes", "%", "all bytes", "%")
	sum := total.RecordBytes + total.ImageBytes
	for _, row := range rows {
		all := row.RecordBytes + row.ImageBytes
		b = fmt.Appendf(b, "%-30s %12d %8.2f %16d %8.2f %16d %8.2f %16d %8.2f\n", row.Type,
			row.Count, percent(row.Count, total.Count), row.RecordBytes, percent(row.RecordBytes, total.RecordBytes),
			row.ImageBytes, percent(row.ImageBytes, total.ImageBytes), all, percent(all, sum))
	}
	b = fmt.Appendf(b, "%-30s %12d %8s %16d %8.2f %16d %8.2f %16d %8s\n", "total",
		total.Count, "", total.RecordBytes, percent(total.RecordBytes, sum), total.ImageBytes, percent(total.ImageBytes, sum), sum, "")
	_, err := r.w.Write(b)
	return err
}

func percent(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}
