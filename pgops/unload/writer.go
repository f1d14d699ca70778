package unload

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// How much work a kill may cost: a state is made durable when either is passed, and when
// this many files wait for it.
const (
	checkpointTime  = 2 * time.Second
	checkpointBytes = 256 << 20
	checkpointFiles = 200
)

// writer puts the chunks' output into files, in order, and remembers how far it is.
type writer struct {
	src    *source
	out    *outDir
	opt    *Options
	plan   *plan
	pool   partPool
	meter  *meter
	state  *state
	notes  *outFile
	tables *outFile

	table *table     // the one being written, nil between two
	cur   tableState // of it; positions only as of the last checkpoint
	files tableFiles
	maps  *forkMaps // of the table, once they are asked

	saved time.Time // when the last state was
	fresh int64     // bytes written since
}

// tableFiles are the open files of one table; dead and damaged come when they are needed.
type tableFiles struct {
	rows, dead, damaged *outFile
}

// openWriter opens the files that all tables share where the state left them.
func openWriter(out *outDir, opt *Options, p *plan, pool partPool, m *meter, s *state) (*writer, error) {
	w := &writer{out: out, opt: opt, plan: p, pool: pool, meter: m, state: s, saved: time.Now()}
	var err error
	if w.notes, err = out.openFile(NotesName, s.Notes); err != nil {
		return nil, err
	}
	if w.tables, err = out.openFile(tablesName, s.Tables); err != nil {
		return nil, err
	}
	if s.Current != nil {
		return w, w.reopen()
	}
	return w, nil
}

// reopen goes on with a table in the middle.
func (w *writer) reopen() error {
	w.table, w.cur = w.plan.tables[w.state.Done], *w.state.Current
	var err error
	if w.files.rows, err = w.out.openFile(w.table.paths.rows, w.cur.Rows); err != nil {
		return err
	}
	if w.cur.Dead != nil {
		if w.files.dead, err = w.out.openFile(w.table.paths.dead, *w.cur.Dead); err != nil {
			return err
		}
	}
	if w.cur.Damaged != nil {
		w.files.damaged, err = w.out.openFile(w.table.paths.damaged, *w.cur.Damaged)
	}
	return err
}

// run writes chunks as they come until there are no more. When the context ends, the state
// is that of the last checkpoint.
func (w *writer) run(ctx context.Context, queue <-chan *chunk) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case c, ok := <-queue:
			if !ok {
				return nil
			}
			if err := w.chunk(ctx, c); err != nil {
				return err
			}
		}
	}
}

func (w *writer) chunk(ctx context.Context, c *chunk) error {
	if w.table == nil {
		if err := w.begin(c.table); err != nil {
			return err
		}
	}
	for {
		var p *part
		select {
		case <-ctx.Done():
			return ctx.Err()
		case p = <-c.parts:
		}
		if p == nil { // the worker gave up, as the context has ended
			return ctx.Err()
		}
		if err := w.part(p); err != nil {
			return err
		}
		end := p.end
		w.pool.put(p)
		if end == nil {
			continue
		}
		if err := w.endChunk(c, end); err != nil {
			return err
		}
		return w.checkpointIfDue()
	}
}

// begin starts the files of a table.
func (w *writer) begin(t *table) error {
	w.table, w.cur, w.files = t, tableState{}, tableFiles{}
	var err error
	if w.files.rows, err = w.out.create(t.paths.rows); err != nil {
		return err
	}
	if err := w.files.rows.write(headLine(t, w.opt.Format)); err != nil {
		return err
	}
	var notes []byte
	for _, n := range t.notes() {
		notes = n.append(notes)
	}
	lost := t.files.lost()
	if end := t.missingEnd(w.forkMaps()); end.Count > 0 {
		lost = append(lost, end)
	}
	for _, l := range lost {
		w.cur.Counts.LostBlocks += int64(l.Count)
		if l.Count == 0 {
			w.cur.Counts.BadPages++
		}
		notes = w.addBad(notes, BadPage{l.span, l.why})
	}
	return w.notes.write(notes)
}

// addBad lists pages in trouble, and appends the note about them.
func (w *writer) addBad(notes []byte, b BadPage) []byte {
	w.list(b)
	blk := b.First
	n := Note{Kind: NotePage, Database: w.table.database.charset.shared(w.table.database.name), Table: w.table.title(), Block: &blk, Reason: b.Reason}
	if b.Count > 1 {
		n.Blocks = b.Count
	}
	return n.append(notes)
}

// list adds to the pages in trouble, of which only the first are kept.
func (w *writer) list(b BadPage) {
	if w.cur.Bad = appendBadPage(w.cur.Bad, b); len(w.cur.Bad) > maxBadPages {
		w.cur.Bad = w.cur.Bad[:maxBadPages]
		w.cur.BadMore++
	}
}

func (w *writer) part(p *part) error {
	w.fresh += int64(p.size())
	if err := w.files.rows.write(p.rows); err != nil {
		return err
	}
	if len(p.dead) > 0 {
		if w.files.dead == nil {
			var err error
			if w.files.dead, err = w.out.create(w.table.paths.dead); err != nil {
				return err
			}
			if err := w.files.dead.write(headLine(w.table, w.opt.Format, deadColumns()...)); err != nil {
				return err
			}
		}
		if err := w.files.dead.write(p.dead); err != nil {
			return err
		}
	}
	if len(p.damaged) > 0 {
		if w.files.damaged == nil {
			var err error
			if w.files.damaged, err = w.out.create(w.table.paths.damaged); err != nil {
				return err
			}
		}
		if err := w.files.damaged.write(p.damaged); err != nil {
			return err
		}
	}
	return w.notes.write(p.notes)
}

// endChunk counts what the chunk came to.
func (w *writer) endChunk(c *chunk, end *chunkEnd) error {
	w.cur.Chunks = c.index + 1
	w.cur.Counts.Add(end.counts)
	for _, b := range end.bad {
		w.list(b)
	}
	if err := w.notes.write(w.zeros(end)); err != nil {
		return err
	}
	w.meter.read(int64(c.Count) * pgdisk.BlockSize)
	w.meter.wrote(end.counts)
	if c.last {
		return w.finishTable()
	}
	return nil
}

// finishTable completes the table's files and writes its report.
func (w *writer) finishTable() error {
	var notes []byte
	for _, z := range w.cur.Zeros { // at the end, new ones are normal beyond what pg_class counted
		notes = w.zeroRun(notes, z, uint64(w.table.pages))
	}
	if err := w.notes.write(notes); err != nil {
		return err
	}
	w.closeMaps()
	r := w.table.report
	r.Counts, r.Bad, r.BadMore = w.cur.Counts, w.cur.Bad, w.cur.BadMore
	r.RowsFile = w.files.rows.finish()
	if w.files.dead != nil {
		r.DeadFile = w.files.dead.finish()
	}
	if w.files.damaged != nil {
		r.DamagedFile = w.files.damaged.finish()
	}
	b, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("report on %s: %w", w.table.title(), err)
	}
	w.state.Totals.Add(w.cur.Counts)
	w.state.Done++
	w.meter.table(&r)
	if w.table.toast != nil {
		if err := w.table.toast.scan.close(); err != nil {
			return err
		}
	}
	w.table, w.cur, w.files = nil, tableState{}, tableFiles{}
	return w.tables.write(append(b, '\n'))
}

func (w *writer) checkpointIfDue() error {
	if time.Since(w.saved) < checkpointTime && w.fresh < checkpointBytes && len(w.out.open) < checkpointFiles {
		return nil
	}
	return w.checkpoint()
}

// checkpoint makes the state durable. It is called between two chunks.
func (w *writer) checkpoint() error {
	if err := w.out.sync(); err != nil {
		return err
	}
	var err error
	s := w.state
	if s.Notes, err = w.notes.position(); err != nil {
		return err
	}
	if s.Tables, err = w.tables.position(); err != nil {
		return err
	}
	if s.Current = nil; w.table != nil {
		if s.Current, err = w.current(); err != nil {
			return err
		}
	}
	s.Bytes = w.meter.bytesRead()
	if err := w.out.saveState(s); err != nil {
		return err
	}
	w.saved, w.fresh = time.Now(), 0
	return nil
}

// current is the state of the table being written.
func (w *writer) current() (*tableState, error) {
	cur := w.cur
	var err error
	if cur.Rows, err = w.files.rows.position(); err != nil {
		return nil, err
	}
	for _, f := range []struct {
		file *outFile
		pos  **filePos
	}{{w.files.dead, &cur.Dead}, {w.files.damaged, &cur.Damaged}} {
		if f.file == nil {
			continue
		}
		pos, err := f.file.position()
		if err != nil {
			return nil, err
		}
		*f.pos = &pos
	}
	return &cur, nil
}
