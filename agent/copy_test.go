package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestCopyCluster(t *testing.T) {
	f := cluster(t)
	unchanged(t, f.data)
	unchanged(t, f.ts)
	dst := emptyLike(t, f.source())
	res, records := mustCopy(t, CopyRequest{Source: f.source(), Dest: dst})
	mustEqual(t, dst, records)
	mustEqual(t, f.source(), records)
	if !res.ControlKnown || !res.Checksums || res.BadPages != 0 || res.Pages < 1000 {
		t.Errorf("control known %v, checksums %v, pages %d, bad %d", res.ControlKnown, res.Checksums, res.Pages, res.BadPages)
	}
	if res.ReadBack == "" {
		t.Error("nothing was read back")
	}
	order := []string{"global/pg_control", "pg_wal", "pg_xact", "pg_multixact", "global/1260", "base", "PG_VERSION"}
	at := -1
	for _, want := range order {
		i := indexOf(records, want)
		if i <= at {
			t.Errorf("%s is record %d, want after %d", want, i, at)
		}
		at = i
	}
	out, err := exec.Command("diff", "-r", "--no-dereference", f.data, dst[0].Path).CombinedOutput()
	if err != nil {
		t.Errorf("diff: %v %s", err, out)
	}
}

func indexOf(records []Record, path string) int {
	for i, r := range records {
		if string(r.Path) == path {
			return i
		}
	}
	return -1
}

// oddTree makes a directory with everything that copying gets wrong.
func oddTree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	write(t, dir+"/base/1/plain", []byte("plain"))
	write(t, dir+"/empty", nil)
	write(t, dir+"/suid", []byte("x"))
	must(os.Chown(dir+"/suid", 999, 998))
	must(unix.Chmod(dir+"/suid", 0o4751))
	must(os.Symlink("/nowhere/at all", dir+"/dangling"))
	must(os.Symlink("base", dir+"/dirlink"))
	must(os.Lchown(dir+"/dangling", 70, 70))
	must(os.Link(dir+"/base/1/plain", dir+"/hard"))
	must(os.Mkdir(dir+"/base/closed", 0o700))
	must(os.Chmod(dir+"/base/closed", 0o500))
	write(t, dir+"/bad\xff\xfename\n", []byte("bytes"))
	write(t, dir+"/umläut \u2028", []byte("text"))
	must(unix.Lsetxattr(dir+"/empty", "user.note", []byte{0, 1, 2}, 0))
	must(unix.Lsetxattr(dir+"/base", "user.dir", []byte("d"), 0))
	must(unix.Lsetxattr(dir+"/dangling", "trusted.l", []byte("l"), 0))
	acl := []byte("\x02\x00\x00\x00\x01\x00\x06\x00\xff\xff\xff\xff\x02\x00\x04\x00\x46\x00\x00\x00\x04\x00\x04\x00\xff\xff\xff\xff\x10\x00\x06\x00\xff\xff\xff\xff\x20\x00\x04\x00\xff\xff\xff\xff")
	must(unix.Lsetxattr(dir+"/empty", "system.posix_acl_access", acl, 0))
	sparse, err := os.Create(dir + "/sparse")
	must(err)
	_, err = sparse.WriteAt(pageOfX, 3<<20)
	must(err)
	_, err = sparse.WriteAt(pageOfX, 5<<20+4096)
	must(err)
	must(sparse.Truncate(64<<20 + 17))
	must(sparse.Close())
	l, err := net.Listen("unix", dir+"/.s.PGSQL.5432")
	must(err)
	t.Cleanup(func() { l.Close() })
	must(unix.Mkfifo(dir+"/fifo", 0o600))
	when := unix.NsecToTimespec(1234567890123456789)
	must(unix.UtimesNanoAt(unix.AT_FDCWD, dir+"/dangling", []unix.Timespec{when, when}, unix.AT_SYMLINK_NOFOLLOW))
	must(unix.UtimesNanoAt(unix.AT_FDCWD, dir+"/base", []unix.Timespec{when, when}, 0))
	must(os.Chmod(dir, 0o750))
	return dir
}

func TestCopyKeepsEverything(t *testing.T) {
	src := []Piece{{Name: "data", Path: oddTree(t)}}
	unchanged(t, src[0].Path)
	dst := emptyLike(t, src)
	res, records := mustCopy(t, CopyRequest{Source: src, Dest: dst})
	mustEqual(t, src, records)
	copied := func(r Record) bool { return r.copied() }
	var kept []Record
	for _, r := range records {
		if copied(r) {
			kept = append(kept, r)
		}
	}
	mustEqual(t, dst, kept)

	var st, hard unix.Stat_t
	d := dst[0].Path
	if err := unix.Lstat(d+"/suid", &st); err != nil || st.Mode&0o7777 != 0o4751 || st.Uid != 999 || st.Gid != 998 {
		t.Errorf("suid: %v mode %o owner %d:%d", err, st.Mode, st.Uid, st.Gid)
	}
	if err := unix.Lstat(d+"/sparse", &st); err != nil || st.Blocks*512 > 64<<10 || st.Size != 64<<20+17 {
		t.Errorf("sparse: %v, %d bytes allocated, size %d", err, st.Blocks*512, st.Size)
	}
	_ = unix.Lstat(d+"/base/1/plain", &st)
	_ = unix.Lstat(d+"/hard", &hard)
	if st.Ino != hard.Ino || st.Nlink != 2 {
		t.Errorf("hard link: inodes %d and %d, %d links", st.Ino, hard.Ino, st.Nlink)
	}
	if err := unix.Lstat(d, &st); err != nil || st.Mode&0o7777 != 0o750 {
		t.Errorf("root: %v mode %o", err, st.Mode)
	}
	if _, err := os.Lstat(d + "/.s.PGSQL.5432"); err == nil {
		t.Error("socket was copied")
	}
	if _, err := os.Lstat(d + "/fifo"); err == nil {
		t.Error("fifo was copied")
	}
	if len(res.Notes) != 2 {
		t.Errorf("notes %+v, want one for the socket and one for the fifo", res.Notes)
	}
	i := indexOf(records, "sparse")
	if r := records[i]; r.HoleCount != 3 || len(r.Holes) != 3 {
		t.Errorf("holes %+v", r.Holes)
	}
	if out, err := exec.Command("getfacl", "--version").Output(); err == nil && len(out) == 0 {
		t.Log("getfacl says nothing")
	}
}

func TestCopySharedInode(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/in/file", []byte("shared"))
	if err := os.Link(dir+"/in/file", dir+"/outside"); err != nil {
		t.Fatal(err)
	}
	src := []Piece{{Name: "data", Path: dir + "/in"}}
	res, _ := mustCopy(t, CopyRequest{Source: src, Dest: emptyLike(t, src)})
	if len(res.Notes) != 1 || !strings.Contains(res.Notes[0].Text, "shares this file") {
		t.Errorf("notes %+v, want a warning of links outside", res.Notes)
	}
}

func TestCopyCarriesOnPastReadErrors(t *testing.T) {
	src := []Piece{{Name: "data", Path: t.TempDir()}}
	content := bytes.Repeat([]byte{7}, 1<<20)
	write(t, src[0].Path+"/bad", content)
	write(t, src[0].Path+"/good", content)
	dst := emptyLike(t, src)
	lo, hi := int64(300<<10), int64(308<<10)
	x := seams{readAt: func(f *os.File, path string, b []byte, off int64) (int, error) {
		if path == "bad" && off < hi && off+int64(len(b)) > lo {
			return 0, &os.PathError{Op: "read", Path: path, Err: syscall.EIO}
		}
		return f.ReadAt(b, off)
	}}
	var c collect
	res, err := copyWith(context.Background(), CopyRequest{Source: src, Dest: dst}, c.stream(nil), x)
	if err != nil {
		t.Fatal(err)
	}
	if res.BadFiles != 1 || res.BadBytes != hi-lo {
		t.Errorf("bad files %d, bytes %d", res.BadFiles, res.BadBytes)
	}
	r := c.records[indexOf(c.records, "bad")]
	if len(r.Bad) != 1 || r.Bad[0] != (Extent{lo, hi - lo}) {
		t.Errorf("bad ranges %+v", r.Bad)
	}
	clear(content[lo:hi])
	got, err := os.ReadFile(dst[0].Path + "/bad")
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("the copy is not the source with zeros in the range: %v", err)
	}
	mustEqual(t, dst, c.records)
	mustEqual(t, src, c.records) // a range that could not be read is not compared
}

func TestCopyReportsBadPages(t *testing.T) {
	f := cluster(t)
	src := cloneOf(t, f.source())
	var rel string
	for _, r := range func() []Record { _, r := mustCopy(t, CopyRequest{Source: src, Dest: emptyLike(t, src)}); return r }() {
		if r.Piece != "data" && r.Size > 3*8192 && strings.HasPrefix(string(r.Path), "PG_") {
			rel = filepath.Join(src[1].Path, string(r.Path))
		}
	}
	b, err := os.ReadFile(rel)
	if err != nil {
		t.Fatal(err)
	}
	b[8192+100] ^= 1            // content under the checksum
	clear(b[2*8192 : 3*8192])   // a page of zeros is sound
	copy(b[2*8192+50:], "oops") // unless there is something on it
	write(t, rel, b)
	res, records := mustCopy(t, CopyRequest{Source: src, Dest: emptyLike(t, src)})
	if res.BadPages != 2 {
		t.Fatalf("%d bad pages, want 2", res.BadPages)
	}
	for _, r := range records {
		if r.BadPageCount == 0 {
			continue
		}
		if r.BadPages[0].Block != 1 || r.BadPages[0].Kind != BadChecksum || r.BadPages[0].LSN == "0/0" ||
			r.BadPages[0].Found == r.BadPages[0].Expected {
			t.Errorf("first bad page %+v", r.BadPages[0])
		}
		if r.BadPages[1].Block != 2 || r.BadPages[1].Kind != BadNew {
			t.Errorf("second bad page %+v", r.BadPages[1])
		}
	}
}

// cloneOf copies pieces for a test that writes to them.
func cloneOf(t testing.TB, pieces []Piece) []Piece {
	t.Helper()
	out := emptyLike(t, pieces)
	for i := range pieces {
		if b, err := exec.Command("cp", "-a", pieces[i].Path+"/.", out[i].Path).CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, b)
		}
	}
	return out
}

func TestCopyNoticesChanges(t *testing.T) {
	for name, change := range map[string]func(dir string) error{
		"written": func(d string) error { return os.WriteFile(d+"/m", []byte("other"), 0o644) },
		"grown":   func(d string) error { return os.WriteFile(d+"/m", []byte("a longer text"), 0o644) },
		"removed": func(d string) error { return os.Remove(d + "/m") },
		"replaced": func(d string) error {
			return errors.Join(os.WriteFile(d+"/n", []byte("first"), 0o644), os.Rename(d+"/n", d+"/m"))
		},
		"chmod": func(d string) error { return os.Chmod(d+"/m", 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			src := []Piece{{Name: "data", Path: t.TempDir()}}
			write(t, src[0].Path+"/m", []byte("first"))
			write(t, src[0].Path+"/z", []byte("last"))
			x := seams{afterFile: func(path string) {
				if path == "m" {
					if err := change(src[0].Path); err != nil {
						t.Error(err)
					}
				}
			}}
			_, err := copyWith(context.Background(), CopyRequest{Source: src, Dest: emptyLike(t, src)}, nil, x)
			if e := kindIs(t, err, KindChanged); e.Path != "m" {
				t.Errorf("names %q, want m: %v", e.Path, err)
			}
		})
	}
	t.Run("written after it was copied", func(t *testing.T) {
		src := []Piece{{Name: "data", Path: t.TempDir()}}
		write(t, src[0].Path+"/a", []byte("first"))
		write(t, src[0].Path+"/z", []byte("last"))
		x := seams{afterFile: func(path string) {
			if path == "z" {
				write(t, src[0].Path+"/a", []byte("other"))
			}
		}}
		_, err := copyWith(context.Background(), CopyRequest{Source: src, Dest: emptyLike(t, src)}, nil, x)
		if e := kindIs(t, err, KindChanged); e.Path != "a" {
			t.Errorf("names %q, want a: %v", e.Path, err)
		}
	})
	t.Run("new file", func(t *testing.T) {
		src := []Piece{{Name: "data", Path: t.TempDir()}}
		write(t, src[0].Path+"/a", []byte("first"))
		x := seams{afterFile: func(string) { write(t, src[0].Path+"/b", []byte("new")) }}
		_, err := copyWith(context.Background(), CopyRequest{Source: src, Dest: emptyLike(t, src)}, nil, x)
		kindIs(t, err, KindChanged)
	})
}

func TestCopyRefusesWhatIsNotEmpty(t *testing.T) {
	src := []Piece{{Name: "data", Path: t.TempDir()}}
	dst := emptyLike(t, src)
	write(t, dst[0].Path+"/already", nil)
	_, err := Copy(context.Background(), CopyRequest{Source: src, Dest: dst}, nil)
	kindIs(t, err, KindNotEmpty)
}

func TestCopyResumes(t *testing.T) {
	src := []Piece{{Name: "data", Path: t.TempDir()}}
	for i := range 40 {
		write(t, fmt.Sprintf("%s/d%d/f%02d", src[0].Path, i%4, i), bytes.Repeat([]byte{byte(i)}, 100000))
	}
	if err := os.Link(src[0].Path+"/d0/f00", src[0].Path+"/d3/link"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("x", src[0].Path+"/d0/sym"); err != nil {
		t.Fatal(err)
	}
	dst := emptyLike(t, src)
	ctx, cancel := context.WithCancel(context.Background())
	var first collect
	s := first.stream(nil)
	keep := s.OnRecord
	s.OnRecord = func(v any) error {
		if len(first.records) == 25 {
			cancel()
			return nil
		}
		if ctx.Err() != nil {
			return nil
		}
		return keep(v)
	}
	_, err := Copy(ctx, CopyRequest{Source: src, Dest: dst}, s)
	kindIs(t, err, KindCancelled)
	write(t, dst[0].Path+"/d2/left-over", []byte("of the first attempt"))

	var second collect
	res, err := Copy(context.Background(), CopyRequest{Source: src, Dest: dst, Resume: true}, second.stream(RecordsOf(first.records)))
	if err != nil {
		t.Fatal(err)
	}
	if res.Reused < 15 || res.Reused > 25 {
		t.Errorf("%d files reused, want those of 25 records", res.Reused)
	}
	mustEqual(t, dst, second.records)
	mustEqual(t, src, second.records)
}

func TestCopyResumeDoesNotTrustTheDestination(t *testing.T) {
	src := []Piece{{Name: "data", Path: t.TempDir()}}
	write(t, src[0].Path+"/a", []byte("content"))
	dst := emptyLike(t, src)
	_, records := mustCopy(t, CopyRequest{Source: src, Dest: dst})
	write(t, dst[0].Path+"/a", []byte("CONTENT"))
	_, err := Copy(context.Background(), CopyRequest{Source: src, Dest: dst, Resume: true}, &Stream{Input: RecordsOf(records)})
	if e := kindIs(t, err, KindMismatch); e.Path != "a" {
		t.Errorf("names %q", e.Path)
	}
}

func TestCopyResumeSeesAChangedSource(t *testing.T) {
	src := []Piece{{Name: "data", Path: t.TempDir()}}
	write(t, src[0].Path+"/a", []byte("content"))
	dst := emptyLike(t, src)
	_, records := mustCopy(t, CopyRequest{Source: src, Dest: dst})
	write(t, src[0].Path+"/a", []byte("CONTENT"))
	var c collect
	if _, err := Copy(context.Background(), CopyRequest{Source: src, Dest: dst, Resume: true}, c.stream(RecordsOf(records))); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(dst[0].Path + "/a"); string(b) != "CONTENT" {
		t.Errorf("the copy holds %q", b)
	}
	mustEqual(t, dst, c.records)
}
