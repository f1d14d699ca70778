package inspect

import (
	"context"
	"io"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// slruStatusRun is a run of transactions of one status.
type slruStatusRun struct {
	First  pgdisk.XID `json:"first"`
	Last   pgdisk.XID `json:"last"`
	Count  uint64     `json:"count"`
	Status string     `json:"status"`
	why    error
	bits   pgdisk.XactStatus
}

// slruTotals counts transactions by status; the last line of an answer in runs.
type slruTotals struct {
	Total        uint64 `json:"total"`
	Committed    uint64 `json:"committed"`
	Aborted      uint64 `json:"aborted"`
	InProgress   uint64 `json:"in_progress"`
	SubCommitted uint64 `json:"sub_committed"`
	Unreadable   uint64 `json:"unreadable"`
}

func (t *slruTotals) add(s pgdisk.XactStatus, n uint64) {
	t.Total += n
	switch s {
	case pgdisk.XactCommitted:
		t.Committed += n
	case pgdisk.XactAborted:
		t.Aborted += n
	case pgdisk.XactInProgress:
		t.InProgress += n
	case pgdisk.XactSubCommitted:
		t.SubCommitted += n
	}
}

// SLRURange tells the statuses of the transactions from first to last, both included, in runs
// and as totals. When last is before first, the range passes the end of the circle. Ids below
// 3, which belong to no transaction, are left out. Pages that cannot be read are runs of their
// own and findings.
func SLRURange(ctx context.Context, src SLRUSource, first, last pgdisk.XID, asJSON bool, w io.Writer) (findings int, err error) {
	r := &slruRanger{p: newSLRUPrinter(w, asJSON), pages: pgdisk.NewSLRUFiles(src.FS)}
	parts := [][2]pgdisk.XID{{first, last}}
	if last < first {
		parts = [][2]pgdisk.XID{{first, 0xFFFFFFFF}, {0, last}}
	}
	for _, part := range parts {
		from := max(part[0], pgdisk.FirstNormalXID)
		if from <= part[1] {
			if err := r.walk(ctx, from, part[1]); err != nil {
				return r.findings, err
			}
		}
	}
	r.flush()
	if asJSON {
		r.p.object(&r.totals)
	} else {
		t := r.totals
		r.p.line("%d transactions: %d committed, %d aborted, %d in progress, %d sub-committed, %d unreadable",
			t.Total, t.Committed, t.Aborted, t.InProgress, t.SubCommitted, t.Unreadable)
	}
	return r.findings, r.p.err
}

// slruRanger writes runs as they end, so that a range of any length is read in flat memory.
type slruRanger struct {
	p        *slruPrinter
	pages    pgdisk.SLRUPages
	run      slruStatusRun // Count 0: none yet
	totals   slruTotals
	findings int
}

// walk goes page by page; first is not above last.
func (r *slruRanger) walk(ctx context.Context, first, last pgdisk.XID) error {
	g := pgdisk.XactGeometry()
	for x := uint64(first); x <= uint64(last); {
		if err := ctx.Err(); err != nil {
			return err
		}
		page := g.Locate(x).Page
		end := min(uint64(last), g.FirstID(page+1)-1)
		data, err := r.pages.SLRUPage(g, page)
		if err != nil {
			r.add(slruStatusRun{First: pgdisk.XID(x), Last: pgdisk.XID(end), Count: end - x + 1, why: err})
		} else {
			r.walkPage(data, x-g.FirstID(page), end-g.FirstID(page), x)
		}
		x = end + 1
	}
	return r.p.err
}

// walkPage adds the entries from to end of a page; x is the id of the first.
func (r *slruRanger) walkPage(page []byte, from, end, x uint64) {
	for e := from; e <= end; {
		n := slruAlike(page, e, end)
		r.add(slruStatusRun{First: pgdisk.XID(x), Last: pgdisk.XID(x + n - 1), Count: n, bits: slruStatus(page, e)})
		e, x = e+n, x+n
	}
}

// slruStatus is pgdisk.PageXactStatus by entry.
func slruStatus(page []byte, entry uint64) pgdisk.XactStatus {
	return pgdisk.XactStatus(page[entry/4] >> (entry % 4 * 2) & 3)
}

// slruAlike counts the entries from e up to end that have the status of e; four of them in a
// byte are told at once.
func slruAlike(page []byte, e, end uint64) uint64 {
	s := slruStatus(page, e)
	n := uint64(1)
	for e+n <= end {
		switch at := e + n; {
		case at%4 == 0 && at+3 <= end && page[at/4] == byte(s)*0x55:
			n += 4
		case slruStatus(page, at) == s:
			n++
		default:
			return n
		}
	}
	return n
}

// add joins what follows the current run and is like it.
func (r *slruRanger) add(next slruStatusRun) {
	if next.why == nil {
		r.totals.add(next.bits, next.Count)
	} else {
		r.totals.Total += next.Count
		r.totals.Unreadable += next.Count
	}
	same := r.run.Count > 0 && r.run.Last+1 == next.First && r.run.bits == next.bits &&
		(r.run.why == nil) == (next.why == nil)
	if same {
		r.run.Last, r.run.Count = next.Last, r.run.Count+next.Count
		return
	}
	r.flush()
	r.run = next
}

func (r *slruRanger) flush() {
	if r.run.Count == 0 {
		return
	}
	r.run.Status = r.run.bits.String()
	if r.run.why != nil {
		r.findings++
		r.run.Status = "unreadable: " + r.run.why.Error()
	}
	if r.p.json != nil {
		r.p.object(&r.run)
	} else if r.run.First == r.run.Last {
		r.p.line("%d %s", r.run.First, r.run.Status)
	} else {
		r.p.line("%d-%d %s", r.run.First, r.run.Last, r.run.Status)
	}
	r.run = slruStatusRun{}
}
