package pgdisk

import "testing"

func TestParseRelFile(t *testing.T) {
	tests := []struct {
		path string
		want RelFile
	}{
		{"base/5/16384", RelFile{Tablespace: 1663, Database: 5, Number: 16384}},
		{"base/5/16384.1", RelFile{Tablespace: 1663, Database: 5, Number: 16384, Segment: 1}},
		{"base/5/16384_fsm", RelFile{Tablespace: 1663, Database: 5, Number: 16384, Fork: FSMFork}},
		{"base/5/16384_vm.12", RelFile{Tablespace: 1663, Database: 5, Number: 16384, Fork: VMFork, Segment: 12}},
		{"base/5/16384_init", RelFile{Tablespace: 1663, Database: 5, Number: 16384, Fork: InitFork}},
		{"base/5/t3_16390", RelFile{Tablespace: 1663, Database: 5, Number: 16390, Temp: true, Backend: 3}},
		{"base/5/t0_16390_fsm.2", RelFile{Tablespace: 1663, Database: 5, Number: 16390, Fork: FSMFork, Segment: 2, Temp: true}},
		{"global/1262", RelFile{Tablespace: 1664, Number: 1262}},
		{"global/1262_vm", RelFile{Tablespace: 1664, Number: 1262, Fork: VMFork}},
		{"pg_tblspc/16400/PG_13_202007201/5/16401.3", RelFile{Tablespace: 16400, VersionDir: "PG_13_202007201", Database: 5, Number: 16401, Segment: 3}},
	}
	for _, tt := range tests {
		got, ok := ParseRelFile(tt.path)
		if !ok || got != tt.want {
			t.Errorf("%s: got %+v, %v", tt.path, got, ok)
		}
		if got.Path() != tt.path {
			t.Errorf("%s: back as %s", tt.path, got.Path())
		}
	}
	for _, path := range []string{"", "base", "base/5", "base/5/PG_VERSION", "base/5/pg_filenode.map", "base/5/pg_internal.init",
		"base/5/0", "base/05/1", "base/5/16384.", "base/5/16384.0", "base/5/16384.01", "base/5/16384_x", "base/5/16384_fsm_vm",
		"base/5/t3", "base/5/t_3", "base/5/t03_1", "base/5/tx_3", "base/5/4294967296", "base/5/-1", "base/5/16384.1.2", "base/pgsql_tmp/1.0",
		"global/pg_control", "global/5/1", "pg_tblspc/16400", "pg_tblspc/16400/X/5/1", "pg_wal/000000010000000000000001",
		"pg_tblspc/16400/PG_13_202007201/pgsql_tmp/1", "./base/5/1", "base/5/16384.9999999999"} {
		if r, ok := ParseRelFile(path); ok {
			t.Errorf("%q: got %+v", path, r)
		}
	}
}

func TestRelFileBlocks(t *testing.T) {
	if b, ok := (RelFile{Segment: 2}).FirstBlock(RelSegmentBlocks); b != 262144 || !ok {
		t.Errorf("got %d, %v", b, ok)
	}
	if _, ok := (RelFile{Segment: 32768}).FirstBlock(RelSegmentBlocks); ok {
		t.Error("a block number beyond 32 bits")
	}
	if s, off := LocateBlock(262145, RelSegmentBlocks); s != 2 || off != BlockSize {
		t.Errorf("segment %d, byte %d", s, off)
	}
	if s, off := LocateBlock(0xFFFFFFFE, RelSegmentBlocks); s != 32767 || off != 131070*BlockSize {
		t.Errorf("segment %d, byte %d", s, off)
	}
	for f, want := range map[Fork]string{MainFork: "main", FSMFork: "fsm", VMFork: "vm", InitFork: "init"} {
		if f.String() != want {
			t.Errorf("fork %s, want %s", f, want)
		}
	}
}

// FuzzParseRelFile: a path that parses is the one that its parts make.
func FuzzParseRelFile(f *testing.F) {
	for _, s := range []string{"base/5/16384_vm.12", "base/5/t3_1_fsm", "global/1262", "pg_tblspc/1/PG_13_202007201/5/16401", "base/5/t03_1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if r, ok := ParseRelFile(path); ok && r.Path() != path {
			t.Fatalf("%q: %+v is %q", path, r, r.Path())
		}
	})
}
