package pgdisk

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// walSmallStart is where the records of testdata/wal/pgN.wal.gz start, which lie in one segment.
const (
	walSmallStart14 LSN = 0x900028
	walSmallStart16 LSN = 0x700028
)

func gunzip(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if b, err = io.ReadAll(r); err != nil {
		t.Fatal(err)
	}
	return b
}

// walSmallSource gives the committed WAL of a major.
func walSmallSource(t testing.TB, major int, start LSN) WALSource {
	t.Helper()
	segment := make([]byte, 1<<20)
	copy(segment, gunzip(t, fmt.Sprintf("testdata/wal/pg%d.wal.gz", major)))
	name := WALSegmentAt(1, start, 1<<20).Name(1 << 20)
	return WALSource{FS: fstest.MapFS{name: {Data: segment}}, SegSize: 1 << 20, Timeline: 1}
}

// TestWALSmall reads the WAL of the majors that cannot be started here. All bodies must
// decode, and what they say of pages must be what their page images show; of 16, also what
// the server itself said of each record.
func TestWALSmall(t *testing.T) {
	for major, start := range map[int]LSN{14: walSmallStart14, 16: walSmallStart16} {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			said := map[LSN]walTruthLine{}
			if major == 16 {
				said = readWALInspect(t, "testdata/wal/pg16.desc.gz")
			}
			c := walImageCheck{t: t, seen: map[string]int{}}
			records, kinds := 0, map[string]int{}
			end, err := FindWALEnd(t.Context(), walSmallSource(t, major, start), start, func(rec *WALRecord) error {
				records++
				kinds[rec.String()]++
				if _, err := rec.Fields(); err != nil {
					t.Errorf("%s at %s: %v", rec, rec.LSN, err)
				}
				l, told := said[rec.LSN]
				if diff := l.diffFields(rec); told && diff != "" {
					t.Errorf("at %s: %s", rec.LSN, diff)
				}
				if told && l.class != rec.String() {
					t.Errorf("at %s: %s, the server says %s", rec.LSN, rec, l.class)
				}
				return c.imagesOf(rec)
			})
			if err != nil {
				t.Fatal(err)
			}
			if major == 16 && records != len(said) {
				t.Errorf("%d records, the server has %d", records, len(said))
			}
			if end.Kind != WALEndClean || end.Major != major {
				t.Errorf("end %s of major %d: %s", end.Kind, end.Major, end.Reason)
			}
			for _, kind := range []string{"image pglz", "insert", "multi-insert", "update", "delete", "lock", "btree insert", "sequence", "frozen", "dead", "unused", "redirected"} {
				if c.seen[kind] == 0 {
					t.Errorf("nothing compared of kind %q", kind)
				}
			}
			t.Logf("%d records: %v; compared with page images: %v", records, kinds, c.seen)
		})
	}
}

// readWALInspect reads LSN, class and description as pg_get_wal_records_info gives them. Its
// times have the session's form.
func readWALInspect(t *testing.T, name string) map[LSN]walTruthLine {
	t.Helper()
	lines := map[LSN]walTruthLine{}
	for line := range strings.Lines(string(gunzip(t, name))) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3)
		desc := parts[2]
		if i := strings.Index(desc, "+00"); i >= 0 && strings.HasPrefix(parts[1], "Transaction/") {
			point := strings.LastIndexByte(desc[:i], '.')
			desc = desc[:i] + strings.Repeat("0", 7-(i-point)) + " UTC" + desc[i+3:]
		}
		lines[parseTestLSN(t, parts[0])] = walTruthLine{class: parts[1], desc: desc}
	}
	return lines
}
