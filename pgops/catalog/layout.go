package catalog

import (
	"strings"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/pgops/values"
)

// OIDs of the catalogs that are read (catalog/pg_*_d.h); they never change.
const (
	typeRelation        pgdisk.OID = 1247 // TypeRelationId
	attributeRelation   pgdisk.OID = 1249 // AttributeRelationId
	procRelation        pgdisk.OID = 1255 // ProcedureRelationId
	classRelation       pgdisk.OID = 1259 // RelationRelationId
	tablespaceRelation  pgdisk.OID = 1213 // TableSpaceRelationId
	authidRelation      pgdisk.OID = 1260 // AuthIdRelationId
	databaseRelation    pgdisk.OID = 1262 // DatabaseRelationId
	sequenceRelation    pgdisk.OID = 2224 // SequenceRelationId
	amRelation          pgdisk.OID = 2601 // AccessMethodRelationId
	constraintRelation  pgdisk.OID = 2606 // ConstraintRelationId
	indexRelation       pgdisk.OID = 2610 // IndexRelationId
	inheritsRelation    pgdisk.OID = 2611 // InheritsRelationId
	namespaceRelation   pgdisk.OID = 2615 // NamespaceRelationId
	operatorRelation    pgdisk.OID = 2617 // OperatorRelationId
	extensionRelation   pgdisk.OID = 3079 // ExtensionRelationId
	partitionedRelation pgdisk.OID = 3350 // PartitionedRelationId
	collationRelation   pgdisk.OID = 3456 // CollationRelationId
	enumRelation        pgdisk.OID = 3501 // EnumRelationId
	rangeRelation       pgdisk.OID = 3541 // RangeRelationId
	tsDictRelation      pgdisk.OID = 3600 // TSDictionaryRelationId
	tsConfigRelation    pgdisk.OID = 3602 // TSConfigRelationId
)

// layout is a catalog's columns from one major on, up to the last column that is read.
type layout struct {
	oid     pgdisk.OID
	name    string
	since   int
	columns string // "name:type", in order of attnum, as the catalog's header declares them
}

// layouts lists the columns of the catalogs (catalog/pg_*.h), for each catalog in ascending
// order of major. They are held here so that the dictionary does not depend on the one
// catalog that describes the others.
//
// It is a function rather than a variable so that nobody can change a row.
func layouts() []layout {
	return []layout{
		{classRelation, "pg_class", 13, "oid:oid relname:name relnamespace:oid reltype:oid reloftype:oid relowner:oid relam:oid relfilenode:oid reltablespace:oid relpages:int4 reltuples:float4 relallvisible:int4 reltoastrelid:oid relhasindex:bool relisshared:bool relpersistence:char relkind:char relnatts:int2 relchecks:int2 relhasrules:bool relhastriggers:bool relhassubclass:bool relrowsecurity:bool relforcerowsecurity:bool relispopulated:bool relreplident:char relispartition:bool relrewrite:oid relfrozenxid:xid relminmxid:xid"},
		{classRelation, "pg_class", 18, "oid:oid relname:name relnamespace:oid reltype:oid reloftype:oid relowner:oid relam:oid relfilenode:oid reltablespace:oid relpages:int4 reltuples:float4 relallvisible:int4 relallfrozen:int4 reltoastrelid:oid relhasindex:bool relisshared:bool relpersistence:char relkind:char relnatts:int2 relchecks:int2 relhasrules:bool relhastriggers:bool relhassubclass:bool relrowsecurity:bool relforcerowsecurity:bool relispopulated:bool relreplident:char relispartition:bool relrewrite:oid relfrozenxid:xid relminmxid:xid"},
		{attributeRelation, "pg_attribute", 13, "attrelid:oid attname:name atttypid:oid attstattarget:int4 attlen:int2 attnum:int2 attndims:int4 attcacheoff:int4 atttypmod:int4 attbyval:bool attstorage:char attalign:char attnotnull:bool atthasdef:bool atthasmissing:bool attidentity:char attgenerated:char attisdropped:bool attislocal:bool attinhcount:int4 attcollation:oid attacl:aclitem[] attoptions:text[] attfdwoptions:text[] attmissingval:anyarray"},
		{attributeRelation, "pg_attribute", 14, "attrelid:oid attname:name atttypid:oid attstattarget:int4 attlen:int2 attnum:int2 attndims:int4 attcacheoff:int4 atttypmod:int4 attbyval:bool attalign:char attstorage:char attcompression:char attnotnull:bool atthasdef:bool atthasmissing:bool attidentity:char attgenerated:char attisdropped:bool attislocal:bool attinhcount:int4 attcollation:oid attacl:aclitem[] attoptions:text[] attfdwoptions:text[] attmissingval:anyarray"},
		{attributeRelation, "pg_attribute", 16, "attrelid:oid attname:name atttypid:oid attlen:int2 attnum:int2 attcacheoff:int4 atttypmod:int4 attndims:int2 attbyval:bool attalign:char attstorage:char attcompression:char attnotnull:bool atthasdef:bool atthasmissing:bool attidentity:char attgenerated:char attisdropped:bool attislocal:bool attinhcount:int2 attstattarget:int2 attcollation:oid attacl:aclitem[] attoptions:text[] attfdwoptions:text[] attmissingval:anyarray"},
		{attributeRelation, "pg_attribute", 17, "attrelid:oid attname:name atttypid:oid attlen:int2 attnum:int2 attcacheoff:int4 atttypmod:int4 attndims:int2 attbyval:bool attalign:char attstorage:char attcompression:char attnotnull:bool atthasdef:bool atthasmissing:bool attidentity:char attgenerated:char attisdropped:bool attislocal:bool attinhcount:int2 attcollation:oid attstattarget:int2 attacl:aclitem[] attoptions:text[] attfdwoptions:text[] attmissingval:anyarray"},
		{attributeRelation, "pg_attribute", 18, "attrelid:oid attname:name atttypid:oid attlen:int2 attnum:int2 atttypmod:int4 attndims:int2 attbyval:bool attalign:char attstorage:char attcompression:char attnotnull:bool atthasdef:bool atthasmissing:bool attidentity:char attgenerated:char attisdropped:bool attislocal:bool attinhcount:int2 attcollation:oid attstattarget:int2 attacl:aclitem[] attoptions:text[] attfdwoptions:text[] attmissingval:anyarray"},
		{typeRelation, "pg_type", 13, "oid:oid typname:name typnamespace:oid typowner:oid typlen:int2 typbyval:bool typtype:char typcategory:char typispreferred:bool typisdefined:bool typdelim:char typrelid:oid typelem:oid typarray:oid typinput:regproc typoutput:regproc typreceive:regproc typsend:regproc typmodin:regproc typmodout:regproc typanalyze:regproc typalign:char typstorage:char typnotnull:bool typbasetype:oid typtypmod:int4"},
		{typeRelation, "pg_type", 14, "oid:oid typname:name typnamespace:oid typowner:oid typlen:int2 typbyval:bool typtype:char typcategory:char typispreferred:bool typisdefined:bool typdelim:char typrelid:oid typsubscript:regproc typelem:oid typarray:oid typinput:regproc typoutput:regproc typreceive:regproc typsend:regproc typmodin:regproc typmodout:regproc typanalyze:regproc typalign:char typstorage:char typnotnull:bool typbasetype:oid typtypmod:int4"},
		{procRelation, "pg_proc", 13, "oid:oid proname:name pronamespace:oid proowner:oid prolang:oid procost:float4 prorows:float4 provariadic:oid prosupport:regproc prokind:char prosecdef:bool proleakproof:bool proisstrict:bool proretset:bool provolatile:char proparallel:char pronargs:int2 pronargdefaults:int2 prorettype:oid proargtypes:oidvector"},
		{databaseRelation, "pg_database", 13, "oid:oid datname:name datdba:oid encoding:int4 datcollate:name datctype:name datistemplate:bool datallowconn:bool datconnlimit:int4 datlastsysoid:oid datfrozenxid:xid datminmxid:xid dattablespace:oid"},
		{databaseRelation, "pg_database", 15, "oid:oid datname:name datdba:oid encoding:int4 datlocprovider:char datistemplate:bool datallowconn:bool datconnlimit:int4 datfrozenxid:xid datminmxid:xid dattablespace:oid datcollate:text datctype:text daticulocale:text"},
		{databaseRelation, "pg_database", 17, "oid:oid datname:name datdba:oid encoding:int4 datlocprovider:char datistemplate:bool datallowconn:bool dathasloginevt:bool datconnlimit:int4 datfrozenxid:xid datminmxid:xid dattablespace:oid datcollate:text datctype:text datlocale:text"},
		{authidRelation, "pg_authid", 13, "oid:oid rolname:name rolsuper:bool rolinherit:bool rolcreaterole:bool rolcreatedb:bool rolcanlogin:bool rolreplication:bool"},
		{tablespaceRelation, "pg_tablespace", 13, "oid:oid spcname:name spcowner:oid"},
		{namespaceRelation, "pg_namespace", 13, "oid:oid nspname:name nspowner:oid"},
		{indexRelation, "pg_index", 13, "indexrelid:oid indrelid:oid indnatts:int2 indnkeyatts:int2 indisunique:bool indisprimary:bool indisexclusion:bool indimmediate:bool indisclustered:bool indisvalid:bool indcheckxmin:bool indisready:bool indislive:bool indisreplident:bool indkey:int2vector indcollation:oidvector indclass:oidvector indoption:int2vector indexprs:pg_node_tree indpred:pg_node_tree"},
		{indexRelation, "pg_index", 15, "indexrelid:oid indrelid:oid indnatts:int2 indnkeyatts:int2 indisunique:bool indnullsnotdistinct:bool indisprimary:bool indisexclusion:bool indimmediate:bool indisclustered:bool indisvalid:bool indcheckxmin:bool indisready:bool indislive:bool indisreplident:bool indkey:int2vector indcollation:oidvector indclass:oidvector indoption:int2vector indexprs:pg_node_tree indpred:pg_node_tree"},
		{constraintRelation, "pg_constraint", 13, "oid:oid conname:name connamespace:oid contype:char condeferrable:bool condeferred:bool convalidated:bool conrelid:oid contypid:oid conindid:oid conparentid:oid confrelid:oid confupdtype:char confdeltype:char confmatchtype:char conislocal:bool coninhcount:int4 connoinherit:bool conkey:int2[] confkey:int2[]"},
		{constraintRelation, "pg_constraint", 16, "oid:oid conname:name connamespace:oid contype:char condeferrable:bool condeferred:bool convalidated:bool conrelid:oid contypid:oid conindid:oid conparentid:oid confrelid:oid confupdtype:char confdeltype:char confmatchtype:char conislocal:bool coninhcount:int2 connoinherit:bool conkey:int2[] confkey:int2[]"},
		{constraintRelation, "pg_constraint", 18, "oid:oid conname:name connamespace:oid contype:char condeferrable:bool condeferred:bool conenforced:bool convalidated:bool conrelid:oid contypid:oid conindid:oid conparentid:oid confrelid:oid confupdtype:char confdeltype:char confmatchtype:char conislocal:bool coninhcount:int2 connoinherit:bool conperiod:bool conkey:int2[] confkey:int2[]"},
		{enumRelation, "pg_enum", 13, "oid:oid enumtypid:oid enumsortorder:float4 enumlabel:name"},
		{rangeRelation, "pg_range", 13, "rngtypid:oid rngsubtype:oid"},
		{rangeRelation, "pg_range", 14, "rngtypid:oid rngsubtype:oid rngmultitypid:oid"},
		{inheritsRelation, "pg_inherits", 13, "inhrelid:oid inhparent:oid inhseqno:int4"},
		{inheritsRelation, "pg_inherits", 14, "inhrelid:oid inhparent:oid inhseqno:int4 inhdetachpending:bool"},
		{collationRelation, "pg_collation", 13, "oid:oid collname:name collnamespace:oid collowner:oid collprovider:char collisdeterministic:bool collencoding:int4"},
		{operatorRelation, "pg_operator", 13, "oid:oid oprname:name oprnamespace:oid oprowner:oid oprkind:char oprcanmerge:bool oprcanhash:bool oprleft:oid oprright:oid"},
		{tsConfigRelation, "pg_ts_config", 13, "oid:oid cfgname:name cfgnamespace:oid"},
		{tsDictRelation, "pg_ts_dict", 13, "oid:oid dictname:name dictnamespace:oid"},
		{sequenceRelation, "pg_sequence", 13, "seqrelid:oid seqtypid:oid seqstart:int8 seqincrement:int8 seqmax:int8 seqmin:int8 seqcache:int8 seqcycle:bool"},
		{extensionRelation, "pg_extension", 13, "oid:oid extname:name extowner:oid extnamespace:oid extrelocatable:bool extversion:text"},
		{amRelation, "pg_am", 13, "oid:oid amname:name"},
		{partitionedRelation, "pg_partitioned_table", 13, "partrelid:oid partstrat:char partnatts:int2 partdefid:oid partattrs:int2vector"},
	}
}

// table is a catalog of one major, ready to be read.
type table struct {
	oid     pgdisk.OID
	name    string
	columns []values.Column
	index   map[string]int // of a column by name
}

// tableOf returns the catalog as the major has it.
func tableOf(oid pgdisk.OID, major int) *table {
	t := &table{oid: oid, index: map[string]int{}}
	var spec string
	for _, l := range layouts() {
		if l.oid == oid && l.since <= major {
			t.name, spec = l.name, l.columns
		}
	}
	for i, word := range strings.Fields(spec) {
		name, typ, _ := strings.Cut(word, ":")
		c := columnOf(typ, major)
		c.Name, c.Num = name, int16(i+1)
		t.columns = append(t.columns, c)
		t.index[name] = i
	}
	return t
}

// columnOf gives width and alignment of the types that catalogs have (catalog/pg_type.dat).
// An aclitem has 64-bit rights from 16 on, and with them another alignment.
func columnOf(typ string, major int) values.Column {
	switch typ {
	case "bool", "char":
		return values.Column{Len: 1, Align: 'c', ByVal: true}
	case "int2":
		return values.Column{Len: 2, Align: 's', ByVal: true}
	case "oid", "int4", "float4", "xid", "regproc":
		return values.Column{Len: 4, Align: 'i', ByVal: true}
	case "int8":
		return values.Column{Len: 8, Align: 'd', ByVal: true}
	case "name":
		return values.Column{Len: 64, Align: 'c'}
	case "anyarray":
		return values.Column{Len: -1, Align: 'd'}
	case "aclitem[]":
		if major >= 16 {
			return values.Column{Len: -1, Align: 'd'}
		}
	}
	return values.Column{Len: -1, Align: 'i'}
}
