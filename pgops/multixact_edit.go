package pgops

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// Edit is a change of one byte range of one file, as data. Whoever carries it out first compares Before,
// saves it, writes, and syncs the file and, when it is new, its directory. Mode of a new file is 0600,
// owner that of the directory. The ranges of one plan do not overlap; those that lengthen a file come in order
// of position, so that none leaves a hole.
type Edit struct {
	Path   string // under the data directory
	Offset int64
	Before []byte // what must be there now: shorter than the new bytes when the file ends here, nil when all of it is new
	After  []byte // the new bytes, at most one page
	Zeros  int64  // instead of After: so many zero bytes, beyond the end of the file as it is now
	Create bool   // the file is not there yet
	Why    string
	Loses  string     // what this gives up; empty when nothing
	At     pgdisk.TID // the tuple it treats, zero when none
}

// Len is the number of bytes that the edit writes.
func (e Edit) Len() int64 {
	if e.After != nil {
		return int64(len(e.After))
	}
	return e.Zeros
}

// WriteTo writes the new bytes; memory stays flat for a long run of zeros.
func (e Edit) WriteTo(w io.Writer) (int64, error) {
	if e.After != nil {
		n, err := w.Write(e.After)
		return int64(n), err
	}
	var page [pgdisk.BlockSize]byte
	var done int64
	for done < e.Zeros {
		n, err := w.Write(page[:min(e.Zeros-done, pgdisk.BlockSize)])
		done += int64(n)
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// String tells the edit in one line.
func (e Edit) String() string {
	what := fmt.Sprintf("%s: %d bytes at %d", e.Path, e.Len(), e.Offset)
	if e.At != (pgdisk.TID{}) {
		what += fmt.Sprintf(", tuple %s", e.At)
	}
	return what + ": " + e.Why
}

// digest hashes edits one after the other, so that no list of them has to be kept.
type digest struct{ hash.Hash }

func newDigest() digest { return digest{sha256.New()} }

func (d digest) add(e Edit) {
	var n [8]byte
	put := func(v int64) {
		binary.LittleEndian.PutUint64(n[:], uint64(v))
		d.Write(n[:])
	}
	field := func(b []byte) {
		put(int64(len(b)))
		d.Write(b)
	}
	field([]byte(e.Path))
	put(e.Offset)
	field(e.Before)
	field(e.After)
	put(e.Zeros)
	if e.Create {
		put(1)
	}
	field([]byte(e.Why))
	field([]byte(e.Loses))
}

func (d digest) String() string { return hex.EncodeToString(d.Sum(nil)) }

// createPage adds the edit that makes the first page of a directory exist, where the next id had to wrap
// around to the middle of it.
func (r *resetting) createPage(g pgdisk.Geometry, s SLRUEvidence, why string) {
	if s.holds(0) {
		return
	}
	e := Edit{Path: g.LocatePage(0).Path(), Zeros: pgdisk.BlockSize, Create: true, Why: why}
	r.plan.Edits = append(r.plan.Edits, e)
}
