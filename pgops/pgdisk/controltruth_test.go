package pgdisk

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pgrescue/pgrescue/internal/truth"
)

// controlTruth compares every field with pg_controldata of the same major: of a cluster fresh
// from initdb, of one that runs (and so of one that crashed), of one stopped in order, and of
// files with damaged values.
func controlTruth(t *testing.T, tr *truth.Server, root string) {
	taken := tr.Files(t, "/tmp/taken")
	var files [][]byte
	for _, name := range []string{filepath.Join(taken, "fresh"), filepath.Join(taken, "running"), filepath.Join(root, ControlFilePath)} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, b)
	}
	compareControl(t, tr, files, true)
	var damaged [][]byte
	for i := range 40 {
		damaged = append(damaged, damageControl(t, files[i%2], uint64(tr.Major*100+i)))
	}
	compareControl(t, tr, damaged, false)
	if *writeControlFixtures {
		writeFixtures(t, tr, files[:2])
	}
}

// compareControl wants Fields to be pg_controldata's text, in a zone that is not ours.
func compareControl(t *testing.T, tr *truth.Server, files [][]byte, intact bool) {
	t.Helper()
	zone := time.FixedZone("ABC", 5*3600+30*60)
	for i, text := range controldata(t, tr, "ABC-05:30", files...) {
		c, err := DecodeControl(files[i])
		if c == nil || (err == nil) != intact {
			t.Fatalf("file %d: %v", i, err)
		}
		if c.Major() != tr.Major {
			t.Errorf("file %d: major %d, want %d", i, c.Major(), tr.Major)
		}
		theirs := ParseControldata(text)
		if len(theirs) < 40 {
			t.Fatalf("file %d: pg_controldata gave only %d fields:\n%s", i, len(theirs), text)
		}
		ours := c.Fields(zone)
		for _, d := range DiffControlFields(ours, theirs) {
			t.Errorf("file %d: %s", i, d)
		}
		for j := range min(len(ours), len(theirs)) {
			if ours[j].Label != theirs[j].Label {
				t.Errorf("file %d: field %d is %q, want %q", i, j, ours[j].Label, theirs[j].Label)
			}
		}
	}
}

// damageControl fills all but the version numbers with noise, within what every
// pg_controldata survives: years of four digits and a segment size that is not negative.
func damageControl(t *testing.T, b []byte, seed uint64) []byte {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	out := bytes.Clone(b)
	c, err := DecodeControl(b)
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.Layout().ControlCRC {
		if i < 8 || i >= 16 {
			out[i] = byte(r.Uint32())
		}
	}
	if c, err = DecodeControl(out); c == nil {
		t.Fatal(err)
	}
	c.Time, c.CheckpointCopy.Time = r.Int64N(200e9), -r.Int64N(1e9)
	c.WALSegmentSize = []uint32{0, 1, 3 << 20, 1 << 20, 1 << 30}[seed%5]
	c.State, c.Level = DBState(seed%9), ControlWALLevel(seed%4)
	if out, err = EncodeControl(c); err != nil {
		t.Fatal(err)
	}
	out[c.CRCOffset] ^= 1
	return out
}
