package inspect

import (
	"context"
	"io"
	"text/tabwriter"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// slruCounts are the transactions of one file by status.
type slruCounts struct {
	File  string     `json:"file"`
	First pgdisk.XID `json:"first"`
	Last  pgdisk.XID `json:"last"`
	slruTotals
}

// SLRUCounts counts the transactions of each pg_xact file by status, in the order of age. With
// a pg_control after an orderly stop only those from oldestXID up to NextXID are counted;
// otherwise an entry that was never used counts as in progress. Files that are missing or cut are
// findings, which follow the table.
func SLRUCounts(ctx context.Context, src SLRUSource, asJSON bool, w io.Writer) (findings int, err error) {
	g := pgdisk.XactGeometry()
	s, err := pgdisk.SurveySLRU(ctx, src.FS, g)
	if err != nil {
		return 0, err
	}
	p := newSLRUPrinter(w, asJSON)
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	if !asJSON {
		p.w = table
		p.line("file\tfirst\tlast\tcommitted\taborted\tin progress\tsub-committed\t")
	}
	err = s.EachSegment(ctx, src.FS, func(seg pgdisk.Segment, firstID uint64, data []byte) error {
		first, end := slruClip(src, firstID, firstID+uint64(len(data))*4)
		if first >= end {
			return nil
		}
		c := slruCounts{File: seg.Name, First: pgdisk.XID(first), Last: pgdisk.XID(end - 1)}
		c.count(data, first-firstID, end-firstID)
		if asJSON {
			p.object(&c)
		} else {
			p.line("%s\t%d\t%d\t%d\t%d\t%d\t%d\t", c.File, c.First, c.Last, c.Committed, c.Aborted, c.InProgress, c.SubCommitted)
		}
		return p.err
	})
	if err != nil {
		return 0, err
	}
	if err := table.Flush(); err != nil {
		return 0, err
	}
	p.w = w
	return p.incomplete(src, s), p.err
}

// slruClip leaves out what pg_control says is not in use. A file in which the ids in use both
// begin and end, with the whole circle between, is counted whole.
func slruClip(src SLRUSource, first, end uint64) (uint64, uint64) {
	first = max(first, uint64(pgdisk.FirstNormalXID))
	if !src.clean() {
		return first, end
	}
	c := src.Control.CheckpointCopy
	oldest, next := uint64(c.OldestXID), uint64(c.NextXID.XID())
	if oldest <= next {
		return max(first, oldest), min(end, next)
	}
	switch { // the ids in use pass the end of the circle: from oldest, and up to next
	case next > first && oldest < end:
	case next > first:
		end = min(end, next)
	case oldest < end:
		first = max(first, oldest)
	default:
		end = first
	}
	return first, end
}

// count adds the entries from first up to end, exclusive, of whole pages of one file.
func (t *slruTotals) count(data []byte, first, end uint64) {
	for ; first < end && first%4 != 0; first++ {
		t.add(slruStatus(data, first), 1)
	}
	for ; end > first && end%4 != 0; end-- {
		t.add(slruStatus(data, end-1), 1)
	}
	var bytes [256]uint64
	for _, b := range data[first/4 : end/4] {
		bytes[b]++
	}
	for b, n := range bytes {
		for shift := 0; shift < 8; shift += 2 {
			t.add(pgdisk.XactStatus(b>>shift&3), n)
		}
	}
}
