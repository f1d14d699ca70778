package inspect

import (
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// saveImages hands out the page images of a record.
func (r *walRun) saveImages(rec *pgdisk.WALRecord) error {
	for i := range rec.Blocks {
		b := &rec.Blocks[i]
		if !b.HasImage {
			continue
		}
		page, err := b.Page()
		if err != nil {
			// The record's checksum is good, so the others are worth having.
			if _, err := fmt.Fprintf(r.notes, "image of block %d in the record at %s is not saved: %v\n", b.Block, rec.LSN, err); err != nil {
				return err
			}
			r.bad++
			continue
		}
		if err := r.opt.SaveImage(walImageName(rec, b), page); err != nil {
			return fmt.Errorf("save page image: %w", err)
		}
	}
	return nil
}

// walImageName is the name that pg_waldump --save-fullpage gives to an image: timeline, LSN, relation, block, fork.
func walImageName(rec *pgdisk.WALRecord, b *pgdisk.WALBlockRef) string {
	return fmt.Sprintf("%08X-%08X-%08X.%d.%d.%d.%d_%s", uint32(rec.Timeline), uint32(rec.LSN>>32), uint32(rec.LSN),
		b.Rel.Tablespace, b.Rel.Database, b.Rel.Number, b.Block, b.Fork)
}
