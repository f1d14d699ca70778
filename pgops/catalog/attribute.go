package catalog

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/pgops/values"
)

// maxAttributes bounds the columns of a relation (MaxHeapAttributeNumber, access/htup_details.h).
const maxAttributes = 1600

// attributeKey identifies a row of pg_attribute.
type attributeKey struct {
	relation pgdisk.OID
	num      int16
}

// attribute is a row of pg_attribute (FormData_pg_attribute, catalog/pg_attribute.h).
type attribute struct {
	relation    pgdisk.OID
	halfMissing bool // only one of atthasmissing and attmissingval says what rows without the column have
	values.Column
}

// maxListed bounds how many relations without a row in pg_class are named.
const maxListed = 20

// loadAttributes gives relations their columns, and composite types their fields.
func (l *loader) loadAttributes(ctx context.Context) error {
	key := func(a attribute) attributeKey { return attributeKey{a.relation, a.Num} }
	rows, err := readCatalog(ctx, l, attributeRelation, key, decodeAttribute)
	columns := map[pgdisk.OID][]values.Column{}
	doubts := map[pgdisk.OID]string{}
	for k, e := range rows {
		if k.num < 1 {
			continue // system columns
		}
		e.row.Type = l.d.types[e.row.TypeOID]
		columns[k.relation] = append(columns[k.relation], e.row.Column)
		if e.row.halfMissing && e.doubt == "" {
			e.doubt = "atthasmissing and attmissingval contradict each other"
			l.found.file("", "column %s of relation %d: %s", e.row.Name, k.relation, e.doubt)
		}
		if e.doubt != "" {
			doubts[k.relation] = fmt.Sprintf("column %s: %s", e.row.Name, e.doubt)
		}
	}
	lost := 0
	for _, oid := range sortedKeys(columns) {
		list := columns[oid]
		slices.SortFunc(list, func(a, b values.Column) int { return cmp.Compare(a.Num, b.Num) })
		r, ok := l.d.relations[oid]
		if !ok {
			if lost++; lost <= maxListed {
				l.found.file("", "pg_attribute has %d columns, from %q on, of relation %d, of which pg_class has no row", len(list), list[0].Name, oid)
			}
			continue
		}
		r.Columns = l.complete(r, list)
		r.Doubt = cmp.Or(r.Doubt, doubts[oid])
		if t := l.rowTypes[oid]; t != nil {
			t.Fields = r.Columns
		}
	}
	if lost > maxListed {
		l.found.file("", "pg_class has no row of %d more relations that pg_attribute has columns of", lost-maxListed)
	}
	for _, r := range l.d.Relations {
		if n := int(l.classes[r.OID].row.natts); n > 0 && columns[r.OID] == nil {
			l.found.file("", "%s.%s: pg_attribute has none of its %d columns", r.Schema, r.Name, n)
		}
	}
	return err
}

// complete looks for gaps. Without a column in the middle none of those after it can be found
// in a row, so they are left out.
func (l *loader) complete(r *Relation, list []values.Column) []values.Column {
	for i, c := range list {
		if int(c.Num) != i+1 {
			l.found.file("", "%s.%s: pg_attribute lacks column %d: it and those after it cannot be read", r.Schema, r.Name, i+1)
			return list[:i:i]
		}
	}
	if n := int(l.classes[r.OID].row.natts); n > len(list) {
		l.found.file("", "%s.%s: pg_attribute has %d of %d columns", r.Schema, r.Name, len(list), n)
	}
	return list
}

func decodeAttribute(r row) (attribute, error) {
	a := attribute{relation: r.oid("attrelid"), Column: values.Column{
		Name: r.name("attname"), Num: r.int16("attnum"), TypeOID: r.oid("atttypid"), Typmod: r.int32("atttypmod"),
		Len: r.int16("attlen"), ByVal: r.bool("attbyval"), Align: r.char("attalign"), Dropped: r.bool("attisdropped"),
		NotNull: r.bool("attnotnull"), Identity: r.char("attidentity"), Generated: r.char("attgenerated"),
	}}
	if a.Num > maxAttributes {
		return a, fmt.Errorf("column %d of relation %d: no relation has so many", a.Num, a.relation)
	}
	a.halfMissing = r.bool("atthasmissing") != (r.col("attmissingval") != nil) && !a.Dropped
	if a.Dropped || r.col("attmissingval") == nil {
		return a, nil
	}
	missing, err := missingValue(r.col("attmissingval"), a.Len)
	if err != nil {
		return a, fmt.Errorf("column %q of relation %d: attmissingval: %w", a.Name, a.relation, err)
	}
	a.Missing = missing
	return a, nil
}

// missingValue takes the one element out of an attmissingval (getmissingattr, access/common/heaptuple.c).
// The first element of an array needs no alignment.
func missingValue(b []byte, length int16) ([]byte, error) {
	a, err := arrayOf(b)
	if err != nil {
		return nil, err
	}
	if a.n != 1 || a.null {
		return nil, fmt.Errorf("want an array of one element, found %d", a.n)
	}
	start, end, err := values.NextValue(a.data, 0, length, 'c')
	if err != nil {
		return nil, err
	}
	return bytes.Clone(a.data[start:end]), nil
}
