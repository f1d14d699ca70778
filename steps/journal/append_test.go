package journal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pgrescue/pgrescue/steps/engine"
)

func TestAppendAndReplay(t *testing.T) {
	d := newDir(t)
	j, past := openDir(t, d)
	if len(past) != 0 || j.Head() != "" {
		t.Fatalf("a new journal holds %d events, head %q", len(past), j.Head())
	}
	var wrote []engine.Event
	for seq := int64(1); seq <= 20; seq++ {
		e, err := j.Append(note(seq, strings.Repeat("x", int(seq*100))))
		if err != nil {
			t.Fatal(err)
		}
		wrote = append(wrote, e)
	}
	head := j.Head()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	rep, err := d.Read()
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(rep.Events, wrote) || rep.Head != head || len(rep.Torn) != 0 {
		t.Errorf("replay differs: %d events of %d, head %s of %s", len(rep.Events), len(wrote), rep.Head, head)
	}
	j, past = openDir(t, d)
	if !reflect.DeepEqual(past, wrote) {
		t.Error("opening again gives other events")
	}
	fill(t, j, 21, 1)
	if rep, err := d.Read(); err != nil || len(rep.Events) != 21 {
		t.Errorf("%d events, %v", len(rep.Events), err)
	}
}

// TestPromise7TornLine: a last line cut anywhere was never acknowledged. Its bytes are set
// aside, and the journal goes on.
func TestPromise7TornLine(t *testing.T) {
	d := newDir(t)
	j, _ := openDir(t, d)
	fill(t, j, 1, 3)
	j.Close()
	whole, err := os.ReadFile(d.Path(journalName))
	if err != nil {
		t.Fatal(err)
	}
	lastLine := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	for cut := lastLine; cut < len(whole); cut++ {
		d := newDir(t)
		if err := os.WriteFile(d.Path(journalName), whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		j, past := openDir(t, d)
		if len(past) != 2 {
			t.Fatalf("cut at %d: %d events", cut, len(past))
		}
		aside, err := os.ReadFile(d.Path(fmt.Sprintf("journal.torn-%d", lastLine)))
		if cut > lastLine && (err != nil || !bytes.Equal(aside, whole[lastLine:cut])) {
			t.Errorf("cut at %d: set aside %q, %v", cut, aside, err)
		}
		fill(t, j, 3, 1)
		if rep, err := d.Read(); err != nil || len(rep.Events) != 3 || len(rep.Torn) != 0 {
			t.Errorf("cut at %d: going on gives %d events, %v", cut, len(rep.Events), err)
		}
		j.Close()
	}
}

// TestTamperingIsDetected at each line, whatever is done to it.
func TestTamperingIsDetected(t *testing.T) {
	d := newDir(t)
	j, _ := openDir(t, d)
	fill(t, j, 1, 8)
	j.Close()
	whole, err := os.ReadFile(d.Path(journalName))
	if err != nil {
		t.Fatal(err)
	}
	head := mustRead(t, d).Head
	lines := bytes.SplitAfter(whole, []byte("\n"))[:8]
	for i := range lines {
		for name, bend := range map[string]func([][]byte) [][]byte{
			"a word changed": func(l [][]byte) [][]byte { l[i] = bytes.Replace(l[i], []byte("note"), []byte("nope"), 1); return l },
			"a blank added":  func(l [][]byte) [][]byte { l[i] = bytes.Replace(l[i], []byte(`{`), []byte(`{ `), 1); return l },
			"left out":       func(l [][]byte) [][]byte { return append(l[:i:i], l[i+1:]...) },
			"twice":          func(l [][]byte) [][]byte { return append(l[:i+1:i+1], l[i:]...) },
			"no JSON":        func(l [][]byte) [][]byte { l[i] = []byte("\n"); return l },
		} {
			bent := bytes.Join(bend(append([][]byte(nil), lines...)), nil)
			rep, err := replay(bytes.NewReader(bent))
			// The last line has nobody behind it: only the head, kept elsewhere, tells.
			if err == nil && rep.Head == head {
				t.Errorf("line %d %s: not noticed", i+1, name)
			}
			if err == nil && i < len(lines)-1 {
				t.Errorf("line %d %s: the chain is accepted", i+1, name)
			}
		}
	}
	if err := os.WriteFile(d.Path(journalName), bytes.Replace(whole, []byte("note 1"), []byte("note 9"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(d); err == nil || !strings.Contains(err.Error(), "line 2 does not follow") {
		t.Errorf("opening a tampered journal: %v", err)
	}
	if now, _ := os.ReadFile(d.Path(journalName)); len(now) != len(whole) {
		t.Error("a tampered journal was changed by opening it")
	}
}

func mustRead(t *testing.T, d Dir) Replay {
	t.Helper()
	rep, err := d.Read()
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// TestNoSpace: a full file system leaves the journal as it was, and once there is space it
// goes on.
func TestNoSpace(t *testing.T) {
	base := t.TempDir()
	if err := unix.Mount("tmpfs", base, "tmpfs", 0, "size=256k,mode=0700"); err != nil {
		t.Skipf("SKIP-REASON: no small file system can be mounted (%v)", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(base, 0); err != nil {
			t.Error(err)
		}
	})
	d, err := Create(base, "db", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	j, _ := openDir(t, d)
	fill(t, j, 1, 3)
	ballast := filepath.Join(base, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 128<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	before, head := readAll(t, d), j.Head()
	if _, err := j.Append(note(4, strings.Repeat("y", 200<<10))); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("a full file system: %v", err)
	}
	if now := readAll(t, d); !bytes.Equal(now, before) || j.Head() != head {
		t.Errorf("the journal has %d bytes, had %d; head %s, was %s", len(now), len(before), j.Head(), head)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	fill(t, j, 4, 2)
	if n := len(mustRead(t, d).Events); n != 5 {
		t.Errorf("%d events", n)
	}
	j.Close()
}

func readAll(t *testing.T, d Dir) []byte {
	t.Helper()
	b, err := os.ReadFile(d.Path(journalName))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestBrokenFileStops: when a line cannot even be taken back, nothing more is accepted.
func TestBrokenFileStops(t *testing.T) {
	d := newDir(t)
	j, _ := openDir(t, d)
	fill(t, j, 1, 1)
	j.file.Close()
	_, first := j.Append(note(2, "x"))
	_, second := j.Append(note(2, "x"))
	if first == nil || second == nil || !strings.Contains(second.Error(), "torn") {
		t.Errorf("%v, %v", first, second)
	}
}

// TestModes: the directory is for its owner alone, and so is every file in it.
func TestModes(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	d := incident(t)
	if err := d.WriteReports(); err != nil {
		t.Fatal(err)
	}
	err := filepath.Walk(string(d), func(name string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		want := os.FileMode(0o600)
		if info.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", name, info.Mode().Perm(), want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestNoSymlinks: a journal or lock that is a link somewhere else is not followed.
func TestNoSymlinks(t *testing.T) {
	for _, name := range []string{journalName, "lock"} {
		d := newDir(t)
		victim := filepath.Join(t.TempDir(), "victim")
		if err := os.WriteFile(victim, []byte("keep"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(victim, d.Path(name)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Open(d); !errors.Is(err, syscall.ELOOP) {
			t.Errorf("%s: %v", name, err)
		}
		if b, _ := os.ReadFile(victim); string(b) != "keep" {
			t.Errorf("%s: the link was followed", name)
		}
	}
}

// FuzzReplay must not panic, and what it accepts is a chain.
func FuzzReplay(f *testing.F) {
	f.Add([]byte(`{"v":1,"seq":1,"ts":"2026-01-01T00:00:00Z","mono_ms":0,"kind":"note","prev":""}` + "\n"))
	f.Add([]byte("{}\n"))
	f.Add([]byte("torn"))
	f.Fuzz(func(t *testing.T, b []byte) {
		rep, err := replay(bytes.NewReader(b))
		if err != nil {
			return
		}
		if int(rep.Size)+len(rep.Torn) != len(b) {
			t.Errorf("%d bytes of lines and %d torn ones of %d", rep.Size, len(rep.Torn), len(b))
		}
		for i, e := range rep.Events {
			if e.Seq != int64(i+1) {
				t.Errorf("event %d has number %d", i+1, e.Seq)
			}
		}
	})
}
