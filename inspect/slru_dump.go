package inspect

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// slruDumped is one entry of an SLRU directory that is not zero. Which fields there are
// depends on the directory.
type slruDumped struct {
	ID     uint64  `json:"id"`
	Offset *uint32 `json:"offset,omitempty"`      // of a multixact's first member
	XID    *uint32 `json:"xid,omitempty"`         // of a member
	Status string  `json:"status,omitempty"`      // of a member
	Time   string  `json:"commit_time,omitempty"` // of a transaction
	Origin *uint16 `json:"origin,omitempty"`
	Parent *uint32 `json:"parent,omitempty"` // of a subtransaction
	CSN    *uint64 `json:"commit_seq_no,omitempty"`
	text   string
}

// SLRUDump writes every entry of one SLRU directory that is not zero, in the order of age; of
// pg_xact, the runs of one status. Entries of pg_notify have no ids and are refused.
func SLRUDump(ctx context.Context, src SLRUSource, asJSON bool, w io.Writer) (findings int, err error) {
	g, err := src.only()
	if err != nil {
		return 0, err
	}
	decode := slruDecoderOf(g.Dir)
	if decode == nil && g.Dir != pgdisk.XactGeometry().Dir {
		return 0, &SLRUQuestionError{g.Dir + " has no entries that could be listed by id"}
	}
	s, err := pgdisk.SurveySLRU(ctx, src.FS, g)
	if err != nil {
		return 0, err
	}
	out := bufio.NewWriterSize(w, 1<<16)
	p := newSLRUPrinter(out, asJSON)
	r := &slruRanger{p: p}
	err = s.EachSegment(ctx, src.FS, func(_ pgdisk.Segment, firstID uint64, data []byte) error {
		for ; len(data) >= pgdisk.BlockSize; data, firstID = data[pgdisk.BlockSize:], firstID+g.EntriesPerPage {
			page := data[:pgdisk.BlockSize]
			if decode == nil {
				r.walkPage(page, 0, g.EntriesPerPage-1, firstID)
			} else if !pgdisk.PageIsZero(page) {
				slruDumpPage(p, g, page, firstID, decode)
			}
		}
		return p.err
	})
	if err != nil {
		return 0, err
	}
	r.flush()
	findings = p.incomplete(src, s)
	if p.err != nil {
		return findings, p.err
	}
	return findings, out.Flush()
}

func slruDumpPage(p *slruPrinter, g pgdisk.Geometry, page []byte, firstID uint64, decode func([]byte, uint64) (slruDumped, bool)) {
	for id := firstID; id < min(firstID+g.EntriesPerPage, g.Entries); id++ {
		e, ok := decode(page, id)
		switch {
		case !ok:
		case p.json != nil:
			p.object(&e)
		default:
			p.line("%d %s", e.ID, e.text)
		}
	}
}

// slruDecoderOf returns the function that reads the entry of an id from its page, and says
// whether it is in use.
func slruDecoderOf(dir string) func(page []byte, id uint64) (slruDumped, bool) {
	l, _ := pgdisk.LayoutFor(18)
	switch dir {
	case pgdisk.OffsetsGeometry().Dir:
		return dumpOffset
	case pgdisk.MembersGeometry().Dir:
		return dumpMember
	case pgdisk.CommitTsGeometry().Dir:
		return dumpCommitTs
	case pgdisk.SubtransGeometry().Dir:
		return dumpSubtrans
	case pgdisk.SerialGeometry(l).Dir:
		return dumpSerial
	}
	return nil
}

func dumpOffset(page []byte, id uint64) (slruDumped, bool) {
	o, err := pgdisk.PageOffset(page, pgdisk.MultiXactID(id))
	if err != nil || o == 0 {
		return slruDumped{}, false
	}
	return slruDumped{ID: id, Offset: (*uint32)(&o), text: fmt.Sprint(o)}, true
}

func dumpMember(page []byte, id uint64) (slruDumped, bool) {
	m, err := pgdisk.PageMember(page, pgdisk.MultiXactOffset(id))
	if err != nil || m == (pgdisk.Member{}) {
		return slruDumped{}, false
	}
	status := m.Status.String()
	return slruDumped{ID: id, XID: (*uint32)(&m.XID), Status: status, text: fmt.Sprintf("%d %s", m.XID, status)}, true
}

func dumpCommitTs(page []byte, id uint64) (slruDumped, bool) {
	c, err := pgdisk.PageCommitTs(page, pgdisk.XID(id))
	if err != nil || c == (pgdisk.CommitTs{}) {
		return slruDumped{}, false
	}
	at := c.Time().Format(time.RFC3339Nano)
	return slruDumped{ID: id, Time: at, Origin: (*uint16)(&c.Origin), text: fmt.Sprintf("%s origin %d", at, c.Origin)}, true
}

func dumpSubtrans(page []byte, id uint64) (slruDumped, bool) {
	x, err := pgdisk.PageSubtransParent(page, pgdisk.XID(id))
	if err != nil || x == pgdisk.InvalidXID {
		return slruDumped{}, false
	}
	return slruDumped{ID: id, Parent: (*uint32)(&x), text: fmt.Sprintf("parent %d", x)}, true
}

// dumpSerial reads a SerCommitSeqNo (storage/predicate_internals.h).
func dumpSerial(page []byte, id uint64) (slruDumped, bool) {
	n := binary.LittleEndian.Uint64(page[id%(pgdisk.BlockSize/8)*8:])
	return slruDumped{ID: id, CSN: &n, text: fmt.Sprintf("commit sequence number %d", n)}, n != 0
}
