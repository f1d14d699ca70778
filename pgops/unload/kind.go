package unload

import (
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/catalog"
)

// compareRelations puts the relations of a database in the order in which they are written.
func compareRelations(a, b *catalog.Relation) int {
	switch {
	case a.Schema != b.Schema:
		if a.Schema < b.Schema {
			return -1
		}
		return 1
	case a.Name < b.Name:
		return -1
	case a.Name > b.Name:
		return 1
	}
	return int(int64(a.OID) - int64(b.OID))
}

// kindName is the kind of a relation in words.
func kindName(r *catalog.Relation) string {
	switch r.Kind {
	case catalog.KindTable:
		switch {
		case r.IsPartition:
			return "partition"
		case r.System():
			return "system table"
		}
		return "table"
	case catalog.KindMatview:
		return "materialized view"
	case catalog.KindView:
		return "view"
	case catalog.KindForeign:
		return "foreign table"
	case catalog.KindPartitioned:
		return "partitioned table"
	case catalog.KindSequence:
		return "sequence"
	}
	return fmt.Sprintf("relation of kind %q", r.Kind)
}
