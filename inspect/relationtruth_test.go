package inspect

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// source returns the relation of a name in pg_class.
func (d *slruTruth) source(t *testing.T, name string) RelationSource {
	t.Helper()
	for _, row := range d.says["paths"] {
		if at, ok := strings.CutPrefix(row, name+"|"); ok && at != "" {
			file, _ := pgdisk.ParseRelFile(at)
			return RelationSource{FS: d.slru.FS, Dir: path.Dir(at), File: file, Control: d.slru.Control}
		}
	}
	t.Fatalf("no relation %s", name)
	return RelationSource{}
}

func (d *slruTruth) relation(t *testing.T, name string) relReport {
	t.Helper()
	src := d.source(t, name)
	return ask1[relReport](t, func(w *bytes.Buffer) (int, error) { return Relation(t.Context(), src, true, w) })
}

func (d *slruTruth) table(t *testing.T) {
	r := d.relation(t, "h")
	h := r.Heap
	if h == nil || r.Kind != "heap" {
		t.Fatalf("%+v", r)
	}
	want := func(name, got string) {
		t.Helper()
		if said := strings.Join(d.says[name], "\n"); got != said {
			t.Errorf("%s: got %s, the server says %s", name, got, said)
		}
	}
	u, l := h.Tuples, h.LinePointers
	want("tuples", fmt.Sprintf("%d|%d|%d|%d", u.Visible, u.VisibleBytes, u.Deleted+u.NotInserted, u.DeadBytes))
	want("counts", fmt.Sprintf("%d|%d|%d|%d|%d|%d", l.Normal, l.Redirect, l.Dead, l.Unused, h.External, h.Xmax.Multi))
	want("fsm", fmt.Sprintf("%d|%d", r.FSM.Blocks, r.FSM.FreeBytes))
	var masks []string
	for _, m := range h.Masks {
		masks = append(masks, fmt.Sprintf("%d|%d|%d", m.Infomask, m.Infomask2, m.Tuples))
	}
	want("masks", strings.Join(masks, "\n"))
	if u.NotInserted < 50 || u.Deleted < 100 || u.DoubtfulVisible+u.DoubtfulOthers > 0 || l.Dead == 0 || l.Redirect == 0 || l.Unused == 0 || h.External == 0 || h.Xmax.Multi == 0 {
		t.Errorf("the workload misses something: %+v, %+v", u, h)
	}
	if o := d.relation(t, "o").Heap; fmt.Sprint(o.HOT) != "{10 0 40 4 0 10 0}" || o.Tuples.Visible != 10 || o.Tuples.NotInserted != 10 {
		t.Errorf("three updates and an aborted one that was seen: %+v, %+v", o.HOT, o.Tuples)
	}
	if p := d.relation(t, "p").Heap; fmt.Sprint(p.HOT) != "{10 0 20 2 0 0 0}" || p.Tuples.Visible != 10 || p.Tuples.NotInserted != 10 {
		t.Errorf("an aborted update that was not: %+v, %+v", p.HOT, p.Tuples)
	}
}

// chains compares the chains with those that SQL follows, and wants every entry of the primary
// key to lead to a root or a dead line pointer, and every root to have an entry.
func (d *slruTruth) chains(t *testing.T) {
	entries := make(map[string]bool)
	for _, e := range d.says["entries"] {
		_, tid, _ := strings.Cut(e, ",")
		entries[tid] = true
	}
	src := d.source(t, "h")
	b, err := fs.ReadFile(src.FS, src.File.Path())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	var p pgdisk.HeapPage
	rel := &relation{src: src}
	if err := rel.openXact(t.Context()); err != nil {
		t.Fatal(err)
	}
	for blk := range len(b) / pgdisk.BlockSize {
		if problems, err := p.Decode(b[blk*pgdisk.BlockSize:][:pgdisk.BlockSize], pgdisk.BlockNumber(blk)); err != nil || len(problems) > 0 {
			t.Fatal(problems, err)
		}
		for _, c := range p.Chains(rel.updater).Chains {
			got = append(got, fmt.Sprintf("%d|%d|%s", blk, c.Root, strings.ReplaceAll(strings.Trim(fmt.Sprint(c.Members), "[]"), " ", ",")))
		}
		for i, item := range p.Items {
			tid := fmt.Sprintf("%d,%d", blk, i+1)
			root := item.Flags == pgdisk.ItemRedirect || item.Flags == pgdisk.ItemNormal && !p.Tuples[i].HeapOnly()
			if root != entries[tid] && !(entries[tid] && item.Flags == pgdisk.ItemDead) {
				t.Errorf("%s: %s, root %v, in the index %v", tid, item.Flags, root, entries[tid])
			}
		}
	}
	if !slices.Equal(got, d.says["chains"]) || len(got) < 100 {
		t.Errorf("%d chains, the server has %d", len(got), len(d.says["chains"]))
		for i := range min(len(got), len(d.says["chains"])) {
			if got[i] != d.says["chains"][i] {
				t.Fatalf("got %s, want %s", got[i], d.says["chains"][i])
			}
		}
	}
}

func (d *slruTruth) others(t *testing.T) {
	pkey := d.relation(t, "h_pkey")
	x := pkey.Index
	if x == nil || pkey.Kind != "btree" {
		t.Fatalf("%+v", pkey)
	}
	if got := fmt.Sprintf("%d|%d|%d|%d", *x.Root, *x.Level, x.Pages["internal"], x.Pages["leaf"]); got != d.says["pkey"][0] {
		t.Errorf("primary key: got %s, the server says %s", got, d.says["pkey"][0])
	}
	if s := d.relation(t, "s"); s.Kind != "sequence" || s.Sequence == nil ||
		fmt.Sprintf("%d|%d|%.1s", s.Sequence.LastValue, s.Sequence.LogCount, fmt.Sprint(s.Sequence.IsCalled)) != d.says["s"][0] {
		t.Errorf("sequence: %+v, the server says %v", s.Sequence, d.says["s"])
	}
	if v := d.relation(t, "v"); v.VM == nil || fmt.Sprintf("%d|%d", v.VM.AllVisible, v.VM.AllFrozen) != d.says["vm"][0] || v.Heap.AllVisible != v.VM.AllVisible {
		t.Errorf("visibility map: %+v, the server says %v", v.VM, d.says["vm"])
	}
	if u := d.relation(t, "u"); len(u.Forks) != 2 || u.Forks[1].Name != "init" || u.Heap == nil || u.Heap.Tuples.Visible != 1 {
		t.Errorf("unlogged: %+v", u)
	}
	if hash := d.relation(t, "h_hash"); hash.Kind != "hash" || hash.Index.Pages["meta_page"] != 1 || hash.Index.Items < 1000 {
		t.Errorf("hash: %+v", hash.Index)
	}
	if c := d.relation(t, "pg_class"); c.Kind != "heap" || c.Heap.Tuples.Visible < 300 {
		t.Errorf("pg_class: %+v", c)
	}
}

// everything wants nothing to be found in any relation of a sound cluster.
func (d *slruTruth) everything(t *testing.T) {
	kinds := make(map[string]int)
	err := fs.WalkDir(d.slru.FS, ".", func(name string, _ fs.DirEntry, err error) error {
		file, ok := pgdisk.ParseRelFile(name)
		if err != nil || !ok || file.Fork != pgdisk.MainFork || file.Segment > 0 {
			return err
		}
		r := ask1[relReport](t, func(w *bytes.Buffer) (int, error) {
			return Relation(t.Context(), RelationSource{FS: d.slru.FS, Dir: path.Dir(name), File: file, Control: d.slru.Control}, true, w)
		})
		if kinds[r.Kind]++; r.Checksums.Bad > 0 || r.Heap != nil && r.Heap.Tuples.DoubtfulVisible+r.Heap.Tuples.DoubtfulOthers > 0 {
			t.Errorf("%s: %+v, %+v", name, r.Checksums, r.Heap)
		}
		return nil
	})
	if err != nil || kinds["heap"] < 100 || kinds["unknown"] > 0 || kinds["btree"] < 300 || kinds["hash"] != 1 || kinds["sequence"] != 1 {
		t.Errorf("%v, %v", kinds, err)
	}
}
