package inspect

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// pagePrinter writes pages as they come.
type pagePrinter struct {
	w      io.Writer
	json   *json.Encoder // nil for text
	opt    PageOptions
	headed bool
	err    error // the first one; what follows is not written
}

func (p *pagePrinter) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

func (p *pagePrinter) page(r *pageReport) {
	switch {
	case p.json != nil:
		p.err = p.json.Encode(r)
	case r.full:
		p.full(r)
	default:
		p.row(r)
	}
}

// row writes a page in a line, and a line for each problem.
func (p *pagePrinter) row(r *pageReport) {
	if !p.headed {
		p.printf("%10s  %-28s %-17s %-8s %5s %5s  %s\n", "block", "kind", "lsn", "checksum", "items", "free", "flags")
		p.headed = true
	}
	kind, items, sum := r.Kind, "-", "-"
	if r.Role != "" {
		kind += " " + r.Role
	}
	if r.Items != nil {
		items = fmt.Sprint(*r.Items)
	}
	if r.Checksum != nil {
		sum = map[string]string{sumMatches: "ok", sumDiffers: "BAD", sumNone: "none"}[r.Checksum.Verdict]
	}
	line := fmt.Sprintf("%10d  %-28s %-17s %-8s %5s %5d  %s", r.Block, kind, orDash(r.LSN), sum, items, r.Free, strings.Join(r.Flags, " "))
	p.printf("%s\n", strings.TrimRight(line, " "))
	p.problems("            ", r.Problems)
	p.dump(r.Hex)
}

func (p *pagePrinter) problems(indent string, problems []string) {
	for _, problem := range problems {
		p.printf("%sDAMAGED %s\n", indent, problem)
	}
}

// full writes everything that is on a page.
func (p *pagePrinter) full(r *pageReport) {
	p.printf("block %d: %s\n", r.Block, strings.TrimSpace(r.Kind+" "+r.Role))
	if s := r.Checksum; s != nil {
		p.printf("  checksum     %s: %04X stored, %04X computed\n", s.Verdict, s.Stored, s.Computed)
	}
	if h := r.Header; h != nil {
		p.printf("  lsn          %s\n", r.LSN)
		p.printf("  flags        %s\n", orDash(strings.Join(r.Flags, " ")))
		p.printf("  lower %d, upper %d, special %d, free %d, page size %d, version %d, prune_xid %d\n",
			h.Lower, h.Upper, h.Special, r.Free, h.PageSize, h.Version, h.PruneXID)
	}
	p.problems("  ", r.Problems)
	p.fields("special part", r.Special)
	p.fields("content", r.Content)
	if len(r.Entries) > 0 {
		p.printf("  %d line pointers\n", len(r.Entries))
	}
	for i := range r.Entries {
		p.entry(&r.Entries[i])
	}
	p.dump(r.Hex)
}

func (p *pagePrinter) fields(title string, fields []pageField) {
	if len(fields) > 0 {
		p.printf("  %s\n", title)
	}
	for _, f := range fields {
		p.printf("    %-32s %s\n", f.Name, f.Value)
	}
}

// entry writes a line pointer and what it leads to.
func (p *pagePrinter) entry(i *pageItem) {
	line := fmt.Sprintf("  %5d  off %5d  len %4d  %-8s", i.Number, i.Off, i.Len, i.Flags)
	switch {
	case i.Flags == "redirect":
		line = fmt.Sprintf("  %5d  %22s%-8s -> %d", i.Number, "", i.Flags, i.Off)
	case i.Heap != nil:
		line += " " + i.Heap.text()
	case i.Index != nil:
		line += " " + i.Index.text()
	}
	p.printf("%s\n", strings.TrimRight(line, " "))
	p.problems("         ", i.Problems)
}

func (h *heapItem) text() string {
	line := fmt.Sprintf("xmin %d  xmax %d  field3 %d  ctid %s  natts %d  hoff %d", h.Xmin, h.Xmax, h.Field3, h.CTID, h.Natts, h.Hoff)
	if h.NullBitmap != "" {
		line += "  nulls " + h.NullBitmap
	}
	if len(h.Words) > 0 {
		line += "  " + strings.Join(h.Words, " ")
	}
	if h.Next != "" {
		line += "  -> " + h.Next
	}
	return line
}

// Of long keys and lists, the text shows the start; JSON has all.
const (
	shownKey  = 64 // hexadecimal digits
	shownTIDs = 8
)

func (x *indexItem) text() string {
	parts := []string{x.Kind}
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if x.Downlink != nil {
		add("-> block %d", *x.Downlink)
	}
	if x.TID != "" {
		add("tid %s", x.TID)
	}
	if x.Natts != nil {
		add("natts %d", *x.Natts)
	}
	if x.HeapTID != "" {
		add("heap tid %s", x.HeapTID)
	}
	if x.Postings > 0 {
		add("%d rows", x.Postings)
	}
	if len(x.TIDs) > 0 {
		add("%s", strings.Join(x.TIDs[:min(shownTIDs, len(x.TIDs))], " "))
	}
	if len(x.TIDs) > shownTIDs {
		add("...")
	}
	if x.Nulls {
		add("nulls")
	}
	if x.VarWidth {
		add("vars")
	}
	if x.Note != "" {
		add("(%s)", x.Note)
	}
	if len(x.Key) > shownKey {
		add("key %s... (%d bytes)", x.Key[:shownKey], len(x.Key)/2)
	} else if x.Key != "" {
		add("key %s", x.Key)
	}
	return strings.Join(parts, "  ")
}

// dump writes the bytes of a page as hexdump -C does, lines of the same bytes once.
func (p *pagePrinter) dump(digits string) {
	if digits == "" {
		return
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		p.err = err
		return
	}
	p.printf("%s", hexDump(b))
}

func hexDump(b []byte) string {
	var out strings.Builder
	for _, line := range squeeze(strings.SplitAfter(strings.TrimSuffix(hex.Dump(b), "\n"), "\n")) {
		out.WriteString(line)
	}
	return strings.TrimSuffix(out.String(), "\n") + "\n"
}

// squeeze puts a star in place of lines that differ from the one before in their address only.
func squeeze(lines []string) []string {
	const address = 8 // digits
	kept := lines[:0:0]
	for i, line := range lines {
		same := i > 0 && i < len(lines)-1 && len(line) > address && strings.TrimSuffix(line[address:], "\n") == strings.TrimSuffix(lines[i-1][address:], "\n")
		switch {
		case !same:
			kept = append(kept, line)
		case kept[len(kept)-1] != "*\n":
			kept = append(kept, "*\n")
		}
	}
	return kept
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
