package pgdisk

import (
	"errors"
	"testing"
)

// testXacts: 700 committed, 701 aborted, 702 was running, 703 sub-committed, others unknown.
func testXacts(x XID) (XactStatus, error) {
	switch x {
	case 700:
		return XactCommitted, nil
	case 701:
		return XactAborted, nil
	case 702:
		return XactInProgress, nil
	case 703:
		return XactSubCommitted, nil
	}
	return 0, errors.New("no such page")
}

// testMembers gives multixact n the updater n+690, and locks beside it; 1 has locks alone.
func testMembers(m MultiXactID) ([]Member, error) {
	switch {
	case m == 1:
		return []Member{{XID: 700, Status: ForUpdate}, {XID: 702, Status: ForKeyShare}}, nil
	case m > 20:
		return nil, &MultiXactError{ID: m, Fault: OffsetZero}
	}
	return []Member{{XID: 700, Status: ForKeyShare}, {XID: XID(690 + m), Status: NoKeyUpdate}}, nil
}

func TestVisibilityJudge(t *testing.T) {
	const (
		committed = HeapXminCommitted
		multi     = HeapXminCommitted | HeapXmaxIsMulti
	)
	yes, no, gone := Verdict{Fate: FateVisible}, Verdict{Fate: FateNotInserted}, Verdict{Fate: FateDeleted}
	doubt := func(f Fate, why string) Verdict { return Verdict{Fate: f, Doubtful: true, Why: why} }
	lostXact, lostMulti := doubt(FateVisible, "pg_xact is lost"), doubt(FateVisible, "multixacts are lost")
	const unknown, sub = "no such page", "transaction 703 is sub-committed: its parent is not known"
	tests := []struct {
		name      string
		h         TupleHeader
		full, bit Verdict // with pg_xact and multixacts, and by hint bits alone
	}{
		{"frozen", TupleHeader{Xmin: 701, Infomask: HeapXminFrozen | HeapXmaxInvalid}, yes, yes},
		{"frozen before 9.4", TupleHeader{Xmin: FrozenXID, Infomask: HeapXmaxInvalid}, yes, yes},
		{"bootstrap", TupleHeader{Xmin: BootstrapXID, Infomask: HeapXmaxInvalid}, yes, yes},
		{"insertion called off", TupleHeader{Xmin: InvalidXID, CTID: TID{Item: SpecTokenItem}}, no, no},
		{"committed", TupleHeader{Infomask: committed}, yes, yes},
		{"aborted", TupleHeader{Infomask: HeapXminInvalid}, no, no},
		{"aborted, however old", TupleHeader{Xmin: FrozenXID, Infomask: HeapXminInvalid}, no, no},
		{"no hint, committed", TupleHeader{Xmin: 700}, yes, lostXact},
		{"no hint, aborted", TupleHeader{Xmin: 701}, no, lostXact},
		{"no hint, crashed or prepared", TupleHeader{Xmin: 702}, no, lostXact},
		{"no hint, sub-committed", TupleHeader{Xmin: 703}, doubt(FateNotInserted, sub), lostXact},
		{"no hint, not to be known", TupleHeader{Xmin: 704}, doubt(FateVisible, unknown), lostXact},
		{"deleted", TupleHeader{Xmax: 5, Infomask: committed | HeapXmaxCommitted}, gone, gone},
		{"deleted, insertion unknown", TupleHeader{Xmin: 704, Xmax: 5, Infomask: HeapXmaxCommitted}, gone, gone},
		{"delete aborted", TupleHeader{Xmax: 5, Infomask: committed | HeapXmaxInvalid}, yes, yes},
		{"locked", TupleHeader{Xmax: 700, Infomask: committed | HeapXmaxLockOnly}, yes, yes},
		{"locked before 9.3", TupleHeader{Xmax: 700, Infomask: committed | HeapXmaxExclLock}, yes, yes},
		{"deleted, no hint", TupleHeader{Xmax: 700, Infomask: committed}, gone, lostXact},
		{"delete aborted, no hint", TupleHeader{Xmax: 701, Infomask: committed}, yes, lostXact},
		{"delete running, no hint", TupleHeader{Xmax: 702, Infomask: committed}, yes, lostXact},
		{"delete sub-committed", TupleHeader{Xmax: 703, Infomask: committed}, doubt(FateVisible, sub), lostXact},
		{"delete unknown", TupleHeader{Xmax: 704, Infomask: committed}, doubt(FateVisible, unknown), lostXact},
		{"inserted and deleted by one, unknown", TupleHeader{Xmin: 704, Xmax: 704}, doubt(FateDeleted, unknown), doubt(FateDeleted, "pg_xact is lost")},
		{"updated in a multixact", TupleHeader{Xmax: 10, Infomask: multi}, gone, lostMulti},
		{"update in a multixact aborted", TupleHeader{Xmax: 11, Infomask: multi}, yes, lostMulti},
		{"update in a multixact running", TupleHeader{Xmax: 12, Infomask: multi}, yes, lostMulti},
		{"update in a multixact unknown", TupleHeader{Xmax: 14, Infomask: multi}, doubt(FateVisible, unknown), lostMulti},
		{"multixact of locks", TupleHeader{Xmax: 10, Infomask: multi | HeapXmaxLockOnly}, yes, yes},
		{"multixact of locks, upgraded", TupleHeader{Xmax: 99, Infomask: multi | HeapXmaxLockOnly}, yes, yes},
		{"multixact without update", TupleHeader{Xmax: 1, Infomask: multi}, doubt(FateVisible, "multixact 1 has no member that updated the row"), lostMulti},
		{"multixact wiped", TupleHeader{Xmax: 99, Infomask: multi}, doubt(FateVisible, "multixact 99: its offset is zero"), lostMulti},
		{"moved off", TupleHeader{Xmin: 701, Field3: 700, Infomask: HeapMovedOff | HeapXmaxInvalid}, gone, lostXact},
		{"move off aborted", TupleHeader{Xmin: 701, Field3: 701, Infomask: HeapMovedOff | HeapXmaxInvalid}, yes, lostXact},
		{"moved in", TupleHeader{Xmin: 701, Field3: 700, Infomask: HeapMovedIn | HeapXmaxInvalid}, yes, lostXact},
		{"move in aborted", TupleHeader{Xmin: 701, Field3: 701, Infomask: HeapMovedIn | HeapXmaxInvalid}, no, lostXact},
		{"speculative, committed", TupleHeader{Infomask: committed | HeapXmaxInvalid, CTID: TID{Item: SpecTokenItem}},
			doubt(FateVisible, "a speculative insertion that was not confirmed"), doubt(FateVisible, "a speculative insertion that was not confirmed")},
		{"speculative, crashed", TupleHeader{Xmin: 702, CTID: TID{Item: SpecTokenItem}}, no, lostXact},
	}
	for _, tt := range tests {
		full := Visibility{Xact: testXacts, Members: testMembers}
		if got := full.Judge(tt.h); got != tt.full {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.full)
		}
		if got := (Visibility{}).Judge(tt.h); got != tt.bit {
			t.Errorf("%s by hint bits: got %+v, want %+v", tt.name, got, tt.bit)
		}
	}
}

// TestVisibilityJudgeHinted: what hint bits decide costs no allocation and no call.
func TestVisibilityJudgeHinted(t *testing.T) {
	v := Visibility{
		Xact:    func(XID) (XactStatus, error) { t.Error("pg_xact was asked"); return 0, nil },
		Members: func(MultiXactID) ([]Member, error) { t.Error("multixacts were asked"); return nil, nil },
	}
	for _, m := range []Infomask{HeapXminFrozen | HeapXmaxInvalid, HeapXminInvalid, HeapXminCommitted | HeapXmaxCommitted} {
		h := TupleHeader{Xmin: 900, Xmax: 901, Infomask: m}
		if n := testing.AllocsPerRun(100, func() { v.Judge(h) }); n != 0 {
			t.Errorf("%v: %v allocations", m.Words(), n)
		}
	}
}

// FuzzVisibilityJudge: every header has a fate, a doubt has a reason, and knowing more never
// makes a sure verdict another one.
func FuzzVisibilityJudge(f *testing.F) {
	f.Add(uint32(700), uint32(701), uint32(0), uint16(HeapXminCommitted), uint16(1))
	f.Add(uint32(2), uint32(10), uint32(700), uint16(HeapXmaxIsMulti|HeapMovedIn), uint16(SpecTokenItem))
	f.Fuzz(func(t *testing.T, xmin, xmax, field3 uint32, mask, item uint16) {
		h := TupleHeader{Xmin: XID(xmin), Xmax: XID(xmax), Field3: field3, Infomask: Infomask(mask), CTID: TID{Item: item}}
		full := Visibility{Xact: testXacts, Members: testMembers}.Judge(h)
		bits := Visibility{}.Judge(h)
		for _, v := range []Verdict{full, bits} {
			if v.Fate < FateVisible || v.Fate > FateDeleted || v.Doubtful != (v.Why != "") {
				t.Fatalf("%+v: %+v", h, v)
			}
		}
		if !bits.Doubtful && bits != full {
			t.Fatalf("%+v: sure by hint bits %+v, with pg_xact %+v", h, bits, full)
		}
	})
}
