package unload

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sort"
	"sync"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// runEntries bounds how many chunks are held in memory: 16 MB. What is more goes to a file,
// sorted in runs of this many.
const runEntries = 1 << 20

// scanEntrySize is an entry in the file: value, seq, block and item.
const scanEntrySize = 16

// toastScan is the list of all chunks of a TOAST table, made by one pass when first asked.
type toastScan struct {
	ctx   context.Context
	fsys  fs.FS
	heap  relFiles
	spill func() (*os.File, error) // opens a temporary file for reading and writing
	limit int                      // entries in memory, at most

	mu   sync.Mutex
	done bool
	err  error
	mem  []scanEntry // the last run, sorted
	file *os.File
	runs []int // entries in each run of the file
}

type scanEntry struct {
	value pgdisk.OID
	seq   uint32
	block pgdisk.BlockNumber
	item  uint16
}

func compareEntries(a, b scanEntry) int {
	return cmp.Or(cmp.Compare(a.value, b.value), cmp.Compare(a.seq, b.seq), cmp.Compare(a.block, b.block), cmp.Compare(a.item, b.item))
}

// chunks returns the chunks of a value in order of seq. The first call reads the whole table.
func (s *toastScan) chunks(value pgdisk.OID) ([]toastChunk, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.done {
		s.err, s.done = s.build(), true
	}
	if s.err != nil {
		return nil, s.err
	}
	found, err := s.inFile(value)
	if err != nil {
		return nil, err
	}
	from, _ := slices.BinarySearchFunc(s.mem, value, func(e scanEntry, v pgdisk.OID) int { return cmp.Compare(e.value, v) })
	for ; from < len(s.mem) && s.mem[from].value == value; from++ {
		found = append(found, s.mem[from])
	}
	slices.SortFunc(found, compareEntries)
	chunks := make([]toastChunk, len(found))
	for i, e := range found {
		chunks[i] = toastChunk{seq: e.seq, tid: pgdisk.TID{Block: e.block, Item: e.item}}
	}
	return chunks, nil
}

// close removes what was spilled.
func (s *toastScan) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return nil
	}
	f := s.file
	s.file, s.done, s.err = nil, true, errors.New("the list of chunks is closed")
	return f.Close()
}

// build reads the table in large pieces. Pages and chunks that cannot be read are passed by:
// the value that needs them will miss them.
func (s *toastScan) build() error {
	rel := newRelReader(s.fsys, s.heap)
	defer rel.close()
	buf := make([]byte, chunkBlocks*pgdisk.BlockSize)
	for c := range s.heap.chunks() {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		b := buf[:c.Count*pgdisk.BlockSize]
		err := rel.read(b, c.First)
		for i := range c.Count {
			page, blk := b[i*pgdisk.BlockSize:(i+1)*pgdisk.BlockSize], c.First+pgdisk.BlockNumber(i)
			if err != nil && rel.read(page, blk) != nil {
				continue
			}
			if err := s.addPage(page, blk); err != nil {
				return err
			}
		}
	}
	slices.SortFunc(s.mem, compareEntries)
	return nil
}

func (s *toastScan) addPage(page []byte, blk pgdisk.BlockNumber) error {
	h, err := pgdisk.DecodePageHeader(page)
	if err != nil || h.IsNew() || len(h.Problems()) > 0 {
		return nil
	}
	for item := 1; item <= h.LinePointers(); item++ {
		t, err := chunkAt(page, pgdisk.TID{Block: blk, Item: uint16(item)})
		if err != nil {
			continue
		}
		fixed, err := t.Fixed(0, 8)
		if err != nil {
			continue
		}
		s.mem = append(s.mem, scanEntry{value: pgdisk.OID(binary.LittleEndian.Uint32(fixed)), seq: binary.LittleEndian.Uint32(fixed[4:]), block: blk, item: uint16(item)})
		if len(s.mem) >= s.limit {
			if err := s.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush writes what is in memory as one run.
func (s *toastScan) flush() error {
	if s.file == nil {
		f, err := s.spill()
		if err != nil {
			return fmt.Errorf("spill the list of chunks: %w", err)
		}
		s.file = f
	}
	slices.SortFunc(s.mem, compareEntries)
	w := bufio.NewWriterSize(s.file, 1<<18)
	var b [scanEntrySize]byte
	for _, e := range s.mem {
		e.encode(b[:])
		if _, err := w.Write(b[:]); err != nil {
			return fmt.Errorf("spill the list of chunks: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("spill the list of chunks: %w", err)
	}
	s.runs = append(s.runs, len(s.mem))
	s.mem = s.mem[:0]
	return nil
}

func (e scanEntry) encode(b []byte) {
	le := binary.LittleEndian
	le.PutUint32(b, uint32(e.value))
	le.PutUint32(b[4:], e.seq)
	le.PutUint32(b[8:], uint32(e.block))
	le.PutUint32(b[12:], uint32(e.item))
}

func decodeEntry(b []byte) scanEntry {
	le := binary.LittleEndian
	return scanEntry{value: pgdisk.OID(le.Uint32(b)), seq: le.Uint32(b[4:]), block: pgdisk.BlockNumber(le.Uint32(b[8:])), item: uint16(le.Uint32(b[12:]))}
}

// inFile searches each run.
func (s *toastScan) inFile(value pgdisk.OID) ([]scanEntry, error) {
	var found []scanEntry
	base := int64(0)
	for _, n := range s.runs {
		var failed error
		at := func(i int) scanEntry {
			var b [scanEntrySize]byte
			if _, err := s.file.ReadAt(b[:], base+int64(i)*scanEntrySize); err != nil && !errors.Is(err, io.EOF) {
				failed = err
			}
			return decodeEntry(b[:])
		}
		i := sort.Search(n, func(i int) bool { return at(i).value >= value })
		for ; i < n; i++ {
			e := at(i)
			if e.value != value {
				break
			}
			found = append(found, e)
		}
		if failed != nil {
			return nil, fmt.Errorf("read the list of chunks: %w", failed)
		}
		base += int64(n) * scanEntrySize
	}
	return found, nil
}
