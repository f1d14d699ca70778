package catalog

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/pgops/values"
)

// proc is what is read of a row of pg_proc (FormData_pg_proc, catalog/pg_proc.h).
type proc struct {
	oid, namespace pgdisk.OID
	name           string
	args           []pgdisk.OID
}

// arrayOut is the output function of true arrays (F_ARRAY_OUT, utils/fmgroids.h).
const arrayOut pgdisk.OID = 751

func (l *loader) loadProcs(ctx context.Context) error {
	var err error
	l.procs, err = readCatalog(ctx, l, procRelation, func(p proc) pgdisk.OID { return p.oid }, func(r row) (proc, error) {
		args, err := r.oids("proargtypes")
		return proc{oid: r.oid("oid"), namespace: r.oid("pronamespace"), name: r.name("proname"), args: args}, err
	})
	return err
}

// typeRow is a row of pg_type (FormData_pg_type, catalog/pg_type.h) with what it refers to by number.
type typeRow struct {
	values.Type
	namespace, relid, elem, base, output, typmodOut pgdisk.OID
}

func (l *loader) loadTypes(ctx context.Context) error {
	rows, err := readCatalog(ctx, l, typeRelation, func(t typeRow) pgdisk.OID { return t.OID }, decodeType)
	for oid, e := range rows {
		t := e.row.Type
		t.Schema, t.Output = l.schema(e.row.namespace), l.procs[e.row.output].row.name
		l.d.types[oid] = &t
		if e.row.typmodOut != 0 {
			l.d.typmods[oid] = cmp.Or(l.procs[e.row.typmodOut].row.name, strconv.FormatUint(uint64(e.row.typmodOut), 10))
		}
	}
	for oid, e := range rows {
		t := l.d.types[oid]
		if t.Len == -1 && e.row.elem != 0 && (e.row.output == arrayOut || t.Output == "array_out") {
			t.Elem = l.d.types[e.row.elem]
		}
		if t.Kind == values.KindDomain {
			t.Base = l.d.types[e.row.base]
		}
		if e.row.relid != 0 {
			l.rowTypes[e.row.relid] = t
		}
	}
	for _, t := range l.d.types {
		l.breakCycle(t)
	}
	return err
}

func decodeType(r row) (typeRow, error) {
	t := typeRow{
		Type: values.Type{
			OID: r.oid("oid"), Name: r.name("typname"), Len: r.int16("typlen"), ByVal: r.bool("typbyval"),
			Align: r.char("typalign"), Kind: r.char("typtype"), Delim: r.char("typdelim"),
		},
		namespace: r.oid("typnamespace"), relid: r.oid("typrelid"), elem: r.oid("typelem"), base: r.oid("typbasetype"),
		output: r.oid("typoutput"), typmodOut: r.oid("typmodout"),
	}
	if t.OID == 0 || t.Name == "" {
		return t, fmt.Errorf("a row of pg_type without OID or name")
	}
	return t, nil
}

// breakCycle cuts a type that is, through domains, arrays and ranges alone, made of itself,
// which only damage can do. Composites may refer to themselves through their fields.
func (l *loader) breakCycle(t *values.Type) {
	slow, fast := t, t
	for fast != nil && madeOf(fast) != nil {
		slow, fast = madeOf(slow), madeOf(madeOf(fast))
		if slow == fast {
			l.found.file("", "type %s.%s is made of itself: it is taken as a type of its own", slow.Schema, slow.Name)
			slow.Elem, slow.Base, slow.Range = nil, nil, nil
			return
		}
	}
}

func madeOf(t *values.Type) *values.Type { return cmp.Or(t.Elem, t.Base, t.Range) }

func (l *loader) loadEnums(ctx context.Context) error {
	type label struct {
		oid, typ pgdisk.OID
		text     string
	}
	rows, err := readCatalog(ctx, l, enumRelation, func(e label) pgdisk.OID { return e.oid }, func(r row) (label, error) {
		return label{oid: r.oid("oid"), typ: r.oid("enumtypid"), text: r.name("enumlabel")}, nil
	})
	for oid, e := range rows {
		t, ok := l.d.types[e.row.typ]
		if !ok {
			continue
		}
		if t.Labels == nil {
			t.Labels = map[pgdisk.OID]string{}
		}
		t.Labels[oid] = e.row.text
	}
	return err
}

func (l *loader) loadRanges(ctx context.Context) error {
	type ranged struct{ oid, subtype, multirange pgdisk.OID }
	rows, err := readCatalog(ctx, l, rangeRelation, func(r ranged) pgdisk.OID { return r.oid }, func(r row) (ranged, error) {
		return ranged{r.oid("rngtypid"), r.oid("rngsubtype"), r.oid("rngmultitypid")}, nil
	})
	for _, e := range sorted(rows) {
		t, ok := l.d.types[e.row.oid]
		if !ok {
			continue
		}
		t.Range = l.d.types[e.row.subtype]
		if m, ok := l.d.types[e.row.multirange]; ok {
			m.Range = t
		}
		l.breakCycle(t)
	}
	return err
}
