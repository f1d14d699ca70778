package inspect

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/pgrescue/pgrescue/pgops/catalog"
)

// databaseRecord makes the record of a database.
func databaseRecord(c *catalog.Cluster, d *catalog.Database) catalogDatabase {
	i := d.Info
	r := catalogDatabase{Record: "database", OID: i.OID, Name: i.Name, Owner: i.Owner, Encoding: i.Encoding, Collate: i.Collate, CType: i.CType,
		Provider: string(rune(i.Provider)), Locale: i.Locale, Template: i.IsTemplate, AllowConn: i.AllowConn,
		FrozenXID: i.FrozenXID, MinMultiXact: i.MinMultiXact, Dir: i.Dir, Relations: len(d.Relations), Orphans: len(d.Orphans), Doubt: i.Doubt}
	for _, t := range c.Tablespaces {
		if t.OID == i.Tablespace {
			r.Tablespace = t.Name
		}
	}
	for _, rel := range d.Relations {
		if !rel.Shared {
			r.Size += rel.Size()
		}
	}
	return r
}

// relation makes the record of a relation.
func (p *catalogPrinter) relation(d *catalog.Database, r *catalog.Relation) catalogRelation {
	major := p.c.Layout.Major
	rec := catalogRelation{Record: "relation", Database: d.Info.Name, OID: r.OID, Schema: r.Schema, Name: r.Name, Kind: relationKind(r.Kind),
		Persistence: persistence(r.Persistence), AccessMethod: r.AccessMethod, Owner: r.Owner, Tablespace: r.Tablespace, File: filePath(r), Size: r.Size(),
		Pages: r.Pages, Rows: r.Tuples, AllVisible: r.AllVisible, FrozenXID: r.FrozenXID, MinMultiXact: r.MinMultiXact,
		Partition: r.IsPartition, Detaching: r.DetachPending, Identity: replicaIdentity(r), NoData: !r.Populated,
		Doubt: r.Doubt, quoted: catalogName(r.Schema, r.Name, major)}
	for _, oid := range r.Parents {
		name := fmt.Sprint(oid)
		if parent, ok := d.Relation(oid); ok {
			name = catalogName(parent.Schema, parent.Name, major)
		}
		rec.Parents = append(rec.Parents, name)
	}
	if r.Strategy != 0 {
		rec.Partitioned = fmt.Sprintf("%s (%s)", partitionStrategy(r.Strategy), strings.Join(columnNames(r, r.PartitionKey, "expression"), ", "))
	}
	for _, c := range r.Columns {
		col := catalogColumn{Num: c.Num, Name: c.Name, NotNull: c.NotNull, Dropped: c.Dropped, Identity: flagWord(c.Identity), Generated: flagWord(c.Generated),
			Missing: c.Missing != nil, display: displayName(catalog.QuoteIdentifier(c.Name, major))}
		if !c.Dropped {
			col.Type = d.FormatType(c.TypeOID, c.Typmod)
		}
		rec.Columns = append(rec.Columns, col)
	}
	for _, i := range r.Indexes {
		rec.Indexes = append(rec.Indexes, indexRecord(r, i))
		p.doubt(i.Doubt)
	}
	for _, c := range r.Constraints {
		rec.Constraints = append(rec.Constraints, constraintRecord(d, r, c, major))
		p.doubt(c.Doubt)
	}
	p.addStorage(d, r, &rec)
	return rec
}

// addStorage adds what is in files: of a sequence its state, the TOAST table, the files.
func (p *catalogPrinter) addStorage(d *catalog.Database, r *catalog.Relation, rec *catalogRelation) {
	if s := r.Sequence; s != nil {
		seq := &catalogSequence{Type: d.FormatType(s.Type, -1), Start: s.Start, Increment: s.Increment, Min: s.Min, Max: s.Max, Cache: s.Cache, Cycle: s.Cycle}
		if state, err := d.SequenceState(r); err != nil {
			seq.Why = err.Error()
		} else {
			seq.Last, seq.IsCalled, seq.Logged = &state.Last, state.IsCalled, state.Logged
		}
		rec.Sequence = seq
	}
	if t := r.Toast; t != nil {
		rec.Toast = &catalogToast{OID: t.OID, Name: t.Name, File: filePath(t), Size: t.Size()}
		if r.ToastIndex != nil {
			rec.Toast.Index = filePath(r.ToastIndex)
		}
	}
	if p.opt.Files {
		for _, f := range r.Files {
			rec.Files = append(rec.Files, catalogFile{f.Path(), f.Fork.String(), f.Size})
		}
	}
}

func indexRecord(r *catalog.Relation, i *catalog.Index) catalogIndex {
	rec := catalogIndex{OID: i.OID, Method: i.Method, Primary: i.Primary, Unique: i.Unique, Valid: i.Valid, Partial: i.Partial,
		Columns: columnNames(r, i.Keys, ""), Included: columnNames(r, i.Included, ""), Doubt: i.Doubt, Name: fmt.Sprint(i.OID)}
	if i.Relation != nil {
		rec.Name, rec.File, rec.Size = i.Relation.Name, filePath(i.Relation), i.Relation.Size()
		rec.Doubt = cmp.Or(rec.Doubt, i.Relation.Doubt)
	}
	return rec
}

func constraintRecord(d *catalog.Database, r *catalog.Relation, c catalog.Constraint, major int) catalogConstraint {
	rec := catalogConstraint{OID: c.OID, Name: c.Name, Kind: constraintKind(c.Kind), Columns: columnNames(r, c.Columns, ""), Validated: c.Validated, Doubt: c.Doubt}
	if c.Refers != 0 {
		rec.Refers = fmt.Sprint(c.Refers)
		if t, ok := d.Relation(c.Refers); ok {
			rec.Refers = fmt.Sprintf("%s (%s)", catalogName(t.Schema, t.Name, major), strings.Join(columnNames(t, c.RefColumns, ""), ", "))
		}
	}
	return rec
}

// columnNames names columns by number; 0 is an expression, a negative number a system column.
func columnNames(r *catalog.Relation, nums []int16, expression string) []string {
	var names []string
	for _, n := range nums {
		switch {
		case n == 0:
			names = append(names, expression)
		case n > 0 && int(n) <= len(r.Columns):
			names = append(names, r.Columns[n-1].Name)
		default:
			names = append(names, fmt.Sprint(n))
		}
	}
	return names
}

// filePath is the first file of a relation, empty when it has none.
func filePath(r *catalog.Relation) string {
	if r.File.Number == 0 {
		return ""
	}
	return r.File.Path()
}
