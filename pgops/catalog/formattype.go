package catalog

import (
	"fmt"
	"strconv"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// OIDs of types that SQL has names of its own for (catalog/pg_type_d.h).
const (
	oidBool        pgdisk.OID = 16
	oidInt8        pgdisk.OID = 20
	oidInt2        pgdisk.OID = 21
	oidInt4        pgdisk.OID = 23
	oidJSON        pgdisk.OID = 114
	oidFloat4      pgdisk.OID = 700
	oidFloat8      pgdisk.OID = 701
	oidBPChar      pgdisk.OID = 1042
	oidVarchar     pgdisk.OID = 1043
	oidTime        pgdisk.OID = 1083
	oidTimestamp   pgdisk.OID = 1114
	oidTimestampTZ pgdisk.OID = 1184
	oidInterval    pgdisk.OID = 1186
	oidTimeTZ      pgdisk.OID = 1266
	oidBit         pgdisk.OID = 1560
	oidVarbit      pgdisk.OID = 1562
	oidNumeric     pgdisk.OID = 1700
)

// FormatType prints a type with its modifier as the server's format_type does for someone with
// the standard search path (format_type_extended, utils/adt/format_type.c). typmod is -1 for none.
func (d *Database) FormatType(oid pgdisk.OID, typmod int32) string {
	return d.formatType(oid, typmod, true)
}

// formatType prints a type; given says that a modifier was asked for, if only -1.
func (d *Database) formatType(oid pgdisk.OID, typmod int32, given bool) string {
	switch t, ok := d.types[oid]; {
	case oid == 0:
		return "-"
	case !ok:
		return "???"
	case t.Elem != nil:
		return d.formatScalar(t.Elem.OID, typmod, given) + "[]"
	}
	return d.formatScalar(oid, typmod, given)
}

// formatScalar prints a type that is no array, or an array that counts as none.
func (d *Database) formatScalar(oid pgdisk.OID, typmod int32, given bool) string {
	name, bare := sqlTypeName(oid)
	switch {
	case typmod < 0 && given && (oid == oidBit || oid == oidBPChar):
		name = "" // without a length they are other types than BIT and CHARACTER, which have length 1
	case typmod < 0 && bare != "":
		return bare
	case typmod < 0 && name != "":
		return name
	}
	if name == "" {
		t := d.types[oid]
		name = quoteQualified(d.names.unlessVisible(t.Schema, d.names.types[t.Name]), t.Name, d.cluster.Layout.Major)
		if typmod < 0 {
			return name
		}
	}
	return name + d.formatTypmod(oid, typmod)
}

// sqlTypeName gives SQL's name of a type, and the name without modifier where that differs.
func sqlTypeName(oid pgdisk.OID) (name, bare string) {
	switch oid {
	case oidBool:
		return "boolean", ""
	case oidInt2:
		return "smallint", ""
	case oidInt4:
		return "integer", ""
	case oidInt8:
		return "bigint", ""
	case oidJSON:
		return "json", "" // a keyword from 17 on, printed bare all the same
	case oidFloat4:
		return "real", ""
	case oidFloat8:
		return "double precision", ""
	case oidBPChar:
		return "character", ""
	case oidVarchar:
		return "character varying", ""
	case oidTime:
		return "time", "time without time zone"
	case oidTimeTZ:
		return "time", "time with time zone"
	case oidTimestamp:
		return "timestamp", "timestamp without time zone"
	case oidTimestampTZ:
		return "timestamp", "timestamp with time zone"
	case oidInterval:
		return "interval", ""
	case oidBit:
		return "bit", ""
	case oidVarbit:
		return "bit varying", ""
	case oidNumeric:
		return "numeric", ""
	}
	return "", ""
}

// formatTypmod prints a modifier as the type's typmodout does. That of a foreign type is
// printed as the number it is, as the server does for types that have no such function.
func (d *Database) formatTypmod(oid pgdisk.OID, typmod int32) string {
	const header = pgdisk.VarlenaHeaderSize
	switch d.typmods[oid] {
	case "bpchartypmodout", "varchartypmodout":
		if typmod > header {
			return fmt.Sprintf("(%d)", typmod-header)
		}
		return ""
	case "numerictypmodout":
		if typmod < header {
			return ""
		}
		n := typmod - header
		scale := n & 0xFFFF
		if d.cluster.Layout.Major >= 15 { // scales from -1000 in 11 bits (numeric_typmod_scale)
			scale = (n&0x7FF ^ 1024) - 1024
		}
		return fmt.Sprintf("(%d,%d)", n>>16&0xFFFF, scale)
	case "timetypmodout", "timestamptypmodout":
		return fmt.Sprintf("(%d) without time zone", typmod)
	case "timetztypmodout", "timestamptztypmodout":
		return fmt.Sprintf("(%d) with time zone", typmod)
	case "intervaltypmodout":
		return formatIntervalTypmod(typmod)
	}
	return "(" + strconv.Itoa(int(typmod)) + ")"
}

// formatIntervalTypmod prints fields and precision of an interval (intervaltypmodout, utils/adt/timestamp.c).
func formatIntervalTypmod(typmod int32) string {
	const (
		month, year, day     = 1 << 1, 1 << 2, 1 << 3    // INTERVAL_MASK of MONTH, YEAR, DAY (utils/datetime.h)
		hour, minute, second = 1 << 10, 1 << 11, 1 << 12 // and of HOUR, MINUTE, SECOND
		fullPrecision        = 0xFFFF                    // INTERVAL_FULL_PRECISION, utils/timestamp.h
	)
	var fields string
	switch typmod >> 16 & 0x7FFF {
	case year:
		fields = " year"
	case month:
		fields = " month"
	case day:
		fields = " day"
	case hour:
		fields = " hour"
	case minute:
		fields = " minute"
	case second:
		fields = " second"
	case year | month:
		fields = " year to month"
	case day | hour:
		fields = " day to hour"
	case day | hour | minute:
		fields = " day to minute"
	case day | hour | minute | second:
		fields = " day to second"
	case hour | minute:
		fields = " hour to minute"
	case hour | minute | second:
		fields = " hour to second"
	case minute | second:
		fields = " minute to second"
	}
	if p := typmod & 0xFFFF; p != fullPrecision {
		return fmt.Sprintf("%s(%d)", fields, p)
	}
	return fields
}
