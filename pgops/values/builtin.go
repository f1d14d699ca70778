package values

import (
	"cmp"
	"slices"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// builtin is a built-in type and its output function.
type builtin struct {
	oid    pgdisk.OID
	output string
}

// builtins lists the built-in types (catalog/pg_type.dat) in order of OID.
func builtins() []builtin {
	return []builtin{
		{16, "boolout"}, {17, "byteaout"}, {18, "charout"}, {19, "nameout"}, {20, "int8out"}, {21, "int2out"},
		{22, "int2vectorout"}, {23, "int4out"}, {24, "regprocout"}, {25, "textout"}, {26, "oidout"}, {27, "tidout"},
		{28, "xidout"}, {29, "cidout"}, {30, "oidvectorout"}, {114, "json_out"}, {142, "xml_out"},
		{194, "pg_node_tree_out"}, {600, "point_out"}, {601, "lseg_out"}, {602, "path_out"}, {603, "box_out"},
		{604, "poly_out"}, {628, "line_out"}, {650, "cidr_out"}, {700, "float4out"}, {701, "float8out"},
		{718, "circle_out"}, {774, "macaddr8_out"}, {790, "cash_out"}, {829, "macaddr_out"}, {869, "inet_out"},
		{1033, "aclitemout"}, {1042, "bpcharout"}, {1043, "varcharout"}, {1082, "date_out"}, {1083, "time_out"},
		{1114, "timestamp_out"}, {1184, "timestamptz_out"}, {1186, "interval_out"}, {1266, "timetz_out"},
		{1560, "bit_out"}, {1562, "varbit_out"}, {1700, "numeric_out"}, {1790, "textout"}, {2202, "regprocedureout"},
		{2203, "regoperout"}, {2204, "regoperatorout"}, {2205, "regclassout"}, {2206, "regtypeout"},
		{2950, "uuid_out"}, {2970, "txid_snapshot_out"}, {3220, "pg_lsn_out"}, {3361, "pg_ndistinct_out"},
		{3402, "pg_dependencies_out"}, {3614, "tsvectorout"}, {3615, "tsqueryout"}, {3642, "gtsvectorout"},
		{3734, "regconfigout"}, {3769, "regdictionaryout"}, {3802, "jsonb_out"}, {3904, "range_out"},
		{3906, "range_out"}, {3908, "range_out"}, {3910, "range_out"}, {3912, "range_out"}, {3926, "range_out"},
		{4072, "jsonpath_out"}, {4089, "regnamespaceout"}, {4096, "regroleout"}, {4191, "regcollationout"},
		{4451, "multirange_out"}, {4532, "multirange_out"}, {4533, "multirange_out"}, {4534, "multirange_out"},
		{4535, "multirange_out"}, {4536, "multirange_out"}, {4600, "brin_bloom_summary_out"},
		{4601, "brin_minmax_multi_summary_out"}, {5017, "pg_mcv_list_out"}, {5038, "pg_snapshot_out"},
		{5069, "xid8out"},
	}
}

// builtinOutput names the output function of a built-in type, for when pg_type or pg_proc
// cannot be read; empty for others.
func builtinOutput(oid pgdisk.OID) string {
	all := builtins()
	i, found := slices.BinarySearchFunc(all, oid, func(b builtin, oid pgdisk.OID) int { return cmp.Compare(b.oid, oid) })
	if !found {
		return ""
	}
	return all[i].output
}
