package unload

import (
	"encoding/binary"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// mapPage is an empty page of a map.
func mapPage() []byte {
	page := make([]byte, pgdisk.BlockSize)
	le := binary.LittleEndian
	le.PutUint16(page[12:], pgdisk.PageHeaderSize)
	le.PutUint16(page[14:], pgdisk.BlockSize)
	le.PutUint16(page[16:], pgdisk.BlockSize)
	le.PutUint16(page[18:], pgdisk.BlockSize|pgdisk.PageLayoutVersion)
	return page
}

// fsmWith makes a free space map of so many pages with categories of blocks.
func fsmWith(t testing.TB, pages int, categories map[pgdisk.BlockNumber]uint8) []byte {
	t.Helper()
	var b []byte
	for range pages {
		b = append(b, mapPage()...)
	}
	for blk, c := range categories {
		addr, slot := pgdisk.FSMPlace(blk)
		at := int(addr.Block()) * pgdisk.BlockSize
		p, err := pgdisk.DecodeFSMPage(b[at : at+pgdisk.BlockSize])
		if err != nil {
			t.Fatal(err)
		}
		p.Slots()[slot] = c
	}
	return b
}

// vmWith makes a visibility map with blocks that all can see.
func vmWith(pages int, visible ...pgdisk.BlockNumber) []byte {
	var b []byte
	for range pages {
		b = append(b, mapPage()...)
	}
	for _, blk := range visible {
		i := int(blk % pgdisk.VMBlocksPerPage)
		b[int(pgdisk.VMPlace(blk))*pgdisk.BlockSize+pgdisk.PageHeaderSize+i/4] |= byte(pgdisk.VMAllVisible) << (i % 4 * 2)
	}
	return b
}

// withMaps gives a table its maps.
func withMaps(src *source, t *table, fsm, vm []byte) {
	for _, m := range []struct {
		fork  pgdisk.Fork
		files *relFiles
		b     []byte
	}{{pgdisk.FSMFork, &t.fsm, fsm}, {pgdisk.VMFork, &t.vm, vm}} {
		*m.files = relFiles{first: t.files.first, perSegment: pgdisk.RelSegmentBlocks, segments: []segment{{size: int64(len(m.b))}}}
		m.files.first.Fork = m.fork
		src.fsys.(fstest.MapFS)[m.files.path(0)] = &fstest.MapFile{Data: m.b}
	}
}

// What the maps say of pages of zeroes decides whether they are a loss.
func TestZeroFates(t *testing.T) {
	src, p := testPlan(t, 20000) // 200 pages, in two files, of chunks of 64
	table := p.tables[0]
	one, two := src.fsys.(fstest.MapFS)[table.files.path(0)].Data, src.fsys.(fstest.MapFS)[table.files.path(1)].Data
	for _, blk := range []int{10, 20, 21, 30, 63, 64} {
		clear(one[blk*pgdisk.BlockSize : (blk+1)*pgdisk.BlockSize])
	}
	clear(two[95*pgdisk.BlockSize:]) // 195 to 199
	withMaps(src, table, fsmWith(t, 3, map[pgdisk.BlockNumber]uint8{10: fsmEmpty, 20: 1, 21: 254, 30: fsmEmpty, 63: fsmEmpty, 197: 7, 198: fsmEmpty}), vmWith(1, 30))
	table.pages = 196
	opt := &Options{Dir: filepath.Join(t.TempDir(), "out"), Format: FormatCopy}
	m, err := execute(t.Context(), src, opt, p)
	if err != nil {
		t.Fatal(err)
	}
	want := []BadPage{{span{20, 2}, zeroInUse.why()}, {span{30, 1}, zeroFilled.why()}, {span{64, 1}, zeroMaybe.why()}, {span{195, 1}, zeroMaybe.why()}, {span{197, 1}, zeroInUse.why()}}
	r := m.Tables[0]
	if r.NewPages != 5 || r.LostBlocks != 6 || len(r.Bad) != len(want) {
		t.Fatalf("%+v %+v", r.Counts, r.Bad)
	}
	for i, b := range r.Bad {
		if b != want[i] {
			t.Errorf("got %+v, want %+v", b, want[i])
		}
	}
}

// A lost end is found in whatever map has it, on whatever page.
func TestMissingEnd(t *testing.T) {
	for _, c := range []struct {
		name    string
		pages   uint32
		fsm, vm func(t *testing.T) []byte
		want    span
		why     string
	}{
		{name: "nothing is known"},
		{name: "no more was counted", pages: 3},
		{name: "fewer were counted", pages: 1},
		{name: "more were counted", pages: 5, want: span{3, 2}, why: "the table has 3 blocks, but pg_class counted 5"},
		{name: "visible before the end", vm: func(*testing.T) []byte { return vmWith(1, 0, 1, 2) }},
		{name: "visible after the end", vm: func(*testing.T) []byte { return vmWith(1, 0, 3) }, want: span{3, 1}, why: "visibility map knows of rows on block 3"},
		{name: "visible far away", vm: func(*testing.T) []byte { return vmWith(9, 200000, 70000) }, want: span{3, 199998}, why: "block 200000"},
		{name: "visible on a page that is none", vm: func(*testing.T) []byte { b := vmWith(2, 40000); b[pgdisk.BlockSize+15] = 0xFF; return b }},
		{name: "free before the end", fsm: func(t *testing.T) []byte {
			return fsmWith(t, 3, map[pgdisk.BlockNumber]uint8{0: 9, 2: 254, 5: fsmEmpty})
		}},
		{name: "free after the end", fsm: func(t *testing.T) []byte {
			return fsmWith(t, 3, map[pgdisk.BlockNumber]uint8{4: 9, 9: fsmEmpty})
		}, want: span{3, 2}, why: "free space map knows of rows on block 4"},
		{name: "free far away", fsm: func(t *testing.T) []byte {
			return fsmWith(t, 5, map[pgdisk.BlockNumber]uint8{4: 9, pgdisk.FSMSlots + 7: 1})
		}, want: span{3, pgdisk.FSMSlots + 5}, why: "free space map knows"},
		{name: "both, and the count", pages: 9, vm: func(*testing.T) []byte { return vmWith(1, 5) }, fsm: func(t *testing.T) []byte {
			return fsmWith(t, 3, map[pgdisk.BlockNumber]uint8{11: 9})
		}, want: span{3, 9}, why: "counted 9 at the last VACUUM, ANALYZE or CREATE INDEX and the free space map knows of rows on block 11"},
		{name: "maps of zeroes", vm: func(*testing.T) []byte { return make([]byte, 2*pgdisk.BlockSize) }, fsm: func(t *testing.T) []byte { return make([]byte, 3*pgdisk.BlockSize) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			src, p := testPlan(t, 300)
			table := p.tables[0]
			table.pages = c.pages
			var fsm, vm []byte
			if c.fsm != nil {
				fsm = c.fsm(t)
			}
			if c.vm != nil {
				vm = c.vm(t)
			}
			withMaps(src, table, fsm, vm)
			m := newForkMaps(src, table)
			defer m.close()
			if got := table.missingEnd(m); got.span != c.want || !strings.Contains(got.why, c.why) {
				t.Errorf("got %+v, want %+v %q", got, c.want, c.why)
			}
		})
	}
}

// Whatever lies in the maps, looking there ends and finds nothing that they cannot have.
func FuzzForkMaps(f *testing.F) {
	f.Add(fsmWith(f, 3, map[pgdisk.BlockNumber]uint8{4: 9}), vmWith(1, 7), uint32(3))
	f.Add(make([]byte, 100), make([]byte, pgdisk.BlockSize), uint32(1<<32-2))
	f.Fuzz(func(t *testing.T, fsm, vm []byte, from uint32) {
		src, p := testPlan(t, 1)
		withMaps(src, p.tables[0], fsm, vm)
		m := newForkMaps(src, p.tables[0])
		defer m.close()
		if end, by := m.end(pgdisk.BlockNumber(from)); (end == 0) != (by == "") || end != 0 && end <= uint64(from) {
			t.Fatalf("block %d: the end is %d by the %q", from, end, by)
		}
		m.zero(pgdisk.BlockNumber(from))
	})
}
