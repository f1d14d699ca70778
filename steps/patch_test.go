package steps

import (
	"bytes"
	"testing"

	"github.com/pgrescue/pgrescue/agent"
	"github.com/pgrescue/pgrescue/pgops"
)

func TestPieceOf(t *testing.T) {
	at := placeWith()
	for path, want := range map[string][2]string{
		"global/pg_control":                {"data", "global/pg_control"},
		"pg_wal":                           {"wal", "."},
		"pg_wal/archive_status":            {"wal", "archive_status"},
		"pg_wal/000000010000000000000001":  {"wal", "000000010000000000000001"},
		"pg_walk/x":                        {"data", "pg_walk/x"},
		"base/pg_wal/x":                    {"data", "base/pg_wal/x"},
		"pg_tblspc/16/PG_15_202209061/5/1": {"ts-16", "PG_15_202209061/5/1"},
		"pg_tblspc/16385/PG_15/5/1":        {"ts-16385", "PG_15/5/1"},
		"pg_tblspc/163/PG_15/5/1":          {"data", "pg_tblspc/163/PG_15/5/1"},
		"pg_tblspc/1/x":                    {"data", "pg_tblspc/1/x"},
		"pg_tblspc":                        {"data", "pg_tblspc"},
	} {
		if piece, rel := at.pieceOf(path); piece != want[0] || string(rel) != want[1] {
			t.Errorf("%s lies in %s at %s, want %s at %s", path, piece, rel, want[0], want[1])
		}
	}
	alone := &Place{site: dataAt("/data")}
	if piece, rel := alone.pieceOf("pg_wal/x"); piece != "data" || rel != "pg_wal/x" {
		t.Errorf("without a link, pg_wal/x lies in %s at %s", piece, rel)
	}
}

func TestChangesOfAnEdit(t *testing.T) {
	at := placeWith()
	old, page := []byte{1, 2}, []byte{3, 4, 5}
	for _, c := range []struct {
		name string
		edit pgops.Edit
		want []agent.Change
	}{
		{"bytes replaced", pgops.Edit{Path: "base/5/1", Offset: 24, Before: old, After: page[:2]},
			[]agent.Change{{Piece: "data", Path: "base/5/1", Op: agent.OpWrite, Off: 24, Before: old, After: page[:2]}}},
		{"the file ends inside", pgops.Edit{Path: "base/5/1", Offset: 8, Before: old, After: page},
			[]agent.Change{{Piece: "data", Path: "base/5/1", Op: agent.OpWrite, Off: 8, Before: old, After: page, Extend: true}}},
		{"all new, in a new file", pgops.Edit{Path: "pg_multixact/offsets/0000", After: page, Create: true}, []agent.Change{
			{Piece: "data", Path: "pg_multixact/offsets/0000", Op: agent.OpCreate, UID: 999, GID: 998, Mode: 0o600},
			{Piece: "data", Path: "pg_multixact/offsets/0000", Op: agent.OpWrite, After: page, Extend: true}}},
		{"a tuple in a tablespace", pgops.Edit{Path: "pg_tblspc/16385/PG_15/5/1", Before: old, After: page[:2]},
			[]agent.Change{{Piece: "ts-16385", Path: "PG_15/5/1", Op: agent.OpWrite, Before: old, After: page[:2]}}},
		{"zeros", pgops.Edit{Path: "pg_multixact/members/0000", Offset: 8192, Zeros: 3},
			[]agent.Change{{Piece: "data", Path: "pg_multixact/members/0000", Op: agent.OpWrite, Off: 8192, After: make([]byte, 3), Extend: true}}},
	} {
		got := at.changesOf([]pgops.Edit{c.edit})
		if len(got) != len(c.want) {
			t.Errorf("%s: %d changes, want %d", c.name, len(got), len(c.want))
			continue
		}
		for i := range got {
			checkChange(t, c.name, got[i], c.want[i])
		}
	}
}

func checkChange(t *testing.T, name string, got, want agent.Change) {
	t.Helper()
	if !bytes.Equal(got.Before, want.Before) || !bytes.Equal(got.After, want.After) {
		t.Errorf("%s: bytes %v to %v, want %v to %v", name, got.Before, got.After, want.Before, want.After)
	}
	if got.Piece != want.Piece || got.Path != want.Path || got.Op != want.Op || got.Off != want.Off || got.Extend != want.Extend ||
		got.UID != want.UID || got.GID != want.GID || got.Mode != want.Mode {
		t.Errorf("%s: %+v, want %+v", name, got, want)
	}
}

// A long run of zeros is cut into changes that follow each other without a gap, and none is
// larger than a request may be.
func TestZeroRuns(t *testing.T) {
	const zeros, start = 2*zeroRun + 8192, 32768
	next := int64(start)
	for _, c := range placeWith().changesOf([]pgops.Edit{{Path: "pg_multixact/members/0000", Offset: start, Zeros: zeros}}) {
		if c.Off != next || len(c.After) == 0 || len(c.After) > zeroRun || bytes.Count(c.After, []byte{0}) != len(c.After) {
			t.Fatalf("change at %d of %d bytes, want one at %d", c.Off, len(c.After), next)
		}
		next += int64(len(c.After))
	}
	if next != start+zeros {
		t.Errorf("the changes end at %d, want %d", next, start+zeros)
	}
}

func TestSplitChanges(t *testing.T) {
	of := func(n, size int) []agent.Change {
		out := make([]agent.Change, n)
		for i := range out {
			out[i] = agent.Change{Off: int64(i), Before: make([]byte, size/2), After: make([]byte, size-size/2)}
		}
		return out
	}
	for _, c := range []struct {
		name  string
		in    []agent.Change
		parts int
	}{
		{"nothing", nil, 0},
		{"one", of(1, 16384), 1},
		{"as many as there may be", of(maxPatchChanges, 2), 1},
		{"one more", of(maxPatchChanges+1, 2), 2},
		{"as many bytes as there may be", of(maxPatchBytes/16384, 16384), 1},
		{"one page more", of(maxPatchBytes/16384+1, 16384), 2},
		{"sizes that do not fit evenly", of(3000, 16383), 3},
		{"runs of zeros", of(40, zeroRun), 3},
		{"one as large as a request", of(2, maxPatchBytes), 2},
	} {
		parts := splitChanges(c.in)
		if len(parts) != c.parts {
			t.Errorf("%s: %d parts, want %d", c.name, len(parts), c.parts)
		}
		next := 0
		for _, part := range parts {
			size := 0
			for _, ch := range part {
				if ch.Off != int64(next) {
					t.Fatalf("%s: change %d comes where %d should", c.name, ch.Off, next)
				}
				next++
				size += len(ch.Before) + len(ch.After)
			}
			if len(part) == 0 || len(part) > maxPatchChanges || size > maxPatchBytes {
				t.Errorf("%s: a part of %d changes and %d bytes", c.name, len(part), size)
			}
		}
		if next != len(c.in) {
			t.Errorf("%s: %d of %d changes arrive", c.name, next, len(c.in))
		}
	}
}

func TestMakeDir(t *testing.T) {
	want := agent.Change{Piece: "wal", Path: "archive_status", Op: agent.OpMkdir, UID: 999, GID: 998, Mode: 0o700}
	checkChange(t, "archive_status", placeWith().makeDir("pg_wal/archive_status"), want)
}
