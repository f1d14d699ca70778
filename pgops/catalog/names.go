package catalog

import (
	"context"
	"slices"
	"strings"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/pgops/values"
)

// names holds what reg types point at, by OID, and who has a name, by schema: an object
// is printed without schema when the standard search path leads to it.
type names struct {
	types, classes                   map[string][]string // schemas by name
	procs, opers                     map[string][]routine
	procByOID, operByOID             map[pgdisk.OID]routine
	collations, configs, dicts       map[pgdisk.OID]named
	collationsIn, configsIn, dictsIn map[string][]string
	schemaNames                      map[pgdisk.OID]string
}

// routine is a function or an operator.
type routine struct {
	oid          pgdisk.OID
	schema, name string
	args         []pgdisk.OID // of an operator two, 0 for none
}

// named is an object that has a name in a schema.
type named struct{ schema, name string }

// searchPath is the standard one without a schema that has the user's name.
func searchPath() []string { return []string{"pg_catalog", "public"} }

// loadNames reads the catalogs of the remaining reg types and indexes all names.
func (l *loader) loadNames(ctx context.Context) error {
	n := &names{types: map[string][]string{}, classes: map[string][]string{}, procs: map[string][]routine{}, opers: map[string][]routine{},
		procByOID: map[pgdisk.OID]routine{}, operByOID: map[pgdisk.OID]routine{},
		schemaNames: l.schemas}
	l.d.names = n
	for _, t := range l.d.types {
		n.types[t.Name] = append(n.types[t.Name], t.Schema)
	}
	for _, r := range l.d.Relations {
		n.classes[r.Name] = append(n.classes[r.Name], r.Schema)
	}
	for oid, e := range l.procs {
		p := routine{oid, l.schema(e.row.namespace), e.row.name, e.row.args}
		n.procByOID[oid] = p
		n.procs[p.name] = append(n.procs[p.name], p)
	}
	if err := l.loadOperators(ctx, n); err != nil {
		return err
	}
	var err error
	if n.collations, n.collationsIn, err = l.loadNamed(ctx, collationRelation, "coll"); err != nil {
		return err
	}
	if n.configs, n.configsIn, err = l.loadNamed(ctx, tsConfigRelation, "cfg"); err != nil {
		return err
	}
	n.dicts, n.dictsIn, err = l.loadNamed(ctx, tsDictRelation, "dict")
	return err
}

func (l *loader) loadOperators(ctx context.Context, n *names) error {
	rows, err := readCatalog(ctx, l, operatorRelation, func(o routine) pgdisk.OID { return o.oid }, func(r row) (routine, error) {
		return routine{r.oid("oid"), l.schema(r.oid("oprnamespace")), r.name("oprname"), []pgdisk.OID{r.oid("oprleft"), r.oid("oprright")}}, nil
	})
	for oid, e := range rows {
		n.operByOID[oid] = e.row
		n.opers[e.row.name] = append(n.opers[e.row.name], e.row)
	}
	return err
}

// loadNamed reads a catalog of things that have a name and a schema, whose columns begin with prefix.
func (l *loader) loadNamed(ctx context.Context, catalog pgdisk.OID, prefix string) (map[pgdisk.OID]named, map[string][]string, error) {
	type thing struct {
		oid pgdisk.OID
		named
	}
	rows, err := readCatalog(ctx, l, catalog, func(t thing) pgdisk.OID { return t.oid }, func(r row) (thing, error) {
		return thing{r.oid("oid"), named{l.schema(r.oid(prefix + "namespace")), r.name(prefix + "name")}}, nil
	})
	byOID, in := map[pgdisk.OID]named{}, map[string][]string{}
	for oid, e := range rows {
		byOID[oid] = e.row.named
		in[e.row.name] = append(in[e.row.name], e.row.schema)
	}
	return byOID, in, err
}

// unlessVisible returns the schema, or "" when the search path leads to the object: among the
// schemas that have the name, its own comes first.
func (n *names) unlessVisible(schema string, in []string) string {
	for _, s := range searchPath() {
		if slices.Contains(in, s) {
			if s == schema {
				return ""
			}
			return schema
		}
	}
	return schema
}

// Names prints what a reg type points at, as its output function does for someone with the
// standard search path (utils/adt/regproc.c); false when there is no such object.
func (d *Database) Names(kind values.NameKind, oid pgdisk.OID) (string, bool) {
	n, major := d.names, d.cluster.Layout.Major
	thing := func(by map[pgdisk.OID]named, in map[string][]string) (string, bool) {
		t, ok := by[oid]
		return quoteQualified(n.unlessVisible(t.schema, in[t.name]), t.name, major), ok
	}
	switch kind {
	case values.NameProc, values.NameProcedure:
		p, ok := n.procByOID[oid]
		return d.procName(p, kind == values.NameProcedure), ok
	case values.NameOper, values.NameOperator:
		o, ok := n.operByOID[oid]
		return d.operName(o, kind == values.NameOperator), ok
	case values.NameClass:
		r, ok := d.relations[oid]
		if !ok {
			return "", false
		}
		return quoteQualified(n.unlessVisible(r.Schema, n.classes[r.Name]), r.Name, major), true
	case values.NameType:
		_, ok := d.types[oid]
		return d.formatType(oid, -1, false), ok
	case values.NameRole:
		for _, r := range d.cluster.Roles {
			if r.OID == oid {
				return QuoteIdentifier(r.Name, major), true
			}
		}
	case values.NameNamespace:
		name, ok := n.schemaNames[oid]
		return QuoteIdentifier(name, major), ok
	case values.NameConfig:
		return thing(n.configs, n.configsIn)
	case values.NameDictionary:
		return thing(n.dicts, n.dictsIn)
	case values.NameCollation:
		return thing(n.collations, n.collationsIn)
	case values.NameDatabase:
		for _, db := range d.cluster.Databases {
			if db.OID == oid {
				return QuoteIdentifier(db.Name, major), true
			}
		}
	}
	return "", false
}

// procName prints a function: alone it gets its schema unless it is the only one of its name
// in the search path (regprocout), with arguments unless it is the first (format_procedure).
func (d *Database) procName(p routine, args bool) string {
	schema := p.schema
	if found := candidates(d.names.procs[p.name]); slices.ContainsFunc(found, func(q routine) bool { return q.oid == p.oid }) && (args || len(found) == 1) {
		schema = ""
	}
	name := quoteQualified(schema, p.name, d.cluster.Layout.Major)
	if !args {
		return name
	}
	types := make([]string, len(p.args))
	for i, a := range p.args {
		types[i] = d.formatType(a, -1, false)
	}
	return name + "(" + strings.Join(types, ",") + ")"
}

// operName prints an operator, whose name is never quoted (regoperout, format_operator).
func (d *Database) operName(o routine, args bool) string {
	name := o.name
	if found := candidates(d.names.opers[o.name]); !slices.ContainsFunc(found, func(q routine) bool { return q.oid == o.oid }) || !args && len(found) > 1 {
		name = QuoteIdentifier(o.schema, d.cluster.Layout.Major) + "." + name
	}
	if !args {
		return name
	}
	types := [2]string{"NONE", "NONE"}
	for i, a := range o.args {
		if a != 0 {
			types[i] = d.formatType(a, -1, false)
		}
	}
	return name + "(" + types[0] + "," + types[1] + ")"
}

// candidates are those of the routines of one name that the search path leads to: of several
// with the same arguments the first (FuncnameGetCandidates, OpernameGetCandidates; catalog/namespace.c).
func candidates(all []routine) []routine {
	var found []routine
	for _, schema := range searchPath() {
		for _, p := range all {
			if p.schema == schema && !slices.ContainsFunc(found, func(q routine) bool { return slices.Equal(q.args, p.args) }) {
				found = append(found, p)
			}
		}
	}
	return found
}
