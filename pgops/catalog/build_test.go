package catalog

import (
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// columnsOf are the values of a row by column; those left out are zero, or null where the
// type has a variable length.
type columnsOf map[string]any

// tuple is a row to be built with the header bits that matter.
type tuple struct {
	columnsOf
	pgdisk.TupleHeader
}

// frozen is a row that is visible whatever else is lost.
func frozen(c columnsOf) tuple {
	return tuple{c, pgdisk.TupleHeader{Xmin: 700, Infomask: pgdisk.HeapXminFrozen | pgdisk.HeapXmaxInvalid}}
}

// bytes encodes a row of a catalog.
func (r tuple) bytes(t *table) []byte {
	data := []byte{}
	bitmap := make([]byte, (len(t.columns)+7)/8)
	for i, c := range t.columns {
		v, ok := r.columnsOf[c.Name]
		if !ok && c.Len < 0 {
			r.Infomask |= pgdisk.HeapHasNull
			continue
		}
		bitmap[i/8] |= 1 << (i % 8)
		for width := map[byte]int{'c': 1, 's': 2, 'i': 4, 'd': 8}[c.Align]; len(data)%width != 0; {
			data = append(data, 0)
		}
		data = append(data, encodeColumn(c.Len, v)...)
	}
	if r.Infomask&pgdisk.HeapHasNull == 0 {
		bitmap = nil
	}
	r.Infomask2 = pgdisk.Infomask2(len(t.columns))
	r.Hoff = uint8((pgdisk.TupleHeaderSize + len(bitmap) + 7) &^ 7)
	b := make([]byte, r.Hoff, int(r.Hoff)+len(data))
	r.Encode(b)
	copy(b[pgdisk.TupleHeaderSize:], bitmap)
	return append(b, data...)
}

func encodeColumn(length int16, v any) []byte {
	le := binary.LittleEndian
	if length == -1 {
		payload := v.([]byte)
		return append(le.AppendUint32(nil, uint32(len(payload)+4)<<2), payload...)
	}
	b := make([]byte, max(8, length))
	switch v := v.(type) {
	case string:
		copy(b, v)
	case byte:
		b[0] = v
	case rune:
		b[0] = byte(v)
	case bool:
		if v {
			b[0] = 1
		}
	case int:
		le.PutUint64(b, uint64(v))
	case pgdisk.OID:
		le.PutUint32(b, uint32(v))
	case nil:
	default:
		panic(fmt.Sprintf("a column of type %T", v))
	}
	return b[:length]
}

// heapPages lays rows out on pages, per rows on each.
func heapPages(t *table, per int, rows ...tuple) []byte {
	var file []byte
	for blk := 0; len(rows) > 0; blk++ {
		page := make([]byte, pgdisk.BlockSize)
		n, upper := min(per, len(rows)), pgdisk.BlockSize
		for i, r := range rows[:n] {
			r.CTID = pgdisk.TID{Block: pgdisk.BlockNumber(blk), Item: uint16(i + 1)}
			b := r.bytes(t)
			upper = (upper - len(b)) &^ 7
			copy(page[upper:], b)
			id := pgdisk.ItemID{Off: uint16(upper), Flags: pgdisk.ItemNormal, Len: uint16(len(b))}
			binary.LittleEndian.PutUint32(page[pgdisk.PageHeaderSize+i*pgdisk.ItemIDSize:], id.Encode())
		}
		le := binary.LittleEndian
		le.PutUint16(page[12:], uint16(pgdisk.PageHeaderSize+n*pgdisk.ItemIDSize))
		le.PutUint16(page[14:], uint16(upper))
		le.PutUint16(page[16:], pgdisk.BlockSize)
		le.PutUint16(page[18:], pgdisk.BlockSize|pgdisk.PageLayoutVersion)
		pgdisk.PutPageChecksum(page, pgdisk.BlockNumber(blk))
		file = append(file, page...)
		rows = rows[n:]
	}
	return file
}

// small is a cluster of one database with one table, whose rows can be changed before it is built.
type small struct {
	rows map[pgdisk.OID][]tuple
	per  int // rows on a page
}

const (
	smallDatabase = 5
	smallTable    = 16384
)

// newSmall returns the rows of the small cluster: table public.t (id int, name text).
func newSmall() *small {
	s := &small{rows: map[pgdisk.OID][]tuple{}, per: 20}
	add := func(oid pgdisk.OID, rows ...columnsOf) {
		for _, r := range rows {
			s.rows[oid] = append(s.rows[oid], frozen(r))
		}
	}
	add(databaseRelation, columnsOf{"oid": 1, "datname": "template1", "dattablespace": 1663}, columnsOf{"oid": smallDatabase, "datname": "postgres", "datdba": 10, "encoding": 6, "dattablespace": 1663, "datallowconn": true})
	add(authidRelation, columnsOf{"oid": 10, "rolname": "postgres", "rolsuper": true})
	add(tablespaceRelation, columnsOf{"oid": 1663, "spcname": "pg_default", "spcowner": 10}, columnsOf{"oid": 1664, "spcname": "pg_global", "spcowner": 10})
	add(namespaceRelation, columnsOf{"oid": 11, "nspname": "pg_catalog", "nspowner": 10}, columnsOf{"oid": 2200, "nspname": "public", "nspowner": 10})
	add(amRelation, columnsOf{"oid": 2, "amname": "heap"}, columnsOf{"oid": 403, "amname": "btree"})
	for _, l := range layouts() {
		if !slices.ContainsFunc(s.rows[classRelation], func(r tuple) bool { return r.columnsOf["oid"] == int(l.oid) }) {
			mapped := map[pgdisk.OID]bool{classRelation: true, attributeRelation: true, typeRelation: true, procRelation: true, databaseRelation: true, authidRelation: true, tablespaceRelation: true}[l.oid]
			number := int(l.oid)
			if mapped {
				number = 0
			}
			shared := slices.Contains([]pgdisk.OID{databaseRelation, authidRelation, tablespaceRelation}, l.oid)
			natts := map[pgdisk.OID]int{attributeRelation: 1}[l.oid] // as below
			add(classRelation, columnsOf{"oid": int(l.oid), "relname": l.name, "relnatts": natts, "relnamespace": 11, "relam": 2, "relfilenode": number, "relowner": 10, "relkind": 'r', "relpersistence": 'p', "relisshared": shared})
		}
	}
	add(classRelation, columnsOf{"oid": smallTable, "relname": "t", "relnamespace": 2200, "relam": 2, "relfilenode": smallTable, "relowner": 10, "relkind": 'r', "relpersistence": 'p', "relnatts": 2, "relispopulated": true})
	add(procRelation, columnsOf{"oid": 1242, "proname": "boolin", "pronamespace": 11, "proargtypes": emptyVector()}, columnsOf{"oid": 43, "proname": "int4out", "pronamespace": 11, "proargtypes": emptyVector()})
	add(typeRelation, columnsOf{"oid": 16, "typname": "bool", "typnamespace": 11, "typlen": 1, "typtype": 'b', "typalign": 'c'},
		columnsOf{"oid": 23, "typname": "int4", "typnamespace": 11, "typlen": 4, "typtype": 'b', "typalign": 'i', "typoutput": 43},
		columnsOf{"oid": 25, "typname": "text", "typnamespace": 11, "typlen": -1, "typtype": 'b', "typalign": 'i'})
	add(attributeRelation, columnsOf{"attrelid": 1249, "attname": "attrelid", "attnum": 1, "atttypid": 26, "attlen": 4, "attalign": 'i'},
		columnsOf{"attrelid": smallTable, "attname": "id", "attnum": 1, "atttypid": 23, "attlen": 4, "attalign": 'i', "atttypmod": -1},
		columnsOf{"attrelid": smallTable, "attname": "name", "attnum": 2, "atttypid": 25, "attlen": -1, "attalign": 'i', "atttypmod": -1})
	return s
}

func emptyVector() []byte {
	b := binary.LittleEndian.AppendUint32(nil, 1)
	return append(b, make([]byte, 16)...)
}

// build makes the files as 15 has them.
func (s *small) build(t testing.TB) fstest.MapFS {
	t.Helper()
	control, err := os.ReadFile("../pgdisk/testdata/control/pg15.bin")
	if err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{
		"PG_VERSION": {Data: []byte("15\n")}, "base/5/PG_VERSION": {Data: []byte("15\n")}, "global/pg_control": {Data: control}, "pg_tblspc/x": {},
		"pg_xact/0000": {Data: make([]byte, pgdisk.BlockSize)}, "pg_multixact/offsets/0000": {Data: make([]byte, pgdisk.BlockSize)}, "pg_multixact/members/0000": {Data: make([]byte, pgdisk.BlockSize)},
		"base/5/16384": {},
	}
	local, global := &pgdisk.RelMap{Slots: 62}, &pgdisk.RelMap{Slots: 62}
	for _, l := range layouts() {
		dir := "base/5"
		switch l.oid {
		case databaseRelation, authidRelation, tablespaceRelation:
			dir = "global"
			global.Mappings = append(global.Mappings, pgdisk.RelMapping{OID: l.oid, Number: pgdisk.RelFileNumber(l.oid)})
		case classRelation, attributeRelation, typeRelation, procRelation:
			local.Mappings = append(local.Mappings, pgdisk.RelMapping{OID: l.oid, Number: pgdisk.RelFileNumber(l.oid)})
		}
		fsys[fmt.Sprintf("%s/%d", dir, l.oid)] = &fstest.MapFile{Data: heapPages(tableOf(l.oid, 15), s.per, s.rows[l.oid]...)}
	}
	for dir, m := range map[string]*pgdisk.RelMap{"base/5/": local, "global/": global} {
		b, err := pgdisk.EncodeRelMap(m)
		if err != nil {
			t.Fatal(err)
		}
		fsys[dir+pgdisk.RelMapName] = &fstest.MapFile{Data: b}
	}
	return fsys
}

// edit changes one row in place.
func (s *small) edit(oid pgdisk.OID, index int, f func(*tuple)) {
	r := s.rows[oid][index]
	r.columnsOf = maps.Clone(r.columnsOf)
	f(&r)
	s.rows[oid][index] = r
}
