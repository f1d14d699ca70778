package pgdisk

import (
	"strings"
	"testing"
)

func TestTupleHeader(t *testing.T) {
	want := TupleHeader{Xmin: 0x01020304, Xmax: 0x11121314, Field3: 0x21222324, CTID: TID{0x00010002, 9},
		Infomask2: 0xE003, Infomask: 0x1990, Hoff: 32}
	b := make([]byte, TupleHeaderSize)
	want.Encode(b)
	h, err := DecodeTupleHeader(b)
	if err != nil || h != want {
		t.Errorf("got %+v, %v", h, err)
	}
	// t_ctid has the high half of the block first.
	if b[12] != 1 || b[14] != 2 || h.CTID.String() != "(65538,9)" || h.Natts() != 3 {
		t.Errorf("bytes % X, ctid %s, natts %d", b[12:18], h.CTID, h.Natts())
	}
	if _, err := DecodeTupleHeader(b[:22]); err == nil {
		t.Error("22 bytes were read")
	}
}

func TestTuplePredicates(t *testing.T) {
	tests := []struct {
		name string
		got  func(TupleHeader) bool
		yes  []Infomask
		no   []Infomask
	}{
		{"XmaxLockedOnly", TupleHeader.XmaxLockedOnly,
			[]Infomask{0x0080, 0x0080 | 0x1000, 0x0040, 0x00C0, 0x0090},
			[]Infomask{0, 0x0010, 0x0050, 0x1040, 0x1000, 0x0400}},
		{"XminFrozen", TupleHeader.XminFrozen, []Infomask{0x0300}, []Infomask{0x0100, 0x0200, 0}},
		{"XminInvalid", TupleHeader.XminInvalid, []Infomask{0x0200}, []Infomask{0x0300, 0x0100, 0}},
		{"XminCommitted", TupleHeader.XminCommitted, []Infomask{0x0300, 0x0100}, []Infomask{0x0200, 0}},
		{"XmaxIsMulti", TupleHeader.XmaxIsMulti, []Infomask{0x1000}, []Infomask{0}},
		{"XmaxInvalid", TupleHeader.XmaxInvalid, []Infomask{0x0800}, []Infomask{0x0400}},
		{"XmaxCommitted", TupleHeader.XmaxCommitted, []Infomask{0x0400}, []Infomask{0x0800}},
		{"LockedUpgraded", TupleHeader.LockedUpgraded, []Infomask{0x1080}, []Infomask{0x1090, 0x10C0, 0x1000, 0x0080}},
		{"HasNulls", TupleHeader.HasNulls, []Infomask{1}, []Infomask{2}},
	}
	for _, tt := range tests {
		for _, m := range tt.yes {
			if !tt.got(TupleHeader{Xmin: 700, Infomask: m}) {
				t.Errorf("%s of %04X is false", tt.name, uint16(m))
			}
		}
		for _, m := range tt.no {
			if tt.got(TupleHeader{Xmin: 700, Infomask: m}) {
				t.Errorf("%s of %04X is true", tt.name, uint16(m))
			}
		}
	}
	hot := TupleHeader{Infomask2: HeapHotUpdated | HeapOnlyTuple | HeapKeysUpdated}
	if !hot.HotUpdated() || !hot.HeapOnly() || !hot.KeysUpdated() {
		t.Error("HOT bits")
	}
	hot.Infomask = HeapXmaxInvalid
	if hot.HotUpdated() {
		t.Error("HOT updated although the update failed")
	}
	if !(TupleHeader{Xmin: FrozenXID}).XminFrozen() {
		t.Error("xmin 2 is not frozen")
	}
}

func TestTupleMulti(t *testing.T) {
	if m, ok := (TupleHeader{Xmax: 5, Infomask: HeapXmaxIsMulti}).Multi(); m != 5 || !ok {
		t.Errorf("got %d, %v", m, ok)
	}
	for _, h := range []TupleHeader{{Xmax: 5}, {Infomask: HeapXmaxIsMulti}, {Xmax: 5, Infomask: HeapXmaxIsMulti | HeapXmaxInvalid}} {
		if _, ok := h.Multi(); ok {
			t.Errorf("%+v refers to a multixact", h)
		}
	}
	self := TID{3, 1}
	for ctid, want := range map[TID]bool{self: false, {3, 2}: true, {4, 1}: true, {3, SpecTokenItem}: false, {3, MovedPartitionsItem}: false} {
		h := TupleHeader{CTID: ctid}
		if h.Superseded(self) != want || h.MovedPartitions() != (ctid.Item == MovedPartitionsItem) {
			t.Errorf("ctid %s", ctid)
		}
	}
}

func TestInfomaskWords(t *testing.T) {
	tests := []struct {
		got  []string
		want string
	}{
		{Infomask(0).Words(), ""},
		{Infomask(0x0B00).Words(), "XMIN_FROZEN XMAX_INVALID"},
		{Infomask(0x1190).Words(), "XMAX_KEYSHR_LOCK XMAX_LOCK_ONLY XMIN_COMMITTED XMAX_IS_MULTI"},
		{Infomask(0x00D0).Words(), "XMAX_SHR_LOCK XMAX_LOCK_ONLY"},
		{Infomask(0xFFFF).Words(), "HASNULL HASVARWIDTH HASEXTERNAL HASOID_OLD XMAX_SHR_LOCK COMBOCID XMAX_LOCK_ONLY XMIN_FROZEN XMAX_COMMITTED XMAX_INVALID XMAX_IS_MULTI UPDATED MOVED_OFF MOVED_IN"},
		{Infomask2(0xE003).Words(), "KEYS_UPDATED HOT_UPDATED ONLY_TUPLE"},
	}
	for _, tt := range tests {
		if got := strings.Join(tt.got, " "); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

// tupleBytes is a tuple of natts columns with a null bitmap (nil for none).
func tupleBytes(natts int, nulls []byte, hoff uint8, columns string) []byte {
	h := TupleHeader{Xmin: 700, CTID: TID{0, 1}, Infomask2: Infomask2(natts), Hoff: hoff}
	if nulls != nil {
		h.Infomask = HeapHasNull
	}
	b := make([]byte, int(hoff)+len(columns))
	h.Encode(b)
	copy(b[TupleHeaderSize:], nulls)
	copy(b[hoff:], columns)
	return b
}

func TestTupleColumns(t *testing.T) {
	tuple, err := DecodeTuple(tupleBytes(9, []byte{0b11111101, 0b1}, 32, "abcdefgh"))
	if err != nil {
		t.Fatal(err)
	}
	for attnum, null := range map[int]bool{0: true, 1: false, 2: true, 3: false, 9: false, 10: true} {
		if tuple.IsNull(attnum) != null {
			t.Errorf("column %d", attnum)
		}
	}
	if b, err := tuple.Fixed(2, 3); err != nil || string(b) != "cde" {
		t.Errorf("got %q, %v", b, err)
	}
	for _, at := range [][2]int{{6, 3}, {9, 0}, {-1, 2}, {2, -1}} {
		if b, err := tuple.Fixed(at[0], at[1]); err == nil {
			t.Errorf("%v: got %q", at, b)
		}
	}
	if len(tuple.Problems(40)) != 0 {
		t.Errorf("problems %v", tuple.Problems(40))
	}
}

func TestTupleProblems(t *testing.T) {
	tests := []struct {
		name string
		h    TupleHeader
		want string
	}{
		{"hoff too small", TupleHeader{Infomask2: 1, CTID: TID{0, 1}, Hoff: 16}, "t_hoff at byte 22: want 24 for 1 columns, found 16"},
		{"hoff beyond", TupleHeader{Infomask2: 1, CTID: TID{0, 1}, Hoff: 240}, "at most the tuple's 40 bytes"},
		{"multi committed", TupleHeader{Infomask2: 1, Infomask: 0x1400, CTID: TID{0, 1}, Hoff: 24}, "XMAX_COMMITTED or XMAX_IS_MULTI"},
		{"ctid", TupleHeader{Infomask2: 1, Hoff: 24}, "t_ctid"},
	}
	for _, tt := range tests {
		problems := tt.h.Problems(40)
		if len(problems) == 0 || !strings.Contains(problems[len(problems)-1].Error(), tt.want) {
			t.Errorf("%s: got %v", tt.name, problems)
		}
	}
	for _, hoff := range []uint8{16, 64} {
		b := tupleBytes(1, nil, 24, "abcdefgh")
		b[22] = hoff
		if _, err := DecodeTuple(b); err == nil {
			t.Errorf("t_hoff %d was taken", hoff)
		}
	}
}

func FuzzDecodeTuple(f *testing.F) {
	f.Add(tupleBytes(9, []byte{0xFD, 1}, 32, "abcdefgh"))
	f.Add(tupleBytes(1, nil, 24, ""))
	f.Fuzz(func(t *testing.T, b []byte) {
		tuple, err := DecodeTuple(b)
		if err != nil {
			return
		}
		for attnum := range tuple.Natts() + 2 {
			tuple.IsNull(attnum)
		}
		again := make([]byte, TupleHeaderSize)
		tuple.Encode(again)
		if string(again) != string(b[:TupleHeaderSize]) {
			t.Fatalf("encoding changed the header: % X, % X", b[:TupleHeaderSize], again)
		}
		if got, err := tuple.Fixed(0, len(b)-int(tuple.Hoff)); err != nil || string(got) != string(tuple.Columns()) {
			t.Fatalf("columns: %v", err)
		}
	})
}
