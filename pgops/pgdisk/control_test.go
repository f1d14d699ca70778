package pgdisk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// controlFixtures returns the files that real servers wrote, by name: pg15 from initdb,
// pg15-running from a server that crashed.
func controlFixtures(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("testdata/control/pg*.bin")
	if err != nil || len(names) < 11 {
		t.Fatalf("fixtures: %d files, %v", len(names), err)
	}
	files := make(map[string][]byte)
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimSuffix(filepath.Base(name), ".bin")] = b
	}
	return files
}

func controlFixture(t testing.TB, name string) []byte {
	t.Helper()
	b, ok := controlFixtures(t)[name]
	if !ok {
		t.Fatalf("no fixture %s", name)
	}
	return bytes.Clone(b)
}

func TestControlFixtures(t *testing.T) {
	majors := map[string]int{"pg13": 13, "pg14": 14, "pg15": 15, "pg16": 16, "pg17": 17, "pg18": 18}
	for name, b := range controlFixtures(t) {
		if name == "pg12" {
			continue // refused: see TestControlRefused
		}
		t.Run(name, func(t *testing.T) {
			c, err := DecodeControl(b)
			if err != nil {
				t.Fatal(err)
			}
			short, _, _ := strings.Cut(name, "-")
			if c.Major() != majors[short] {
				t.Errorf("major %d", c.Major())
			}
			again, err := EncodeControl(c)
			if err != nil || !bytes.Equal(again, b) {
				t.Errorf("encoding changed the file: %v", err)
			}
			text, err := os.ReadFile("testdata/control/" + name + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			theirs := ParseControldata(string(text))
			if len(theirs) < 50 {
				t.Errorf("%d fields in the text", len(theirs))
			}
			for _, d := range DiffControlFields(c.Fields(time.UTC), theirs) {
				t.Error(d)
			}
		})
	}
}

// TestControlFields pins values that are not taken from a reader.
func TestControlFields(t *testing.T) {
	c, err := DecodeControl(controlFixture(t, "pg18-running"))
	if err != nil {
		t.Fatal(err)
	}
	if c.State != InProduction || c.State.Clean() || c.MaxConnections != 37 || !c.WALLogHints ||
		!c.TrackCommitTimestamp || c.DataChecksumVersion != 1 || !c.DefaultCharSignedness ||
		c.Level != LevelReplica || c.CheckpointCopy.Level != LevelReplica || c.FloatFormat != 1234567.0 ||
		c.WALSegmentSize != 16<<20 || c.BlockSize != BlockSize || c.RelSegSize != RelSegmentBlocks {
		t.Errorf("got %+v", c)
	}
}

func TestControlRefused(t *testing.T) {
	pg15 := controlFixture(t, "pg15")
	swapped := bytes.Clone(pg15)
	for off := 8; off < 16; off += 4 {
		binary.BigEndian.PutUint32(swapped[off:], binary.LittleEndian.Uint32(pg15[off:]))
	}
	version := func(v, catalog uint32) []byte {
		b := bytes.Clone(pg15)
		binary.LittleEndian.PutUint32(b[8:], v)
		binary.LittleEndian.PutUint32(b[12:], catalog)
		return b
	}
	tests := []struct {
		name   string
		b      []byte
		reason ControlRefusal
		words  string
	}{
		{"nothing", nil, ControlShort, "only 0 bytes"},
		{"ten bytes", pg15[:10], ControlShort, "only 10 bytes"},
		{"cut before the CRC", pg15[:291], ControlShort, "only 291 bytes"},
		{"zeroes", make([]byte, ControlFileSize), ControlZero, "all 8192 bytes are zero"},
		{"big endian", swapped, ControlBigEndian, "control version 1300 in big endian byte order (PostgreSQL 15)"},
		{"12", controlFixture(t, "pg12"), ControlUnknownVersion, "control version 1201, catalog version 201909212 (PostgreSQL 12)"},
		{"19", version(1901, 202607011), ControlUnknownVersion, "(PostgreSQL 19 or a development version of it)"},
		{"9.6", version(960, 201608131), ControlUnknownVersion, "(PostgreSQL 9.6 or older)"},
		{"noise", version(0xDEADBEEF, 7), ControlUnknownVersion, "the file is damaged or is no pg_control"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := DecodeControl(tt.b)
			var refused *ControlError
			if c != nil || !errors.As(err, &refused) || refused.Reason != tt.reason || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("got %v, %v; want %q", c, err, tt.words)
			}
		})
	}
}

func TestControlSuspect(t *testing.T) {
	b := controlFixture(t, "pg13")
	b[76] ^= 0x40 // nextMulti
	c, err := DecodeControl(b)
	var crc *ControlCRCError
	if c == nil || !errors.As(err, &crc) || crc.Stored == crc.Computed || crc.Offset != 288 {
		t.Fatalf("got %v, %v", c, err)
	}
	if c.CheckpointCopy.NextMulti != 65 || c.SystemIdentifier == 0 {
		t.Errorf("values are not shown: %+v", c)
	}
	mended, err := EncodeControl(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := DecodeControl(mended); err != nil {
		t.Errorf("encoded again: %v", err)
	}
}

// TestControlForkCRC is a fork that appended a field and so moved the CRC.
func TestControlForkCRC(t *testing.T) {
	b := controlFixture(t, "pg17")
	copy(b[288:], "fork's own field....")
	binary.LittleEndian.PutUint32(b[308:], crc32.Checksum(b[:308], crc32.MakeTable(crc32.Castagnoli)))
	c, err := DecodeControl(b)
	if err != nil || c.CRCOffset != 308 {
		t.Fatalf("got %v at %d", err, c.CRCOffset)
	}
	again, err := EncodeControl(c)
	if err != nil || !bytes.Equal(again, b) {
		t.Errorf("encoding changed the file: %v", err)
	}
}

// TestControlOddValues keeps a true that is not 1, and names no WAL file by a segment size
// that cannot be.
func TestControlOddValues(t *testing.T) {
	b := controlFixture(t, "pg15")
	b[176] = 0x7F                             // wal_log_hints
	binary.LittleEndian.PutUint32(b[228:], 0) // xlog_seg_size
	binary.LittleEndian.PutUint32(b[288:], crcOf(b[:288]))
	c, err := DecodeControl(b)
	if err != nil || !c.WALLogHints {
		t.Fatalf("got %+v, %v", c, err)
	}
	if again, err := EncodeControl(c); err != nil || !bytes.Equal(again, b) {
		t.Errorf("encoding changed the file: %v", err)
	}
	if got := c.Fields(nil)[7]; got != (ControlField{"Latest checkpoint's REDO WAL file", "???"}) {
		t.Errorf("got %v", got)
	}
	c.WALLogHints = false
	if again, err := EncodeControl(c); err != nil || again[176] != 0 {
		t.Errorf("false was written as %d, %v", again[176], err)
	}
}

func TestControlCut(t *testing.T) {
	c, err := DecodeControl(controlFixture(t, "pg18")[:512])
	if err != nil || c.FileSize != 512 {
		t.Fatalf("got %+v, %v", c, err)
	}
}

func TestControlMade(t *testing.T) {
	made := &Control{SystemIdentifier: 7, ControlVersion: 1700, CatalogVersion: 202406281, State: InProduction,
		CheckpointCopy: CheckpointRecord{NextXID: 1<<32 | 5, Level: LevelLogical}, BackupEndRequired: true}
	b, err := EncodeControl(made)
	if err != nil {
		t.Fatal(err)
	}
	c, err := DecodeControl(b)
	if err != nil || c.Major() != 17 || c.CheckpointCopy != made.CheckpointCopy || !c.BackupEndRequired || c.State != InProduction {
		t.Errorf("got %+v, %v", c, err)
	}
	if got := c.CheckpointCopy.NextXID.String(); got != "1:5" {
		t.Errorf("next xid %s", got)
	}
	if _, err := EncodeControl(&Control{ControlVersion: 1201}); err == nil {
		t.Error("a version without layout was encoded")
	}
	c.ControlVersion = 1800
	if _, err := EncodeControl(c); err == nil {
		t.Error("a file of 17 was encoded as 18")
	}
}

func TestDiffControlFields(t *testing.T) {
	ours := []ControlField{{"a", "1"}, {"b", "2"}, {"c", "3"}}
	theirs := ParseControldata("WARNING: x\n\na:    1\nb: 4 : 5\nd:6\r\n")
	var got []string
	for _, d := range DiffControlFields(ours, theirs) {
		got = append(got, d.String())
	}
	want := `b: "2" here, "4 : 5" from pg_controldata|c: pg_controldata does not have it ("3" here)|d: only pg_controldata has it ("6")`
	if strings.Join(got, "|") != want {
		t.Errorf("got %s", strings.Join(got, "|"))
	}
}

// FuzzDecodeControl: never a panic; what decodes, encodes to a file with the same fields
// and a right CRC, and back to the same bytes when the CRC was right.
func FuzzDecodeControl(f *testing.F) {
	for _, b := range controlFixtures(f) {
		f.Add(b[:512])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := DecodeControl(b)
		if c == nil {
			if err == nil {
				t.Fatal("neither a Control nor an error")
			}
			return
		}
		c.Fields(time.UTC)
		again, encodeErr := EncodeControl(c)
		if encodeErr != nil {
			t.Fatal(encodeErr)
		}
		if err == nil && len(b) <= ControlFileSize && !bytes.Equal(again[:len(b)], b) {
			t.Fatal("encoding changed an intact file")
		}
		c2, err := DecodeControl(again)
		if err != nil {
			t.Fatal(err)
		}
		if d := DiffControlFields(c.Fields(nil), c2.Fields(nil)); len(d) > 0 {
			t.Fatal(d)
		}
	})
}
