package inspect

import (
	"encoding/hex"
	"encoding/json"
	"fmt"

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

func (r *walRun) appendRecordJSON(p *walPart, rec *pgdisk.WALRecord) error {
	obj := walRecordJSON{
		Kind: "record", LSN: rec.LSN.String(), EndLSN: rec.EndLSN.String(), Prev: rec.Prev.String(),
		Timeline: rec.Timeline, XID: rec.XID, Rmgr: rec.Rmid.String(), Class: rec.Class(), Info: rec.Info,
		TotLen: rec.TotLen, RecLen: rec.TotLen - uint32(rec.ImageBytes()), Origin: rec.Origin, TopLevelXID: rec.TopLevelXID,
		MainDataBytes: len(rec.MainData),
	}
	obj.Fields, obj.Problem = walFields(rec)
	for i := range rec.Blocks {
		obj.Blocks = append(obj.Blocks, newWALBlockJSON(&rec.Blocks[i]))
	}
	if r.opt.Bytes {
		obj.Bytes = hex.EncodeToString(rec.Raw)
	}
	return p.json(&obj)
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

// json adds one object on a line of its own.
func (p *walPart) json(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	p.out = append(append(p.out, b...), '\n')
	return nil
}

// writeJSON writes one object at once.
func (r *walRun) writeJSON(v any) error {
	if err := r.sum.json(v); err != nil {
		return err
	}
	return r.flush(&r.sum)
}
