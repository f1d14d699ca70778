package pgops

import (
	"fmt"
	"io"
	"io/fs"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// verdict is what becomes of one tuple.
type verdict struct {
	what   Treatment
	header pgdisk.TupleHeader // the new one
	why    string
	loses  string
}

// openFile is one relation file kept open for the next look.
type openFile struct {
	path string
	file fs.File
	at   io.ReaderAt
}

func (t *treating) close() {
	if t.file.file != nil {
		t.file.file.Close()
	}
	t.file = openFile{}
}

// decide follows the rules: a lock that nobody holds is dropped; for an updated row the newer version decides,
// since its xmin is the transaction that updated this one; what nothing decides is kept.
func (t *treating) decide(f relationFile, h pgdisk.PageHeader, page []byte, old pgdisk.TupleHeader, at pgdisk.TID) verdict {
	if old.XmaxLockedOnly() {
		return verdict{what: TreatUnlock, header: clearXmax(old), why: "its multixact is lost; it only locked the row, for transactions that no longer run"}
	}
	keep := func(format string, args ...any) verdict {
		return verdict{what: TreatKeep, header: clearXmax(old), why: fmt.Sprintf(format, args...),
			loses: "whether this row was deleted or replaced: it is kept"}
	}
	switch {
	case old.MovedPartitions():
		return keep("its multixact is lost; an update moved the row to another partition, or was rolled back")
	case !old.Superseded(at):
		return keep("its multixact is lost; the row was deleted, or the deletion was rolled back")
	}
	newer, why := t.newer(f, h, page, old, at)
	if why != "" {
		return keep("its multixact is lost; its newer version %s %s", old.CTID, why)
	}
	committed, known := t.committed(newer)
	switch {
	case !known:
		return keep("its multixact is lost; whether transaction %d, which wrote the newer version %s, committed is not known", newer.Xmin, old.CTID)
	case !committed:
		return verdict{what: TreatRevive, header: clearXmax(old), why: fmt.Sprintf("its multixact is lost; transaction %d, which wrote the newer version %s, did not commit", newer.Xmin, old.CTID)}
	}
	return verdict{what: TreatSupersed, header: setXmax(old, newer.Xmin), why: fmt.Sprintf("its multixact is lost; transaction %d wrote the newer version %s and committed", newer.Xmin, old.CTID)}
}

// newer finds the tuple that t_ctid leads to, and says in why not if there is none that can be believed. A line
// pointer can have been used again since: the newer version must be marked as such, and be a heap-only tuple of the
// same page exactly when the old one says so.
func (t *treating) newer(f relationFile, h pgdisk.PageHeader, page []byte, old pgdisk.TupleHeader, at pgdisk.TID) (newer pgdisk.TupleHeader, whyNot string) {
	hot := old.Infomask2&pgdisk.HeapHotUpdated != 0
	to := old.CTID
	if hot && to.Block != at.Block {
		return newer, "lies on another page, which contradicts the row's own mark"
	}
	if to.Block != at.Block {
		if h, whyNot = t.targetPage(f, to.Block); whyNot != "" {
			return newer, whyNot
		}
		page = t.target
	}
	n := min(h.LinePointers(), pgdisk.MaxHeapTuplesPerPage)
	if int(to.Item) > n || to.Item == 0 {
		return newer, "is not on disk"
	}
	newer, ok := tupleAt(page, h, int(to.Item), n)
	switch {
	case !ok:
		return newer, "is no longer there"
	case newer.Infomask&pgdisk.HeapUpdated == 0:
		return newer, "was overwritten by another row"
	case newer.HeapOnly() != hot:
		return newer, "belongs to another row"
	case !newer.Xmin.Normal():
		return newer, fmt.Sprintf("has transaction id %d, which tells nothing", newer.Xmin)
	}
	return newer, ""
}

// targetPage reads the page of a newer version into t.target.
func (t *treating) targetPage(f relationFile, blk pgdisk.BlockNumber) (h pgdisk.PageHeader, whyNot string) {
	segment, off := pgdisk.LocateBlock(blk, t.heap.perSegment)
	r := f.RelFile
	r.Segment = segment
	path := r.Path()
	if t.file.path != path {
		t.close()
		file, err := t.p.c.fsys.Open(path)
		if err != nil {
			return h, "is not on disk"
		}
		at, ok := file.(io.ReaderAt)
		if !ok {
			file.Close()
			return h, "cannot be read: " + errNoReaderAt.Error()
		}
		t.file = openFile{path: path, file: file, at: at}
	}
	if n, _ := t.file.at.ReadAt(t.target, off); n != pgdisk.BlockSize {
		return h, "is not on disk"
	}
	h, err := pgdisk.DecodePageHeader(t.target)
	if err != nil || h.IsNew() || !sane(h) || h.Special != pgdisk.BlockSize {
		return h, "lies on a page that is damaged or was never written"
	}
	if t.heap.checksums && pgdisk.PageChecksum(t.target, blk) != h.Checksum {
		return h, "lies on a page whose checksum is wrong"
	}
	return h, ""
}

// committed tells whether the server will see the tuple's inserting transaction as committed, after a reset
// without replay: by the hint bits, else by pg_xact as it is on disk. What is not marked there counts as aborted.
func (t *treating) committed(h pgdisk.TupleHeader) (committed, known bool) {
	switch {
	case h.XminFrozen(), h.XminCommitted():
		return true, true
	case h.XminInvalid():
		return false, true
	}
	status, err := pgdisk.ReadXactStatus(t.xact, h.Xmin)
	if err != nil {
		return false, false
	}
	return status == pgdisk.XactCommitted, true
}
