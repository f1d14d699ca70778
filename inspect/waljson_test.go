package inspect

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"testing"
	"testing/fstest"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// walRecordJSON is the object of one record.
type walRecordJSON struct {
	Kind          string            `json:"kind"` // record
	LSN           string            `json:"lsn"`
	EndLSN        string            `json:"end_lsn"`
	Prev          string            `json:"prev"`
	Timeline      pgdisk.TimelineID `json:"timeline"`
	XID           pgdisk.XID        `json:"xid"`
	Rmgr          string            `json:"rmgr"`
	Class         string            `json:"class"`
	Info          uint8             `json:"info"` // xl_info
	TotLen        uint32            `json:"tot_len"`
	RecLen        uint32            `json:"rec_len"` // without page images
	Origin        uint16            `json:"origin,omitempty"`
	TopLevelXID   pgdisk.XID        `json:"toplevel_xid,omitempty"`
	Fields        []walFieldJSON    `json:"fields,omitempty"`
	Problem       string            `json:"problem,omitempty"` // the body does not hold together
	Blocks        []walBlockJSON    `json:"blocks,omitempty"`
	MainDataBytes int               `json:"main_data_bytes"`
	Bytes         string            `json:"bytes,omitempty"` // hexadecimal, page headers taken out
}

// walFieldJSON is one thing that a record's body says.
type walFieldJSON struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// walBlockJSON is one block reference.
type walBlockJSON struct {
	ID          uint8              `json:"id"`
	Tablespace  pgdisk.OID         `json:"tablespace"`
	Database    pgdisk.OID         `json:"database"`
	Relation    pgdisk.OID         `json:"relation"` // file number
	Fork        string             `json:"fork"`
	Block       pgdisk.BlockNumber `json:"block"`
	WillInit    bool               `json:"will_init,omitempty"`
	DataBytes   int                `json:"data_bytes"`
	HasImage    bool               `json:"has_image"`
	Apply       bool               `json:"apply,omitempty"` // replay restores the page from the image
	HoleOffset  uint16             `json:"hole_offset,omitempty"`
	HoleLength  uint16             `json:"hole_length,omitempty"`
	Compression string             `json:"compression,omitempty"`
	ImageBytes  int                `json:"image_bytes,omitempty"` // as stored
}

// newWALRecordJSON puts a record into the struct that encoding/json writes.
func newWALRecordJSON(rec *pgdisk.WALRecord, raw bool) walRecordJSON {
	obj := walRecordJSON{
		Kind: "record", LSN: rec.LSN.String(), EndLSN: rec.EndLSN.String(), Prev: rec.Prev.String(),
		Timeline: rec.Timeline, XID: rec.XID, Rmgr: rec.Rmid.String(), Class: rec.Class(), Info: rec.Info,
		TotLen: rec.TotLen, RecLen: rec.TotLen - uint32(rec.ImageBytes()), Origin: rec.Origin, TopLevelXID: rec.TopLevelXID,
		MainDataBytes: len(rec.MainData),
	}
	fields, err := rec.Fields()
	for _, f := range fields {
		obj.Fields = append(obj.Fields, walFieldJSON(f))
	}
	if err != nil {
		obj.Problem = err.Error()
	}
	for i := range rec.Blocks {
		obj.Blocks = append(obj.Blocks, newWALBlockJSON(&rec.Blocks[i]))
	}
	if raw {
		obj.Bytes = hex.EncodeToString(rec.Raw)
	}
	return obj
}

func newWALBlockJSON(b *pgdisk.WALBlockRef) walBlockJSON {
	obj := walBlockJSON{
		ID: b.ID, Tablespace: b.Rel.Tablespace, Database: b.Rel.Database, Relation: b.Rel.Number,
		Fork: b.Fork.String(), Block: b.Block, WillInit: b.WillInit, DataBytes: len(b.Data), HasImage: b.HasImage,
	}
	if b.HasImage {
		obj.Apply, obj.HoleOffset, obj.HoleLength = b.ApplyImage, b.HoleOffset, b.HoleLength
		obj.Compression, obj.ImageBytes = b.Compression.String(), len(b.Image)
	}
	return obj
}

// sameWALJSON wants from both ways the same bytes.
func sameWALJSON(t *testing.T, p *walPart, rec *pgdisk.WALRecord) {
	t.Helper()
	for _, raw := range []bool{false, true} {
		run := walRun{opt: WALOptions{JSON: true, Bytes: raw}}
		p.out = p.out[:0]
		if err := run.appendRecordJSON(p, rec); err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(newWALRecordJSON(rec, raw))
		if err != nil {
			t.Fatal(err)
		}
		if got := bytes.TrimSuffix(p.out, []byte("\n")); !bytes.Equal(got, want) {
			t.Fatalf("record at %s\n got %s\nwant %s", rec.LSN, got, want)
		}
	}
}

// TestWALRecordJSON compares with encoding/json: on WAL of servers, and on records in which all
// that may be left out is there.
func TestWALRecordJSON(t *testing.T) {
	for name, start := range map[string]pgdisk.LSN{"pg14": 0x900028, "pg16": 0x700028} {
		t.Run(name, func(t *testing.T) {
			segment := pgdisk.WALSegmentAt(1, start, 1<<20).Name(1 << 20)
			src := pgdisk.WALSource{FS: fstest.MapFS{segment: {Data: gunzipWAL(t, "../pgops/pgdisk/testdata/wal/"+name+".wal.gz")}}, SegSize: 1 << 20, Timeline: 1}
			var p walPart
			end, err := pgdisk.FindWALEnd(t.Context(), src, start, func(rec *pgdisk.WALRecord) error {
				sameWALJSON(t, &p, rec)
				return nil
			})
			if err != nil || end.Records < 300 {
				t.Fatalf("%+v, %v", end, err)
			}
		})
	}
	rec := pgdisk.WALRecord{
		WALRecordHeader: pgdisk.WALRecordHeader{TotLen: 99, XID: 7, Rmid: pgdisk.RmgrLogicalMessage},
		LSN:             1 << 33, EndLSN: 1<<33 + 104, Timeline: 3, Major: 17, Raw: []byte{1, 2}, Origin: 5, TopLevelXID: 6,
		Blocks: []pgdisk.WALBlockRef{
			{ID: 3, Fork: 9, WillInit: true, Data: []byte{1}},
			{ID: 4, HasImage: true},
			{ID: 5, HasImage: true, ApplyImage: true, Compression: pgdisk.WALCompressLZ4, HoleOffset: 8, HoleLength: 9, Image: []byte{1}},
		},
	}
	var p walPart
	sameWALJSON(t, &p, &rec) // without a body: a problem
	for _, text := range []string{"", "plain", "<&>", "\"\\", "\x00\x1f\x7f", "\xff\xc3\x28", "é\u2028€"} {
		main := append([]byte{0, 0, 0, 0, 1, 0, 0, 0}, byte(len(text)+1), 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0)
		rec.MainData = append(append(main, text...), 0, 'h', 'i')
		sameWALJSON(t, &p, &rec)
		want, err := json.Marshal(text)
		if got := appendJSONString(nil, text); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%q: %s, want %s, %v", text, got, want, err)
		}
	}
}

func gunzipWAL(t *testing.T, name string) []byte {
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
	return append(b, make([]byte, 1<<20-len(b))...)
}
