package pgops

import (
	"errors"
	"io/fs"
	"strconv"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// maxPrepared bounds the prepared transactions that are listed.
const maxPrepared = 1000

// scanPrepared lists prepared transactions by the names of their files: the transaction id in 8 hexadecimal
// digits, from 17 on the full id in 16 (TwoPhaseFilePath, access/transam/twophase.c).
func (c *Cluster) scanPrepared(ev *Evidence) {
	entries, err := fs.ReadDir(c.fsys, "pg_twophase")
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			ev.Missing = append(ev.Missing, err.Error())
		}
		return
	}
	for _, e := range entries {
		n, err := strconv.ParseUint(e.Name(), 16, 64)
		if err == nil && (len(e.Name()) == 8 || len(e.Name()) == 16) && len(ev.Files.Prepared) < maxPrepared {
			ev.Files.Prepared = append(ev.Files.Prepared, pgdisk.XID(uint32(n)))
		}
	}
}

// scanDatabases reads pg_database. Rows of doubtful visibility count too: an older horizon
// is the safe side.
func (c *Cluster) scanDatabases(ev *Evidence) {
	d := &ev.Databases
	layout, ok := pgdisk.LayoutFor(ev.Major)
	if !ok {
		d.Why = "the major is not known"
		return
	}
	pages := pgdisk.NewSLRUFiles(c.fsys)
	status := func(x pgdisk.XID) (pgdisk.XactStatus, error) { return pgdisk.ReadXactStatus(pages, x) }
	dbs, _, err := pgdisk.ReadDatabases(c.fsys, layout, status)
	if err != nil {
		d.Why = err.Error()
		return
	}
	d.Databases = len(dbs)
	for _, db := range dbs {
		if !db.FrozenXID.Normal() {
			d.FrozenInvalid++
			continue
		}
		if older := earlier(d.MinFrozenXID, db.FrozenXID); older != d.MinFrozenXID {
			d.MinFrozenXID, d.MinFrozenOf = older, db.Name
		}
		if older := earlier(d.MinMulti, db.MinMultiXact); older != d.MinMulti {
			d.MinMulti, d.MinMultiOf = older, db.Name
		}
	}
}
