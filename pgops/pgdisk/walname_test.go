package pgdisk

import (
	"io/fs"
	"testing"
	"testing/fstest"
)

func TestWALSegmentNames(t *testing.T) {
	tests := []struct {
		lsn     LSN
		tli     TimelineID
		segSize uint32
		name    string
	}{
		{0x1000000, 1, 16 << 20, "000000010000000000000001"},
		{0xFFFFFFFF, 1, 16 << 20, "0000000100000000000000FF"},
		{0x100000000, 2, 16 << 20, "000000020000000100000000"},
		{0x123456789A, 0x1F, 16 << 20, "0000001F0000001200000034"},
		{0xFFFFFFFF, 1, 1 << 20, "000000010000000000000FFF"},
		{0xFFFFFFFF, 1, 1 << 30, "000000010000000000000003"},
		{0x700000000, 1, 1 << 30, "000000010000000700000000"},
		{0xFFFFFFFFFFFFFFFF, 0xFFFFFFFF, 16 << 20, "FFFFFFFFFFFFFFFF000000FF"},
	}
	for _, tt := range tests {
		seg := WALSegmentAt(tt.tli, tt.lsn, tt.segSize)
		if got := seg.Name(tt.segSize); got != tt.name {
			t.Errorf("%s with segments of %d: name %s, want %s", tt.lsn, tt.segSize, got, tt.name)
		}
		back, err := ParseWALSegment(tt.name, tt.segSize)
		if err != nil || back != seg {
			t.Errorf("%s reads as %+v, %v, want %+v", tt.name, back, err, seg)
		}
		if start := seg.Start(tt.segSize); start > tt.lsn || uint64(tt.lsn-start) >= uint64(tt.segSize) {
			t.Errorf("%s starts at %s, which does not hold %s", tt.name, start, tt.lsn)
		}
	}
}

func TestParseWALSegmentRefuses(t *testing.T) {
	for name, segSize := range map[string]uint32{
		"000000010000000000000100":  16 << 20, // beyond 4 GB / 16 MB
		"000000010000000000000004":  1 << 30,
		"000000000000000000000001":  16 << 20, // timeline 0
		"00000001000000000000000a":  16 << 20,
		"00000001000000000000001":   16 << 20,
		"0000000100000000000000010": 16 << 20,
		"000000010000000000000001":  16<<20 + 1,
		"000000010000000000000002":  1 << 19,
	} {
		if seg, err := ParseWALSegment(name, segSize); err == nil {
			t.Errorf("%s with segments of %d: read as %+v", name, segSize, seg)
		}
	}
}

func TestClassifyWALName(t *testing.T) {
	const segSize = 16 << 20
	tests := []struct {
		name string
		kind WALFileKind
		seg  uint64
		tli  TimelineID
	}{
		{"000000010000000000000007", WALFileSegment, 7, 1},
		{"000000010000000000000007.partial", WALFilePartial, 7, 1},
		{"00000002.history", WALFileHistory, 0, 2},
		{"000000010000000000000007.00000028.backup", WALFileBackup, 7, 1},
		{"xlogtemp.123", WALFileTemp, 0, 0},
		{"00000000.history", WALFileStray, 0, 0},
		{"0000002.history", WALFileStray, 0, 0},
		{"000000010000000000000007.01000000.backup", WALFileStray, 0, 0}, // offset beyond the segment
		{"000000010000000000000007.backup", WALFileStray, 0, 0},
		{"000000010000000000000007.gz", WALFileStray, 0, 0},
		{"000000010000000000000FFF", WALFileStray, 0, 0},
		{".history", WALFileStray, 0, 0},
		{"", WALFileStray, 0, 0},
		{"core.123", WALFileStray, 0, 0},
	}
	for _, tt := range tests {
		f := ClassifyWALName(tt.name, segSize)
		if f.Kind != tt.kind || f.Segment.Number != tt.seg || f.Timeline != tt.tli {
			t.Errorf("%q is a %s %+v, want a %s of timeline %d, segment %d", tt.name, f.Kind, f, tt.kind, tt.tli, tt.seg)
		}
		if (f.Kind == WALFileStray) != (f.Why != "") {
			t.Errorf("%q: a %s with reason %q", tt.name, f.Kind, f.Why)
		}
	}
	if off := ClassifyWALName("000000010000000000000007.00000028.backup", segSize).Offset; off != 0x28 {
		t.Errorf("backup offset %X, want 28", off)
	}
}

func TestReadWALDir(t *testing.T) {
	file := &fstest.MapFile{Data: make([]byte, 10)}
	fsys := fstest.MapFS{
		"000000020000000000000003":              file,
		"000000010000000000000003":              file,
		"000000010000000000000002":              file,
		"00000001000000000000000A.partial":      file,
		"00000002.history":                      file,
		"archive_status/00000002.history.ready": file,
		"odd/file":                              file,
		"notes.txt":                             file,
		"000000010000000000000004":              &fstest.MapFile{Mode: fs.ModeSymlink},
		"000000010000000000000005/x":            file,
	}
	dir, err := ReadWALDir(fsys, 16<<20)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range dir.Segments {
		names = append(names, f.Name)
	}
	want := []string{"000000010000000000000002", "000000010000000000000003", "000000020000000000000003"}
	if len(names) != len(want) || names[0] != want[0] || names[1] != want[1] || names[2] != want[2] {
		t.Errorf("segments %v, want %v", names, want)
	}
	if len(dir.Partials) != 1 || len(dir.Histories) != 1 || len(dir.Others) != 1 {
		t.Errorf("%d partials, %d histories, %d others, want 1 of each", len(dir.Partials), len(dir.Histories), len(dir.Others))
	}
	if len(dir.Strays) != 4 {
		t.Errorf("strays: %+v, want the note, the link and two directories", dir.Strays)
	}
	if dir.Segments[0].Size != 10 {
		t.Errorf("size %d, want 10", dir.Segments[0].Size)
	}
}

func TestDetectWALSegSize(t *testing.T) {
	w := newWALBuilder(15).fill(3000)
	fsys := w.fs()
	fsys["000000010000000000000009"] = &fstest.MapFile{Data: make([]byte, 100)}
	clear(w.data[1][:8])
	if size, err := DetectWALSegSize(fsys); err != nil || size != w.segSize {
		t.Errorf("segment size %d, %v, want %d", size, err, w.segSize)
	}
	if size, err := DetectWALSegSize(fstest.MapFS{}); err == nil {
		t.Errorf("segment size %d of no segments", size)
	}
}
