package pgdisk

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// compareWALImages restores every page image of the log in dir/one and holds it against
// what the server shows of the page, what pg_waldump restores (16 on), and what the rest of
// the same record says about the page.
func compareWALImages(t *testing.T, src WALSource, start LSN, dir string) {
	live := readLivePages(t, filepath.Join(dir, "pages"))
	saved := readSavedImages(t, filepath.Join(dir, "images"))
	c := walImageCheck{t: t, live: live, saved: saved, seen: map[string]int{}}
	defer c.images.Close()
	if _, err := FindWALEnd(t.Context(), src, start, c.record); err != nil {
		t.Fatal(err)
	}
	if len(c.saved) != 0 {
		t.Errorf("%d images that pg_waldump restores were not seen here: %v", len(c.saved), firstKey(c.saved))
	}
	if len(c.live) != 0 {
		t.Errorf("%d pages of the server had no image: %v", len(c.live), firstKey(c.live))
	}
	c.wantSeen(t)
}

func firstKey[V any](m map[string]V) string {
	for k := range m {
		return k
	}
	return ""
}

type walImageCheck struct {
	t      *testing.T
	live   map[string][]byte // by file number and block
	saved  map[string]string // by pg_waldump's file name
	seen   map[string]int
	images WALImages
	bad    int

	outside bool // live and saved are there
}

// record checks all images of one record, against what the server has and says too.
func (c *walImageCheck) record(rec *WALRecord) error {
	c.outside = true
	return c.imagesOf(rec)
}

// imagesOf checks all images of one record.
func (c *walImageCheck) imagesOf(rec *WALRecord) error {
	for i := range rec.Blocks {
		b := &rec.Blocks[i]
		if !b.HasImage {
			continue
		}
		page := make([]byte, BlockSize)
		if err := c.images.Restore(page, b); err != nil {
			c.fail("%s at %s: %v", rec, rec.LSN, err)
			continue
		}
		c.seen["image "+b.Compression.String()]++
		if c.outside {
			c.savedAs(rec, b, page)
			c.liveAs(rec, b, page)
		}
		if diff := c.after(rec, b, page); diff != "" {
			c.fail("%s at %s, block %d of %s: %s", rec, rec.LSN, b.Block, b.Rel, diff)
		}
	}
	if c.bad > 20 {
		return errors.New("too many differences")
	}
	return nil
}

func (c *walImageCheck) fail(format string, args ...any) {
	c.t.Errorf(format, args...)
	c.bad++
}

// savedAs compares with the file that pg_waldump --save-fullpage wrote.
func (c *walImageCheck) savedAs(rec *WALRecord, b *WALBlockRef, page []byte) {
	if rec.Major < 16 {
		return
	}
	name := fmt.Sprintf("%08X-%08X-%08X.%d.%d.%d.%d_%s", uint32(rec.Timeline), uint32(rec.LSN>>32), uint32(rec.LSN),
		b.Rel.Tablespace, b.Rel.Database, b.Rel.Number, b.Block, b.Fork)
	sum := sha256.Sum256(page)
	if c.saved[name] != hex.EncodeToString(sum[:]) {
		c.fail("image %s is not what pg_waldump restores (%q)", name, c.saved[name])
	}
	delete(c.saved, name)
}

// liveAs compares with the page as the server had it: replay sets the LSN, writing the checksum.
func (c *walImageCheck) liveAs(rec *WALRecord, b *WALBlockRef, page []byte) {
	key := fmt.Sprintf("%d %d", b.Rel.Number, b.Block)
	want, ok := c.live[key]
	if !ok || b.Fork != 0 {
		return
	}
	c.seen["live "+b.Compression.String()]++
	delete(c.live, key)
	got, live := slices.Clone(page), slices.Clone(want)
	clear(got[:10])
	clear(live[:10])
	clear(live[b.HoleOffset : b.HoleOffset+b.HoleLength]) // building an index leaves rubbish there
	if !bytes.Equal(got, live) {
		c.fail("image of %s at %s (%s) is not the server's page", key, rec.LSN, b.Compression)
	}
}

func readLivePages(t *testing.T, name string) map[string][]byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string][]byte{}
	for line := range strings.Lines(string(text)) {
		i := strings.LastIndexByte(line, ' ')
		page, err := hex.DecodeString(strings.TrimSpace(line[i+1:]))
		if err != nil || len(page) != BlockSize {
			t.Fatalf("page of %d bytes: %v", len(page), err)
		}
		pages[line[:i]] = page
	}
	return pages
}

func readSavedImages(t *testing.T, name string) map[string]string {
	t.Helper()
	sums := map[string]string{}
	file, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return sums // pg_waldump of 13 and 15 does not save images
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s := bufio.NewScanner(file)
	for s.Scan() {
		sum, path, _ := strings.Cut(s.Text(), "  ./")
		sums[path] = sum
	}
	return sums
}

// after compares what the record says of a page with its image: both show the page as it is
// when the record has been replayed.
func (c *walImageCheck) after(rec *WALRecord, b *WALBlockRef, page []byte) string {
	p := walAfterImage{rec: rec, b: b, page: page, seen: c.seen}
	h, err := DecodePageHeader(page)
	if err != nil {
		return err.Error()
	}
	p.items = ItemIDs(page, h)
	var kind, diff string
	switch rec.Rmid {
	case RmgrHeap:
		kind, diff = p.heap()
	case RmgrHeap2:
		kind, diff = p.heap2()
	case RmgrBtree:
		kind, diff = p.btree()
	case RmgrSequence:
		if s, ok := rec.WALSequence(); ok {
			kind, diff = "sequence", p.sameBytes(1, s.Tuple)
		}
	}
	if kind != "" {
		c.seen[kind]++
	}
	return diff
}

// wantSeen makes sure that the workload still makes what is compared.
func (c *walImageCheck) wantSeen(t *testing.T) {
	want := []string{"image none", "image pglz", "live none", "live pglz", "insert", "multi-insert", "update", "update with shares", "old version", "delete", "lock", "inplace", "btree insert", "sequence", "frozen", "dead", "unused", "redirected"}
	for _, kind := range want {
		if c.seen[kind] == 0 {
			t.Errorf("nothing compared of kind %q", kind)
		}
	}
	t.Logf("compared with page images: %v", c.seen)
}
