package inspect

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// slruCluster is a made data directory of 17 with every SLRU directory, stopped in order:
// transactions 700 to 40000, the multixacts 1 and 2 of two and of one member.
func slruCluster() (fstest.MapFS, *pgdisk.Control) {
	l, _ := pgdisk.LayoutFor(17)
	fsys := fstest.MapFS{}
	for _, g := range pgdisk.Geometries(l) {
		fsys[g.Dir] = &fstest.MapFile{Mode: fs.ModeDir | 0o700}
	}
	x := make([]byte, 2*pgdisk.BlockSize)
	for id := 700; id <= 40000; id++ {
		x[id/4] |= 1 << (id % 4 * 2) // committed
	}
	x[703/4] = 2<<6 | 2<<4 | 1<<2 | 1 // 700 and 701 committed, 702 and 703 aborted
	x[704/4] = 3 | 0<<2 | 1<<4 | 1<<6 // 704 sub-committed, 705 in progress
	o, m := make([]byte, pgdisk.BlockSize), make([]byte, pgdisk.BlockSize)
	for id, at := range []pgdisk.MultiXactOffset{0, 1, 3} {
		_ = pgdisk.PutPageOffset(o, pgdisk.MultiXactID(id), at)
	}
	for at, member := range []pgdisk.Member{{}, {XID: 700, Status: pgdisk.ForKeyShare}, {XID: 701, Status: pgdisk.NoKeyUpdate}, {XID: 702, Status: pgdisk.ForUpdate}} {
		_ = pgdisk.PutPageMember(m, pgdisk.MultiXactOffset(at), member)
	}
	ts := make([]byte, 4*pgdisk.BlockSize)
	_ = pgdisk.PutPageCommitTs(ts[:pgdisk.BlockSize], 701, pgdisk.CommitTs{Micros: 1, Origin: 3})
	sub := make([]byte, pgdisk.BlockSize)
	_ = pgdisk.PutPageSubtransParent(sub, 704, 702)
	for name, data := range map[string][]byte{
		"pg_xact/0000": x, "pg_multixact/offsets/0000": o, "pg_multixact/members/0000": m,
		"pg_commit_ts/0000": ts, "pg_subtrans/0000": sub, "pg_notify/000000000000000": make([]byte, pgdisk.BlockSize),
	} {
		fsys[name] = &fstest.MapFile{Data: data}
	}
	return fsys, &pgdisk.Control{ControlVersion: 1700, CatalogVersion: l.CatalogVersion, State: pgdisk.ShutDown, CheckpointCopy: pgdisk.CheckpointRecord{
		NextXID: 40001, OldestXID: 700, NextMulti: 3, OldestMulti: 1, NextMultiOffset: 4, OldestCommitTsXID: 700, NewestCommitTsXID: 710}}
}

func slruSource(fsys fs.FS, c *pgdisk.Control) SLRUSource {
	l, _ := pgdisk.LayoutFor(17)
	return SLRUSource{FS: fsys, Layout: l, Control: c, Dirs: pgdisk.Geometries(l)}
}

func TestSLRUFindings(t *testing.T) {
	crashed := func(_ fstest.MapFS, c *pgdisk.Control) { c.State = pgdisk.InProduction }
	tests := []struct {
		name   string
		change func(fsys fstest.MapFS, c *pgdisk.Control)
		want   []string // findings, a part of each
		notes  []string
	}{
		{"sound", func(fstest.MapFS, *pgdisk.Control) {}, nil, nil},
		{"sound after a crash", crashed, nil, nil},
		{"no pg_xact", func(f fstest.MapFS, _ *pgdisk.Control) { delete(f, "pg_xact"); delete(f, "pg_xact/0000") },
			[]string{"the directory is missing", "needed and not there: 0000: file missing: pages 0 to 1, ids 0 to 65535"}, nil},
		{"no file of pg_xact", func(f fstest.MapFS, _ *pgdisk.Control) { delete(f, "pg_xact/0000") },
			[]string{"no files", "needed and not there"}, nil},
		{"pg_xact cut", func(f fstest.MapFS, _ *pgdisk.Control) { f["pg_xact/0000"].Data = f["pg_xact/0000"].Data[:9000] },
			[]string{"0000 has 9000 bytes", "needed and not there: 0000: file too short: pages 1 to 1, ids 32768 to 65535"}, nil},
		{"first file of pg_xact gone", func(f fstest.MapFS, c *pgdisk.Control) {
			f["pg_xact/0001"] = &fstest.MapFile{Data: make([]byte, 32*8192)}
			delete(f, "pg_xact/0000")
			c.CheckpointCopy.NextXID = 2000000
		}, []string{"0000: file missing"}, nil},
		{"first file of pg_xact gone, after a crash", func(f fstest.MapFS, c *pgdisk.Control) {
			f["pg_xact/0001"] = &fstest.MapFile{Data: make([]byte, 32*8192)}
			delete(f, "pg_xact/0000")
			c.CheckpointCopy.NextXID, c.State = 2000000, pgdisk.InProduction
		}, nil, []string{"may have been removed since: 0000"}},
		{"first file of pg_xact gone and another hole, after a crash", func(f fstest.MapFS, c *pgdisk.Control) {
			f["pg_xact/0001"] = &fstest.MapFile{Data: make([]byte, 31*8192)}
			f["pg_xact/0002"] = &fstest.MapFile{Data: make([]byte, 32*8192)}
			delete(f, "pg_xact/0000")
			c.CheckpointCopy.NextXID, c.State = 3000000, pgdisk.InProduction
		}, []string{"0000: file missing", "0001: file too short"}, []string{"a gap"}},
		{"offsets gone, after a crash", func(f fstest.MapFS, c *pgdisk.Control) {
			delete(f, "pg_multixact/offsets/0000")
			c.State = pgdisk.InCrashRecovery
		}, []string{"no files", "needed and not there"}, nil},
		{"members gone", func(f fstest.MapFS, _ *pgdisk.Control) { delete(f, "pg_multixact/members/0000") },
			[]string{"no files", "ids 0 to 1635"}, nil},
		{"commit_ts gone", func(f fstest.MapFS, _ *pgdisk.Control) { delete(f, "pg_commit_ts/0000") }, []string{"needed and not there"}, nil},
		{"commit_ts gone and not needed", func(f fstest.MapFS, c *pgdisk.Control) {
			delete(f, "pg_commit_ts/0000")
			c.CheckpointCopy.OldestCommitTsXID, c.CheckpointCopy.NewestCommitTsXID = 0, 0
		}, nil, nil},
		{"no pg_notify", func(f fstest.MapFS, _ *pgdisk.Control) {
			delete(f, "pg_notify")
			delete(f, "pg_notify/000000000000000")
		}, []string{"the directory is missing"}, nil},
		{"odd pg_subtrans", func(f fstest.MapFS, _ *pgdisk.Control) { f["pg_subtrans/0000"].Data = make([]byte, 5) }, nil, []string{"0000 has 5 bytes"}},
		{"pg_control of before", func(_ fstest.MapFS, c *pgdisk.Control) {
			c.CheckpointCopy.NextXID, c.CheckpointCopy.NextMulti, c.CheckpointCopy.NextMultiOffset = 900, 1, 3
		}, []string{"entry 40000 is in use, but pg_control has NextXID 900", "NextMultiXactId 1", "NextMultiOffset 3"}, nil},
		{"the next offset written ahead", func(f fstest.MapFS, _ *pgdisk.Control) {
			_ = pgdisk.PutPageOffset(f["pg_multixact/offsets/0000"].Data, 3, 4)
		}, nil, nil},
		{"ids beyond the checkpoint", func(_ fstest.MapFS, c *pgdisk.Control) {
			c.State, c.CheckpointCopy.NextXID = pgdisk.InProduction, 900
		}, nil, []string{"beyond NextXID 900 of the last checkpoint"}},
		{"a standby stopped in order", func(_ fstest.MapFS, c *pgdisk.Control) {
			c.State, c.CheckpointCopy.NextXID = pgdisk.ShutDownInRecovery, 900
		}, nil, []string{"beyond NextXID 900 of the last checkpoint"}},
		{"strays", func(f fstest.MapFS, _ *pgdisk.Control) { f["pg_xact/0000.orig"] = &fstest.MapFile{} }, nil, []string{"0000.orig: not the name of a segment"}},
		{"a gap below what is needed", func(f fstest.MapFS, c *pgdisk.Control) {
			f["pg_xact/0FF0"] = &fstest.MapFile{Data: make([]byte, 32*8192)}
		}, nil, []string{"a gap among the files: 0FF1"}},
		{"around the end of the circle", func(f fstest.MapFS, c *pgdisk.Control) {
			f["pg_xact/0FFF"] = &fstest.MapFile{Data: make([]byte, 32*8192)}
			c.CheckpointCopy.OldestXID, c.CheckpointCopy.NextXID = 0xFFF00100, 1<<32|40001
		}, nil, nil},
		{"around the end of the circle, the last file cut", func(f fstest.MapFS, c *pgdisk.Control) {
			f["pg_xact/0FFF"] = &fstest.MapFile{Data: make([]byte, 31*8192)}
			c.CheckpointCopy.OldestXID, c.CheckpointCopy.NextXID = 0xFFF00100, 1<<32|40001
		}, []string{"0FFF: file too short: pages 131071 to 131071, ids 4294934528 to 4294967295"}, []string{"a gap"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fsys, c := slruCluster()
			tt.change(fsys, c)
			var text, lines bytes.Buffer
			src := slruSource(fsys, c)
			n, err := SLRU(t.Context(), src, false, &text)
			m, err2 := SLRU(t.Context(), src, true, &lines)
			if err := errors.Join(err, err2); err != nil || n != len(tt.want) || m != n {
				t.Fatalf("%d findings (%d), %v\n%s", n, m, err, &text)
			}
			found := slruFound(t, lines.String())
			for _, want := range tt.want {
				if !strings.Contains(found["findings"], want) || !strings.Contains(text.String(), want) {
					t.Errorf("no finding %q:\n%s", want, &text)
				}
			}
			for _, want := range tt.notes {
				if !strings.Contains(found["notes"], want) || !strings.Contains(text.String(), "note ") {
					t.Errorf("no note %q:\n%s", want, &text)
				}
			}
			if tt.notes == nil && found["notes"] != "" {
				t.Errorf("notes: %s", found["notes"])
			}
		})
	}
}

// slruFound joins the findings and the notes of all lines of JSON.
func slruFound(t *testing.T, lines string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for line := range strings.Lines(lines) {
		var r slruReport
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		found["findings"] += strings.Join(r.Findings, "\n")
		found["notes"] += strings.Join(r.Notes, "\n")
	}
	return found
}

func TestSLRUDamagedControl(t *testing.T) {
	fsys, c := slruCluster()
	src := slruSource(fsys, c)
	src.ControlErr = errors.New("the CRC is wrong")
	var out bytes.Buffer
	if n, err := SLRU(t.Context(), src, false, &out); err != nil || n != 1 || !strings.Contains(out.String(), "the CRC is wrong: the ids are not compared") || strings.Contains(out.String(), "needed") {
		t.Errorf("%d, %v\n%s", n, err, &out)
	}
}

func TestSLRUGeometryNames(t *testing.T) {
	l, _ := pgdisk.LayoutFor(18)
	dirs := map[string]bool{}
	for _, kind := range SLRUKinds() {
		g, ok := SLRUGeometry(l, kind)
		if again, ok2 := SLRUGeometry(l, g.Dir); !ok || !ok2 || again.Dir != g.Dir || !strings.HasSuffix(g.Dir, kind) {
			t.Errorf("%s: %+v", kind, g)
		}
		dirs[g.Dir] = true
	}
	if len(dirs) != len(pgdisk.Geometries(l)) {
		t.Errorf("kinds for %v", maps.Keys(dirs))
	}
	if _, ok := SLRUGeometry(l, "clog"); ok {
		t.Error("clog is known")
	}
}
