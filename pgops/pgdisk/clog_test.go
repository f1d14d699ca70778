package pgdisk

import (
	"errors"
	"testing"
	"testing/fstest"
)

func TestReadXactStatus(t *testing.T) {
	data := make([]byte, 2*BlockSize)
	data[1] = 0b11_10_01_00      // 4 to 7
	data[BlockSize] = 0b00000001 // 32768
	r := NewSLRUFiles(fstest.MapFS{"pg_xact/0000": &fstest.MapFile{Data: data}})
	tests := []struct {
		x    XID
		want XactStatus
		word string
	}{
		{0, XactAborted, "aborted"}, {1, XactCommitted, "committed"}, {2, XactCommitted, "committed"},
		{3, XactInProgress, "in progress"}, {4, XactInProgress, "in progress"}, {5, XactCommitted, "committed"},
		{6, XactAborted, "aborted"}, {7, XactSubCommitted, "sub-committed"}, {32768, XactCommitted, "committed"},
	}
	for _, tt := range tests {
		if got, err := ReadXactStatus(r, tt.x); err != nil || got != tt.want || got.String() != tt.word {
			t.Errorf("%d: got %s, %v", tt.x, got, err)
		}
	}
	var missing *SLRUPageError
	if _, err := ReadXactStatus(r, 0x100000); !errors.As(err, &missing) || missing.Kind != HoleMissing || missing.Location.Name != "0001" {
		t.Errorf("beyond the file: %v", err)
	}
	if _, err := ReadXactStatus(r, 65536); !errors.As(err, &missing) || missing.Kind != HoleShort {
		t.Errorf("beyond the end: %v", err)
	}
}

func TestLastUsed(t *testing.T) {
	x := make([]byte, SLRUSegmentSize)
	if _, ok := LastUsedXact(x); ok {
		t.Error("an empty segment is used")
	}
	for _, tt := range []struct {
		at   int
		b    byte
		want uint64
	}{{0, 1, 0}, {0, 0b0100, 1}, {5, 0b01010101, 23}, {5, 0b00100101, 22}, {SLRUSegmentSize - 1, 0x80, 0xFFFFF}} {
		clear(x)
		x[tt.at] = tt.b
		if got, ok := LastUsedXact(x); !ok || got != tt.want {
			t.Errorf("xact %d=%08b: got %d, %v", tt.at, tt.b, got, ok)
		}
	}
	o := newMultis(t).offset(2049, 1<<24).files["pg_multixact/offsets/0000"].Data
	if got, ok := LastUsedOffset(o); !ok || got != 2049 {
		t.Errorf("offset: %d, %v", got, ok)
	}
	for _, at := range []MultiXactOffset{1, 3, 1635, 1636, 52351} {
		m := newMultis(t).members(at, Member{1 << 24, ForShare}).members(at+1, Member{0, Update})
		if got, ok := LastUsedMember(m.files["pg_multixact/members/0000"].Data); !ok || got != uint64(at) {
			t.Errorf("member %d: %d, %v", at, got, ok)
		}
	}
	junk := make([]byte, BlockSize)
	junk[BlockSize-1], junk[0] = 1, 1
	if _, ok := LastUsedMember(junk); ok {
		t.Error("the unused end of a page is a member")
	}
}

// FuzzLastUsed: the entry that is said to be the last in use is not zero, all after it are.
func FuzzLastUsed(f *testing.F) {
	f.Add([]byte{1, 2, 3, 0}, uint16(0))
	f.Add([]byte{1, 0, 0, 0, 0}, uint16(8170))
	f.Fuzz(func(t *testing.T, b []byte, at uint16) {
		data := make([]byte, 2*BlockSize)
		copy(data[min(int(at), len(data)):], b)
		last, used := LastUsedXact(data)
		if !used {
			last = 0
		}
		for i := last; i < last+400 && i < 2*32768; i++ {
			s, err := PageXactStatus(data[i/32768*BlockSize:][:BlockSize], XID(i))
			if err != nil || (s != 0) != (used && i == last) {
				t.Fatalf("last %d, %v: entry %d is %s, %v", last, used, i, s, err)
			}
		}
		last, used = LastUsedMember(data)
		if !used {
			last = 0
		}
		for i := last; i < 2*membersPerPage; i++ {
			m, err := PageMember(data[i/membersPerPage*BlockSize:][:BlockSize], MultiXactOffset(i))
			if err != nil || (m.XID != 0) != (used && i == last) {
				t.Fatalf("last member %d, %v: %d is %v, %v", last, used, i, m, err)
			}
		}
	})
}
