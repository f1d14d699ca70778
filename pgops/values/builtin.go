package values

import "github.com/pgrescue/pgrescue/pgops/pgdisk"

// builtinOutput names the output function of a built-in type (catalog/pg_type.dat), for when
// pg_type or pg_proc cannot be read.
func builtinOutput(oid pgdisk.OID) string {
	switch oid {
	case 16: // bool
		return "boolout"
	case 17: // bytea
		return "byteaout"
	case 18: // char
		return "charout"
	case 19: // name
		return "nameout"
	case 20: // int8
		return "int8out"
	case 21: // int2
		return "int2out"
	case 22: // int2vector
		return "int2vectorout"
	case 23: // int4
		return "int4out"
	case 24: // regproc
		return "regprocout"
	case 25, 1790: // text, refcursor
		return "textout"
	case 26: // oid
		return "oidout"
	case 27: // tid
		return "tidout"
	case 28: // xid
		return "xidout"
	case 29: // cid
		return "cidout"
	case 30: // oidvector
		return "oidvectorout"
	case 114: // json
		return "json_out"
	case 142: // xml
		return "xml_out"
	case 194: // pg_node_tree
		return "pg_node_tree_out"
	case 600: // point
		return "point_out"
	case 601: // lseg
		return "lseg_out"
	case 602: // path
		return "path_out"
	case 603: // box
		return "box_out"
	case 604: // polygon
		return "poly_out"
	case 628: // line
		return "line_out"
	case 650: // cidr
		return "cidr_out"
	case 700: // float4
		return "float4out"
	case 701: // float8
		return "float8out"
	case 718: // circle
		return "circle_out"
	case 774: // macaddr8
		return "macaddr8_out"
	case 790: // money
		return "cash_out"
	case 829: // macaddr
		return "macaddr_out"
	case 869: // inet
		return "inet_out"
	case 1033: // aclitem
		return "aclitemout"
	case 1042: // bpchar
		return "bpcharout"
	case 1043: // varchar
		return "varcharout"
	case 1082: // date
		return "date_out"
	case 1083: // time
		return "time_out"
	case 1114: // timestamp
		return "timestamp_out"
	case 1184: // timestamptz
		return "timestamptz_out"
	case 1186: // interval
		return "interval_out"
	case 1266: // timetz
		return "timetz_out"
	case 1560: // bit
		return "bit_out"
	case 1562: // varbit
		return "varbit_out"
	case 1700: // numeric
		return "numeric_out"
	case 2202: // regprocedure
		return "regprocedureout"
	case 2203: // regoper
		return "regoperout"
	case 2204: // regoperator
		return "regoperatorout"
	case 2205: // regclass
		return "regclassout"
	case 2206: // regtype
		return "regtypeout"
	case 2950: // uuid
		return "uuid_out"
	case 2970: // txid_snapshot
		return "txid_snapshot_out"
	case 3220: // pg_lsn
		return "pg_lsn_out"
	case 3361: // pg_ndistinct
		return "pg_ndistinct_out"
	case 3402: // pg_dependencies
		return "pg_dependencies_out"
	case 3614: // tsvector
		return "tsvectorout"
	case 3615: // tsquery
		return "tsqueryout"
	case 3642: // gtsvector
		return "gtsvectorout"
	case 3734: // regconfig
		return "regconfigout"
	case 3769: // regdictionary
		return "regdictionaryout"
	case 3802: // jsonb
		return "jsonb_out"
	case 3904, 3906, 3908, 3910, 3912, 3926: // int4range, numrange, tsrange, tstzrange, daterange, int8range
		return "range_out"
	case 4072: // jsonpath
		return "jsonpath_out"
	case 4089: // regnamespace
		return "regnamespaceout"
	case 4096: // regrole
		return "regroleout"
	case 4191: // regcollation
		return "regcollationout"
	case 4451, 4532, 4533, 4534, 4535, 4536: // int4multirange, nummultirange, tsmultirange, tstzmultirange, datemultirange, int8multirange
		return "multirange_out"
	case 4600: // pg_brin_bloom_summary
		return "brin_bloom_summary_out"
	case 4601: // pg_brin_minmax_multi_summary
		return "brin_minmax_multi_summary_out"
	case 5017: // pg_mcv_list
		return "pg_mcv_list_out"
	case 5038: // pg_snapshot
		return "pg_snapshot_out"
	case 5069: // xid8
		return "xid8out"
	}
	return ""
}
