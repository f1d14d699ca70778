package pgdisk

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"slices"
)

// databaseRelation is the OID of pg_database (DatabaseRelationId, catalog/pg_database.h).
const databaseRelation OID = 1262

// maxDatabaseBlocks bounds how much of pg_database is read: 128 MB, about 300 000 databases.
const maxDatabaseBlocks = 16384

// Database is a row of pg_database (FormData_pg_database, catalog/pg_database.h).
type Database struct {
	OID          OID
	Name         string      // datname
	AllowConn    bool        // datallowconn: false for template0
	FrozenXID    XID         // datfrozenxid: every transaction id in the database is at least this
	MinMultiXact MultiXactID // datminmxid: the same for multixacts
	Tablespace   OID         // dattablespace: where its files are unless a relation says otherwise
	TID          TID         // where the row lies
	Doubtful     bool        // whether this version of the row is the visible one could not be told
}

// databaseColumns are offsets into the fixed-width columns of pg_database.
type databaseColumns struct {
	allowConn, frozenXID, minMultiXact, tablespace int
}

// columnsOfDatabase gives the offsets for a major. Up to 14 datcollate and datctype are
// names of 64 bytes that lie before them.
func columnsOfDatabase(l Layout) databaseColumns {
	if l.DatabaseNames {
		return databaseColumns{allowConn: 205, frozenXID: 216, minMultiXact: 220, tablespace: 224}
	}
	return databaseColumns{allowConn: 78, frozenXID: 84, minMultiXact: 88, tablespace: 92}
}

// XactStatusFunc tells the fate of a transaction, or an error when it cannot be known.
type XactStatusFunc func(XID) (XactStatus, error)

// ReadDatabases reads pg_database from the files of a stopped cluster, in order of OID.
//
// Which version of a row is visible is told by hint bits and, where those are not set, by
// status, which may be nil: then, as for a transaction that status cannot tell, a version is
// taken as visible and marked doubtful, and of several versions of one database the latest
// on disk wins. Changes that are only in the WAL yet to be replayed are not seen.
// Pages that do not hold together are skipped; their number is returned.
func ReadDatabases(fsys fs.FS, l Layout, status XactStatusFunc) (dbs []Database, badPages int, err error) {
	path, err := databaseFile(fsys)
	if err != nil {
		return nil, 0, err
	}
	f, err := fsys.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("read pg_database: %w", err)
	}
	defer f.Close()
	found := make(map[OID]Database)
	page := make([]byte, BlockSize)
	for blk := BlockNumber(0); blk < maxDatabaseBlocks; blk++ {
		_, err := io.ReadFull(f, page)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, 0, fmt.Errorf("read pg_database: %s, block %d: %w", path, blk, err)
		}
		rows, ok := databasesInPage(page, blk, l, status)
		if !ok {
			badPages++
		}
		for _, d := range rows {
			if old, ok := found[d.OID]; !ok || old.Doubtful || !d.Doubtful {
				found[d.OID] = d
			}
		}
	}
	for _, d := range found {
		dbs = append(dbs, d)
	}
	slices.SortFunc(dbs, func(a, b Database) int { return cmp.Compare(a.OID, b.OID) })
	return dbs, badPages, nil
}

// databaseFile finds the file of pg_database by the global map.
func databaseFile(fsys fs.FS) (string, error) {
	b := make([]byte, 524)
	name := "global/" + RelMapName
	n, err := readFileAt(fsys, name, b, 0)
	if err != nil && n == 0 {
		return "", fmt.Errorf("find pg_database: %w", err)
	}
	m, err := DecodeRelMap(b[:n])
	if err != nil {
		return "", fmt.Errorf("find pg_database: %w", err)
	}
	number, ok := m.Lookup(databaseRelation)
	if !ok {
		return "", &FormatError{File: name, Field: "mappings", Want: fmt.Sprintf("one for pg_database (%d)", databaseRelation), Got: fmt.Sprintf("%d others", len(m.Mappings))}
	}
	return RelFile{Tablespace: GlobalTablespace, Number: number}.Path(), nil
}

// databasesInPage decodes the rows that count; ok is false when something on the page does
// not hold together.
func databasesInPage(page []byte, blk BlockNumber, l Layout, status XactStatusFunc) (dbs []Database, ok bool) {
	problems, err := CheckPage(page)
	if err != nil || len(problems) > 0 {
		return nil, false
	}
	h, err := DecodePageHeader(page)
	if err != nil {
		return nil, false
	}
	ok = true
	for i, id := range ItemIDs(page, h) {
		if id.Flags != ItemNormal {
			continue
		}
		t, err := DecodeTuple(Item(page, id))
		if err != nil {
			ok = false
			continue
		}
		verdict := Visibility{Xact: status}.Judge(t.TupleHeader)
		if verdict.Fate != FateVisible {
			continue
		}
		d, err := decodeDatabase(t, columnsOfDatabase(l))
		if err != nil {
			ok = false
			continue
		}
		d.TID, d.Doubtful = TID{Block: blk, Item: uint16(i + 1)}, verdict.Doubtful
		dbs = append(dbs, d)
	}
	return dbs, ok
}

func decodeDatabase(t Tuple, c databaseColumns) (Database, error) {
	row, err := t.Fixed(0, c.tablespace+4)
	if err != nil {
		return Database{}, err
	}
	le := binary.LittleEndian
	name, _, _ := bytes.Cut(row[4:68], []byte{0})
	return Database{
		OID:          OID(le.Uint32(row)),
		Name:         string(name),
		AllowConn:    row[c.allowConn] != 0,
		FrozenXID:    XID(le.Uint32(row[c.frozenXID:])),
		MinMultiXact: MultiXactID(le.Uint32(row[c.minMultiXact:])),
		Tablespace:   OID(le.Uint32(row[c.tablespace:])),
	}, nil
}
