package inspect

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// RelationSource is where the files of a relation are read from.
type RelationSource struct {
	FS         fs.FS           // a data directory, or just the directory of the files
	Dir        string          // where in FS the files lie: base/5, or "." in just their directory
	File       pgdisk.RelFile  // any file of the relation
	Control    *pgdisk.Control // nil without a data directory, or when it cannot be decoded
	ControlErr error           // why Control is nil or suspect; nil without a data directory
	NoXact     bool            // tell the fate of rows by hint bits alone
}

// relation reads the files of one relation and collects what they say.
type relation struct {
	src        RelationSource
	perSegment uint32
	clean      bool // stopped in order, and no standby: nothing is left to replay
	vis        pgdisk.Visibility
	updater    func(pgdisk.MultiXactID) (pgdisk.XID, bool)
	forks      []*relFork
	pages      relPages
	heap       *relHeapScan
	vm         *relVMReader
	r          relReport
}

// relReport is everything that is said of a relation.
type relReport struct {
	Relation  string       `json:"relation"`
	Kind      string       `json:"kind"` // what most pages of the main fork are; empty without any
	Forks     []*relFork   `json:"forks"`
	Pages     []relKind    `json:"pages"` // of the main fork
	Checksums relChecksums `json:"checksums"`
	LSN       *relLSNs     `json:"lsn,omitempty"`
	Heap      *relHeap     `json:"heap,omitempty"`
	Index     *relIndex    `json:"index,omitempty"`
	Sequence  *relSequence `json:"sequence,omitempty"`
	FSM       *relFSM      `json:"fsm,omitempty"`
	VM        *relVM       `json:"vm,omitempty"`
	Findings  []string     `json:"findings,omitempty"` // at most slruMaxListed
	Total     int          `json:"findings_total"`
	Notes     []string     `json:"notes,omitempty"`
}

func (r *relReport) finding(format string, args ...any) {
	if r.Total++; len(r.Findings) < slruMaxListed {
		r.Findings = append(r.Findings, fmt.Sprintf(format, args...))
	}
}

func (r *relReport) note(format string, args ...any) {
	if len(r.Notes) < slruMaxListed {
		r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
	}
}

// Relation reads all files of a relation, block by block in flat memory, and tells what is in them.
// It returns the number of findings. A damaged page costs that page: it is a finding, and what is
// on it is not counted.
func Relation(ctx context.Context, src RelationSource, asJSON bool, w io.Writer) (findings int, err error) {
	rel := &relation{src: src, perSegment: pgdisk.RelSegmentBlocks}
	rel.r.Relation = src.Dir + "/" + relFileName(pgdisk.RelFile{Number: src.File.Number, Temp: src.File.Temp, Backend: src.File.Backend})
	if src.Dir == "." {
		rel.r.Relation = rel.r.Relation[len("./"):]
	}
	if src.Control != nil && src.ControlErr == nil {
		rel.clean = src.Control.State == pgdisk.ShutDown
		if n := src.Control.RelSegSize; n != 0 {
			rel.perSegment = n
		}
	}
	if err := rel.openXact(ctx); err != nil {
		return 0, err
	}
	if err := rel.listFiles(); err != nil {
		return 0, err
	}
	if err := rel.scan(ctx); err != nil {
		return 0, err
	}
	rel.judge()
	if asJSON {
		return rel.r.Total, json.NewEncoder(w).Encode(&rel.r)
	}
	p := newSLRUPrinter(w, false)
	rel.r.print(p)
	return rel.r.Total, p.err
}

// scan reads the maps before the main fork, which is compared with them.
func (rel *relation) scan(ctx context.Context) error {
	defer func() {
		if rel.vm != nil {
			rel.vm.close()
		}
	}()
	for _, step := range []struct {
		fork  pgdisk.Fork
		visit func(blk pgdisk.BlockNumber, page []byte)
	}{
		{pgdisk.FSMFork, rel.fsmPage}, {pgdisk.VMFork, rel.vmPage}, {pgdisk.MainFork, rel.mainPage}, {pgdisk.InitFork, rel.initPage},
	} {
		for _, f := range rel.forks {
			if f.fork != step.fork {
				continue
			}
			if err := rel.eachPage(ctx, f, step.visit); err != nil {
				return err
			}
		}
	}
	return nil
}

// openXact makes the functions that tell the fate of transactions from the data directory.
func (rel *relation) openXact(ctx context.Context) error {
	if rel.src.NoXact || rel.src.Dir == "." {
		if rel.src.Dir == "." && !rel.src.NoXact {
			rel.r.note("not in a data directory: the fate of rows is told by hint bits alone")
		}
		return nil
	}
	pages := pgdisk.NewSLRUFiles(rel.src.FS)
	known := make(map[pgdisk.XID]pgdisk.XactStatus)
	rel.vis.Xact = func(x pgdisk.XID) (pgdisk.XactStatus, error) {
		if s, ok := known[x]; ok {
			return s, nil
		}
		s, err := pgdisk.ReadXactStatus(pages, x)
		if err == nil {
			if len(known) >= relXactCache {
				clear(known)
			}
			known[x] = s
		}
		return s, err
	}
	next, nextOffset, err := slruMultiEnds(ctx, SLRUSource{FS: rel.src.FS, Control: rel.src.Control, ControlErr: rel.src.ControlErr})
	if err != nil {
		rel.r.note("multixacts cannot be read: %v", err)
		return ctx.Err()
	}
	rel.vis.Members = func(m pgdisk.MultiXactID) ([]pgdisk.Member, error) {
		return pgdisk.ReadMultiXact(pages, m, next, nextOffset)
	}
	rel.updater = func(m pgdisk.MultiXactID) (pgdisk.XID, bool) {
		members, err := rel.vis.Members(m)
		for _, member := range members {
			if err == nil && member.Status.IsUpdate() {
				return member.XID, true
			}
		}
		return 0, false
	}
	return nil
}

// relXactCache bounds the statuses that are kept.
const relXactCache = 1 << 16
