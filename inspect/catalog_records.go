package inspect

import "github.com/pgrescue/pgrescue/pgops/pgdisk"

// The records of inspect catalog. "doubt" says why a row is not sure, and is left out when it is.

type catalogCluster struct {
	Record           string `json:"record"`
	Major            int    `json:"major"`
	SystemIdentifier uint64 `json:"system_identifier,string"` // more than a JSON number holds exactly
	CatalogVersion   uint32 `json:"catalog_version"`
	State            string `json:"state"`
	PgXact           bool   `json:"pg_xact"` // false: visibility by hint bits alone
}

type catalogTablespace struct {
	Record string     `json:"record"`
	OID    pgdisk.OID `json:"oid"`
	Name   string     `json:"name"`
	Owner  string     `json:"owner"`
	Dir    string     `json:"dir"`
	Doubt  string     `json:"doubt,omitempty"`
}

type catalogRole struct {
	Record    string     `json:"record"`
	OID       pgdisk.OID `json:"oid"`
	Name      string     `json:"name"`
	Superuser bool       `json:"superuser"`
	Login     bool       `json:"login"`
	Doubt     string     `json:"doubt,omitempty"`
}

type catalogDatabase struct {
	Record       string             `json:"record"`
	OID          pgdisk.OID         `json:"oid"`
	Name         string             `json:"name"`
	Owner        string             `json:"owner"`
	Encoding     string             `json:"encoding"`
	Collate      string             `json:"collate"`
	CType        string             `json:"ctype"`
	Provider     string             `json:"locale_provider"`
	Locale       string             `json:"locale,omitempty"`
	Template     bool               `json:"template"`
	AllowConn    bool               `json:"allow_connections"`
	Tablespace   string             `json:"tablespace"`
	FrozenXID    pgdisk.XID         `json:"frozen_xid"`
	MinMultiXact pgdisk.MultiXactID `json:"min_multixact"`
	Dir          string             `json:"dir"`
	Size         int64              `json:"size"` // bytes of its relations, shared ones excluded
	Relations    int                `json:"relations"`
	Orphans      int                `json:"orphans"` // files that no relation has
	Doubt        string             `json:"doubt,omitempty"`
}

type catalogSchema struct {
	Record   string     `json:"record"`
	Database string     `json:"database"`
	OID      pgdisk.OID `json:"oid"`
	Name     string     `json:"name"`
	Owner    string     `json:"owner"`
	Doubt    string     `json:"doubt,omitempty"`
}

type catalogExtension struct {
	Record   string     `json:"record"`
	Database string     `json:"database"`
	OID      pgdisk.OID `json:"oid"`
	Name     string     `json:"name"`
	Version  string     `json:"version"`
	Schema   string     `json:"schema"`
}

type catalogOrphan struct {
	Record   string `json:"record"`
	Database string `json:"database"`
	File     string `json:"file"`
	Size     int64  `json:"size"`
}

type catalogProblem struct {
	Record   string              `json:"record"`
	Database string              `json:"database,omitempty"`
	File     string              `json:"file,omitempty"`
	Block    *pgdisk.BlockNumber `json:"block,omitempty"`
	Item     uint16              `json:"item,omitempty"`
	What     string              `json:"what"`

	full string
}

type catalogRelation struct {
	Record       string              `json:"record"`
	Database     string              `json:"database"`
	OID          pgdisk.OID          `json:"oid"`
	Schema       string              `json:"schema"`
	Name         string              `json:"name"`
	Kind         string              `json:"kind"`
	Persistence  string              `json:"persistence"`
	AccessMethod string              `json:"access_method,omitempty"`
	Owner        string              `json:"owner"`
	Tablespace   string              `json:"tablespace,omitempty"`
	File         string              `json:"file,omitempty"`
	Size         int64               `json:"size"` // bytes of all its files
	Pages        int32               `json:"pages_estimate"`
	Rows         float32             `json:"rows_estimate"` // -1 unknown
	AllVisible   int32               `json:"all_visible_pages"`
	FrozenXID    pgdisk.XID          `json:"frozen_xid,omitempty"`
	MinMultiXact pgdisk.MultiXactID  `json:"min_multixact,omitempty"`
	Parents      []string            `json:"parents,omitempty"`
	Partition    bool                `json:"partition,omitempty"`
	Detaching    bool                `json:"detach_pending,omitempty"`
	Partitioned  string              `json:"partitioned_by,omitempty"`
	Identity     string              `json:"replica_identity,omitempty"`
	NoData       bool                `json:"no_data,omitempty"`
	Columns      []catalogColumn     `json:"columns,omitempty"`
	Indexes      []catalogIndex      `json:"indexes,omitempty"`
	Constraints  []catalogConstraint `json:"constraints,omitempty"`
	Sequence     *catalogSequence    `json:"sequence,omitempty"`
	Toast        *catalogToast       `json:"toast,omitempty"`
	Files        []catalogFile       `json:"files,omitempty"`
	Doubt        string              `json:"doubt,omitempty"`

	quoted string
}

type catalogColumn struct {
	Num       int16  `json:"num"`
	Name      string `json:"name"`
	Type      string `json:"type,omitempty"`
	NotNull   bool   `json:"not_null,omitempty"`
	Dropped   bool   `json:"dropped,omitempty"`
	Identity  string `json:"identity,omitempty"`
	Generated string `json:"generated,omitempty"`
	Missing   bool   `json:"missing_value,omitempty"` // older rows have a value that is only in the dictionary
	display   string
}

type catalogIndex struct {
	OID      pgdisk.OID `json:"oid"`
	Name     string     `json:"name"`
	Method   string     `json:"method"`
	Primary  bool       `json:"primary,omitempty"`
	Unique   bool       `json:"unique,omitempty"`
	Valid    bool       `json:"valid"`
	Partial  bool       `json:"partial,omitempty"`
	Columns  []string   `json:"columns"` // empty for an expression
	Included []string   `json:"included,omitempty"`
	File     string     `json:"file,omitempty"`
	Size     int64      `json:"size"`
	Doubt    string     `json:"doubt,omitempty"`
}

type catalogConstraint struct {
	OID       pgdisk.OID `json:"oid"`
	Name      string     `json:"name"`
	Kind      string     `json:"kind"`
	Columns   []string   `json:"columns,omitempty"`
	Refers    string     `json:"references,omitempty"`
	Validated bool       `json:"validated"`
	Doubt     string     `json:"doubt,omitempty"`
}

type catalogSequence struct {
	Type      string `json:"type"`
	Last      *int64 `json:"last_value,omitempty"` // absent when its page cannot be read
	IsCalled  bool   `json:"is_called"`
	Logged    int64  `json:"log_cnt"`
	Start     int64  `json:"start"`
	Increment int64  `json:"increment"`
	Min       int64  `json:"min"`
	Max       int64  `json:"max"`
	Cache     int64  `json:"cache"`
	Cycle     bool   `json:"cycle"`
	Why       string `json:"unreadable,omitempty"`
}

type catalogToast struct {
	OID   pgdisk.OID `json:"oid"`
	Name  string     `json:"name"`
	File  string     `json:"file,omitempty"`
	Size  int64      `json:"size"`
	Index string     `json:"index,omitempty"`
}

type catalogFile struct {
	File string `json:"file"`
	Fork string `json:"fork"`
	Size int64  `json:"size"`
}
