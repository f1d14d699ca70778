package pgdisk

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// walBodyCase is a record's body and what it says.
type walBodyCase struct {
	from, to int // majors
	rmid     RmgrID
	info     uint8
	main     []byte
	block    []byte // data of block 0
	want     string
}

func walFieldsText(fields []RecordField) string {
	parts := make([]string, len(fields))
	for i, f := range fields {
		parts[i] = f.Name + "=" + f.Value
	}
	return strings.Join(parts, "; ")
}

// walBodyCases has what the servers that tests can start do not write, or cannot be told
// apart by: other majors, and kinds that no workload makes.
func walBodyCases() []walBodyCase {
	w := walBytes
	off := func(n ...int) (b []byte) {
		for _, v := range n {
			b = append(b, byte(v), byte(v>>8))
		}
		return b
	}
	plan := w(7, off(3, 0x0B00), uint8(0), uint8(0), off(2))
	tuple := w(off(2, 0x0802), uint8(24), uint8(0), "ab")
	catalog := w(5, 6, 7, 8, off(1, 2, 3), off(0x10, 0))
	return []walBodyCase{
		{13, 16, RmgrCLOG, walCLOGTruncate, w(9, 700, 5), nil, "page=9; oldestXact=700; oldestXactDb=5"},
		{17, 18, RmgrCLOG, walCLOGTruncate, w(uint64(9), 700, 5), nil, "page=9; oldestXact=700; oldestXactDb=5"},
		{13, 16, RmgrCommitTs, walCommitTsTruncate, w(9, 700), nil, "pageno=9; oldestXid=700"},
		{17, 18, RmgrCommitTs, walCommitTsTruncate, w(uint64(9), 700), nil, "pageno=9; oldestXid=700"},
		{13, 13, RmgrCommitTs, walCommitTsSet, w(uint64(1), off(3), off(0), 700, 701, 702), nil,
			"set=2000-01-01 00:00:00.000001 UTC; nodeid=3; for=700; subxacts=701 702"},
		{13, 13, RmgrHeap2, walHeap2CleanupInfo, w(1663, 5, 16384, 700), nil, "snapshotConflictHorizon=700; rel=1663/5/16384"},
		{13, 13, RmgrHeap2, walHeap2Clean, w(700, off(1, 2)), off(1, 9, 2, 3, 4, 5),
			"snapshotConflictHorizon=700; nplans=0; nredirected=1; ndead=2; nunused=2; redirected=[1->9]; dead=[2, 3]; unused=[4, 5]"},
		{14, 15, RmgrHeap2, walHeap2Clean, w(700, off(0, 1)), off(2), "snapshotConflictHorizon=700; nplans=0; nredirected=0; ndead=1; nunused=0; dead=[2]"},
		{16, 16, RmgrHeap2, walHeap2Clean, w(700, off(0, 1), uint8(1)), off(2),
			"snapshotConflictHorizon=700; isCatalogRel=T; nplans=0; nredirected=0; ndead=1; nunused=0; dead=[2]"},
		{14, 15, RmgrHeap2, walHeap2Vacuum, off(2), off(6, 7), "nplans=0; nredirected=0; ndead=0; nunused=2; unused=[6, 7]"},
		{13, 13, RmgrHeap2, walHeap2Vacuum, w(700, off(1)), w(8, off(4, 3, 0x0B00), uint8(0), uint8(0)),
			"snapshotConflictHorizon=700; nplans=1; nredirected=0; ndead=0; nunused=0; plans=[{ xmax: 8, infomask: 2816, infomask2: 3, ntuples: 1, offsets: [4] }]"},
		{16, 16, RmgrHeap2, walHeap2CleanupInfo, w(700, off(1), uint8(0)), w(plan, off(4, 5)),
			"snapshotConflictHorizon=700; isCatalogRel=F; nplans=1; nredirected=0; ndead=0; nunused=0; plans=[{ xmax: 7, infomask: 2816, infomask2: 3, ntuples: 2, offsets: [4, 5] }]"},
		{17, 18, RmgrHeap2, walHeap2Vacuum, w(uint8(1), uint8(walPruneHorizon|walPruneFreezePlans|walPruneRedirections|walPruneDead|walPruneUnused), 700),
			w(off(1, 0), plan, off(1, 1, 9), off(1, 2), off(2, 3, 4), off(5, 6)),
			"snapshotConflictHorizon=700; isCatalogRel=F; nplans=1; nredirected=1; ndead=1; nunused=2; plans=[{ xmax: 7, infomask: 2816, infomask2: 3, ntuples: 2, offsets: [5, 6] }]; redirected=[1->9]; dead=[2]; unused=[3, 4]"},
		{13, 15, RmgrHeap, walHeapTruncate, w(5, 2, uint8(3), make([]byte, 3), 16384, 16385), nil, "flags=[CASCADE, RESTART_SEQS]; nrelids=2; relids=[16384, 16385]"},
		{13, 18, RmgrHeap, walHeapInsert, w(off(3), uint8(8)), tuple, "off=3; flags=0x08"},
		{13, 18, RmgrHeap, walHeapDelete, w(700, off(3), uint8(0x1F), uint8(WALDeleteContainsOldKey), tuple[:5]), nil,
			"xmax=700; off=3; infobits=[IS_MULTI, LOCK_ONLY, EXCL_LOCK, KEYSHR_LOCK, KEYS_UPDATED]; flags=0x04"},
		{13, 18, RmgrHeap, walHeapUpdate, w(700, off(3), uint8(0), uint8(WALUpdatePrefixFromOld|WALUpdateSuffixFromOld), 0, off(4)), w(off(3, 4), tuple),
			"old_xmax=700; old_off=3; old_infobits=[]; flags=0x60; new_xmax=0; new_off=4"},
		{18, 18, RmgrHeap, walHeapInplace, w(off(3, 0), 5, 1663, uint8(1), make([]byte, 3), 1, uint8(0xFE), make([]byte, 3), 5, 1259, 0), nil,
			"off=3; relcache init file inval=dbid 5 tsid 1663; inval msgs=relcache 1259"},
		{13, 13, RmgrBtree, walBtreeReusePage, w(1663, 5, 16384, 8, 700), nil, "rel=1663/5/16384; blk=8; snapshotConflictHorizon=700"},
		{14, 15, RmgrBtree, walBtreeReusePage, w(1663, 5, 16384, 8, uint64(1<<32|700)), nil, "rel=1663/5/16384; blk=8; snapshotConflictHorizon=1:700"},
		{16, 18, RmgrBtree, walBtreeReusePage, w(1663, 5, 16384, 8, uint64(700), uint8(1)), nil, "rel=1663/5/16384; blk=8; snapshotConflictHorizon=0:700; isCatalogRel=T"},
		{14, 15, RmgrBtree, walBtreeDelete, w(700, off(1, 1)), w(off(2), off(4), off(2, 0, 3)),
			"snapshotConflictHorizon=700; ndeleted=1; nupdated=1; deleted=[2]; updated=[{ off: 4, nptids: 2, ptids: [0, 3] }]"},
		{16, 18, RmgrBtree, walBtreeDelete, w(700, off(1, 0), uint8(1)), off(2), "snapshotConflictHorizon=700; ndeleted=1; nupdated=0; isCatalogRel=T; deleted=[2]; updated=[]"},
		{13, 18, RmgrBtree, walBtreeInsertPost, off(5), off(3, 1, 2, 3, 8), "off=5"},
		{13, 14, RmgrDatabase, walDatabaseDropOld, w(5, 2, 1663, 16390), nil, "dir=1663/5 16390/5"},
		{15, 18, RmgrDatabase, walDatabaseDrop, w(5, 2, 1663, 16390), nil, "dir=1663/5 16390/5"},
		{13, 18, RmgrTransaction, walXactCommit | walXactHasInfo, w(uint64(0), walXinfoRelations|walXinfoApplyFeedback|walXinfoOrigin, 1, 1664, 0, 1262, uint64(0x1000A), uint64(0)), nil,
			"time=2000-01-01 00:00:00.000000 UTC; rels=global/1262; apply_feedback=true; origin=node 0, lsn 0/1000A, at 2000-01-01 00:00:00.000000 UTC"},
		{14, 18, RmgrTransaction, walXactInvalidations, w(2, catalog[:16], uint8(0xFD), make([]byte, 3), 1, 2, 3), nil, "inval msgs=catcache 5 smgr"},
		{13, 18, RmgrStandby, walStandbyRunningXacts, w(1, 2, uint8(1), make([]byte, 3), 710, 700, 709, 700, 701, 702), nil,
			"nextXid=710; latestCompletedXid=709; oldestRunningXid=700; xacts=700; subxid overflowed=true; subxacts=701 702"},
		{16, 18, RmgrHash, 0xC0, w(700, off(2), uint8(1)), nil, "snapshotConflictHorizon=700; ntuples=2; isCatalogRel=T"},
		{13, 15, RmgrGist, 0x10, w(700, off(2)), nil, "snapshotConflictHorizon=700; nitems=2"},
	}
}

func walCaseRecord(tt *walBodyCase, major int) *WALRecord {
	rec := walBodyRecord(major, tt.rmid, tt.info, tt.main)
	if tt.block != nil {
		rec.Blocks = []WALBlockRef{{Data: tt.block}}
	}
	return rec
}

func TestWALFields(t *testing.T) {
	for _, tt := range walBodyCases() {
		for major := tt.from; major <= tt.to; major++ {
			rec := walCaseRecord(&tt, major)
			fields, err := rec.Fields()
			if got := walFieldsText(fields); err != nil || got != tt.want {
				t.Errorf("%d %s: %v\n%s, want\n%s", major, rec, err, got, tt.want)
			}
			for n := range tt.main {
				rec.MainData = tt.main[:n]
				var bad *FormatError
				if fields, err := rec.Fields(); err != nil && !errors.As(err, &bad) || err == nil && walFieldsText(fields) == tt.want {
					t.Errorf("%d %s cut to %d: %v, %v", major, rec, n, fields, err)
				}
			}
			rec.MainData = tt.main
			for n := 1; n < len(tt.block) && rec.Rmid == RmgrHeap2; n++ { // without data it has an image
				rec.Blocks[0].Data = tt.block[:n]
				if fields, err := rec.Fields(); err == nil && walFieldsText(fields) == tt.want {
					t.Errorf("%d %s: data cut to %d makes no difference", major, rec, n)
				}
			}
		}
	}
}

func TestWALTuples(t *testing.T) {
	old := make([]byte, 24, 40)
	TupleHeader{Xmin: 5, Infomask2: 2, Hoff: 24}.Encode(old)
	old = append(old, "abcdefgh"...)
	u := WALHeapUpdate{HasNew: true, Prefix: 3, Suffix: 2, New: WALTuple{Infomask2: 2, Hoff: 24, Data: []byte("\x00XYZ")}}
	got, err := u.Rebuild(old)
	if err != nil || string(got.Data) != "\x00abcXYZgh" {
		t.Errorf("rebuilt %q, %v", got.Data, err)
	}
	tuple, err := got.Tuple(9, 0, TID{3, 4})
	if err != nil || string(tuple.Columns()) != "abcXYZgh" || tuple.Xmin != 9 || tuple.CTID != (TID{3, 4}) || got.Natts() != 2 || got.Len() != 32 {
		t.Errorf("tuple %+v, %v", tuple, err)
	}
	for _, bad := range []WALHeapUpdate{
		{},
		{HasNew: true, New: WALTuple{Hoff: 30, Data: []byte("x")}},
		{HasNew: true, New: WALTuple{Hoff: 10, Data: []byte("x")}},
		{HasNew: true, Prefix: 9, New: WALTuple{Hoff: 24, Data: []byte("x")}},
		{HasNew: true, Suffix: 9, New: WALTuple{Hoff: 24, Data: []byte("x")}},
	} {
		if got, err := bad.Rebuild(old); err == nil {
			t.Errorf("%+v gave %+v", bad, got)
		}
	}
	if _, err := u.Rebuild(old[:20]); err == nil {
		t.Error("an old version without header was accepted")
	}
	rec := walBodyRecord(15, RmgrHeap, walHeapHotUpdate, walBytes(700, []byte{3, 0}, uint8(0), uint8(WALUpdatePrefixFromOld|WALUpdateSuffixFromOld|WALUpdateContainsOldKey), 0, []byte{4, 0}, []byte{1, 0, 2, 8, 24}, "k"))
	rec.Blocks = []WALBlockRef{{Data: walBytes([]byte{5, 0, 6, 0, 2, 0, 2, 8, 24}, "n")}}
	h, ok := rec.WALHeapUpdate()
	if !ok || !h.Hot || h.Prefix != 5 || h.Suffix != 6 || !h.HasOld || h.Old.Natts() != 1 || string(h.Old.Data) != "k\x00" || !h.HasNew || h.New.Natts() != 2 || string(h.New.Data) != "n\x00" {
		t.Errorf("update %t: %+v", ok, h)
	}
	body := walBytes(uint8(2), uint8(0), []byte{2, 0})
	data := walBytes([]byte{3, 0, 1, 0, 2, 8, 24}, []byte("\x00ab"), []byte{1, 0, 1, 0, 2, 8, 24}, []byte{0})
	rec = walBodyRecord(15, RmgrHeap2, walHeap2MultiInsert|walHeapInitPage, body)
	rec.Blocks = []WALBlockRef{{Data: data}}
	m, ok := rec.WALHeapMulti()
	var lines []string
	for line, tuple := range m.Tuples {
		lines = append(lines, fmt.Sprintf("%d %q %04X", line, tuple.Data, tuple.Infomask))
	}
	if want := []string{`1 "\x00ab" 0802`, `2 "\x00" 0802`}; !ok || !m.HasTuples() || !slices.Equal(lines, want) {
		t.Errorf("multi-insert %t: %v, want %v", ok, lines, want)
	}
	rec.Blocks[0].Data = data[:len(data)-1]
	if _, ok := rec.WALHeapMulti(); ok {
		t.Error("a multi-insert cut short was accepted")
	}
}

// FuzzWALFields: no body makes a decoder panic or name more items than bytes.
func FuzzWALFields(f *testing.F) {
	for _, tt := range walBodyCases() {
		f.Add(uint8(tt.from), uint8(tt.rmid), tt.info, tt.main, tt.block)
	}
	for major, start := range map[int]LSN{14: walSmallStart14, 16: walSmallStart16} {
		seen := map[string]bool{}
		_, err := FindWALEnd(f.Context(), walSmallSource(f, major, start), start, func(rec *WALRecord) error {
			if !seen[rec.String()] {
				seen[rec.String()] = true
				var data []byte
				if len(rec.Blocks) > 0 {
					data = rec.Blocks[0].Data
				}
				f.Add(uint8(major), uint8(rec.Rmid), rec.Info, slices.Clone(rec.MainData), slices.Clone(data))
			}
			return nil
		})
		if err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, major, rmid, info uint8, main, data []byte) {
		rec := walBodyRecord(13+int(major)%6, RmgrID(rmid), info, main)
		rec.Blocks = []WALBlockRef{{Data: data}, {ID: 2, Data: data}, {ID: 4, Data: data}}
		fields, err := rec.Fields()
		var bad *FormatError
		if err != nil && !errors.As(err, &bad) {
			t.Error(err)
		}
		if n := len(walFieldsText(fields)); n > 1000+200*(len(main)+len(data)) {
			t.Errorf("%d bytes of text", n)
		}
		if u, ok := rec.WALHeapUpdate(); ok {
			if made, err := u.Rebuild(data); err == nil && len(made.Data) > 3*len(data) {
				t.Errorf("%d bytes of tuple", len(made.Data))
			}
		}
		rec.WALBtreeMeta()
		rec.WALBtreeSplit()
	})
}

// Whoever goes through a log decodes each record: that must not cost memory.
func TestWALDecodersDoNotAllocate(t *testing.T) {
	for _, tt := range walBodyCases() {
		rec := walCaseRecord(&tt, tt.to)
		n := testing.AllocsPerRun(5, func() {
			rec.WALXact()
			rec.WALXactInvalidations()
			rec.WALHeapInsert()
			rec.WALHeapUpdate()
			rec.WALHeapDelete()
			rec.WALHeapLock()
			rec.WALHeapMulti()
			rec.WALHeapInplace()
			rec.WALPrune()
			rec.WALBtreeInsert()
			rec.WALBtreeDelete()
			rec.WALRunningXacts()
			rec.WALStandbyLocks()
			rec.WALStorageTruncate()
			rec.WALSequence()
			rec.WALRelMap()
		})
		if n != 0 {
			t.Errorf("%s allocates %g times", rec, n)
		}
	}
}
