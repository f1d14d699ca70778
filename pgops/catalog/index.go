package catalog

import (
	"cmp"
	"context"
	"slices"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

func (l *loader) loadIndexes(ctx context.Context) error {
	rows, err := readCatalog(ctx, l, indexRelation, func(i Index) pgdisk.OID { return i.OID }, decodeIndex)
	for _, e := range sorted(rows) {
		i := e.row
		i.Doubt = e.doubt
		if r, ok := l.d.relations[i.OID]; ok {
			i.Relation, i.Method, r.Index = r, r.AccessMethod, &i
		} else {
			l.found.file("", "pg_class has no row for index %d of relation %d", i.OID, i.Table)
		}
		if r, ok := l.d.relations[i.Table]; ok {
			r.Indexes = append(r.Indexes, &i)
		}
	}
	return err
}

func decodeIndex(r row) (Index, error) {
	keys, err := r.int16s("indkey")
	i := Index{
		OID: r.oid("indexrelid"), Table: r.oid("indrelid"), Unique: r.bool("indisunique"), Primary: r.bool("indisprimary"),
		Exclusion: r.bool("indisexclusion"), Valid: r.bool("indisvalid"), Ready: r.bool("indisready"), Live: r.bool("indislive"),
		Identity: r.bool("indisreplident"), Partial: r.col("indpred") != nil,
	}
	n := min(max(int(r.int16("indnkeyatts")), 0), len(keys))
	i.Keys, i.Included = keys[:n:n], keys[n:]
	return i, err
}

func (l *loader) loadConstraints(ctx context.Context) error {
	type constraint struct {
		Constraint
		table pgdisk.OID
	}
	rows, err := readCatalog(ctx, l, constraintRelation, func(c constraint) pgdisk.OID { return c.OID }, func(r row) (constraint, error) {
		c := constraint{table: r.oid("conrelid"), Constraint: Constraint{
			OID: r.oid("oid"), Name: r.name("conname"), Kind: r.char("contype"), Index: r.oid("conindid"),
			Refers: r.oid("confrelid"), Validated: r.bool("convalidated"),
		}}
		var err, errRef error
		c.Columns, err = r.int16s("conkey")
		c.RefColumns, errRef = r.int16s("confkey")
		return c, cmp.Or(err, errRef)
	})
	for _, e := range sorted(rows) {
		if r, ok := l.d.relations[e.row.table]; ok {
			e.row.Doubt = e.doubt
			r.Constraints = append(r.Constraints, e.row.Constraint)
		}
	}
	for _, r := range l.d.Relations {
		slices.SortFunc(r.Constraints, func(a, b Constraint) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.OID, b.OID)) })
	}
	return err
}

func (l *loader) loadInherits(ctx context.Context) error {
	type link struct {
		child, parent pgdisk.OID
		seq           int32
		detach        bool
	}
	type key struct{ child, parent pgdisk.OID }
	rows, err := readCatalog(ctx, l, inheritsRelation, func(i link) key { return key{i.child, i.parent} }, func(r row) (link, error) {
		return link{r.oid("inhrelid"), r.oid("inhparent"), r.int32("inhseqno"), r.bool("inhdetachpending")}, nil
	})
	var links []link
	for _, e := range rows {
		links = append(links, e.row)
	}
	slices.SortFunc(links, func(a, b link) int {
		return cmp.Or(cmp.Compare(a.child, b.child), cmp.Compare(a.seq, b.seq), cmp.Compare(a.parent, b.parent))
	})
	for _, i := range links {
		if r, ok := l.d.relations[i.child]; ok {
			r.Parents = append(r.Parents, i.parent)
			r.DetachPending = r.DetachPending || i.detach
		}
	}
	return err
}

func (l *loader) loadPartitioned(ctx context.Context) error {
	type partitioned struct {
		oid      pgdisk.OID
		strategy byte
		key      []int16
	}
	rows, err := readCatalog(ctx, l, partitionedRelation, func(p partitioned) pgdisk.OID { return p.oid }, func(r row) (partitioned, error) {
		key, err := r.int16s("partattrs")
		return partitioned{r.oid("partrelid"), r.char("partstrat"), key}, err
	})
	for oid, e := range rows {
		if r, ok := l.d.relations[oid]; ok {
			r.Strategy, r.PartitionKey = e.row.strategy, e.row.key
		}
	}
	return err
}
