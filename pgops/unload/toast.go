package unload

import (
	"encoding/binary"
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// Sizes of the caches of one TOAST reader, in pages.
const (
	toastHeapPages  = 32
	toastIndexPages = 64
)

// defaultToastChunk is TOAST_MAX_CHUNK_SIZE of every package of PostgreSQL
// (access/heaptoast.h), for when pg_control does not tell.
const defaultToastChunk = 1996

// toastSource is what all readers of one TOAST table share.
type toastSource struct {
	oid       pgdisk.OID // of the TOAST table
	heap      relFiles
	index     relFiles // no files: there is no index
	chunkSize uint32   // of every chunk but a value's last
	checksums bool
	scan      *toastScan // made when the index does not lead to a value
}

// toastReader fetches values from a TOAST table. It is for one goroutine.
//
// The index is asked first. A value that it does not lead to, or not to all of, is looked
// for in a list of all chunks, which one pass over the table makes.
type toastReader struct {
	src     *toastSource
	heap    *pageCache
	index   *pageCache
	lenient bool // take chunks from pages whose checksum fails
}

// toastChunk is a chunk that could be part of a value.
type toastChunk struct {
	seq uint32
	tid pgdisk.TID
}

// fetch returns the stored bytes of a value: as many as the pointer says, from chunks that
// are all there, or an error.
func (r *toastReader) fetch(p pgdisk.ToastPointer) ([]byte, error) {
	if p.ToastRelID != r.src.oid {
		return nil, fmt.Errorf("value %d lies in relation %d, but the table's TOAST table is %d", p.ValueID, p.ToastRelID, r.src.oid)
	}
	if !r.src.heap.there() {
		return nil, fmt.Errorf("value %d: the TOAST table's file %s is missing", p.ValueID, r.src.heap.path(0))
	}
	chunks, indexErr := r.byIndex(p.ValueID)
	value, err := r.assemble(p, chunks)
	if err == nil {
		return value, nil
	}
	chunks, scanErr := r.src.scan.chunks(p.ValueID)
	if scanErr != nil {
		return nil, fmt.Errorf("value %d: %w", p.ValueID, scanErr)
	}
	value, err = r.assemble(p, chunks)
	if err != nil && indexErr != nil {
		err = fmt.Errorf("%w (and its index is no help: %v)", err, indexErr)
	}
	return value, err
}

func (r *toastReader) byIndex(id pgdisk.OID) ([]toastChunk, error) {
	if !r.src.index.there() {
		return nil, fmt.Errorf("the TOAST table's index has no file")
	}
	entries, err := pgdisk.FindTOASTChunks(r.indexPage, id)
	chunks := make([]toastChunk, len(entries))
	for i, e := range entries {
		chunks[i] = toastChunk{seq: uint32(e.Seq), tid: e.TID}
	}
	return chunks, err
}

func (r *toastReader) indexPage(blk pgdisk.BlockNumber) ([]byte, error) {
	if blk >= r.src.index.blocks() {
		return nil, fmt.Errorf("the TOAST index has %d blocks, and block %d is needed", r.src.index.blocks(), blk)
	}
	return r.index.page(blk)
}

// assemble puts a value together. Chunks must be in order of seq; of several with one seq,
// left by a transaction id that was given out twice, the newest that counts is taken.
func (r *toastReader) assemble(p pgdisk.ToastPointer, chunks []toastChunk) ([]byte, error) {
	want := (p.ExtSize + r.src.chunkSize - 1) / r.src.chunkSize
	value := make([]byte, 0, min(p.ExtSize, 1<<20)) // grows as chunks are found: the size is from disk
	for seq := range want {
		size := int(min(r.src.chunkSize, p.ExtSize-seq*r.src.chunkSize))
		var best pgdisk.TupleHeader
		length, found, why := len(value), false, error(nil)
		for ; len(chunks) > 0 && chunks[0].seq <= seq; chunks = chunks[1:] {
			if chunks[0].seq != seq {
				continue
			}
			header, data, err := r.chunk(p.ValueID, chunks[0], size)
			switch {
			case err != nil:
				why = err
			case !found || newer(header, best):
				value, best, found = append(value[:length], data...), header, true
			}
		}
		if found {
			continue
		}
		if why == nil {
			why = fmt.Errorf("it is missing")
		}
		return nil, fmt.Errorf("value %d in TOAST table %d: chunk %d of %d: %w", p.ValueID, r.src.oid, seq+1, want, why)
	}
	return value, nil
}

// chunk returns one chunk's header and data, the latter valid until the next call.
func (r *toastReader) chunk(id pgdisk.OID, c toastChunk, size int) (pgdisk.TupleHeader, []byte, error) {
	var none pgdisk.TupleHeader
	if c.tid.Block >= r.src.heap.blocks() {
		return none, nil, fmt.Errorf("block %d is beyond the table's end", c.tid.Block)
	}
	page, err := r.heap.page(c.tid.Block)
	if err != nil {
		return none, nil, err
	}
	if r.src.checksums && !r.lenient {
		if verdict, stored, computed := pgdisk.VerifyPage(page, c.tid.Block); verdict == pgdisk.PageChecksumBad {
			return none, nil, fmt.Errorf("block %d fails its checksum: %04X is stored, %04X computed", c.tid.Block, stored, computed)
		}
	}
	t, err := chunkAt(page, c.tid)
	if err != nil {
		return none, nil, err
	}
	gotID, gotSeq, data, err := decodeChunk(t)
	switch {
	case err != nil:
		return none, nil, fmt.Errorf("%s: %w", c.tid, err)
	case gotID != id || gotSeq != c.seq:
		return none, nil, fmt.Errorf("at %s lies chunk %d of value %d", c.tid, gotSeq+1, gotID)
	case !countsInTOAST(t.TupleHeader):
		return none, nil, fmt.Errorf("the one at %s was not inserted", c.tid)
	case len(data) != size:
		return none, nil, fmt.Errorf("the one at %s has %d bytes, want %d", c.tid, len(data), size)
	}
	return t.TupleHeader, data, nil
}

// chunkAt finds the tuple of a chunk on its page.
func chunkAt(page []byte, tid pgdisk.TID) (pgdisk.Tuple, error) {
	h, err := pgdisk.DecodePageHeader(page)
	if err != nil {
		return pgdisk.Tuple{}, err
	}
	if h.IsNew() {
		return pgdisk.Tuple{}, fmt.Errorf("block %d is all zeroes", tid.Block)
	}
	if problems := h.Problems(); len(problems) > 0 {
		return pgdisk.Tuple{}, fmt.Errorf("block %d: %w", tid.Block, problems[0])
	}
	if tid.Item < 1 || int(tid.Item) > h.LinePointers() {
		return pgdisk.Tuple{}, fmt.Errorf("%s: the block has %d line pointers", tid, h.LinePointers())
	}
	id := pgdisk.DecodeItemID(binary.LittleEndian.Uint32(page[pgdisk.PageHeaderSize+(int(tid.Item)-1)*pgdisk.ItemIDSize:]))
	if id.Flags != pgdisk.ItemNormal {
		return pgdisk.Tuple{}, fmt.Errorf("%s: the line pointer is %s", tid, id.Flags)
	}
	t, err := pgdisk.DecodeTuple(pgdisk.Item(page, id))
	if err != nil {
		return t, fmt.Errorf("%s: %w", tid, err)
	}
	return t, nil
}

// decodeChunk takes a row of a TOAST table apart: chunk_id oid, chunk_seq int4 and
// chunk_data bytea, none of them null (access/common/toast_internals.c).
func decodeChunk(t pgdisk.Tuple) (id pgdisk.OID, seq uint32, data []byte, err error) {
	fixed, err := t.Fixed(0, 8)
	if err != nil {
		return 0, 0, nil, err
	}
	v, err := pgdisk.DecodeVarlena(t.Columns()[8:])
	if err != nil {
		return 0, 0, nil, err
	}
	if v.Kind != pgdisk.VarlenaPlain && v.Kind != pgdisk.VarlenaShort {
		return 0, 0, nil, fmt.Errorf("chunk_data is %s, and must be plain", v.Kind)
	}
	return pgdisk.OID(binary.LittleEndian.Uint32(fixed)), binary.LittleEndian.Uint32(fixed[4:]), v.Payload, nil
}

// countsInTOAST is the rule by which a server reads chunks: whoever sees the row may read
// them, unless they are known not to have been inserted. Deletion does not count
// (HeapTupleSatisfiesToast, access/heap/heapam_visibility.c).
func countsInTOAST(h pgdisk.TupleHeader) bool {
	return h.XminCommitted() || !h.XminInvalid() && h.Xmin != pgdisk.InvalidXID
}

// newer chooses between two chunks with one place in one value: that which nobody deleted,
// then that of the later transaction.
func newer(a, b pgdisk.TupleHeader) bool {
	kept := func(h pgdisk.TupleHeader) bool { return h.XmaxInvalid() || h.Xmax == pgdisk.InvalidXID }
	if kept(a) != kept(b) {
		return kept(a)
	}
	return b.Xmin.Precedes(a.Xmin)
}
