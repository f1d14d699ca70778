package formats

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	walSegSize  = 1 << 20 // of the workload
	walPageSize = 8192
)

func readIn(fsys fs.FS, name string) ([]byte, error) { return fs.ReadFile(fsys, name) }

// walDamage is one way to damage a directory, and which records must survive it.
type walDamage struct {
	name   string
	do     func(t *testing.T, dir string)
	before func(i int) bool // whether record i is read before the damage
	after  func(i int) bool // and behind it
	state  string
}

// damage harms real WAL and wants every record that is whole, before and behind.
func (c *walCase) damage(t *testing.T) {
	first := len(c.dump) * 8 / 10 // the tail is enough, and ten readings of all of it are slow
	mid := len(c.dump) * 85 / 100
	for c.dump[mid].rmgr == "XLOG" || c.dump[mid+1].rmgr == "XLOG" {
		mid++
	}
	start := func(i int) uint64 { return parseLSN(t, c.dump[i].lsn) }
	end := func(i int) uint64 { return parseLSN(t, c.dump[i+1].lsn) } // of all but the last
	seg := start(mid) / walSegSize
	segStart, segEnd := seg*walSegSize, (seg+1)*walSegSize
	half := start(mid)/walPageSize*walPageSize + 5*walPageSize + walPageSize/2 // the header of the page stays
	for half+walPageSize > segEnd {
		half -= 8 * walPageSize
	}
	cut := segStart + 37*walPageSize + 100
	outside := func(from, to uint64) (before, after func(int) bool) {
		return func(i int) bool { return end(i) <= from }, func(i int) bool { return start(i) >= to }
	}
	file := func(dir string) string { return filepath.Join(dir, fmt.Sprintf("0000000100000000%08X", seg)) }
	tests := []walDamage{
		{name: "a byte flipped", state: "damaged",
			do:     func(t *testing.T, dir string) { patch(t, file(dir), start(mid)+5-segStart, nil) },
			before: func(i int) bool { return i < mid }, after: func(i int) bool { return i > mid }},
		{name: "4 kB of zeros", state: "damaged",
			do: func(t *testing.T, dir string) { patch(t, file(dir), half-segStart, make([]byte, walPageSize/2)) }},
		{name: "a segment missing", state: "gap",
			do: func(t *testing.T, dir string) { must(t, os.Remove(file(dir))) }},
		{name: "a segment cut", state: "gap",
			do: func(t *testing.T, dir string) { must(t, os.Truncate(file(dir), int64(cut-segStart))) }},
		{name: "a segment of garbage", state: "damaged",
			do: func(t *testing.T, dir string) { patch(t, file(dir), 0, garbage(walSegSize)) }},
	}
	tests[1].before, tests[1].after = outside(half, half+walPageSize/2)
	tests[2].before, tests[2].after = outside(segStart, segEnd)
	tests[3].before, tests[3].after = outside(cut/walPageSize*walPageSize, segEnd)
	tests[4].before, tests[4].after = outside(segStart, segEnd)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { c.damaged(t, tt, first) })
	}
}

// damaged applies one damage to a copy and reads that.
func (c *walCase) damaged(t *testing.T, d walDamage, first int) {
	dir := filepath.Join(t.TempDir(), "wal")
	must(t, os.CopyFS(dir, os.DirFS(c.one)))
	d.do(t, dir)
	var before, after []waldumpRecord
	var commits uint64
	for i := first; i < len(c.dump)-1; i++ {
		if d.before(i) {
			before = append(before, c.dump[i])
		} else if d.after(i) {
			after = append(after, c.dump[i])
		}
	}
	after = append(after, c.dump[len(c.dump)-1])
	for _, r := range after {
		if r.rmgr == "Transaction" && strings.HasPrefix(r.desc, "COMMIT") {
			commits++
		}
	}
	got, gaps, end := inspectWAL(t, 3, "--past-damage", "--start", c.dump[first].lsn, dir)
	sameRecords(t, "past the damage", got, slices.Concat(before, after))
	if len(gaps) != 1 || len(end.Gaps) != 1 || gaps[0].To != after[0].lsn {
		t.Errorf("gaps %+v, want one to %s", gaps, after[0].lsn)
	}
	if end.State != d.state || !end.Lossy || end.Records != uint64(len(before)) || end.RecordsBeyond != uint64(len(after)) || end.CommitsBeyond != commits {
		t.Errorf("end %s after %d records, %d records and %d commits beyond; want %s, %d, %d, %d",
			end.State, end.Records, end.RecordsBeyond, end.CommitsBeyond, d.state, len(before), len(after), commits)
	}
	got, gaps, _ = inspectWAL(t, 3, "--start", c.dump[first].lsn, dir)
	sameRecords(t, "up to the damage", got, before)
	if len(gaps) != 0 {
		t.Errorf("gaps without being asked: %v", gaps)
	}
	text := run(t, 3, "inspect", "wal", "--past-damage", "--start", c.dump[first].lsn, dir)
	if !strings.Contains(string(text.stdout), "\n=== GAP: ") || !strings.Contains(string(text.stderr), "pgrescue: the WAL is "+d.state) {
		t.Errorf("the text does not say it aloud: %s", text.stderr)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// patch overwrites bytes of a file; without any, it flips the bits of one.
func patch(t *testing.T, name string, at uint64, b []byte) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	must(t, err)
	defer f.Close()
	if b == nil {
		b = make([]byte, 1)
		_, err = f.ReadAt(b, int64(at))
		must(t, err)
		b[0] ^= 0xFF
	}
	_, err = f.WriteAt(b, int64(at))
	must(t, err)
}

func garbage(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// TestWALHostile gives the program sparse segments of 1 GB, whose first record claims to be
// as long as a record may be: neither is the segment read into memory nor the record.
func TestWALHostile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	page := make([]byte, walPageSize)
	copy(page, "\x10\xd1\x02\x00\x01\x00\x00\x00\x00\x00\x00\x40") // 15, long header, timeline 1, 0/40000000
	copy(page[24:], "\x01\x02\x03\x04\x05\x06\x07\x08\x00\x00\x00\x40\x00\x20\x00\x00")
	copy(page[40:], "\x00\x00\xc0\x3f") // 1020 MB
	for i, segment := range []string{"000000010000000000000001", "000000010000000000000002"} {
		page[11] = byte(0x40 * (i + 1))
		name := filepath.Join(dir, segment)
		must(t, os.WriteFile(name, page, 0o600))
		must(t, os.Truncate(name, 1<<30))
	}
	began := time.Now()
	cmd := exec.CommandContext(t.Context(), binary, "inspect", "wal", "--past-damage", dir)
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	must(t, cmd.Start())
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	peak := peakMemory(done, cmd.Process.Pid)
	// WAL of which not one record can be read is no WAL that ends in order.
	if cmd.ProcessState.ExitCode() != 3 || stdout.Len() > 0 {
		t.Errorf("%s, want exit 3; printed: %.300s", cmd.ProcessState, stdout.String())
	}
	const limit = 64 << 10
	if peak > limit || peak == 0 {
		t.Errorf("took %d kB of memory, want at most %d", peak, limit)
	}
	t.Logf("%d kB, %s for 2 GB", peak, time.Since(began))
}

// peakMemory watches a process until it is done, kB. What the system says afterwards is no
// use: it counts the test's own memory before the program was loaded.
func peakMemory(done <-chan error, pid int) (peak int) {
	for {
		select {
		case <-done:
			return peak
		case <-time.After(5 * time.Millisecond):
		}
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(status), "VmHWM:")
		var now int
		if _, err := fmt.Sscan(rest, &now); err == nil {
			peak = max(peak, now)
		}
	}
}
