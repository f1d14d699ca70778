package pgdisk

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/internal/truth"
)

// walTruthLine is one record as pg_waldump prints it.
type walTruthLine struct {
	rmgr, class string
	recLen      int
	totLen      uint32
	xid         XID
	lsn, prev   LSN
	desc        string
	blocks      []string
}

// TestWALAgainstWaldump reads the WAL of a server of each major and compares every
// record with what that major's pg_waldump prints.
func TestWALAgainstWaldump(t *testing.T) {
	script, err := os.ReadFile("testdata/wal/workload.sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, major := range truth.Majors() {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			t.Parallel()
			tr := truth.Start(t, major)
			tr.Docker(t, bytes.NewReader(script), "exec", "--interactive", tr.Container, "sh", "-c", "cat >/tmp/workload.sh")
			tr.Sh(t, fmt.Sprintf("MAJOR=%d sh /tmp/workload.sh", major))
			out := tr.Files(t, "/tmp/out")
			compareWALTruth(t, major, out)
		})
	}
}

func compareWALTruth(t *testing.T, major int, out string) {
	startText, err := os.ReadFile(filepath.Join(out, "start"))
	if err != nil {
		t.Fatal(err)
	}
	start, err := ParseLSN(strings.TrimSpace(string(startText)))
	if err != nil {
		t.Fatal(err)
	}
	one := readWALTruth(t, filepath.Join(out, "one.dump"))
	src := WALSource{FS: os.DirFS(filepath.Join(out, "one")), SegSize: 1 << 20, Timeline: 1}
	end := compareWALDump(t, src, start, one, 0)
	checkWALTruthEnd(t, end, filepath.Join(out, "one.err"))
	if end.Major != major {
		t.Errorf("major %d, want %d", end.Major, major)
	}
	if kind := end.Kind; kind != WALEndClean {
		t.Errorf("end is %s, want clean: %s", kind, end.Reason)
	}

	compareWALImages(t, src, start, out)
	compareWALCheckpoints(t, src, start, one)
	damageWALTruth(t, src, filepath.Join(out, "one"), start, one)
	if size, err := DetectWALSegSize(src.FS); err != nil || size != src.SegSize {
		t.Errorf("segment size %d, %v", size, err)
	}

	two := readWALTruth(t, filepath.Join(out, "two.dump"))
	if err := os.CopyFS(filepath.Join(out, "one"), os.DirFS(filepath.Join(out, "two"))); err != nil {
		t.Fatal(err)
	}
	src.Timeline = 2
	end = compareWALDump(t, src, start, append(one[:len(one):len(one)], two...), len(one))
	checkWALTruthEnd(t, end, filepath.Join(out, "two.err"))
	if end.Timeline != 2 {
		t.Errorf("ended on timeline %d, want 2", end.Timeline)
	}
	wantWALKinds(t, major, append(one, two...))
}

// compareWALDump reads all records and holds each from number first on against its line.
func compareWALDump(t *testing.T, src WALSource, start LSN, lines []walTruthLine, first int) *WALEnd {
	t.Helper()
	n, bad := 0, 0
	end, err := FindWALEnd(context.Background(), src, start, func(rec *WALRecord) error {
		if n >= len(lines) {
			return fmt.Errorf("record %s at %s is one more than pg_waldump has", rec, rec.LSN)
		}
		if n++; n <= first {
			return nil
		}
		for _, diff := range lines[n-1].diff(rec) {
			t.Errorf("record %d at %s: %s", n, rec.LSN, diff)
			if bad++; bad > 20 {
				return fmt.Errorf("too many differences")
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n != len(lines) {
		t.Errorf("read %d records, pg_waldump %d; our end: %s", n, len(lines), end.Reason)
	}
	return end
}

// diff says in what a record and its line differ.
func (l *walTruthLine) diff(rec *WALRecord) (diffs []string) {
	if rec.LSN != l.lsn || rec.Prev != l.prev || rec.XID != l.xid {
		diffs = append(diffs, fmt.Sprintf("at %s, prev %s, xid %d; pg_waldump says %s, %s, %d", rec.LSN, rec.Prev, rec.XID, l.lsn, l.prev, l.xid))
	}
	if n := int(rec.TotLen) - rec.ImageBytes(); rec.TotLen != l.totLen || n != l.recLen {
		diffs = append(diffs, fmt.Sprintf("length %d, without images %d; pg_waldump says %d, %d", rec.TotLen, n, l.totLen, l.recLen))
	}
	if rec.Rmid.String() != l.rmgr || rec.Class() != l.class {
		diffs = append(diffs, fmt.Sprintf("%s; pg_waldump says %s/%s", rec, l.rmgr, l.class))
	}
	if len(rec.Blocks) != len(l.blocks) {
		diffs = append(diffs, fmt.Sprintf("%d blocks, pg_waldump says %v", len(rec.Blocks), l.blocks))
		return diffs
	}
	for i := range rec.Blocks {
		if got := blockAsWaldump(&rec.Blocks[i]); got != l.blocks[i] {
			diffs = append(diffs, fmt.Sprintf("block %q, pg_waldump says %q", got, l.blocks[i]))
		}
	}
	if diff := l.diffFields(rec); diff != "" {
		diffs = append(diffs, diff)
	}
	return diffs
}

func blockAsWaldump(b *WALBlockRef) string {
	s := make([]byte, 0, 80)
	s = append(s, '#')
	s = strconv.AppendUint(s, uint64(b.ID), 10)
	s = append(s, ": rel "...)
	s = append(s, b.Rel.String()...)
	if b.Fork != 0 {
		s = append(append(s, " fork "...), b.Fork.String()...)
	}
	s = append(s, " blk "...)
	s = strconv.AppendUint(s, uint64(b.Block), 10)
	if b.HasImage {
		s = append(s, " FPW"...)
	}
	if b.HasImage && !b.ApplyImage {
		s = append(s, " for WAL verification"...)
	}
	return string(s)
}

// checkWALTruthEnd compares the place of the end with what pg_waldump complained about.
func checkWALTruthEnd(t *testing.T, end *WALEnd, errFile string) {
	t.Helper()
	text, err := os.ReadFile(errFile)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`error in WAL record at ([0-9A-F/]+): .*?(?: at |LSN )([0-9A-F]+/[0-9A-F]+)`).FindSubmatch(text)
	if m == nil {
		t.Fatalf("no end in what pg_waldump says: %s", text)
	}
	last, err := ParseLSN(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	at, err := ParseLSN(string(m[2]))
	if err != nil {
		t.Fatal(err)
	}
	if end.LastRecord != last {
		t.Errorf("last record at %s, pg_waldump: %s", end.LastRecord, text)
	}
	if end.Stop.LSN != at {
		t.Errorf("stopped at %s (%s), pg_waldump: %s", end.Stop.LSN, end.Stop.Text, text)
	}
}

func readWALTruth(t *testing.T, name string) []walTruthLine {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	block := regexp.MustCompile(`blkref (#\d+: rel \d+/\d+/\d+(?: fork \w+)? blk \d+(?: FPW for WAL verification| FPW)?)`)
	var lines []walTruthLine
	s := bufio.NewScanner(file)
	s.Buffer(nil, 64<<20)
	for s.Scan() {
		l := parseWALTruth(t, s.Text())
		if strings.Contains(l.desc, "blkref") {
			for _, b := range block.FindAllStringSubmatch(l.desc, -1) {
				l.blocks = append(l.blocks, b[1])
			}
		}
		lines = append(lines, l)
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// parseWALTruth takes a line apart:
//
//	rmgr: Heap        len (rec/tot):     59/  3843, tx:        742, lsn: 0/0151A050, prev 0/0151A018, desc: LOCK off 3: ...
//
// Ten thousands of lines are too many for a regular expression under the race detector.
func parseWALTruth(t *testing.T, line string) (l walTruthLine) {
	t.Helper()
	rest := line
	field := func(after, until string) string {
		_, tail, ok := strings.Cut(rest, after)
		value, tail, ok2 := strings.Cut(tail, until)
		if !ok || !ok2 {
			t.Fatalf("not a line of pg_waldump: %.300q", line)
		}
		rest = until + tail
		return strings.TrimSpace(value)
	}
	l.rmgr = field("rmgr: ", " ")
	l.recLen = int(atou(t, field("len (rec/tot):", "/")))
	l.totLen = uint32(atou(t, field("/", ",")))
	l.xid = XID(atou(t, field("tx:", ",")))
	l.lsn = parseTestLSN(t, field("lsn: ", ","))
	l.prev = parseTestLSN(t, field("prev ", ","))
	_, rest, _ = strings.Cut(rest, "desc: ")
	l.class, l.desc, _ = strings.Cut(rest, " ")
	if strings.HasPrefix(rest, "UNKNOWN (") {
		i := strings.IndexByte(rest, ')') + 1
		l.class, l.desc = rest[:i], rest[i:]
	}
	return l
}

func atou(t *testing.T, s string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func parseTestLSN(t *testing.T, s string) LSN {
	t.Helper()
	lsn, err := ParseLSN(s)
	if err != nil {
		t.Fatal(err)
	}
	return lsn
}

// wantWALKinds makes sure that the workload still makes what it is there for.
func wantWALKinds(t *testing.T, major int, lines []walTruthLine) {
	t.Helper()
	seen := map[string]int{}
	for _, l := range lines {
		seen[l.rmgr+"/"+l.class]++
		for _, b := range l.blocks {
			if strings.Contains(b, "FPW") {
				seen["FPW"]++
			}
			if strings.Contains(b, "verification") {
				seen["FPW for WAL verification"]++
			}
		}
	}
	want := []string{
		"FPW", "FPW for WAL verification",
		"BRIN/CREATE_INDEX", "BRIN/DESUMMARIZE", "BRIN/INSERT", "BRIN/INSERT+INIT", "BRIN/REVMAP_EXTEND", "BRIN/SAMEPAGE_UPDATE",
		"Btree/DEDUP", "Btree/DELETE", "Btree/INSERT_LEAF", "Btree/INSERT_POST", "Btree/INSERT_UPPER", "Btree/MARK_PAGE_HALFDEAD",
		"Btree/META_CLEANUP", "Btree/NEWROOT", "Btree/REUSE_PAGE", "Btree/SPLIT_L", "Btree/SPLIT_R", "Btree/UNLINK_PAGE", "Btree/VACUUM",
		"CLOG/TRUNCATE", "CLOG/ZEROPAGE", "Database/DROP", "Generic/Generic",
		"Gin/DELETE_LISTPAGE", "Gin/INSERT", "Gin/INSERT_LISTPAGE", "Gin/UPDATE_META_PAGE", "Gin/VACUUM_PAGE",
		"Gist/PAGE_DELETE", "Gist/PAGE_SPLIT", "Gist/PAGE_UPDATE",
		"Hash/DELETE", "Hash/INIT_BITMAP_PAGE", "Hash/INIT_META_PAGE", "Hash/INSERT", "Hash/SPLIT_ALLOCATE_PAGE", "Hash/SPLIT_COMPLETE", "Hash/SPLIT_PAGE",
		"Heap/DELETE", "Heap/HEAP_CONFIRM", "Heap/HOT_UPDATE", "Heap/INPLACE", "Heap/INSERT", "Heap/INSERT+INIT", "Heap/LOCK",
		"Heap/TRUNCATE", "Heap/UPDATE", "Heap/UPDATE+INIT",
		"Heap2/LOCK_UPDATED", "Heap2/MULTI_INSERT", "Heap2/MULTI_INSERT+INIT", "Heap2/NEW_CID", "Heap2/REWRITE", "Heap2/VISIBLE",
		"LogicalMessage/MESSAGE", "MultiXact/CREATE_ID", "MultiXact/TRUNCATE_ID", "MultiXact/ZERO_MEM_PAGE", "MultiXact/ZERO_OFF_PAGE",
		"RelMap/UPDATE", "ReplicationOrigin/DROP", "ReplicationOrigin/SET",
		"SPGist/ADD_LEAF", "SPGist/MOVE_LEAFS", "SPGist/PICKSPLIT", "SPGist/SPLIT_TUPLE", "SPGist/VACUUM_LEAF", "Sequence/LOG",
		"Standby/INVALIDATIONS", "Standby/LOCK", "Standby/RUNNING_XACTS", "Storage/CREATE", "Storage/TRUNCATE", "Tablespace/CREATE", "Tablespace/DROP",
		"Transaction/ABORT", "Transaction/ABORT_PREPARED", "Transaction/ASSIGNMENT", "Transaction/COMMIT", "Transaction/COMMIT_PREPARED", "Transaction/PREPARE",
		"XLOG/BACKUP_END", "XLOG/CHECKPOINT_ONLINE", "XLOG/CHECKPOINT_SHUTDOWN", "XLOG/END_OF_RECOVERY", "XLOG/FPI", "XLOG/FPI_FOR_HINT",
		"XLOG/FPW_CHANGE", "XLOG/NEXTOID", "XLOG/OVERWRITE_CONTRECORD", "XLOG/PARAMETER_CHANGE", "XLOG/RESTORE_POINT", "XLOG/SWITCH",
	}
	switch {
	case major >= 17:
		want = append(want, "Heap2/PRUNE_ON_ACCESS", "Heap2/PRUNE_VACUUM_SCAN", "Heap2/PRUNE_VACUUM_CLEANUP", "XLOG/CHECKPOINT_REDO")
	case major >= 14:
		want = append(want, "Heap2/PRUNE", "Heap2/VACUUM", "Heap2/FREEZE_PAGE", "Database/CREATE_WAL_LOG")
	default:
		want = append(want, "Heap2/CLEAN", "Heap2/FREEZE_PAGE", "Database/CREATE")
	}
	for _, kind := range want {
		if seen[kind] == 0 {
			t.Errorf("the workload made no %s", kind)
		}
	}
	t.Logf("%d records of %d kinds", len(lines), len(seen))
}

// damageWALTruth flips bytes of real WAL and expects exactly the commits that
// pg_waldump listed behind the damaged record to be found.
func damageWALTruth(t *testing.T, src WALSource, dir string, start LSN, lines []walTruthLine) {
	t.Helper()
	for _, part := range []int{3, 2} {
		i := len(lines) * (part - 1) / part
		for lines[i].rmgr == "XLOG" || lines[i+1].prev != lines[i].lsn {
			i++
		}
		restore := flipWALByte(t, dir, src.SegSize, lines[i].lsn+5)
		end, err := FindWALEnd(t.Context(), src, start, nil)
		if err != nil {
			t.Fatal(err)
		}
		restore()
		var commits uint64
		for _, l := range lines[i+1:] {
			if l.rmgr == "Transaction" && (l.class == "COMMIT" || l.class == "COMMIT_PREPARED") {
				commits++
			}
		}
		if end.Kind != WALEndDamaged || end.Stop.LSN != lines[i].lsn || end.ResumeLSN != lines[i+1].lsn || end.Records != uint64(i) {
			t.Errorf("damage at %s: %s at %s after %d records, resumes at %s, want %s: %s", lines[i].lsn, end.Kind, end.Stop.LSN, end.Records, end.ResumeLSN, lines[i+1].lsn, end.Reason)
		}
		if end.RecordsBeyond != uint64(len(lines)-i-1) || end.CommitsBeyondCount != commits {
			t.Errorf("damage at %s: %d records and %d commits beyond, pg_waldump has %d and %d",
				lines[i].lsn, end.RecordsBeyond, end.CommitsBeyondCount, len(lines)-i-1, commits)
		}
	}
}

// flipWALByte changes one byte of a segment on timeline 1 and gives a way back.
func flipWALByte(t *testing.T, dir string, segSize uint32, at LSN) (restore func()) {
	t.Helper()
	name := filepath.Join(dir, WALSegmentAt(1, at, segSize).Name(segSize))
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	off := uint64(at) % uint64(segSize)
	flip := func() {
		b[off] ^= 0xFF
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	flip()
	return flip
}

// compareWALCheckpoints expects every checkpoint that pg_waldump lists to be found
// without reading the WAL in order.
func compareWALCheckpoints(t *testing.T, src WALSource, start LSN, lines []walTruthLine) {
	t.Helper()
	var want, got []LSN
	for _, l := range lines {
		if l.rmgr == "XLOG" && strings.HasPrefix(l.class, "CHECKPOINT_") && l.class != "CHECKPOINT_REDO" {
			want = append(want, l.lsn)
		}
	}
	err := ScanWALCheckpoints(t.Context(), src.FS, src.SegSize, func(c WALFoundCheckpoint) error {
		if c.LSN >= start {
			got = append(got, c.LSN)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("checkpoints at %v, pg_waldump has %v", got, want)
	}
}
