package formats

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/internal/truth"
)

// walObject is any line of pgrescue inspect wal --json.
type walObject struct {
	Kind   string `json:"kind"`
	LSN    string `json:"lsn"`
	Prev   string `json:"prev"`
	XID    uint64 `json:"xid"`
	Rmgr   string `json:"rmgr"`
	Class  string `json:"class"`
	TotLen uint64 `json:"tot_len"`
	RecLen uint64 `json:"rec_len"`
	Blocks []struct {
		ID         uint64 `json:"id"`
		Tablespace uint64 `json:"tablespace"`
		Database   uint64 `json:"database"`
		Relation   uint64 `json:"relation"`
		Fork       string `json:"fork"`
		Block      uint64 `json:"block"`
		HasImage   bool   `json:"has_image"`
		Apply      bool   `json:"apply"`
	} `json:"blocks"`

	Time string `json:"time"` // of a transaction

	From string `json:"from"` // of a gap
	To   string `json:"to"`
	Stop struct {
		LSN string `json:"lsn"`
	} `json:"stop"`
	Fix *walRepair `json:"fix"`

	State         string      `json:"state"` // of the end
	Lossy         bool        `json:"lossy"`
	Records       uint64      `json:"records"`
	Shown         uint64      `json:"shown"`
	Major         int         `json:"major"`
	Timeline      uint64      `json:"timeline"`
	RecordsBeyond uint64      `json:"records_beyond"`
	CommitsBeyond uint64      `json:"commits_beyond"`
	Gaps          []walObject `json:"gaps"`

	Rows []walRow `json:"rows"` // of statistics
}

// walRow is a line of statistics.
type walRow struct {
	Type        string `json:"type"`
	Count       uint64 `json:"count"`
	RecordBytes uint64 `json:"record_bytes"`
	ImageBytes  uint64 `json:"image_bytes"`
}

// asWaldump puts a record into one line of the words that both programs share.
func (o *walObject) asWaldump() string {
	s := fmt.Sprintf("%s prev %s xid %d len %d/%d %s/%s", o.LSN, o.Prev, o.XID, o.RecLen, o.TotLen, o.Rmgr, o.Class)
	for _, b := range o.Blocks {
		s += fmt.Sprintf(" #%d: rel %d/%d/%d", b.ID, b.Tablespace, b.Database, b.Relation)
		if b.Fork != "main" {
			s += " fork " + b.Fork
		}
		s += fmt.Sprintf(" blk %d", b.Block)
		if b.HasImage {
			s += " FPW"
		}
		if b.HasImage && !b.Apply {
			s += " for WAL verification"
		}
	}
	return s
}

// inspectWAL runs the program and gives its objects; the last is the end.
func inspectWAL(t *testing.T, code int, args ...string) (records []walObject, gaps []walObject, end walObject) {
	t.Helper()
	r := run(t, code, append([]string{"inspect", "wal", "--json"}, args...)...)
	for line := range r.lines {
		if end.Kind != "" {
			t.Fatalf("something follows the end: %s", line)
		}
		var o walObject
		if err := json.Unmarshal(line, &o); err != nil {
			t.Fatalf("%v in %.200s", err, line)
		}
		switch o.Kind {
		case "gap":
			gaps = append(gaps, o)
		case "end":
			end = o
		default:
			records = append(records, o)
		}
	}
	if end.Kind == "" {
		t.Fatal("there is no end")
	}
	return records, gaps, end
}

var (
	waldumpLine = regexp.MustCompile(`^rmgr: (\S+)\s+len \(rec/tot\):\s*(\d+)/\s*(\d+), tx:\s*(\d+), lsn: ([0-9A-F/]+), prev ([0-9A-F/]+), desc: (UNKNOWN \([0-9a-f]+\)|\S+)(.*)`)
	waldumpRef  = regexp.MustCompile(`blkref (#\d+: rel \d+/\d+/\d+(?: fork \w+)? blk \d+(?: FPW for WAL verification| FPW)?)`)
)

// waldumpRecord is a line of pg_waldump in the words that both programs share.
type waldumpRecord struct {
	text       string
	lsn        string
	rmgr, desc string
	xid        string
	total      uint64 // bytes
	refs       []string
}

// readWaldump reads what pg_waldump printed.
func readWaldump(t *testing.T, text string) (list []waldumpRecord) {
	t.Helper()
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "first record is after ") {
			continue // a remark of 13 and 14
		}
		m := waldumpLine.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("not a line of pg_waldump: %.300q", line)
		}
		r := waldumpRecord{rmgr: m[1], lsn: shortLSN(t, m[5]), xid: m[4], desc: m[7] + m[8]}
		r.total, _ = strconv.ParseUint(m[3], 10, 64) // digits, says the expression
		r.text = fmt.Sprintf("%s prev %s xid %s len %s/%s %s/%s", r.lsn, shortLSN(t, m[6]), m[4], m[2], m[3], m[1], m[7])
		for _, ref := range waldumpRef.FindAllStringSubmatch(m[8], -1) {
			r.refs = append(r.refs, ref[1])
			r.text += " " + ref[1]
		}
		list = append(list, r)
	}
	return list
}

// shortLSN drops the leading zeros that pg_waldump prints.
func shortLSN(t *testing.T, s string) string {
	t.Helper()
	lsn := parseLSN(t, s)
	return fmt.Sprintf("%X/%X", lsn>>32, uint32(lsn))
}

func parseLSN(t *testing.T, s string) uint64 {
	t.Helper()
	hi, lo, _ := strings.Cut(s, "/")
	h, err1 := strconv.ParseUint(hi, 16, 32)
	l, err2 := strconv.ParseUint(lo, 16, 32)
	if err1 != nil || err2 != nil {
		t.Fatalf("no LSN: %q", s)
	}
	return h<<32 | l
}

// sameRecords compares record for record.
func sameRecords(t *testing.T, what string, got []walObject, want []waldumpRecord) {
	t.Helper()
	bad := 0
	for i := range min(len(got), len(want)) {
		if g := got[i].asWaldump(); g != want[i].text {
			t.Errorf("%s: record %d\n     pgrescue: %s\n   pg_waldump: %s", what, i, g, want[i].text)
			if bad++; bad == 5 {
				break
			}
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d records, pg_waldump has %d", what, len(got), len(want))
	}
}

// walCase is the WAL of one major and a server that can be asked about it.
type walCase struct {
	major int
	srv   *truth.Server
	out   string // copy of /tmp/out
	one   string // timeline 1
	start string
	dump  []waldumpRecord
	lines []byte // what the program printed of these records
}

// waldump runs the major's own pg_waldump over timeline 1, once for each list of arguments.
func (c *walCase) waldump(t *testing.T, args ...string) []string {
	t.Helper()
	const end = "=== end ==="
	script := "export TZ=UTC\n"
	for _, a := range args {
		script += "pg_waldump --path=/tmp/out/one " + a + " 2>/dev/null || true\necho '" + end + "'\n"
	}
	printed := strings.Split(c.srv.Sh(t, script), end+"\n")
	return printed[:len(args)]
}

// TestWALAgainstWaldump reads WAL of as many kinds as a server can be talked into, and
// compares what the program says of it with what that major's pg_waldump says.
func TestWALAgainstWaldump(t *testing.T) {
	script, err := os.ReadFile("../../pgops/pgdisk/testdata/wal/workload.sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, major := range truth.Majors() {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			t.Parallel()
			c := walCase{major: major, srv: truth.Start(t, major)}
			c.srv.Docker(t, bytes.NewReader(script), "exec", "--interactive", c.srv.Container, "sh", "-c", "cat >/tmp/workload.sh")
			c.srv.Sh(t, fmt.Sprintf("MAJOR=%d sh /tmp/workload.sh", major))
			c.out = c.srv.Files(t, "/tmp/out")
			c.one = filepath.Join(c.out, "one")
			c.start = strings.TrimSpace(string(readFile(t, filepath.Join(c.out, "start"))))
			c.dump = readWaldump(t, string(readFile(t, filepath.Join(c.out, "one.dump"))))
			t.Run("records", c.records)
			t.Run("timelines", c.timelines)
			t.Run("text", c.text)
			t.Run("commits", c.commits)
			t.Run("statistics", c.statistics)
			t.Run("filters", c.filters)
			t.Run("ranges", c.ranges)
			t.Run("one segment", c.oneSegment)
			t.Run("images", c.images)
			t.Run("damage", c.damage)
			t.Run("repairs", c.repairs)
			t.Run("page repairs", c.pageRepairs)
		})
	}
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (c *walCase) records(t *testing.T) {
	lines, end := walLines(t, "--start", c.start, c.one)
	c.lines = lines
	sameRecords(t, "all", walObjects(t, lines), c.dump)
	if len(end.Gaps) > 0 || end.State != "clean" || end.Lossy || end.Major != c.major || end.Timeline != 1 ||
		end.Records != uint64(len(c.dump)) || end.Shown != end.Records {
		t.Errorf("end %+v", end)
	}
	// Without a start, from the first segment on: there it is where pg_waldump found it.
	if from, _ := walLines(t, c.one); !bytes.HasSuffix(from, lines) {
		t.Errorf("from the first segment on: not the same")
	}
}

// walLines gives the lines of the records, which are compared with those of another reading far
// more cheaply than record for record, and the end.
func walLines(t *testing.T, args ...string) (records []byte, end walObject) {
	t.Helper()
	out := run(t, 0, append([]string{"inspect", "wal", "--json"}, args...)...).stdout
	i := bytes.LastIndexByte(bytes.TrimSuffix(out, []byte("\n")), '\n') + 1
	if err := json.Unmarshal(out[i:], &end); err != nil || end.Kind != "end" {
		t.Fatalf("the last line is no end: %s", out[i:])
	}
	return out[:i], end
}

// timelines goes on over a promotion, by the history file.
func (c *walCase) timelines(t *testing.T) {
	both := filepath.Join(t.TempDir(), "both")
	for _, dir := range []string{"one", "two"} {
		if err := os.CopyFS(both, os.DirFS(filepath.Join(c.out, dir))); err != nil {
			t.Fatal(err)
		}
	}
	two := readWaldump(t, string(readFile(t, filepath.Join(c.out, "two.dump"))))
	lines, end := walLines(t, "--start", c.start, both)
	if end.Timeline != 2 {
		t.Errorf("ended on timeline %d", end.Timeline)
	}
	rest, ok := bytes.CutPrefix(lines, c.lines)
	if !ok {
		t.Error("the records of timeline 1 are not the same as by themselves")
	}
	sameRecords(t, "timeline 2", walObjects(t, rest), two)
	lines, end = walLines(t, "--timeline", "1", "--start", c.start, both)
	if !bytes.Equal(lines, c.lines) {
		t.Error("timeline 1 alone is not what its own directory holds")
	}
	if end.Timeline != 1 {
		t.Errorf("ended on timeline %d", end.Timeline)
	}
}

// walObjects reads the lines of records.
func walObjects(t *testing.T, lines []byte) (list []walObject) {
	t.Helper()
	for line := range bytes.Lines(lines) {
		var o walObject
		if err := json.Unmarshal(line, &o); err != nil {
			t.Fatalf("%v in %.200s", err, line)
		}
		list = append(list, o)
	}
	return list
}

// text: a line per record with the same blocks, fit for grep.
func (c *walCase) text(t *testing.T) {
	r := run(t, 0, "inspect", "wal", "--start", c.start, c.one)
	n := 0
	for line := range r.lines {
		if n >= len(c.dump) {
			t.Fatalf("one line too many: %s", line)
		}
		d := c.dump[n]
		words := strings.Fields(string(line))
		if words[0] != d.lsn || !strings.HasPrefix(d.rmgr+"/"+d.desc+" ", words[1]) || words[2] != "xid" || words[3] != d.xid {
			t.Fatalf("line %d: %s\npg_waldump: %s", n, line, d.text)
		}
		for _, ref := range d.refs {
			if !bytes.Contains(line, []byte(strings.TrimSuffix(ref, " FPW"))) {
				t.Fatalf("line %d has no %q: %s", n, ref, line)
			}
		}
		n++
	}
	if n != len(c.dump) {
		t.Errorf("%d lines, pg_waldump has %d", n, len(c.dump))
	}
	if !bytes.HasPrefix(r.stderr, []byte("end of WAL: clean: ")) {
		t.Errorf("the end is told as %q", r.stderr)
	}
	count := run(t, 0, "inspect", "wal", "--count", "--start", c.start, c.one)
	if got := strings.TrimSpace(string(count.stdout)); got != fmt.Sprint(len(c.dump)) {
		t.Errorf("--count says %q", got)
	}
}

func (c *walCase) commits(t *testing.T) {
	got, _, _ := inspectWAL(t, 0, "--commits", "--start", c.start, c.one)
	var want []waldumpRecord
	for _, d := range c.dump {
		if class, _, _ := strings.Cut(d.desc, " "); d.rmgr == "Transaction" && class != "ASSIGNMENT" && class != "INVALIDATION" {
			want = append(want, d)
		}
	}
	if len(got) != len(want) || len(want) == 0 {
		t.Fatalf("%d ends of transactions, pg_waldump has %d", len(got), len(want))
	}
	for i, o := range got {
		at := strings.TrimRight(strings.TrimSuffix(strings.Replace(o.Time, "T", " ", 1), "Z"), "0")
		if o.LSN != want[i].lsn || !strings.HasPrefix(want[i].desc, o.Class+" ") || !strings.Contains(want[i].desc, strings.TrimSuffix(at, ".")) {
			t.Errorf("%s of xid %d at %s, %s; pg_waldump: %s: %s", o.Class, o.XID, o.LSN, o.Time, want[i].lsn, want[i].desc)
		}
	}
}
