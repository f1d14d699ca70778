package pgdisk

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

func TestOffsetOf(t *testing.T) {
	tests := []struct {
		m    MultiXactID
		path string
		byte int64
	}{
		{1, "pg_multixact/offsets/0000", 4},
		{65535, "pg_multixact/offsets/0000", 262140},
		{65536, "pg_multixact/offsets/0001", 0},
		{0xFFFFFFFF, "pg_multixact/offsets/FFFF", 262140},
	}
	for _, tt := range tests {
		if l := OffsetOf(tt.m); l.Path() != tt.path || l.Byte != tt.byte {
			t.Errorf("%d: got %s byte %d", tt.m, l.Path(), l.Byte)
		}
	}
}

func TestMemberOf(t *testing.T) {
	tests := []struct {
		o         MultiXactOffset
		path      string
		flag, xid int64
	}{
		{0, "pg_multixact/members/0000", 0, 4},
		{3, "pg_multixact/members/0000", 3, 16},
		{4, "pg_multixact/members/0000", 20, 24},
		{1635, "pg_multixact/members/0000", 8163, 8176},
		{1636, "pg_multixact/members/0000", 8192, 8196},
		{52352, "pg_multixact/members/0001", 0, 4},
		{0xFFFFFFFF, "pg_multixact/members/14078", 5*8192 + 258*20 + 3, 5*8192 + 258*20 + 16},
	}
	for _, tt := range tests {
		if l := MemberOf(tt.o); l.Path() != tt.path || l.FlagByte != tt.flag || l.XIDByte != tt.xid {
			t.Errorf("%d: got %s flag %d xid %d", tt.o, l.Path(), l.FlagByte, l.XIDByte)
		}
	}
}

func TestMemberStatus(t *testing.T) {
	words := []string{"keysh", "sh", "fornokeyupd", "forupd", "nokeyupd", "upd"}
	for i, w := range words {
		s := MemberStatus(i)
		if s.String() != w || !s.Valid() || s.IsUpdate() != (i >= 4) {
			t.Errorf("%d: %s, update %v", i, s, s.IsUpdate())
		}
	}
	if MemberStatus(6).Valid() {
		t.Error("6 is valid")
	}
}

// multis is a data directory in memory into which multixacts are written.
type multis struct {
	t     *testing.T
	files fstest.MapFS
}

func newMultis(t *testing.T) *multis { return &multis{t, fstest.MapFS{}} }

func (m *multis) page(l Location) []byte {
	f := m.files[l.Path()]
	if f == nil {
		f = &fstest.MapFile{}
		m.files[l.Path()] = f
	}
	if need := int(l.PageByte) + BlockSize - len(f.Data); need > 0 {
		f.Data = append(f.Data, make([]byte, need)...)
	}
	return f.Data[l.PageByte : l.PageByte+BlockSize]
}

func (m *multis) offset(id MultiXactID, o MultiXactOffset) *multis {
	if err := PutPageOffset(m.page(OffsetOf(id).Location), id, o); err != nil {
		m.t.Fatal(err)
	}
	return m
}

func (m *multis) members(o MultiXactOffset, members ...Member) *multis {
	for i, member := range members {
		at := o + MultiXactOffset(i)
		if err := PutPageMember(m.page(MemberOf(at).Location), at, member); err != nil {
			m.t.Fatal(err)
		}
	}
	return m
}

func TestReadMultiXact(t *testing.T) {
	two := []Member{{700, ForKeyShare}, {701, NoKeyUpdate}}
	tests := []struct {
		name       string
		data       func(*multis)
		m, next    MultiXactID
		nextOffset MultiXactOffset
		want       []Member
	}{
		{"in the middle", func(m *multis) { m.offset(1, 1).offset(2, 3).members(1, two...) }, 1, 3, 4, two},
		{"the last one", func(m *multis) { m.offset(1, 1).members(1, two...) }, 1, 2, 3, two},
		{"over the end of a page", func(m *multis) { m.offset(9, 1635).members(1635, two...) }, 9, 10, 1637, two},
		{"over the end of a file", func(m *multis) { m.offset(9, 52351).members(52351, two...) }, 9, 10, 52353, two},
		{"offsets entry on the next file", func(m *multis) { m.offset(65535, 5).offset(65536, 7).members(5, two...) }, 65535, 65540, 20, two},
		{"ids wrapped", func(m *multis) { m.offset(0xFFFFFFFF, 5).offset(1, 7).members(5, two...) }, 0xFFFFFFFF, 3, 9, two},
		{"members wrapped, slot 0 unused", func(m *multis) {
			m.offset(8, 0xFFFFFFFF).offset(9, 2).members(0xFFFFFFFF, two[0]).members(1, two[1])
			m.page(MemberOf(0).Location)
		}, 8, 20, 9, two},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMultis(t)
			tt.data(m)
			got, err := ReadMultiXact(NewSLRUFiles(m.files), tt.m, tt.next, tt.nextOffset)
			if err != nil || fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestReadMultiXactFaults(t *testing.T) {
	whole := func(m *multis) *multis {
		return m.offset(1, 1).offset(2, 3).members(1, Member{700, ForKeyShare}, Member{701, Update})
	}
	const offsets, members = "pg_multixact/offsets/0000", "pg_multixact/members/0000"
	tests := []struct {
		fault   MultiXactFault
		m, next MultiXactID
		data    func(*multis)
		words   string
	}{
		{MultiXactNotValid, 0, 3, func(*multis) {}, "0 is no multixact"},
		{MultiXactNotCreated, 3, 3, func(*multis) {}, "the next one to be created is 3"},
		{OffsetFileMissing, 1, 3, func(m *multis) { delete(m.files, offsets) }, "offsets/0000, page 0, entry 1"},
		{OffsetPageShort, 1, 3, func(m *multis) { m.files[offsets].Data = make([]byte, 5000) }, "5000 of 8192 bytes"},
		{OffsetUnreadable, 1, 3, func(m *multis) { m.files[offsets] = &fstest.MapFile{Mode: fs.ModeDir} }, "cannot be read"},
		{OffsetZero, 1, 3, func(m *multis) { m.offset(1, 0) }, "its offset is zero"},
		{NextOffsetFileMissing, 65535, 70000, func(m *multis) { m.offset(65535, 1) }, "offsets/0001, page 32, entry 0"},
		{NextOffsetPageShort, 2047, 70000, func(m *multis) { m.offset(2047, 1) }, "0 of 8192 bytes"},
		{NextOffsetUnreadable, 65535, 70000, func(m *multis) {
			m.offset(65535, 1).files["pg_multixact/offsets/0001"] = &fstest.MapFile{Mode: fs.ModeDir}
		}, "following offset cannot be read"},
		{NextOffsetZero, 1, 3, func(m *multis) { m.offset(2, 0) }, "page 0, entry 2"},
		{MultiXactLengthAbsurd, 1, 3, func(m *multis) { m.offset(2, 1) }, "from 1 to 1 are 0"},
		{MultiXactLengthAbsurd, 1, 3, func(m *multis) { m.offset(1, 4) }, "from 4 to 3 are 4294967295"},
		{MembersFileMissing, 1, 3, func(m *multis) { delete(m.files, members) }, "members/0000, page 0, entry 1"},
		{MembersPageShort, 1, 3, func(m *multis) { m.files[members].Data = nil }, "0 of 8192 bytes"},
		{MembersUnreadable, 1, 3, func(m *multis) { m.files[members] = &fstest.MapFile{Mode: fs.ModeDir} }, "members cannot be read"},
		{MemberZero, 1, 3, func(m *multis) { m.members(2, Member{0, Update}) }, "member 2 of 2"},
		{MemberStatusUnknown, 1, 3, func(m *multis) { m.members(2, Member{701, 9}) }, "unknown status 9"},
	}
	for _, tt := range tests {
		t.Run(tt.fault.String(), func(t *testing.T) {
			m := whole(newMultis(t))
			tt.data(m)
			got, err := ReadMultiXact(NewSLRUFiles(m.files), tt.m, tt.next, 3)
			var fault *MultiXactError
			if !errors.As(err, &fault) || fault.Fault != tt.fault || !strings.Contains(err.Error(), tt.words) {
				t.Fatalf("got %v, %v; want %q", got, err, tt.words)
			}
			if tt.fault == MemberZero && len(got) != 1 {
				t.Errorf("members before the fault: %v", got)
			}
			var page *SLRUPageError
			if missing := errors.Is(err, fs.ErrNotExist); missing != (errors.As(err, &page) && page.Kind == HoleMissing) {
				t.Errorf("cause of %v: missing file %v", err, missing)
			}
		})
	}
}

// TestSLRUFilesCache reads pages in an order that a wrong cache gets wrong.
func TestSLRUFilesCache(t *testing.T) {
	m := newMultis(t).offset(1, 11).offset(2048, 22).members(0, Member{33, ForShare})
	f := m.files["pg_multixact/offsets/0000"]
	f.Data = append(f.Data, make([]byte, 100)...) // of page 2, over whatever the buffer held
	r := NewSLRUFiles(m.files)
	for _, id := range []MultiXactID{1, 2048, 4096, 2048, 1, 4096, 1} {
		page, err := r.SLRUPage(OffsetsGeometry(), OffsetOf(id).Page)
		if id == 4096 {
			if err == nil {
				t.Fatal("page 2 is there")
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.SLRUPage(MembersGeometry(), 0); err != nil {
			t.Fatal(err)
		}
		if o, err := PageOffset(page, id); err != nil || int(o) != map[MultiXactID]int{1: 11, 2048: 22}[id] {
			t.Errorf("%d: %d, %v", id, o, err)
		}
	}
}

// FuzzReadMultiXact: whatever the pages hold, it ends, with members or one of the faults.
func FuzzReadMultiXact(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0}, []byte{0, 0, 5, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3}, uint32(1), uint32(3), uint32(3))
	f.Add([]byte{}, []byte{}, uint32(0xFFFFFFFF), uint32(1), uint32(0))
	f.Fuzz(func(t *testing.T, offsets, members []byte, m, next, nextOffset uint32) {
		pad := func(b []byte) *fstest.MapFile {
			return &fstest.MapFile{Data: append(b, make([]byte, BlockSize)...)[:BlockSize]}
		}
		fsys := fstest.MapFS{"pg_multixact/offsets/0000": pad(offsets), "pg_multixact/members/0000": pad(members)}
		got, err := ReadMultiXact(NewSLRUFiles(fsys), MultiXactID(m), MultiXactID(next), MultiXactOffset(nextOffset))
		var fault *MultiXactError
		if err != nil && !errors.As(err, &fault) {
			t.Fatalf("an error of another kind: %v", err)
		}
		for _, member := range got {
			if member.XID == 0 || !member.Status.Valid() {
				t.Fatalf("member %v", member)
			}
		}
		if err == nil && len(got) == 0 {
			t.Fatal("no members and no error")
		}
	})
}
