package formats

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// walRepair is the change that the program names for a gap.
type walRepair struct {
	LSN     string `json:"lsn"`
	Page    bool   `json:"page"`
	Records int    `json:"records"`
	Bytes   []struct {
		LSN       string `json:"lsn"`
		Was, Want byte
	} `json:"bytes"`
}

// walBytes changes and reads bytes of a directory of segments.
type walBytes struct {
	t   *testing.T
	dir string
}

func (w walBytes) name(lsn uint64) string {
	return filepath.Join(w.dir, fmt.Sprintf("0000000100000000%08X", lsn/walSegSize))
}

func (w walBytes) at(lsn uint64, n int) []byte {
	w.t.Helper()
	return readFile(w.t, w.name(lsn))[lsn%walSegSize:][:n]
}

func (w walBytes) put(lsn uint64, b ...byte) {
	w.t.Helper()
	patch(w.t, w.name(lsn), lsn%walSegSize, b)
}

// recordByte is where byte off of a record lies, which starts at lsn: page headers are stepped over.
func recordByte(lsn uint64, off int) uint64 {
	for {
		left := int(walPageSize - lsn%walPageSize)
		if off < left {
			return lsn + uint64(off)
		}
		off -= left
		lsn += uint64(left) + 24
		if lsn%walSegSize == 24 {
			lsn += 16
		}
	}
}

// repairs damages records all over the WAL at once. Of a byte that was changed the program must
// name the place and the value; of more it must name nothing.
func (c *walCase) repairs(t *testing.T) {
	rng := rand.New(rand.NewPCG(uint64(c.major), 7))
	dir := filepath.Join(t.TempDir(), "wal")
	must(t, os.CopyFS(dir, os.DirFS(c.one)))
	w := walBytes{t, dir}
	want := map[string]uint64{} // record: place of its byte, 0 for a record that is past help
	was := map[string]byte{}
	step := len(c.dump) / 32
	for i := range 30 {
		n := 1 + i*step + rng.IntN(step-3)
		for c.dump[n].rmgr == "XLOG" || c.dump[n].total < 60 {
			n++
		}
		d := c.dump[n]
		lsn := parseLSN(t, d.lsn)
		if i%3 == 2 {
			off := 24 + rng.IntN(int(d.total)-54)
			for k := range 30 {
				at := recordByte(lsn, off+k)
				w.put(at, w.at(at, 1)[0]^byte(1+rng.IntN(255)))
			}
			want[d.lsn] = 0
			continue
		}
		off := rng.IntN(int(d.total))
		if i%2 == 0 {
			off = rng.IntN(24)
		}
		change := byte(1 + rng.IntN(255))
		if d.total > 16000 {
			change = 0x10 // of longer records, single bits only
		}
		at := recordByte(lsn, off)
		want[d.lsn], was[d.lsn] = at, w.at(at, 1)[0]
		w.put(at, was[d.lsn]^change)
	}
	_, _, end := inspectWAL(t, 3, "--count", "--start", c.start, dir)
	if len(end.Gaps) != len(want) {
		t.Errorf("%d gaps, want %d", len(end.Gaps), len(want))
	}
	for _, gap := range end.Gaps {
		at, damaged := want[gap.Stop.LSN]
		switch fix := gap.Fix; {
		case !damaged:
			t.Errorf("gap at %s, which was not damaged", gap.Stop.LSN)
		case at == 0 && fix != nil:
			t.Errorf("30 bytes of the record at %s were changed, and %+v is named", gap.Stop.LSN, *fix)
		case at == 0:
		case fix == nil:
			t.Errorf("record at %s: no repair, want byte %X to be %#x", gap.Stop.LSN, at, was[gap.Stop.LSN])
		case fix.Page || fix.LSN != gap.Stop.LSN || fix.Records != 1 || len(fix.Bytes) != 1 ||
			parseLSN(t, fix.Bytes[0].LSN) != at || fix.Bytes[0].Want != was[gap.Stop.LSN]:
			t.Errorf("record at %s: repair %+v, want byte %X to be %#x", gap.Stop.LSN, *fix, at, was[gap.Stop.LSN])
		}
	}
}

// pageRepairs wipes page headers, which the pages around them determine, and one sector, whose
// records nothing brings back.
func (c *walCase) pageRepairs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "wal")
	must(t, os.CopyFS(dir, os.DirFS(c.one)))
	w := walBytes{t, dir}
	var pages []uint64
	for i := range 5 {
		lsn := parseLSN(t, c.dump[len(c.dump)*(i+2)/8].lsn)
		page := lsn/walPageSize*walPageSize + walPageSize
		if i == 4 {
			page = lsn/walSegSize*walSegSize + walSegSize // with a long header
		}
		pages = append(pages, page)
	}
	original := map[uint64][]byte{}
	for i, page := range pages {
		n := 24
		switch i {
		case 3:
			n = 512
		case 4:
			n = 40
		}
		original[page] = w.at(page, n)
		w.put(page, make([]byte, n)...)
	}
	_, _, end := inspectWAL(t, 3, "--count", "--start", c.start, dir)
	if len(end.Gaps) != len(pages) {
		t.Fatalf("%d gaps, want %d", len(end.Gaps), len(pages))
	}
	for i, gap := range end.Gaps {
		fix := gap.Fix
		if i == 3 {
			if fix != nil {
				t.Errorf("a sector of the page at %X was wiped, and %+v is named", pages[i], *fix)
			}
			continue
		}
		if fix == nil || !fix.Page || parseLSN(t, fix.LSN) != pages[i] || fix.Records == 0 {
			t.Errorf("page at %X: repair %+v", pages[i], fix)
			continue
		}
		head := make([]byte, len(original[pages[i]]))
		for _, b := range fix.Bytes {
			head[parseLSN(t, b.LSN)-pages[i]] = b.Want
		}
		if string(head) != string(original[pages[i]]) {
			t.Errorf("page at %X: header % x, was % x", pages[i], head, original[pages[i]])
		}
	}
}
