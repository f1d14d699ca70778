package unload

import (
	"context"
	"encoding/binary"
	"fmt"
	"io/fs"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// source is the cluster that is read, as far as all its tables share it.
type source struct {
	fsys       fs.FS
	checksums  bool              // pages carry checksums
	nextXID    pgdisk.XID        // no transaction from here on was begun; 0 when that is not known
	visibility pgdisk.Visibility // for use by several goroutines
}

// chunk is a piece of a table on its way through a worker to the writer.
type chunk struct {
	table *table
	index int // among the table's chunks
	last  bool
	span  // no blocks when the table has none
	parts chan *part
}

// worker prints chunks.
type worker struct {
	ctx    context.Context
	src    *source
	opt    *Options
	xacts  *xacts
	pool   partPool
	buf    []byte
	table  *table // of the readers and printers below
	rel    *relReader
	toast  *toastReader
	rows   *rowPrinter
	quick  *quickRow // nil when there is no short way
	vals   [][]byte
	chunk  *chunk
	part   *part
	end    chunkEnd
	tuple  pgdisk.Tuple // the one at hand
	tid    pgdisk.TID
	format Format
}

func newWorker(ctx context.Context, src *source, opt *Options, pool partPool) *worker {
	return &worker{ctx: ctx, src: src, opt: opt, pool: pool, xacts: newXacts(src.visibility),
		buf: make([]byte, chunkBlocks*pgdisk.BlockSize), format: opt.Format}
}

// run prints chunks until there are no more.
func (w *worker) run(work <-chan *chunk) {
	defer w.closeTable()
	for c := range work {
		w.do(c)
		if w.ctx.Err() != nil {
			return
		}
	}
}

// do prints one chunk. Whatever it meets is output; only the writer can fail.
func (w *worker) do(c *chunk) {
	w.openTable(c.table)
	w.chunk, w.end = c, chunkEnd{}
	if w.part == nil {
		w.part = w.pool.get()
	}
	if c.Count > 0 {
		w.read()
	}
	end := w.end
	w.part.end = &end
	w.flush()
	close(c.parts)
}

// openTable changes over to another table.
func (w *worker) openTable(t *table) {
	if w.table == t {
		return
	}
	w.closeTable()
	w.table, w.rel, w.toast = t, newRelReader(w.src.fsys, t.files), nil
	env := t.database.env
	if t.toast != nil {
		w.toast = &toastReader{src: t.toast,
			heap:  newPageCache(newRelReader(w.src.fsys, t.toast.heap), toastHeapPages),
			index: newPageCache(newRelReader(w.src.fsys, t.toast.index), toastIndexPages)}
		env.Fetch = w.toast.fetch
	}
	w.rows = newRowPrinter(t, w.format, &env)
	w.quick = newQuickRow(t, w.rows, w.src.nextXID)
	w.vals = make([][]byte, len(t.columns))
}

func (w *worker) closeTable() {
	if w.rel != nil {
		w.rel.close()
	}
	if w.toast != nil {
		w.toast.heap.rel.close()
		w.toast.index.rel.close()
	}
	w.table, w.rel, w.toast = nil, nil, nil
}

// flush hands on what was gathered. Without a taker, after a failure of the writer, it is
// dropped.
func (w *worker) flush() {
	select {
	case w.chunk.parts <- w.part:
	case <-w.ctx.Done():
	}
	w.part = w.pool.get()
}

// read reads the chunk at once; when that fails, block by block, so that an unreadable
// sector costs its own block.
func (w *worker) read() {
	b := w.buf[:w.chunk.Count*pgdisk.BlockSize]
	whole := w.rel.read(b, w.chunk.First)
	for i := range w.chunk.Count {
		if w.ctx.Err() != nil {
			return
		}
		page, blk := b[i*pgdisk.BlockSize:(i+1)*pgdisk.BlockSize], w.chunk.First+pgdisk.BlockNumber(i)
		if whole != nil { // what was read before the failure may be anything
			if err := w.rel.read(page, blk); err != nil {
				w.end.counts.LostBlocks++
				w.badPage(blk, err.Error())
				w.end.written, w.end.lastWritten = true, blk
				continue
			}
		}
		w.guard(page, blk)
	}
}

// guard prints a page. One that makes the program fail costs that page, from the row on that
// it failed at.
func (w *worker) guard(page []byte, blk pgdisk.BlockNumber) {
	defer func() {
		if err := recover(); err != nil {
			w.end.counts.BadPages++
			w.badPage(blk, fmt.Sprintf("reading it failed, which is a fault of the program: %v", err))
		}
	}()
	w.page(page, blk)
}

// page prints the rows of a page. Those of a page that does not hold together, or fails its
// checksum, are not trusted.
func (w *worker) page(page []byte, blk pgdisk.BlockNumber) {
	if binary.LittleEndian.Uint16(page[14:]) == 0 && pgdisk.PageIsZero(page) {
		w.zeroPage(blk)
		return
	}
	w.end.written, w.end.lastWritten = true, blk
	h, err := pgdisk.DecodePageHeader(page)
	if err != nil { // it is as long as a page
		panic(err)
	}
	p := heapPage{page: page, blk: blk, header: h, count: h.LinePointers()}
	p.judge(w.src.checksums)
	if p.why != "" {
		w.end.counts.BadPages++
		w.badPage(blk, p.why)
	}
	for i := range p.count {
		if p.why != "" || w.quick == nil || !w.ordinary(&p, i+1) {
			w.item(&p, i+1)
		}
	}
}

func (w *worker) zeroPage(blk pgdisk.BlockNumber) {
	if n := len(w.end.zeros); n > 0 && w.end.zeros[n-1].First+pgdisk.BlockNumber(w.end.zeros[n-1].Count) == blk {
		w.end.zeros[n-1].Count++
		return
	}
	w.end.zeros = append(w.end.zeros, span{blk, 1})
}

// badPage notes a page, and joins it to the run of pages before it.
func (w *worker) badPage(blk pgdisk.BlockNumber, why string) {
	n := w.note(NotePage)
	n.Block, n.Reason = &blk, why
	w.part.notes = n.append(w.part.notes)
	w.end.bad = appendBadPage(w.end.bad, BadPage{span{blk, 1}, why})
}

// ordinary prints the tuple of a line pointer of a page that is trusted, if nothing is special
// about it.
func (w *worker) ordinary(p *heapPage, number int) bool {
	id := p.item(number)
	end := int(id.Off) + int(id.Len)
	if id.Flags != pgdisk.ItemNormal || id.Off < p.header.Upper || end > pgdisk.BlockSize || id.Off%8 != 0 {
		return false
	}
	rows, ok := w.quick.row(w.part.rows, p.page[id.Off:end])
	w.part.rows = rows
	if !ok {
		return false
	}
	if w.end.counts.Rows++; w.part.size() >= partSize {
		w.flush()
	}
	return true
}

// item prints the tuple of a line pointer.
func (w *worker) item(p *heapPage, number int) {
	id := p.item(number)
	if id.Flags != pgdisk.ItemNormal && id.Flags <= pgdisk.ItemDead && p.sound(number, id) {
		return
	}
	w.tid = pgdisk.TID{Block: p.blk, Item: uint16(number)}
	if problem := id.Problem(p.header, number, p.count); problem != nil {
		w.broken(problem.Error(), nil)
		return
	}
	if id.Flags != pgdisk.ItemNormal {
		return
	}
	raw := pgdisk.Item(p.page, id)
	t, err := pgdisk.DecodeTuple(raw)
	if err != nil {
		w.broken(err.Error(), raw)
		return
	}
	w.tuple = t
	why := p.why
	if problems := t.Problems(len(raw)); why == "" && len(problems) > 0 {
		why = problems[0].Error()
	}
	if natts := t.Natts(); natts > len(w.table.columns) && why == "" {
		why = fmt.Sprintf("it has %d columns, the table %d", natts, len(w.table.columns))
	}
	w.row(len(raw), why)
}

// broken notes a tuple that cannot be taken apart.
func (w *worker) broken(why string, raw []byte) {
	w.end.counts.Broken++
	n := w.noteAt(NoteTuple)
	n.Reason = why
	if raw != nil {
		n.Hex = string(appendHex(nil, raw))
	}
	w.part.notes = n.append(w.part.notes)
}

// note begins a note about the table at hand.
func (w *worker) note(kind string) Note {
	return Note{Kind: kind, Database: w.table.database.charset.shared(w.table.database.name), Table: w.table.title()}
}

// noteAt begins a note about the tuple at hand.
func (w *worker) noteAt(kind string) Note {
	n := w.note(kind)
	blk := w.tid.Block
	n.Block, n.Item = &blk, w.tid.Item
	return n
}
