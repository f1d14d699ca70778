package pgdisk

import (
	"crypto/md5"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func (p *pageTruth) freeSpace(t *testing.T) {
	// What the map says of each block of the table, found by way of the tree.
	want := p.ask(t, "select blkno, avail from pg_freespace('free') order by blkno")
	fsm, err := os.ReadFile(filepath.Join(p.root, p.paths["free"]+"_fsm"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for heap := range BlockNumber(len(want)) {
		addr, slot := FSMPlace(heap)
		m := must[FSMPage](t, addr.Block())(DecodeFSMPage(fsm[int(addr.Block())*BlockSize:][:BlockSize]))
		got = append(got, row(heap, FSMFree(m.Slots()[slot])))
	}
	diffRows(t, got, want)
	if len(want) <= FSMSlots {
		t.Errorf("the table has only %d pages", len(want))
	}
	want = p.ask(t, `select n, l from generate_series(0, (pg_relation_size('free', 'fsm') / 8192 - 1)::int) n, regexp_split_to_table(fsm_page_contents(get_raw_page('free', 'fsm', n)), '\n') l where l > ''`)
	got = p.each(t, "free", "_fsm", func(page []byte, blk BlockNumber) []string {
		var rows []string
		m := must[FSMPage](t, blk)(DecodeFSMPage(page))
		for i, v := range m.Nodes() {
			if v != 0 {
				rows = append(rows, row(blk, fmt.Sprintf("%d:%d", i, v)))
			}
		}
		if problems := m.Problems(); len(problems) > 0 {
			t.Errorf("block %d: %v", blk, problems)
		}
		return append(rows, row(blk, fmt.Sprintf("fp_next_slot:%d", m.NextSlot)))
	})
	diffRows(t, got, want)
}

func (p *pageTruth) visibility(t *testing.T) {
	for _, name := range []string{"b", "free"} {
		want := p.ask(t, fmt.Sprintf("select blkno, all_visible, all_frozen, pd_all_visible from pg_visibility('%s')", name))
		vm, err := os.ReadFile(filepath.Join(p.root, p.paths[name]+"_vm"))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[VMFlags]int{}
		got := p.each(t, name, "", func(page []byte, blk BlockNumber) []string {
			f := must[VMFlags](t, blk)(VMPageFlags(vm[int(VMPlace(blk))*BlockSize:][:BlockSize], blk))
			seen[f]++
			return []string{row(blk, f&VMAllVisible != 0, f&VMAllFrozen != 0, must[PageHeader](t, blk)(DecodePageHeader(page)).Flags&PageAllVisible != 0)}
		})
		diffRows(t, got, want)
		if problem := VMProblem(vm[:BlockSize], 0); problem != nil || name == "b" && (seen[0] == 0 || seen[VMAllVisible|VMAllFrozen] == 0) {
			t.Errorf("%s: %v, %v", name, seen, problem)
		}
	}
}

func (p *pageTruth) sequences(t *testing.T) {
	for _, name := range []string{"s_new", "s_used", "s_down", "s_set", "g_id_seq"} {
		want := p.ask(t, "select last_value, log_cnt, is_called from "+name)
		got := p.each(t, name, "", func(page []byte, blk BlockNumber) []string {
			s := must[Sequence](t, blk)(DecodeSequence(page))
			return []string{row(s.LastValue, s.LogCount, s.IsCalled)}
		})
		diffRows(t, got, want)
	}
}

// toast wants every chunk that the server sees, byte for byte, by its place.
func (p *pageTruth) toast(t *testing.T) {
	relation := p.ask(t, "select reltoastrelid::regclass from pg_class where relname = 'toasted'")[0]
	want := p.ask(t, "select ctid, chunk_id, chunk_seq, length(chunk_data), md5(chunk_data) from "+relation)
	chunks := map[string]TOASTChunk{}
	p.each(t, "toast", "", func(page []byte, blk BlockNumber) []string {
		for i, id := range PageItems(page, PageHeap) {
			if id.Flags != ItemNormal {
				continue
			}
			tu := must[Tuple](t, blk)(DecodeTuple(Item(page, id)))
			chunks[TID{Block: blk, Item: uint16(i + 1)}.String()] = must[TOASTChunk](t, blk)(DecodeTOASTChunk(tu))
		}
		return nil
	})
	var got []string
	for _, line := range want {
		ctid, _, _ := strings.Cut(line, "|")
		c := chunks[ctid]
		got = append(got, row(ctid, c.ID, c.Seq, len(c.Data), md5Hex(c.Data)))
	}
	diffRows(t, got, want)
}

// kinds wants every page to be recognised and found sound.
func (p *pageTruth) kinds(t *testing.T) {
	kinds := map[string]PageKind{"b": PageHeap, "h_hash": PageHash, "g_gin": PageGin, "g_gist": PageGist, "g_sppoint": PageSPGist, "g_sptext": PageSPGist,
		"g_brin": PageBrin, "toast": PageHeap, "free": PageHeap, "fake": PageHeap, "h": PageHeap, "g": PageHeap, "nothing": PageHeap, "toasted": PageHeap}
	for name := range p.paths {
		want, ok := kinds[name]
		switch {
		case strings.HasPrefix(name, "s_") || strings.HasSuffix(name, "_seq"):
			want = PageSequence
		case !ok:
			want = PageBTree
		}
		if name == "nothing" {
			continue // it has no page
		}
		for suffix, want := range map[string]PageKind{"": want, "_fsm": PageFSM, "_vm": PageVM} {
			if _, err := os.Stat(filepath.Join(p.root, p.paths[name]+suffix)); err != nil && suffix != "" {
				continue
			}
			fork := map[PageKind]Fork{PageFSM: FSMFork, PageVM: VMFork}[want]
			p.each(t, name, suffix, func(page []byte, blk BlockNumber) []string {
				got := RecognisePage(page, fork, blk)
				if got != want && got != PageZero {
					t.Errorf("%s%s block %d: %v, want %v", name, suffix, blk, got, want)
				}
				if problems := PageProblems(page, got); len(problems) > 0 {
					t.Errorf("%s%s block %d: %v", name, suffix, blk, problems)
				}
				return nil
			})
		}
	}
}

func md5Hex(b []byte) string { return fmt.Sprintf("%x", md5.Sum(b)) }
