package pgdisk

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"testing/fstest"
)

// walBytes lays out integers little endian: uint8, uint16, uint32, uint64, or bytes.
func walBytes(fields ...any) (b []byte) {
	le := binary.LittleEndian
	for _, f := range fields {
		switch v := f.(type) {
		case int:
			b = le.AppendUint32(b, uint32(v))
		case uint8:
			b = append(b, v)
		case uint16:
			b = le.AppendUint16(b, v)
		case uint64:
			b = le.AppendUint64(b, v)
		case []byte:
			b = append(b, v...)
		case string:
			b = append(append(b, v...), 0)
		}
	}
	return b
}

func walBodyRecord(major int, rmid RmgrID, info uint8, body []byte) *WALRecord {
	return &WALRecord{WALRecordHeader: WALRecordHeader{Rmid: rmid, Info: info, XID: 700}, LSN: 0x1000, Major: major, MainData: body}
}

func TestWALXactBodies(t *testing.T) {
	when := walTestTime(5)
	stamp := walTimeBytes(when)
	const all = walXinfoDBInfo | walXinfoSubxacts | walXinfoRelations | walXinfoInvals | walXinfoTwoPhase | walXinfoOrigin | walXinfoGID | walXinfoDroppedStats
	parts := func(statSize int) []byte {
		return walBytes(stamp, all, 5, 1663, 2, 701, 702, 3, make([]byte, 36), 2, make([]byte, 2*statSize), 1, make([]byte, 16), 699, "the gid", uint64(1), uint64(2))
	}
	tests := []struct {
		name  string
		major int
		info  uint8
		body  []byte
		want  WALXact
		subs  []XID
	}{
		{"plain commit", 13, walXactCommit, stamp, WALXact{Kind: WALCommitted, XID: 700, Time: when}, nil},
		{"plain abort", 18, walXactAbort, stamp, WALXact{Kind: WALAborted, XID: 700, Time: when}, nil},
		{"everything, 17", 17, walXactCommitPrepared | walXactHasInfo, parts(12),
			WALXact{Kind: WALCommittedPrepared, XID: 699, Time: when, Database: 5, Dropped: make(WALRelations, 36), GID: "the gid"}, []XID{701, 702}},
		{"everything, 18", 18, walXactAbortPrepared | walXactHasInfo, parts(16),
			WALXact{Kind: WALAbortedPrepared, XID: 699, Time: when, Database: 5, Dropped: make(WALRelations, 36), GID: "the gid"}, []XID{701, 702}},
		{"prepare, 14", 14, walXactPrepare, walBytes(0x57F94534, 100, 690, 5, stamp, 10, 2, 2, 0, 1, uint16(0), uint16(4), uint64(0), uint64(0), "gid", make([]byte, 4), 691, 692, make([]byte, 24+16)),
			WALXact{Kind: WALPrepared, XID: 690, Time: when, Database: 5, Dropped: make(WALRelations, 24), GID: "gid"}, []XID{691, 692}},
		{"prepare, 15", 15, walXactPrepare, walBytes(0x57F94534, 100, 690, 5, stamp, 10, 1, 0, 0, 2, 1, 1, uint16(0), uint16(4), uint64(0), uint64(0), "gid", make([]byte, 4), 691, 0, make([]byte, 24+12+4+16)),
			WALXact{Kind: WALPrepared, XID: 690, Time: when, Database: 5, GID: "gid"}, []XID{691}},
	}
	for _, tt := range tests {
		rec := walBodyRecord(tt.major, RmgrTransaction, tt.info, tt.body)
		x, ok, err := rec.WALXact()
		if !ok || err != nil {
			t.Errorf("%s: %t, %v", tt.name, ok, err)
			continue
		}
		var subs []XID
		for i := range x.SubxactCount() {
			subs = append(subs, x.Subxact(i))
		}
		if !slices.Equal(subs, tt.subs) {
			t.Errorf("%s: subtransactions %v, want %v", tt.name, subs, tt.subs)
		}
		if x.LSN != 0x1000 || x.Kind != tt.want.Kind || x.XID != tt.want.XID || !x.Time.Equal(tt.want.Time) || x.Database != tt.want.Database || !slices.Equal(x.Dropped, tt.want.Dropped) || x.GID != tt.want.GID {
			t.Errorf("%s: %+v, want %+v", tt.name, x, tt.want)
		}
		// Cut anywhere, it is an error that still says what it is about.
		for n := range tt.body {
			rec.MainData = tt.body[:n]
			x, ok, err := rec.WALXact()
			var bad *FormatError
			if !ok || x.Kind != tt.want.Kind || x.XID == 0 || err != nil && !errors.As(err, &bad) {
				t.Errorf("%s cut to %d: %+v, %t, %v", tt.name, n, x, ok, err)
			}
		}
	}
	top, subs, ok := walBodyRecord(15, RmgrTransaction, walXactAssignment, walBytes(700, 2, 701, 702)).WALAssignment()
	if !ok || top != 700 || len(subs) != 8 {
		t.Errorf("assignment of %d bytes to %d, %t", len(subs), top, ok)
	}
}

func TestWALMultiBodies(t *testing.T) {
	m, ok := walBodyRecord(15, RmgrMultiXact, walMultiCreateID, walBytes(9, 100, 2, 701, 0, 702, 5)).WALMultiCreate()
	want := []WALMultiMember{{701, 0}, {702, 5}}
	if !ok || m.Multi != 9 || m.Offset != 100 || m.Next() != 10 || m.NextOffset() != 102 || !slices.Equal(m.Members(), want) {
		t.Errorf("create: %+v, %t", m, ok)
	}
	if want[0].Status.Update() || !want[1].Status.Update() || want[1].Status.String() != "upd" || want[0].Status.String() != "keysh" {
		t.Errorf("statuses %s, %s", want[0].Status, want[1].Status)
	}
	m, ok = walBodyRecord(15, RmgrMultiXact, walMultiCreateID, walBytes(-1, -1, 2, 701, 0, 702, 5)).WALMultiCreate()
	if !ok || m.Next() != FirstMultiXactID || m.NextOffset() != 1 {
		t.Errorf("at the end of the ids: next %d, offset %d", m.Next(), m.NextOffset())
	}
	for _, n := range []int{3, -1, 1 << 29} {
		if m, ok := walBodyRecord(15, RmgrMultiXact, walMultiCreateID, walBytes(9, 100, n, 701, 0, 702, 5)).WALMultiCreate(); ok {
			t.Errorf("%d members in the space of 2: %+v", n, m)
		}
	}
	if z, ok := walBodyRecord(16, RmgrMultiXact, walMultiZeroOffPage, walBytes(7)).WALMultiZero(); !ok || z.Page != 7 || z.Members {
		t.Errorf("zero: %+v, %t", z, ok)
	}
	if z, ok := walBodyRecord(17, RmgrMultiXact, walMultiZeroMemPage, walBytes(uint64(8))).WALMultiZero(); !ok || z.Page != 8 || !z.Members {
		t.Errorf("zero: %+v, %t", z, ok)
	}
	tr, ok := walBodyRecord(15, RmgrMultiXact, walMultiTruncateID, walBytes(1, 2, 3, 4, 5)).WALMultiTruncate()
	if !ok || tr != (WALMultiTruncate{0x1000, 1, 2, 3, 4, 5}) {
		t.Errorf("truncate: %+v, %t", tr, ok)
	}
}

// walCheckpointBody lays out a CheckPoint.
func walCheckpointBody(c CheckpointRecord) []byte {
	fpw := uint8(0)
	if c.FullPageWrites {
		fpw = 1
	}
	return walBytes(uint64(c.Redo), int(c.ThisTimeLineID), int(c.PrevTimeLineID), fpw, make([]byte, 3), int(c.Level), uint64(c.NextXID),
		int(c.NextOID), int(c.NextMulti), int(c.NextMultiOffset), int(c.OldestXID), int(c.OldestXIDDB), int(c.OldestMulti), int(c.OldestMultiDB), 0,
		uint64(c.Time), int(c.OldestCommitTsXID), int(c.NewestCommitTsXID), int(c.OldestActiveXID), 0)
}

func walTestCheckpoint() CheckpointRecord {
	return CheckpointRecord{
		Redo: 0x100028, ThisTimeLineID: 1, PrevTimeLineID: 1, FullPageWrites: true, Level: LevelLogical, NextXID: 3<<32 | 900,
		NextOID: 24576, NextMulti: 40, NextMultiOffset: 80, OldestXID: 3, OldestXIDDB: 1, OldestMulti: 2, OldestMultiDB: 4,
		Time: 1772334000, OldestCommitTsXID: 5, NewestCommitTsXID: 6, OldestActiveXID: 899,
	}
}

func TestWALCheckpointBody(t *testing.T) {
	want := walTestCheckpoint()
	body := walCheckpointBody(want)
	if len(body) != walCheckpointSize {
		t.Fatalf("%d bytes", len(body))
	}
	c, ok := walBodyRecord(17, RmgrXLOG, walXLOGCheckpointOnline, body).WALCheckpoint()
	if !ok || !c.Online || c.LSN != 0x1000 || c.CheckpointRecord != want {
		t.Errorf("checkpoint %+v, %t", c, ok)
	}
	c, ok = walBodyRecord(16, RmgrXLOG, walXLOGCheckpointShutdown, body).WALCheckpoint()
	want.Level = 0
	if !ok || c.Online || c.CheckpointRecord != want {
		t.Errorf("checkpoint of 16 %+v, %t", c, ok)
	}
	if _, ok := walBodyRecord(17, RmgrXLOG, walXLOGCheckpointOnline, body[:87]).WALCheckpoint(); ok {
		t.Error("87 bytes read as a checkpoint")
	}
}

func TestWALSummary(t *testing.T) {
	w := newWALBuilder(15)
	w.insert(4294967290, 10) // of the epoch before
	w.add(RmgrXLOG, walXLOGCheckpointOnline, 0, walFragmentBytes(nil, walCheckpointBody(walTestCheckpoint()), false))
	w.commit(905)
	w.add(RmgrMultiXact, walMultiCreateID, 0, walFragmentBytes(nil, walBytes(45, 90, 3, 901, 0, 950, 5, 902, 0), false))
	w.add(RmgrXLOG, walXLOGNextOID, 0, walFragmentBytes(nil, walBytes(32768), false))
	w.add(RmgrTransaction, walXactCommit|walXactHasInfo, 906, walFragmentBytes(nil, walBytes(walTimeBytes(walTestTime(906)), walXinfoSubxacts, 1, 960), false))
	w.add(RmgrTransaction, walXactAbort, 907, walFragmentBytes(nil, walTimeBytes(walTestTime(907)), false))
	var s WALSummary
	if _, err := FindWALEnd(t.Context(), w.source(), w.starts[0], s.Add); err != nil {
		t.Fatal(err)
	}
	if s.NextXID != 3<<32|961 || !s.EpochKnown {
		t.Errorf("next xid %s, want 3:961", s.NextXID)
	}
	if s.NextMulti != 46 || s.NextMultiOffset != 93 || s.NextOID != 32768 || s.OldestMulti != 2 || s.OldestXID != 3 {
		t.Errorf("next multi %d, offset %d, oid %d, oldest %d, %d", s.NextMulti, s.NextMultiOffset, s.NextOID, s.OldestMulti, s.OldestXID)
	}
	if s.Commits != 2 || s.Aborts != 1 || s.FirstCommit.XID != 905 || s.LastCommit.XID != 906 || !s.LastCommitTime().Equal(walTestTime(906)) {
		t.Errorf("%d commits, %d aborts, first %+v, last %+v", s.Commits, s.Aborts, s.FirstCommit, s.LastCommit)
	}
	if s.Checkpoints != 1 || s.LastCheckpoint.LSN != w.starts[1] || s.Records != 7 || s.End != w.pos || s.ByManager[RmgrTransaction] != 3 {
		t.Errorf("summary %+v", s)
	}
}

// Ids wrap around: the epoch goes up, and the greatest number is not the latest id.
func TestWALSummaryWrapsAround(t *testing.T) {
	c := walTestCheckpoint()
	c.NextXID, c.NextMulti, c.NextMultiOffset = 3<<32|0xFFFFFFF0, 0xFFFFFFF0, 0xFFFFFFF0
	w := newWALBuilder(15)
	w.add(RmgrXLOG, walXLOGCheckpointOnline, 0, walFragmentBytes(nil, walCheckpointBody(c), false))
	w.commit(0xFFFFFFFF)
	w.commit(10)
	w.add(RmgrMultiXact, walMultiCreateID, 0, walFragmentBytes(nil, walBytes(3, 5, 2, 9, 0, 0xFFFFFFFE, 5), false))
	var s WALSummary
	if _, err := FindWALEnd(t.Context(), w.source(), w.starts[0], s.Add); err != nil {
		t.Fatal(err)
	}
	if s.NextXID != 4<<32|11 || s.NextMulti != 4 || s.NextMultiOffset != 7 {
		t.Errorf("next xid %s, multi %d, offset %d, want 4:11, 4, 7", s.NextXID, s.NextMulti, s.NextMultiOffset)
	}
}

func TestScanWALCheckpoints(t *testing.T) {
	w := newWALBuilder(15).fill(100)
	checkpoint := func(info uint8, xid FullXID) LSN {
		c := walTestCheckpoint()
		c.NextXID = xid
		return w.add(RmgrXLOG, info, 0, walFragmentBytes(nil, walCheckpointBody(c), false))
	}
	want := []LSN{checkpoint(walXLOGCheckpointOnline, 1)}
	// One on each possible alignment towards the end of a page, so that some are split.
	for len(want) < 60 {
		w.fillPage()
		w.insert(5, BlockSize-24-49-8*len(want))
		want = append(want, checkpoint(walXLOGCheckpointShutdown, FullXID(len(want)+1)))
	}
	w.fill(2000)
	want = append(want, checkpoint(walXLOGCheckpointOnline, 99))
	w.bytes(w.starts[50])[30] ^= 1      // damage elsewhere does not matter
	w.bytes(want[3])[50] ^= 1           // damage inside does
	w.data[9] = slices.Clone(w.data[1]) // a recycled segment holds old ones
	want = slices.Delete(want, 3, 4)
	fsys := w.fs()
	fsys["00000001.history"] = &fstest.MapFile{}
	var got []LSN
	err := ScanWALCheckpoints(t.Context(), fsys, w.segSize, func(c WALFoundCheckpoint) error {
		got = append(got, c.LSN)
		if c.SystemID != walTestSysID || c.Major != 15 || c.Segment != WALSegmentAt(1, c.LSN, w.segSize) || c.OldestMulti != 2 {
			t.Errorf("found %+v", c)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("found %d at %v, want %d at %v", len(got), got, len(want), want)
	}
}
