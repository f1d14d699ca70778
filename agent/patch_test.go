package agent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// bench is a directory to patch, described so that undoing can be proven.
type patchBench struct {
	pieces  []Piece
	dir     string
	save    string
	records []Record
}

func newPatchBench(t *testing.T) patchBench {
	t.Helper()
	b := patchBench{dir: t.TempDir(), save: t.TempDir()}
	b.pieces = []Piece{{Name: "data", Path: b.dir}}
	write(t, b.dir+"/base/1/1259", bytes.Repeat([]byte("old "), 4096))
	write(t, b.dir+"/pg_multixact/offsets/0000", bytes.Repeat([]byte{1}, 8192))
	write(t, b.dir+"/pg_wal/seg", bytes.Repeat([]byte{2}, 20000))
	write(t, b.dir+"/postmaster.pid", []byte("1\n"))
	if err := os.Chown(b.dir+"/postmaster.pid", 999, 998); err != nil {
		t.Fatal(err)
	}
	_, b.records = mustCopy(t, CopyRequest{Source: b.pieces, Dest: emptyLike(t, b.pieces)})
	return b
}

func (b patchBench) run(t *testing.T, changes []Change) (PatchResult, []Change, error) {
	t.Helper()
	return b.patch(PatchRequest{Pieces: b.pieces, Save: b.save, Changes: changes})
}

func (b patchBench) patch(req PatchRequest) (PatchResult, []Change, error) {
	var saved []Change
	res, err := Patch(context.Background(), req, &Stream{OnRecord: func(v any) error { saved = append(saved, v.(Change)); return nil }})
	return res, saved, err
}

// same reports whether contents and modes are as at the start; times may differ.
func (b patchBench) same(t *testing.T) CompareResult {
	t.Helper()
	res, err := Compare(context.Background(), CompareRequest{Pieces: b.pieces, IgnoreMtime: true}, &Stream{Input: RecordsOf(b.records)})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// repair is a patch with everything in it.
func repair() []Change {
	old := bytes.Repeat([]byte("old "), 4096)
	return []Change{
		{Piece: "data", Path: "base/1/1259", Op: OpWrite, Off: 8192, Before: old[8192 : 8192+600], After: bytes.Repeat([]byte{9}, 600)},
		{Piece: "data", Path: "base/1/1259", Op: OpWrite, Off: 10000, Before: old[10000:10004], After: []byte("new ")},
		{Piece: "data", Path: "pg_multixact/offsets/0000", Op: OpWrite, Off: 8192, After: bytes.Repeat([]byte{0}, 8192), Extend: true},
		{Piece: "data", Path: "pg_multixact/offsets/0000", Op: OpWrite, Off: 16384, After: bytes.Repeat([]byte{7}, 8192), Extend: true},
		{Piece: "data", Path: "pg_wal/archive_status", Op: OpMkdir, UID: 999, GID: 998, Mode: 0o700},
		{Piece: "data", Path: "pg_wal/archive_status/x.ready", Op: OpCreate, UID: 999, GID: 998, Mode: 0o600, After: []byte("x")},
		{Piece: "data", Path: "pg_wal/seg", Op: OpTruncate, OldSize: 20000, NewSize: 16384},
		{Piece: "data", Path: "pg_wal/seg", Op: OpTruncate, OldSize: 16384, NewSize: 8192},
		{Piece: "data", Path: "postmaster.pid", Op: OpRemove, Before: []byte("1\n")},
	}
}

func TestPatchAndUndo(t *testing.T) {
	b := newPatchBench(t)
	res, saved, err := b.run(t, repair())
	if err != nil {
		t.Fatal(err)
	}
	if res.Written != 9 || res.Already != 0 {
		t.Errorf("%+v", res)
	}
	got, _ := os.ReadFile(b.dir + "/base/1/1259")
	if !bytes.Equal(got[8192:8792], bytes.Repeat([]byte{9}, 600)) || string(got[10000:10004]) != "new " || string(got[:8]) != "old old " {
		t.Error("base/1/1259 is not as patched")
	}
	if fi, err := os.Stat(b.dir + "/pg_multixact/offsets/0000"); err != nil || fi.Size() != 3*8192 {
		t.Errorf("offsets/0000: %v %v", fi, err)
	}
	if fi, err := os.Stat(b.dir + "/pg_wal/seg"); err != nil || fi.Size() != 8192 {
		t.Errorf("seg: %v %v", fi, err)
	}
	e := look(&tree{}, mustRoot(t, b.dir), "pg_wal/archive_status", "")
	if e.err != nil || e.stat.uid != 999 || e.stat.mode != 0o700 {
		t.Errorf("archive_status %+v", e)
	}
	if b.same(t).Equal {
		t.Fatal("nothing changed")
	}

	t.Run("again changes nothing", func(t *testing.T) {
		res, again, err := b.run(t, repair())
		if err != nil || res.Written != 0 || res.Already != 9 {
			t.Errorf("%+v %v", res, err)
		}
		if len(again) != len(saved) {
			t.Errorf("%d saved, want the %d of the first time", len(again), len(saved))
		}
	})
	t.Run("save file holds what was streamed", func(t *testing.T) {
		f, err := os.Open(filepath.Join(b.save, res.Saved))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		kept, err := ReadSaved(f)
		if err != nil || toJSON(t, kept) != toJSON(t, saved) {
			t.Errorf("%v", err)
		}
	})
	if _, _, err := b.patch(Inverse(b.pieces, b.save, saved)); err != nil {
		t.Fatalf("undo: %v", err)
	}
	if res := b.same(t); !res.Equal {
		t.Errorf("after undoing: %+v", res.Diffs)
	}
	if _, _, err := b.patch(Inverse(b.pieces, b.save, saved)); err != nil {
		t.Errorf("undo again: %v", err)
	}
}

func mustRoot(t *testing.T, dir string) *os.Root {
	t.Helper()
	r, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// A patch that is cut off after any of its changes goes on where it was, and undoing
// brings everything back even so.
func TestPatchResumesAfterEveryChange(t *testing.T) {
	for n := range repair() {
		b := newPatchBench(t)
		ctx, cancel := context.WithCancel(context.Background())
		s := &Stream{OnProgress: func(p Progress) {
			if p.Phase == "patch" && p.Files > int64(n) {
				cancel()
			}
		}}
		_, err := Patch(ctx, PatchRequest{Pieces: b.pieces, Save: b.save, Changes: repair()}, s)
		if n < len(repair())-1 {
			kindIs(t, err, KindCancelled)
		}
		_, saved, err := b.run(t, repair())
		if err != nil {
			t.Fatalf("cut after change %d: %v", n, err)
		}
		if _, _, err := b.patch(Inverse(b.pieces, b.save, saved)); err != nil {
			t.Fatalf("cut after change %d, undo: %v", n, err)
		}
		if res := b.same(t); !res.Equal {
			t.Errorf("cut after change %d, after undoing: %+v", n, res.Diffs)
		}
	}
}

func TestPatchFinishesATornWrite(t *testing.T) {
	b := newPatchBench(t)
	c := repair()[:1]
	// The first sector was written, the second not.
	f, err := os.OpenFile(b.dir+"/base/1/1259", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, werr := f.WriteAt(c[0].After[:512], c[0].Off)
	if err := errors.Join(werr, f.Close()); err != nil {
		t.Fatal(err)
	}
	_, saved, err := b.run(t, c)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.patch(Inverse(b.pieces, b.save, saved)); err != nil {
		t.Fatal(err)
	}
	if res := b.same(t); !res.Equal {
		t.Errorf("%+v", res.Diffs)
	}
}

func TestPatchRefuses(t *testing.T) {
	old := bytes.Repeat([]byte("old "), 4096)
	sum := sha256.Sum256([]byte("something else!!"))
	for name, c := range map[string]Change{
		"other bytes":       {Path: "base/1/1259", Op: OpWrite, Off: 0, Before: []byte("xld "), After: []byte("new ")},
		"other hash":        {Path: "base/1/1259", Op: OpWrite, Off: 0, BeforeSHA256: hex.EncodeToString(sum[:]), BeforeLen: 16, After: make([]byte, 16)},
		"past the end":      {Path: "base/1/1259", Op: OpWrite, Off: 16384, After: []byte("new ")},
		"gap":               {Path: "base/1/1259", Op: OpWrite, Off: 16385, After: []byte("new "), Extend: true},
		"missing file":      {Path: "base/1/none", Op: OpWrite, Off: 0, Before: []byte("x"), After: []byte("y")},
		"a directory":       {Path: "base/1", Op: OpWrite, Off: 0, Before: []byte("x"), After: []byte("y")},
		"exists":            {Path: "postmaster.pid", Op: OpCreate, After: []byte("other")},
		"no parent":         {Path: "none/x", Op: OpCreate},
		"other size":        {Path: "pg_wal/seg", Op: OpTruncate, OldSize: 19999, NewSize: 1},
		"remove other":      {Path: "postmaster.pid", Op: OpRemove, Before: []byte("2\n")},
		"directory in use":  {Path: "base/1", Op: OpRmdir},
		"mkdir over a file": {Path: "postmaster.pid", Op: OpMkdir},
		"behind a link":     {Path: "link/1/1259", Op: OpWrite, Off: 0, Before: old[:4], After: []byte("new ")},
		"a link":            {Path: "filelink", Op: OpWrite, Off: 0, Before: old[:4], After: []byte("new ")},
	} {
		t.Run(name, func(t *testing.T) {
			b := newPatchBench(t)
			if err := errors.Join(os.Symlink("base", b.dir+"/link"), os.Symlink("base/1/1259", b.dir+"/filelink")); err != nil {
				t.Fatal(err)
			}
			unchanged(t, b.dir)
			c.Piece = "data"
			good := repair()[1]
			_, _, err := b.run(t, []Change{good, c}) // the good one must not be written either
			kindIs(t, err, KindRefused)
			if e := asError(err); e.Path != c.Path {
				t.Errorf("names %q", e.Path)
			}
		})
	}
	for name, c := range map[string]Change{
		"leaves the piece":  {Path: "../x", Op: OpCreate},
		"absolute":          {Path: "/etc/x", Op: OpCreate},
		"unknown operation": {Path: "x", Op: "chmod"},
		"nothing to write":  {Path: "base/1/1259", Op: OpWrite},
		"negative offset":   {Path: "base/1/1259", Op: OpWrite, Off: -1, After: []byte("x")},
		"growing cut":       {Path: "base/1/1259", Op: OpTruncate, OldSize: 1, NewSize: 2},
	} {
		t.Run(name, func(t *testing.T) {
			b := newPatchBench(t)
			unchanged(t, b.dir)
			c.Piece = "data"
			_, _, err := b.run(t, []Change{c})
			kindIs(t, err, KindBadRequest)
		})
	}
}

func TestPatchWithHash(t *testing.T) {
	b := newPatchBench(t)
	old := []byte("old old ")
	sum := sha256.Sum256(old)
	c := []Change{{Piece: "data", Path: "base/1/1259", Op: OpWrite, BeforeSHA256: hex.EncodeToString(sum[:]), BeforeLen: 8, After: []byte("new new ")}}
	_, saved, err := b.run(t, c)
	if err != nil || len(saved) != 1 || !bytes.Equal(saved[0].After, old) {
		t.Fatalf("%v %+v", err, saved)
	}
}

func TestPatchDryRunWritesNothing(t *testing.T) {
	b := newPatchBench(t)
	unchanged(t, b.dir)
	unchanged(t, b.save)
	res, saved, err := b.patch(PatchRequest{Pieces: b.pieces, Changes: repair(), DryRun: true})
	if err != nil || len(saved) == 0 || res.Written != 0 {
		t.Errorf("%+v %v", res, err)
	}
}

func TestPatchKeepsTheFirstSave(t *testing.T) {
	b := newPatchBench(t)
	if _, _, err := b.run(t, repair()); err != nil {
		t.Fatal(err)
	}
	names, _ := filepath.Glob(b.save + "/*")
	if len(names) != 1 {
		t.Fatalf("%v", names)
	}
	file, _ := os.ReadFile(names[0])
	write(t, names[0], file[:len(file)-20])
	_, _, err := b.run(t, repair())
	if err == nil {
		t.Error("a damaged save file was passed over")
	}
}

func FuzzReadSaved(f *testing.F) {
	f.Add([]byte(`{"undo":{"piece":"data","path":"a","op":"mkdir"}}` + "\n" + `{"end":{"changes":1,"sha256":""}}` + "\n"))
	f.Add([]byte(`{"end":{"changes":0,"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}` + "\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		changes, err := ReadSaved(bytes.NewReader(b))
		if err == nil && len(changes) >= bytes.Count(b, []byte("\n")) {
			t.Fatalf("%d changes from %d lines", len(changes), bytes.Count(b, []byte("\n")))
		}
	})
}
