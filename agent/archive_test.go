package agent

import (
	"context"
	"crypto/sha256"
	"math/rand"
	"os"
	"testing"
)

// What the disk made of the archive after it was written is noticed, wherever it is.
func TestArchiveVerifyNoticesDamage(t *testing.T) {
	src := []Piece{{Name: "data", Path: t.TempDir()}}
	noise := make([]byte, 6<<20)
	rand.New(rand.NewSource(1)).Read(noise)
	write(t, src[0].Path+"/a", noise)
	_, records := mustCopy(t, CopyRequest{Source: src, Dest: emptyLike(t, src)})
	trees, err := openTrees(src)
	if err != nil {
		t.Fatal(err)
	}
	defer closeTrees(trees)
	out := t.TempDir()
	a := &archiver{ctx: context.Background(), s: &Stream{Input: RecordsOf(records)}, trees: trees, dir: mustRoot(t, out), whole: sha256.New()}
	if err := a.write("x"); err != nil {
		t.Fatal(err)
	}
	if err := a.verify("x"); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(out + "/x")
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{5, 100, len(good) / 2, len(good) - 3} {
		bad := append([]byte(nil), good...)
		bad[at] ^= 4
		write(t, out+"/x", bad)
		kindIs(t, a.verify("x"), KindMismatch)
	}
	write(t, out+"/x", good[:len(good)-10])
	if err := a.verify("x"); err == nil {
		t.Error("a cut archive passed")
	}
}
