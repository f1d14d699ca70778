package formats

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var waldumpStats = regexp.MustCompile(`^(\S+(?: \([0-9a-f]+\))?)\s+(\d+) \(\s*[0-9.na-]+\)\s+(\d+) \(\s*[0-9.na-]+\)\s+(\d+) \(\s*[0-9.na-]+\)\s+(\d+) \(`)

func (c *walCase) statistics(t *testing.T) {
	args := []string{"--stats", "--stats=record"}
	printed := c.waldump(t, args[0]+" --start="+c.start, args[1]+" --start="+c.start)
	for i, arg := range args {
		want := map[string]walRow{}
		for line := range strings.Lines(printed[i]) {
			m := waldumpStats.FindStringSubmatch(line)
			if m == nil || m[2] == "0" {
				continue // a heading, or what does not occur
			}
			var n [3]uint64
			for i := range n {
				v, err := strconv.ParseUint(m[2+i], 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				n[i] = v
			}
			want[m[1]] = walRow{m[1], n[0], n[1], n[2]}
		}
		got, _, _ := inspectWAL(t, 0, arg, "--start", c.start, c.one)
		if len(got) != 1 || got[0].Kind != "stats" || len(want) < 10 {
			t.Fatalf("%s: %d objects, %d rows of pg_waldump", arg, len(got), len(want))
		}
		for _, row := range got[0].Rows {
			if want[row.Type] != row {
				t.Errorf("%s: %+v, pg_waldump has %+v", arg, row, want[row.Type])
			}
			delete(want, row.Type)
		}
		if len(want) > 0 {
			t.Errorf("%s: not in ours: %v", arg, slices.Collect(maps.Values(want)))
		}
		text := run(t, 0, "inspect", "wal", arg, "--start", c.start, c.one)
		for _, row := range got[0].Rows {
			if !strings.Contains(string(text.stdout), fmt.Sprintf("\n%-30s %12d ", row.Type, row.Count)) {
				t.Errorf("%s: no line of text for %+v", arg, row)
			}
		}
	}
}

// filters asks both programs for a part of the records, chosen from what there is.
func (c *walCase) filters(t *testing.T) {
	tests := []string{"--rmgr=Heap", "--rmgr=btree", "--limit=17", "--xid=" + c.dump[len(c.dump)/2].xid, "-x " + c.dump[len(c.dump)/3].xid}
	if c.major >= 15 {
		rel, block := "", ""
		for _, d := range c.dump[len(c.dump)/2:] {
			if m := regexp.MustCompile(`rel (\d+/\d+/\d+) blk (\d+)`).FindStringSubmatch(strings.Join(d.refs, " ")); m != nil {
				rel, block = m[1], m[2]
				break
			}
		}
		tests = append(tests, "--relation="+rel, "--relation="+rel+" --block="+block, "--relation="+rel+" --fork=main --fullpage",
			"-R "+rel+" -B "+block+" -w -r Heap2", "--fork=fsm", "--fork=vm", "--fork=init", "--fullpage", "--rmgr=Heap --rmgr=Transaction")
	}
	var theirs []string
	for _, tt := range tests {
		theirs = append(theirs, tt+" --start="+c.start)
	}
	printed := c.waldump(t, theirs...)
	shown := 0
	for i, tt := range tests {
		want := readWaldump(t, printed[i])
		got, _, end := inspectWAL(t, 0, append(strings.Fields(tt), "--start", c.start, c.one)...)
		sameRecords(t, tt, got, want)
		if end.Shown != uint64(len(want)) {
			t.Errorf("%s: %d shown, want %d", tt, end.Shown, len(want))
		}
		if len(want) > 0 {
			shown++
		}
	}
	if shown < len(tests)-2 {
		t.Errorf("only %d of %d filters choose anything: the test proves little", shown, len(tests))
	}
}

// ranges begin and end on records, between them and in the middle of pages.
func (c *walCase) ranges(t *testing.T) {
	at := func(part, shift int) string {
		lsn := parseLSN(t, c.dump[len(c.dump)*part/10].lsn) + uint64(shift)
		return fmt.Sprintf("%X/%X", lsn>>32, uint32(lsn))
	}
	tests := [][2]string{{at(2, 0), at(3, 0)}, {at(4, 0), at(4, 8)}, {at(5, 0), at(7, 24)}, {at(1, 1), at(2, 1)}, {at(6, -8), at(6, 70)}}
	var theirs []string
	for _, r := range tests {
		theirs = append(theirs, "--start="+r[0]+" --end="+r[1])
	}
	printed := c.waldump(t, theirs...)
	for i, r := range tests {
		want := readWaldump(t, printed[i])
		got, _, end := inspectWAL(t, 0, "--start", r[0], "--end", r[1], c.one)
		sameRecords(t, r[0]+" to "+r[1], got, want)
		if end.State != "stopped" {
			t.Errorf("%v: end is %s", r, end.State)
		}
	}
}

// oneSegment reads each file by itself, under its own name and under another.
func (c *walCase) oneSegment(t *testing.T) {
	names, err := filepath.Glob(filepath.Join(c.one, "0000000100*"))
	if err != nil || len(names) < 3 {
		t.Fatal(names, err)
	}
	slices.Sort(names)
	for _, i := range []int{1, len(names) / 2} {
		name := filepath.Base(names[i])
		want := readWaldump(t, c.waldump(t, name)[0])
		got, _, end := inspectWAL(t, 0, names[i])
		sameRecords(t, name, got, want)
		if end.State != "end of file" {
			t.Errorf("%s: end is %s", name, end.State)
		}
		other := filepath.Join(t.TempDir(), "saved.bin")
		if err := os.WriteFile(other, readFile(t, names[i]), 0o600); err != nil {
			t.Fatal(err)
		}
		got, _, _ = inspectWAL(t, 0, other)
		sameRecords(t, name+" under another name", got, want)
	}
}

// images are those that pg_waldump saves, to the byte and to the name.
func (c *walCase) images(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "images")
	run(t, 0, "inspect", "wal", "--save-fullpage", dir, "--rmgr=Heap2", "--start", c.start, c.one)
	ours := os.DirFS(dir)
	if c.major < 16 {
		names, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(names) == 0 {
			t.Fatalf("no images: %v", err)
		}
		return
	}
	c.waldump(t, "--quiet --save-fullpage=/tmp/formats-images --rmgr=Heap2 --start="+c.start)
	theirs := c.srv.Files(t, "/tmp/formats-images")
	want, err := filepath.Glob(filepath.Join(theirs, "*"))
	if err != nil || len(want) == 0 {
		t.Fatalf("pg_waldump saved nothing: %v", err)
	}
	got, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(got) != len(want) {
		t.Errorf("%d images, pg_waldump saved %d: %v", len(got), len(want), err)
	}
	for _, name := range want {
		b, err := readIn(ours, filepath.Base(name))
		if err != nil {
			t.Error(err)
			continue
		}
		if string(b) != string(readFile(t, name)) {
			t.Errorf("%s differs from what pg_waldump saved", filepath.Base(name))
		}
	}
	refused := run(t, 2, "inspect", "wal", "--save-fullpage", dir, c.one)
	if !strings.Contains(string(refused.stderr), "is not empty") {
		t.Errorf("a directory with images in it: %s", refused.stderr)
	}
}
