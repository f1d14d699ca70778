package pgdisk

import (
	"errors"
	"testing"
	"testing/fstest"
	"time"
)

func TestCommitTs(t *testing.T) {
	page := make([]byte, BlockSize)
	want := CommitTs{Micros: 637_000_000_123_456, Origin: 0xBEEF}
	const x XID = 2*819 + 818 // the last entry of the third page
	if err := PutPageCommitTs(page, x, want); err != nil {
		t.Fatal(err)
	}
	if page[8180] == 0 || page[8188] != 0xEF || page[8189] != 0xBE || page[8179] != 0 || page[8190] != 0 {
		t.Errorf("bytes % x", page[8170:])
	}
	files := fstest.MapFS{"pg_commit_ts/0000": &fstest.MapFile{Data: append(make([]byte, 2*BlockSize), page...)}}
	pages := NewSLRUFiles(files)
	got, err := ReadCommitTs(pages, x)
	if err != nil || got != want || !got.Kept() {
		t.Errorf("got %+v, %v", got, err)
	}
	if at := got.Time().Format(time.RFC3339Nano); at != "2020-03-08T16:26:40.123456Z" {
		t.Errorf("time %s", at)
	}
	if got, err := ReadCommitTs(pages, x-1); err != nil || got.Kept() {
		t.Errorf("an entry that was never written: %+v, %v", got, err)
	}
	if got, err := ReadCommitTs(pages, FrozenXID); err != nil || got.Kept() {
		t.Errorf("a special id: %+v, %v", got, err)
	}
	var missing *SLRUPageError
	if _, err := ReadCommitTs(pages, 26208); !errors.As(err, &missing) || missing.Location.Name != "0001" {
		t.Errorf("the next file: %v", err)
	}
	if got, ok := LastUsedCommitTs(files["pg_commit_ts/0000"].Data); !ok || got != uint64(x) {
		t.Errorf("last used %d, %v", got, ok)
	}
}

func TestCommitTsWrongSize(t *testing.T) {
	if _, err := PageCommitTs(make([]byte, 100), 3); err == nil {
		t.Error("a short page was read")
	}
	if err := PutPageCommitTs(nil, 3, CommitTs{}); err == nil {
		t.Error("a short page was written")
	}
	if _, ok := LastUsedCommitTs(append(make([]byte, BlockSize-2), 1, 1)); ok {
		t.Error("the unused end of a page is an entry")
	}
}

// FuzzCommitTs: what is read is what is written, and nothing else on the page changes.
func FuzzCommitTs(f *testing.F) {
	f.Add(uint32(3), []byte{1, 2, 3})
	f.Add(uint32(818), []byte{0xFF})
	f.Add(uint32(0xFFFFFFFF), []byte{})
	f.Fuzz(func(t *testing.T, x uint32, b []byte) {
		page := make([]byte, BlockSize)
		for i := range page {
			if len(b) > 0 {
				page[i] = b[i%len(b)]
			}
		}
		before := string(page)
		c, err := PageCommitTs(page, XID(x))
		if err != nil {
			t.Fatal(err)
		}
		if c.Time().IsZero() {
			t.Fatal("no time")
		}
		if err := PutPageCommitTs(page, XID(x), c); err != nil || string(page) != before {
			t.Fatalf("writing what was read changed the page: %v", err)
		}
		if last, ok := LastUsedCommitTs(page); ok && last >= 819 {
			t.Fatalf("entry %d of 819", last)
		}
	})
}
