package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/pgops/values"
)

// truthQuestions are queries, by the name under which readAll gives the same rows.
func truthQuestions(major int) map[string]string {
	provider, multirange, detach, locale := "'c'", "0", "false", "null"
	if major >= 14 {
		multirange, detach = "rngmultitypid", "inhdetachpending"
	}
	if major >= 15 {
		provider, locale = "datlocprovider", "daticulocale"
	}
	if major >= 17 {
		locale = "datlocale"
	}
	return map[string]string{
		"relations": `select c.oid, nspname, relname, relkind, relpersistence, amname, rolname, pg_relation_filepath(c.oid), relisshared,
			relpages, reltuples::text, relallvisible, relfrozenxid, relminmxid, reltype, relreplident, relispartition, relispopulated, reltoastrelid,
			(select indexrelid from pg_index where indrelid = reltoastrelid) from pg_class c join pg_namespace n on n.oid = relnamespace
			join pg_roles r on r.oid = relowner left join pg_am a on a.oid = relam`,
		"columns": `select attrelid, attnum, attname, case when attisdropped then '-' else format_type(atttypid, atttypmod) end, attlen, attbyval, attalign,
			attnotnull, attidentity, attgenerated, attisdropped, atttypmod, atthasmissing and not attisdropped from pg_attribute where attnum > 0`,
		"missing": `select attrelid::regclass, attname, (attmissingval::text::text[])[1] from pg_attribute where atthasmissing and not attisdropped and atttypid <> 'int[]'::regtype`,
		"types": `select t.oid, nspname, typname, typlen, typbyval, typalign, typtype, typdelim, proname, format_type(t.oid, null), format_type(t.oid, -1),
			case when typoutput = 'array_out'::regproc then typelem else 0 end, typbasetype,
			coalesce((select rngsubtype from pg_range where rngtypid = t.oid), (select rngtypid from pg_range where ` + multirange + ` = t.oid), 0),
			(select string_agg(enumlabel, ',' order by oid) from pg_enum where enumtypid = t.oid),
			(select string_agg(attname, ',' order by attnum) from pg_attribute where attrelid = typrelid and typrelid <> 0 and attnum > 0)
			from pg_type t join pg_namespace n on n.oid = typnamespace join pg_proc p on p.oid = typoutput`,
		"indexes": `select indexrelid, indrelid, amname, indisunique, indisprimary, indisexclusion, indisvalid, indisready, indislive, indisreplident,
			indkey::text, indnkeyatts, indpred is not null from pg_index join pg_class c on c.oid = indexrelid join pg_am a on a.oid = relam`,
		"constraints": `select oid, conname, contype, conrelid, conindid, confrelid, array_to_string(conkey, ' '), array_to_string(confkey, ' '), convalidated
			from pg_constraint where conrelid <> 0`,
		"parents":     `select inhrelid, inhparent, inhseqno, ` + detach + ` from pg_inherits`,
		"partitioned": `select partrelid, partstrat, partattrs::text from pg_partitioned_table`,
		"sequences":   `select seqrelid, seqtypid, seqstart::text, seqincrement::text, seqmin::text, seqmax::text, seqcache::text, seqcycle from pg_sequence`,
		"databases": `select d.oid, datname, rolname, pg_encoding_to_char(encoding), datcollate, datctype, ` + provider + `, ` + locale + `, datistemplate, datallowconn, dattablespace, datfrozenxid, datminmxid
			from pg_database d join pg_roles r on r.oid = datdba`,
		"roles":       `select oid, rolname, rolsuper, rolcanlogin from pg_roles`,
		"tablespaces": `select t.oid, spcname, rolname from pg_tablespace t join pg_roles r on r.oid = spcowner`,
		"schemas":     `select n.oid, nspname, rolname from pg_namespace n join pg_roles r on r.oid = nspowner`,
		"extensions":  `select e.oid, extname, extversion, nspname from pg_extension e join pg_namespace n on n.oid = extnamespace`,
		"names": `select 1, oid, oid::regproc::text from pg_proc union all select 2, oid, oid::regprocedure::text from pg_proc
			union all select 3, oid, oid::regoper::text from pg_operator union all select 4, oid, oid::regoperator::text from pg_operator
			union all select 5, oid, oid::regclass::text from pg_class union all select 6, oid, oid::regtype::text from pg_type
			union all select 7, oid, oid::regrole::text from pg_roles union all select 8, oid, oid::regnamespace::text from pg_namespace
			union all select 9, oid, oid::regconfig::text from pg_ts_config union all select 10, oid, oid::regdictionary::text from pg_ts_dict
			union all select 11, oid, oid::regcollation::text from pg_collation where collencoding in (-1, 6)`,
		"quoted":  `select word, quote_ident(word) from pg_get_keywords() union all select w, quote_ident(w) from (values (''), ('a1'), ('1a'), ('A'), ('_'), ('a"b'), ('ä')) v(w)`,
		"layouts": `select attrelid, attnum, attname, format_type(atttypid, -1) from pg_attribute where attnum > 0 and attrelid < 16384`,
	}
}

// bools prints like the server's text of a boolean in JSON.
func boolText(b bool) string { return strconv.FormatBool(b) }

func charText(b byte) string { return strings.TrimRight(string([]byte{b}), "\x00") }

func vector(list []int16) string {
	words := make([]string, len(list))
	for i, n := range list {
		words[i] = strconv.Itoa(int(n))
	}
	return strings.Join(words, " ")
}

// readAll gives the rows of truthQuestions as they are read.
func readAll(t *testing.T, c *Cluster, d *Database, major int) map[string][][]string {
	t.Helper()
	got := map[string][][]string{}
	add := func(name string, row ...string) { got[name] = append(got[name], row) }
	for _, r := range d.Relations {
		readRelation(t, d, r, add)
	}
	readTypes(d, add)
	for _, db := range c.Databases {
		add("databases", oidText(db.OID), db.Name, db.Owner, db.Encoding, db.Collate, db.CType, charText(db.Provider), db.Locale, boolText(db.IsTemplate),
			boolText(db.AllowConn), oidText(db.Tablespace), oidText(db.FrozenXID), oidText(db.MinMultiXact))
	}
	for _, r := range c.Roles {
		add("roles", oidText(r.OID), r.Name, boolText(r.Superuser), boolText(r.Login))
	}
	for _, s := range c.Tablespaces {
		add("tablespaces", oidText(s.OID), s.Name, s.Owner)
	}
	for _, s := range d.Schemas {
		add("schemas", oidText(s.OID), s.Name, s.Owner)
	}
	for _, e := range d.Extensions {
		add("extensions", oidText(e.OID), e.Name, e.Version, e.Schema)
	}
	readNames(c, d, add)
	readLayouts(c, d, add, major)
	return got
}

func readRelation(t *testing.T, d *Database, r *Relation, add func(string, ...string)) {
	t.Helper()
	path, toast, toastIndex := "", "0", ""
	if r.File.Number != 0 {
		path = r.File.Path()
	}
	if r.Toast != nil {
		toast = oidText(r.Toast.OID)
	}
	if r.ToastIndex != nil {
		toastIndex = oidText(r.ToastIndex.OID)
	}
	add("relations", oidText(r.OID), r.Schema, r.Name, charText(r.Kind), charText(r.Persistence), r.AccessMethod, r.Owner, path, boolText(r.Shared),
		fmt.Sprint(r.Pages), fmt.Sprint(float64(r.Tuples)), fmt.Sprint(r.AllVisible), oidText(r.FrozenXID), oidText(r.MinMultiXact), oidText(r.RowType),
		charText(r.ReplicaIdentity), boolText(r.IsPartition), boolText(r.Populated), toast, toastIndex)
	for _, c := range r.Columns {
		format := "-"
		if !c.Dropped {
			format = d.FormatType(c.TypeOID, c.Typmod)
		}
		add("columns", oidText(r.OID), fmt.Sprint(c.Num), c.Name, format, fmt.Sprint(c.Len), boolText(c.ByVal), charText(c.Align), boolText(c.NotNull),
			charText(c.Identity), charText(c.Generated), boolText(c.Dropped), fmt.Sprint(c.Typmod), boolText(c.Missing != nil))
		if c.Missing != nil && c.Type.Elem == nil {
			text, err := values.NewText(c.Type, &values.Env{Lookup: d.Type, Names: d.Names})(nil, c.Missing)
			if err != nil {
				t.Errorf("%s.%s: %v", r.Name, c.Name, err)
			}
			name, _ := d.Names(values.NameClass, r.OID)
			add("missing", name, c.Name, string(text))
		}
	}
	for _, i := range r.Indexes {
		add("indexes", oidText(i.OID), oidText(i.Table), i.Method, boolText(i.Unique), boolText(i.Primary), boolText(i.Exclusion), boolText(i.Valid),
			boolText(i.Ready), boolText(i.Live), boolText(i.Identity), vector(slices.Concat(i.Keys, i.Included)), fmt.Sprint(len(i.Keys)), boolText(i.Partial))
	}
	for _, c := range r.Constraints {
		add("constraints", oidText(c.OID), c.Name, charText(c.Kind), oidText(r.OID), oidText(c.Index), oidText(c.Refers), vector(c.Columns), vector(c.RefColumns), boolText(c.Validated))
	}
	for i, p := range r.Parents {
		add("parents", oidText(r.OID), oidText(p), fmt.Sprint(i+1), boolText(r.DetachPending))
	}
	if r.Strategy != 0 {
		add("partitioned", oidText(r.OID), charText(r.Strategy), vector(r.PartitionKey))
	}
	if s := r.Sequence; s != nil {
		if r.Persistence == 'p' { // a checkpoint does not write the others
			state, err := d.SequenceState(r)
			if err != nil {
				t.Error(err)
			}
			add("states", oidText(r.OID), fmt.Sprint(state.Last), fmt.Sprint(state.Logged), boolText(state.IsCalled))
		}
		add("sequences", oidText(r.OID), oidText(s.Type), fmt.Sprint(s.Start), fmt.Sprint(s.Increment), fmt.Sprint(s.Min), fmt.Sprint(s.Max), fmt.Sprint(s.Cache), boolText(s.Cycle))
	}
}

func readTypes(d *Database, add func(string, ...string)) {
	number := func(t *values.Type) string {
		if t == nil {
			return "0"
		}
		return oidText(t.OID)
	}
	for _, t := range d.Types() {
		var labels, fields []string
		for _, oid := range sortedKeys(t.Labels) {
			labels = append(labels, t.Labels[oid])
		}
		for _, f := range t.Fields {
			fields = append(fields, f.Name)
		}
		add("types", oidText(t.OID), t.Schema, t.Name, fmt.Sprint(t.Len), boolText(t.ByVal), charText(t.Align), charText(t.Kind), charText(t.Delim), t.Output,
			d.formatType(t.OID, -1, false), d.FormatType(t.OID, -1), number(t.Elem), number(t.Base), number(t.Range), strings.Join(labels, ","), strings.Join(fields, ","))
	}
}

func readNames(c *Cluster, d *Database, add func(string, ...string)) {
	oids := map[values.NameKind][]pgdisk.OID{
		values.NameProc: sortedKeys(d.names.procByOID), values.NameOper: sortedKeys(d.names.operByOID), values.NameClass: sortedKeys(d.relations),
		values.NameType: sortedKeys(d.types), values.NameNamespace: sortedKeys(d.names.schemaNames), values.NameConfig: sortedKeys(d.names.configs),
		values.NameDictionary: sortedKeys(d.names.dicts), values.NameCollation: sortedKeys(d.names.collations),
	}
	for _, r := range c.Roles {
		oids[values.NameRole] = append(oids[values.NameRole], r.OID)
	}
	for kind, list := range oids {
		for _, oid := range list {
			name, _ := d.Names(kind, oid)
			add("names", fmt.Sprint(kind), oidText(oid), name)
			if kind == values.NameProc || kind == values.NameOper {
				name, _ = d.Names(kind+1, oid)
				add("names", fmt.Sprint(kind+1), oidText(oid), name)
			}
		}
	}
}

// readLayouts gives the layouts as the catalog has them, for the columns that are held in
// the code, and the rest from the dictionary.
func readLayouts(c *Cluster, d *Database, add func(string, ...string), major int) {
	held := map[pgdisk.OID][]string{}
	for _, l := range layouts() {
		if l.since <= major {
			held[l.oid] = strings.Fields(l.columns)
		}
	}
	words := map[string]string{"int2": "smallint", "int4": "integer", "int8": "bigint", "bool": "boolean", "char": `"char"`, "float4": "real", "int2[]": "smallint[]"}
	for _, r := range d.Relations {
		if !r.System() {
			continue
		}
		for i, col := range r.Columns {
			name, typ := col.Name, d.FormatType(col.TypeOID, -1)
			if i < len(held[r.OID]) {
				name, typ, _ = strings.Cut(held[r.OID][i], ":")
				typ = cmp.Or(words[typ], typ)
			}
			add("layouts", oidText(r.OID), fmt.Sprint(i+1), name, typ)
		}
	}
}
