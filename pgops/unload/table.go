package unload

import (
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/pgops/values"
)

// table is one relation to be written. Workers share it and only read it.
type table struct {
	database  *database
	oid       pgdisk.OID
	schema    string
	name      string
	files     relFiles
	fsm, vm   relFiles     // of its free space map and visibility map
	pages     uint32       // relpages, how many blocks it had once; 0 when that is not known
	toast     *toastSource // nil when it has none
	frozenXID pgdisk.XID   // relfrozenxid: older transactions are frozen; 0 when not known
	columns   []values.Column
	printed   []printed
	deformer  *values.Deformer
	paths     paths
	report    TableReport // what is known before reading
}

// database is what the tables of one database share.
type database struct {
	oid     pgdisk.OID
	name    string
	charset charset
	env     values.Env // without Fetch
}

// printed is a column that is written: neither dropped nor generated, as for COPY TO
// (CopyGetAttnums, commands/copy.c).
type printed struct {
	index  int    // in the table's columns
	key    []byte // the name as a JSON key, with the colon
	plain  bool   // its text never needs an escape or a quote
	opaque string // why values of its type cannot be printed; empty if they can
}

// printedColumns chooses the columns that are written.
func printedColumns(columns []values.Column, readable func(*values.Type) error) []printed {
	var out []printed
	for i, c := range columns {
		if c.Dropped || c.Generated != 0 {
			continue
		}
		p := printed{index: i, key: append(appendJSONString(nil, []byte(c.Name)), ':')}
		if c.Type == nil {
			p.opaque = "the type is not in the dictionary"
		} else if err := readable(c.Type); err != nil {
			p.opaque = err.Error()
		} else {
			p.plain = plainText(c.Type.Output)
		}
		out = append(out, p)
	}
	return out
}

// plainText names the output functions that print neither white space but blanks, nor
// backslashes, quotes or commas, and that never print nothing.
func plainText(output string) bool {
	switch output {
	case "boolout", "int2out", "int4out", "int8out", "oidout", "xidout", "xid8out", "cidout",
		"float4out", "float8out", "numeric_out", "uuid_out", "pg_lsn_out",
		"date_out", "time_out", "timetz_out", "timestamp_out", "timestamptz_out", "interval_out",
		"macaddr_out", "macaddr8_out", "inet_out", "cidr_out":
		return true
	}
	return false
}

// title names the table for people.
func (t *table) title() string {
	return t.database.charset.string(t.schema) + "." + t.database.charset.string(t.name)
}
