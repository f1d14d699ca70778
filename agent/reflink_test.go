package agent

import (
	"context"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// xfs mounts a small XFS, which can share blocks. testdata/xfs.img.zst is a fresh file
// system: truncate -s 300M xfs.img; mkfs.xfs xfs.img; zstd -19 xfs.img.
func xfs(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("SKIP-REASON: needs root to mount a file system")
	}
	packed, err := os.Open("testdata/xfs.img.zst")
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	z, err := zstd.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	image, dir := t.TempDir()+"/xfs.img", t.TempDir()
	f, err := os.Create(image)
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1<<20)
	for off := int64(0); ; off += int64(len(buf)) {
		n, err := io.ReadFull(z, buf)
		if n > 0 && !allZero(buf[:n]) {
			if _, err := f.WriteAt(buf[:n], off); err != nil {
				t.Fatal(err)
			}
		}
		if err != nil {
			break
		}
	}
	if err := f.Truncate(300 << 20); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if out, err := exec.Command("mount", "-t", "xfs", "-o", "loop", image, dir).CombinedOutput(); err != nil {
		t.Skipf("SKIP-REASON: this kernel mounts no XFS image: %s", out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	return dir
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

func TestCopyByReflink(t *testing.T) {
	f, dir := cluster(t), xfs(t)
	pieces := func(name string) []Piece {
		if err := os.Mkdir(dir+"/"+name, 0o755); err != nil {
			t.Fatal(err)
		}
		return []Piece{{Name: "data", Path: dir + "/" + name}}
	}
	src := pieces("src")
	if out, err := exec.Command("cp", "-a", f.data+"/.", src[0].Path).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	before, err := statFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	dst := pieces("clone")
	res, records := mustCopy(t, CopyRequest{Source: src, Dest: dst})
	after, err := statFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	var content int64
	for _, r := range records {
		if r.Type == TypeFile && r.Size > 0 {
			content++
		}
	}
	if res.Cloned != content {
		t.Errorf("%d of %d files cloned", res.Cloned, content)
	}
	if used := before.FreeBytes - after.FreeBytes; used > res.Bytes/4 {
		t.Errorf("cloning %d bytes took %d", res.Bytes, used)
	}
	mustEqual(t, dst, records)
	mustEqual(t, src, records)
	flip(t, dst[0].Path+"/global/1260")
	mustEqual(t, src, records) // a write to the copy does not reach the original

	if r := probeReflink(dst[0]); !r.Can {
		t.Errorf("probe: %s", r.Why)
	}
	full, _ := mustCopy(t, CopyRequest{Source: src, Dest: pieces("full"), NoReflink: true})
	if full.Cloned != 0 {
		t.Errorf("%d files cloned although none should be", full.Cloned)
	}
	tmpfs := small(t, "size=200m")
	other, records := mustCopy(t, CopyRequest{Source: src, Dest: tmpfs})
	if other.Cloned != 0 {
		t.Errorf("%d files cloned across file systems", other.Cloned)
	}
	mustEqual(t, tmpfs, records)
}

// Space that cloning does not need is not asked for.
func TestCopyByReflinkNeedsNoSpace(t *testing.T) {
	dir := xfs(t)
	for _, sub := range []string{"src", "dst"} {
		if err := os.Mkdir(dir+"/"+sub, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, dir+"/src/big", make([]byte, 1<<20))
	if out, err := exec.Command("fallocate", "-l", "150M", dir+"/src/more").CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	src, dst := []Piece{{Name: "data", Path: dir + "/src"}}, []Piece{{Name: "data", Path: dir + "/dst"}}
	if _, err := Copy(context.Background(), CopyRequest{Source: src, Dest: dst}, nil); err != nil {
		t.Error(err)
	}
	_, err := Copy(context.Background(), CopyRequest{Source: src, Dest: dst, Resume: true, NoReflink: true, Headroom: 500 << 20}, nil)
	kindIs(t, err, KindNoSpace)
}
