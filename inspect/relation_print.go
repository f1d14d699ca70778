package inspect

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// print writes the report for people.
func (r *relReport) print(p *slruPrinter) {
	p.line("%s: %s", r.Relation, r.Kind)
	for _, f := range r.Forks {
		p.line("  %s fork: %s in %s", f.Name, slruCount(f.Blocks, "block"), slruCount(len(f.Segments), "file"))
		for i, s := range f.Segments {
			if i == slruMaxListed {
				p.line("    and %d more files", len(f.Segments)-i)
				break
			}
			p.line("    %s: %d bytes", s.File, s.Bytes)
		}
	}
	var kinds []string
	for _, k := range r.Pages {
		kinds = append(kinds, fmt.Sprintf("%d %s", k.Pages, k.Kind))
	}
	if len(kinds) > 0 {
		p.line("  pages: %s", strings.Join(kinds, ", "))
	}
	c := r.Checksums
	p.line("  checksums %s: %d good, %d bad, %d without, %d new", c.State, c.Good, c.Bad, c.Without, c.New)
	if l := r.LSN; l != nil {
		p.line("  LSN: %s (block %d) to %s (block %d)", l.Lowest, l.LowestBlock, l.Highest, l.HighestBlock)
	}
	r.printHeap(p)
	r.printOthers(p)
	for _, f := range r.Findings {
		p.line("  FINDING %s", f)
	}
	if more := r.Total - len(r.Findings); more > 0 {
		p.line("  FINDING and %d more", more)
	}
	for _, n := range r.Notes {
		p.line("  note %s", n)
	}
}

func (r *relReport) printHeap(p *slruPrinter) {
	h := r.Heap
	if h == nil {
		return
	}
	l, t := h.LinePointers, h.Tuples
	p.line("  line pointers: %d normal, %d redirect, %d dead, %d unused", l.Normal, l.Redirect, l.Dead, l.Unused)
	p.line("  tuples: %d visible (%d bytes), %d deleted, %d not inserted (%d bytes)", t.Visible, t.VisibleBytes, t.Deleted, t.NotInserted, t.DeadBytes)
	if t.DoubtfulVisible+t.DoubtfulOthers > 0 {
		p.line("  doubtful: %d of the visible, %d of the others; the first is %s: %s", t.DoubtfulVisible, t.DoubtfulOthers, t.FirstDoubt, t.FirstDoubtReason)
	}
	if t.Damaged > 0 {
		p.line("  damaged: %d tuples, not counted", t.Damaged)
	}
	p.line("  HOT: %s (%d redirected), %d members, longest %d, %d aborted links, %d aborted tuples", slruCount(h.HOT.Chains, "chain"), h.HOT.Redirected, h.HOT.Members, h.HOT.Longest, h.HOT.Aborted, h.HOT.Orphans)
	p.line("  xmin: %s, %d frozen", relRangeText(h.Xmin), h.Xmin.Frozen)
	x := h.Xmax
	p.line("  xmax: %d none, %d locked, %d deleting, %d multixact; %s", x.None, x.Locked, x.Deleting, x.Multi, relRangeText(x.Range))
	if x.Multi > 0 {
		p.line("  multixacts: %d to %d", x.MultiOldest, x.MultiNewest)
	}
	p.line("  with values in TOAST: %d; all-visible pages: %d; free bytes: %d", h.External, h.AllVisible, h.FreeBytes)
	var words []string
	for _, b := range h.Bits {
		words = append(words, fmt.Sprintf("%s %d", b.Word, b.Tuples))
	}
	if len(words) > 0 {
		p.line("  infomask: %s", strings.Join(words, ", "))
	}
}

func relRangeText(r relXIDs) string {
	if r.count == 0 {
		return "no ids"
	}
	return fmt.Sprintf("%d to %d", r.Oldest, r.Newest)
}

func (r *relReport) printOthers(p *slruPrinter) {
	if x := r.Index; x != nil {
		var roles []string
		for _, role := range slices.Sorted(maps.Keys(x.Pages)) {
			roles = append(roles, fmt.Sprintf("%d %s", x.Pages[role], role))
		}
		p.line("  index pages: %s; %d items, %d of them dead", strings.Join(roles, ", "), x.Items, x.Dead)
		if x.Root != nil {
			p.line("  root: block %d, level %d", *x.Root, *x.Level)
		}
	}
	if s := r.Sequence; s != nil {
		p.line("  sequence: last_value %d, log_cnt %d, is_called %t", s.LastValue, s.LogCount, s.IsCalled)
	}
	if f := r.FSM; f != nil {
		p.line("  free space map: %s, %s with %d bytes free%s", slruCount(f.Pages, "page"), slruCount(f.Blocks, "block"), f.FreeBytes, slruIf(f.Beyond > 0, fmt.Sprintf(", %d beyond the end", f.Beyond)))
	}
	if v := r.VM; v != nil {
		p.line("  visibility map: %s, %d blocks all-visible, %d all-frozen%s", slruCount(v.Pages, "page"), v.AllVisible, v.AllFrozen, slruIf(v.Beyond > 0, fmt.Sprintf(", %d beyond the end", v.Beyond)))
	}
}
