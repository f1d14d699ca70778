package catalog

import (
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/pgops/values"
)

// Kinds of relations (relkind, catalog/pg_class.h).
const (
	KindTable            = 'r' // RELKIND_RELATION
	KindIndex            = 'i' // RELKIND_INDEX
	KindSequence         = 'S' // RELKIND_SEQUENCE
	KindToast            = 't' // RELKIND_TOASTVALUE
	KindView             = 'v' // RELKIND_VIEW
	KindMatview          = 'm' // RELKIND_MATVIEW
	KindComposite        = 'c' // RELKIND_COMPOSITE_TYPE
	KindForeign          = 'f' // RELKIND_FOREIGN_TABLE
	KindPartitioned      = 'p' // RELKIND_PARTITIONED_TABLE
	KindPartitionedIndex = 'I' // RELKIND_PARTITIONED_INDEX
)

// Relation is a row of pg_class (FormData_pg_class, catalog/pg_class.h) with what other
// catalogs say about it.
type Relation struct {
	OID          pgdisk.OID
	Schema       string
	Name         string
	Kind         byte // relkind
	Persistence  byte // relpersistence: 'p', 'u' unlogged, 't' temporary
	AccessMethod string
	Owner        string
	Tablespace   string
	Shared       bool           // relisshared: in global/, the same in every database
	Mapped       bool           // its file is named by pg_filenode.map
	File         pgdisk.RelFile // main fork, segment 0; zero when it has none
	Files        []File         // what is on disk of it, all forks and segments

	Pages        int32   // relpages, an estimate
	Tuples       float32 // reltuples, an estimate; -1 unknown from 14 on
	AllVisible   int32   // relallvisible, pages
	FrozenXID    pgdisk.XID
	MinMultiXact pgdisk.MultiXactID

	RowType     pgdisk.OID      // reltype, 0 for none
	Columns     []values.Column // in order of attnum from 1, dropped ones included
	Toast       *Relation       // nil for none
	ToastIndex  *Relation       // the valid index of Toast
	Indexes     []*Index        // of a table, in order of OID
	Index       *Index          // of an index itself, else nil
	Constraints []Constraint    // in order of name
	Sequence    *Sequence       // of a sequence, else nil

	Parents         []pgdisk.OID // inherited from or partition of, in order
	DetachPending   bool         // a detach of the partition was begun and not finished
	IsPartition     bool         // relispartition
	Strategy        byte         // of a partitioned table: 'l' list, 'r' range, 'h' hash
	PartitionKey    []int16      // attnums; 0 is an expression
	ReplicaIdentity byte         // relreplident: 'd' default, 'n' nothing, 'f' full, 'i' index
	Populated       bool         // relispopulated: false for a materialized view without data

	TID   pgdisk.TID // of its row in pg_class
	Doubt string     // why it is not sure that it exists like this, empty when it is
}

// HasStorage reports whether relations of the kind have files (RELKIND_HAS_STORAGE).
func (r *Relation) HasStorage() bool {
	switch r.Kind {
	case KindTable, KindIndex, KindSequence, KindToast, KindMatview:
		return true
	}
	return false
}

// System reports whether the relation came with initdb (FirstNormalObjectId, access/transam.h).
func (r *Relation) System() bool { return r.OID < FirstNormalOID }

// FirstNormalOID is the first OID that users' objects get (FirstNormalObjectId, access/transam.h).
const FirstNormalOID = 16384

// Size is the sum of the relation's files in bytes.
func (r *Relation) Size() int64 {
	var n int64
	for _, f := range r.Files {
		n += f.Size
	}
	return n
}

// Index is a row of pg_index (FormData_pg_index, catalog/pg_index.h).
type Index struct {
	Relation  *Relation // nil when pg_class lacks it
	OID       pgdisk.OID
	Table     pgdisk.OID
	Method    string  // btree, hash, gist, gin, spgist, brin
	Unique    bool    // indisunique
	Primary   bool    // indisprimary
	Exclusion bool    // indisexclusion
	Valid     bool    // indisvalid
	Ready     bool    // indisready
	Live      bool    // indislive
	Identity  bool    // indisreplident
	Keys      []int16 // attnums of the key columns; 0 is an expression
	Included  []int16 // attnums of INCLUDE columns
	Partial   bool    // has a predicate
	Doubt     string
}

// Constraint is a row of pg_constraint of a table (FormData_pg_constraint, catalog/pg_constraint.h).
type Constraint struct {
	OID        pgdisk.OID
	Name       string
	Kind       byte       // contype: 'c' check, 'f' foreign key, 'n' not null (18), 'p' primary key, 'u' unique, 't' trigger, 'x' exclusion
	Columns    []int16    // conkey
	Index      pgdisk.OID // conindid
	Refers     pgdisk.OID // confrelid: of a foreign key, the table it refers to
	RefColumns []int16    // confkey
	Validated  bool       // convalidated
	Doubt      string
}

// Sequence is a row of pg_sequence (FormData_pg_sequence, catalog/pg_sequence.h).
type Sequence struct {
	Type      pgdisk.OID
	Start     int64
	Increment int64
	Min, Max  int64
	Cache     int64
	Cycle     bool
}
