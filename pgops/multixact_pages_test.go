package pgops

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// heapPage builds a page with the tuples on line pointers from 1 on.
func heapPage(tuples ...pgdisk.TupleHeader) []byte {
	page := make([]byte, pgdisk.BlockSize)
	put := func(at int, v uint16) { page[at], page[at+1] = byte(v), byte(v>>8) }
	upper := pgdisk.BlockSize
	for i, t := range tuples {
		upper -= 32
		t.Hoff, t.Infomask2 = 24, t.Infomask2|1
		t.Encode(page[upper:])
		id := pgdisk.ItemID{Off: uint16(upper), Flags: pgdisk.ItemNormal, Len: 28}.Encode()
		put(24+4*i, uint16(id))
		put(26+4*i, uint16(id>>16))
	}
	put(12, uint16(24+4*len(tuples)))
	put(14, uint16(upper))
	put(16, pgdisk.BlockSize)
	put(18, pgdisk.BlockSize|4)
	return page
}

// smallCluster has one relation, multixacts 1 to 9 without any file, and transactions 800 committed, 801 aborted.
func smallCluster(t *testing.T, pages ...[]byte) (Pieces, Evidence) {
	t.Helper()
	xact := make([]byte, pgdisk.BlockSize)
	xact[800/4] = 1 | 2<<2
	fsys := fstest.MapFS{"PG_VERSION": {Data: []byte("15\n")}, "pg_xact/0000": {Data: xact}, "global": {Mode: 0o700 | 1<<31}}
	var heap []byte
	for _, p := range pages {
		heap = append(heap, p...)
	}
	fsys["base/5/16384"] = &fstest.MapFile{Data: heap}
	ev := crashed(func(ev *Evidence) {
		ev.Offsets, ev.Members = SLRUEvidence{Dir: "pg_multixact/offsets"}, SLRUEvidence{Dir: "pg_multixact/members"}
		ev.WAL.Files, ev.WAL.SegSize = 0, 0
	})
	return Pieces{Data: fsys}, ev
}

func repairOf(t *testing.T, p Pieces, ev Evidence) *MultiXactPlan {
	t.Helper()
	reset, err := PlanReset(ev, ResetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := PlanMultiXactRepair(context.Background(), p, &ev, reset, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

const (
	multi      = pgdisk.HeapXmaxIsMulti | pgdisk.HeapXminCommitted
	lockedOnly = multi | pgdisk.HeapXmaxLockOnly | pgdisk.HeapXmaxKeyShrLck
)

func tid(block, item int) pgdisk.TID {
	return pgdisk.TID{Block: pgdisk.BlockNumber(block), Item: uint16(item)}
}

// What becomes of a tuple whose multixact is lost, and of its bits.
func TestTreatmentOfOneTuple(t *testing.T) {
	newer := func(x pgdisk.XID, mask pgdisk.Infomask, mask2 pgdisk.Infomask2) pgdisk.TupleHeader {
		return pgdisk.TupleHeader{Xmin: x, Infomask: mask | pgdisk.HeapXmaxInvalid, Infomask2: mask2, CTID: tid(0, 2)}
	}
	for name, c := range map[string]struct {
		old, newer pgdisk.TupleHeader
		want       Treatment
		xmax       pgdisk.XID
	}{
		"locked only":               {old: pgdisk.TupleHeader{Xmax: 5, Infomask: lockedOnly, CTID: tid(0, 1)}, want: TreatUnlock},
		"newer version committed":   {old: pgdisk.TupleHeader{Xmax: 5, Infomask: multi, CTID: tid(0, 2)}, newer: newer(800, pgdisk.HeapUpdated, 0), want: TreatSupersed, xmax: 800},
		"committed by its hint":     {old: pgdisk.TupleHeader{Xmax: 5, Infomask: multi, CTID: tid(0, 2)}, newer: newer(790, pgdisk.HeapUpdated|pgdisk.HeapXminCommitted, 0), want: TreatSupersed, xmax: 790},
		"frozen":                    {old: pgdisk.TupleHeader{Xmax: 5, Infomask: multi, CTID: tid(0, 2)}, newer: newer(720, pgdisk.HeapUpdated|pgdisk.HeapXminFrozen, 0), want: TreatSupersed, xmax: 720},
		"newer version aborted":     {old: pgdisk.TupleHeader{Xmax: 5, Infomask: multi, CTID: tid(0, 2)}, newer: newer(801, pgdisk.HeapUpdated, 0), want: TreatRevive},
		"in progress at the crash":  {old: pgdisk.TupleHeader{Xmax: 5, Infomask: multi, CTID: tid(0, 2)}, newer: newer(802, pgdisk.HeapUpdated, 0), want: TreatRevive},
		"aborted by its hint":       {old: pgdisk.TupleHeader{Xmax: 5, Infomask: multi, CTID: tid(0, 2)}, newer: newer(800, pgdisk.HeapUpdated|pgdisk.HeapXminInvalid, 0), want: TreatRevive},
		"heap-only":                 {old: pgdisk.TupleHeader{Xmax: 5, Infomask: multi, Infomask2: pgdisk.HeapHotUpdated, CTID: tid(0, 2)}, newer: newer(800, pgdisk.HeapUpdated, pgdisk.HeapOnlyTuple), want: TreatSupersed, xmax: 800},
		"heap-only of another row":  {old: pgdisk.TupleHeader{Xmax: 5, Infomask: multi, CTID: tid(0, 2)}, newer: newer(800, pgdisk.HeapUpdated, pgdisk.HeapOnlyTuple), want: TreatKeep},
		"slot used by an insert":    {old: pgdisk.TupleHeader{Xmax: 5, Infomask: multi, CTID: tid(0, 2)}, newer: newer(800, 0, 0), want: TreatKeep},
		"deleted":                   {old: pgdisk.TupleHeader{Xmax: 5, Infomask: multi, Infomask2: pgdisk.HeapKeysUpdated, CTID: tid(0, 1)}, want: TreatKeep},
		"moved to a partition":      {old: pgdisk.TupleHeader{Xmax: 5, Infomask: multi, CTID: pgdisk.TID{Block: 1<<32 - 1, Item: pgdisk.MovedPartitionsItem}}, want: TreatKeep},
		"newer version not on disk": {old: pgdisk.TupleHeader{Xmax: 5, Infomask: multi, CTID: tid(7, 1)}, want: TreatKeep},
		"status unreadable":         {old: pgdisk.TupleHeader{Xmax: 5, Infomask: multi, CTID: tid(0, 2)}, newer: newer(5_000_000, pgdisk.HeapUpdated, 0), want: TreatKeep},
	} {
		t.Run(name, func(t *testing.T) {
			c.old.Xmin = 750
			p, ev := smallCluster(t, heapPage(c.old, c.newer))
			plan := repairOf(t, p, ev)
			got := map[Treatment]uint64{TreatUnlock: plan.Total.Unlock, TreatSupersed: plan.Total.Supersede, TreatRevive: plan.Total.Revive, TreatKeep: plan.Total.Kept}
			if got[c.want] != 1 || got[TreatUnlock]+got[TreatSupersed]+got[TreatRevive]+got[TreatKeep] != 1 {
				t.Fatalf("treated %v, want one %s; kept %v", got, c.want, plan.Kept)
			}
			e := plan.Edits[len(plan.Edits)-1]
			b := make([]byte, pgdisk.TupleHeaderSize)
			copy(b[tupleXmaxAt:], e.After)
			h, err := pgdisk.DecodeTupleHeader(b)
			must(t, err)
			if h.Xmax != c.xmax || h.XmaxIsMulti() || h.XmaxInvalid() == (c.xmax != 0) || h.XmaxCommitted() != (c.xmax != 0) || h.Infomask&(pgdisk.HeapLockMask|pgdisk.HeapXmaxLockOnly) != 0 {
				t.Errorf("xmax %d with %v", h.Xmax, h.Infomask.Words())
			}
			if hot := h.Infomask2&pgdisk.HeapHotUpdated != 0; hot != (name == "heap-only") || c.xmax == 0 && h.KeysUpdated() {
				t.Errorf("bits %v", h.Infomask2.Words())
			}
			if e.At != tid(0, 1) || e.Path != "base/5/16384" || (e.Loses != "") != (c.want == TreatKeep) {
				t.Errorf("edit %+v", e)
			}
		})
	}
}

// A page that was marked as visible to all loses the mark with its first dead row, in the page and in the map.
func TestDeadRowTakesAllVisibleAway(t *testing.T) {
	page := heapPage(pgdisk.TupleHeader{Xmin: 750, Xmax: 5, Infomask: multi, CTID: tid(0, 2)},
		pgdisk.TupleHeader{Xmin: 800, Infomask: pgdisk.HeapUpdated | pgdisk.HeapXmaxInvalid, CTID: tid(0, 2)})
	page[10] = byte(pgdisk.PageAllVisible)
	p, ev := smallCluster(t, page)
	vm := heapPage()
	vm[24] = 0xFF
	p.Data.(fstest.MapFS)["base/5/16384_vm"] = &fstest.MapFile{Data: vm}
	ev.Control.Values.DataChecksumVersion = 1
	pgdisk.PutPageChecksum(page, 0)
	p.Data.(fstest.MapFS)["base/5/16384"] = &fstest.MapFile{Data: page}
	pgdisk.PutPageChecksum(vm, 0)
	plan := repairOf(t, p, ev)
	files := map[string][]byte{"base/5/16384": page, "base/5/16384_vm": vm}
	for _, e := range plan.Edits {
		if f := files[e.Path]; f != nil {
			copy(f[e.Offset:], e.After)
		}
	}
	if page[10]&byte(pgdisk.PageAllVisible) != 0 || vm[24] != 0xFC {
		t.Errorf("page flags %#x, map byte %#x", page[10], vm[24])
	}
	for path, f := range files {
		if v, _, _ := pgdisk.VerifyPage(f, 0); v != pgdisk.PageChecksumOK {
			t.Errorf("%s: checksum verdict %d", path, v)
		}
	}
}

// A page missing in the middle of the offsets: what follows it bounds the fill, and the multixact before it is lost
// with it, since its end stood on the missing page.
func TestHoleInOffsetsIsFilledFromBehind(t *testing.T) {
	offsets := make([]byte, 3*pgdisk.BlockSize)
	for id := 1; id < 3*offsetsPage; id++ {
		if id < offsetsPage || id >= 2*offsetsPage {
			copy(offsets[4*id:], pgdisk.EncodeOffsetEntry(pgdisk.MultiXactOffset(2*id)))
		}
	}
	tuples := []pgdisk.TupleHeader{
		{Xmin: 750, Xmax: 2046, Infomask: lockedOnly, CTID: tid(0, 1)}, {Xmin: 750, Xmax: 2047, Infomask: lockedOnly, CTID: tid(0, 2)},
		{Xmin: 750, Xmax: 4095, Infomask: lockedOnly, CTID: tid(0, 3)}, {Xmin: 750, Xmax: 4096, Infomask: lockedOnly, CTID: tid(0, 4)},
	}
	p, ev := smallCluster(t, heapPage(tuples...))
	members := make([]byte, 10*pgdisk.BlockSize)
	for o := range pgdisk.MultiXactOffset(6 * offsetsPage) {
		at := pgdisk.MemberOf(o)
		copy(members[at.XIDByte:], pgdisk.EncodeOffsetEntry(700))
	}
	p.Data.(fstest.MapFS)["pg_multixact/members/0000"] = &fstest.MapFile{Data: members}
	// The file ends where the hole begins; what lay behind it is in the second file's place in a real cluster,
	// so here the first file is cut and the range ends with it.
	p.Data.(fstest.MapFS)["pg_multixact/offsets/0000"] = &fstest.MapFile{Data: offsets[:pgdisk.BlockSize+100]}
	c := &ev.Control.Values.CheckpointCopy
	c.NextMulti, c.NextMultiOffset = 3*offsetsPage-1, 2*(3*offsetsPage-1)
	ev.WAL.NextMulti, ev.WAL.NextOffset = c.NextMulti, c.NextMultiOffset
	ev.Offsets = slru("pg_multixact/offsets", 0, 0, offsetsPage, offsetsPage-1, 2*(offsetsPage-1))
	ev.Members = slru("pg_multixact/members", 0, 0, 10*1636, 2*(3*offsetsPage-1)-1, 0)
	ev.Pages.MaxMulti = 0
	rep, err := ScanMultiXact(context.Background(), p, &ev, nil)
	must(t, err)
	if rep.Total.Readable != 1 || rep.Total.Locked != 3 || len(rep.Offsets) != 1 || rep.Offsets[0].First != 1 || rep.Offsets[0].Last != 2 {
		t.Errorf("total %+v, offsets %+v", rep.Total, rep.Offsets)
	}
	plan := repairOf(t, p, ev)
	file := offsets[: pgdisk.BlockSize+100 : pgdisk.BlockSize+100]
	for _, e := range plan.Edits {
		if e.Path == "pg_multixact/offsets/0000" {
			file = append(file[:e.Offset], e.After...)
		}
	}
	if len(file)%pgdisk.BlockSize != 0 || len(file) != 3*pgdisk.BlockSize {
		t.Fatalf("file of %d bytes", len(file))
	}
	for _, id := range []pgdisk.MultiXactID{2048, 3000, 4096, 6142, 6143} {
		o, err := pgdisk.PageOffset(file[pgdisk.OffsetOf(id).PageByte:][:pgdisk.BlockSize], id)
		if want := c.NextMultiOffset; err != nil || o != want {
			t.Errorf("entry %d is %d, %v, want %d", id, o, err, want)
		}
	}
}

func TestTooManyEditsAreRefused(t *testing.T) {
	var tuples []pgdisk.TupleHeader
	for i := range 20 {
		tuples = append(tuples, pgdisk.TupleHeader{Xmin: 750, Xmax: 5, Infomask: lockedOnly, CTID: tid(0, i+1)})
	}
	p, ev := smallCluster(t, heapPage(tuples...))
	reset, err := PlanReset(ev, ResetOptions{})
	must(t, err)
	_, err = PlanMultiXactRepair(context.Background(), p, &ev, reset, 10, nil)
	var many *TooManyEditsError
	if !errors.As(err, &many) {
		t.Errorf("err = %v, want a TooManyEditsError", err)
	}
	n := 0
	plan, err := StreamMultiXactRepair(context.Background(), p, &ev, reset, nil, func(Edit) error { n++; return nil })
	if err != nil || n != plan.Count || plan.Total.Unlock != 20 {
		t.Errorf("streamed %d of %d: %v", n, plan.Count, err)
	}
}

func TestScansStopWhenCancelled(t *testing.T) {
	p, ev := smallCluster(t, heapPage())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := ScanParams(ctx, p, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("ScanParams: %v", err)
	}
	if _, err := ScanMultiXact(ctx, p, &ev, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("ScanMultiXact: %v", err)
	}
}

func TestWordsOfAWipedPage(t *testing.T) {
	w := WipedPage{Path: "base/5/16384", Block: 3, Bytes: 6000, Rows: 185}
	if got, want := fmt.Sprint(w), "block 3 of base/5/16384 has 6000 bytes of tuples but no line pointers: about 185 rows unreachable"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
