package catalog

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/pgops/values"
)

// Database is the dictionary of one database.
type Database struct {
	Info       DatabaseInfo
	Schemas    []Schema    // in order of OID
	Extensions []Extension // in order of OID
	Relations  []*Relation // in order of OID
	Orphans    []File      // files that no relation has
	Problems   []Problem

	cluster   *Cluster
	relations map[pgdisk.OID]*Relation
	byFile    map[pgdisk.RelFile]*Relation // by keyOf
	types     map[pgdisk.OID]*values.Type
	typmods   map[pgdisk.OID]string // typmodout by name, of types that have one
	names     *names
}

// Schema is a row of pg_namespace (FormData_pg_namespace, catalog/pg_namespace.h).
type Schema struct {
	OID   pgdisk.OID
	Name  string
	Owner string
	Doubt string
}

// Extension is a row of pg_extension (FormData_pg_extension, catalog/pg_extension.h).
type Extension struct {
	OID     pgdisk.OID
	Name    string
	Version string
	Schema  string
}

// Database reads the dictionary of one database. What is damaged or missing becomes a
// Problem; that the database is not known, that pg_class cannot be found, and ctx are errors.
func (c *Cluster) Database(ctx context.Context, oid pgdisk.OID) (*Database, error) {
	i := slices.IndexFunc(c.Databases, func(d DatabaseInfo) bool { return d.OID == oid })
	if i < 0 {
		return nil, fmt.Errorf("there is no database with OID %d", oid)
	}
	found := &problems{}
	l := &loader{
		d: &Database{Info: c.Databases[i], cluster: c, relations: map[pgdisk.OID]*Relation{}, byFile: map[pgdisk.RelFile]*Relation{},
			types: map[pgdisk.OID]*values.Type{}, typmods: map[pgdisk.OID]string{}},
		c: c, s: c.scanner(found), found: found, schemas: map[pgdisk.OID]string{}, methods: map[pgdisk.OID]string{},
		rowTypes: map[pgdisk.OID]*values.Type{},
	}
	l.in = pgdisk.RelFile{Tablespace: l.d.Info.Tablespace, Database: oid, VersionDir: c.versions[l.d.Info.Tablespace]}
	if err := l.load(ctx); err != nil {
		return nil, fmt.Errorf("database %q: %w", l.d.Info.Name, err)
	}
	l.d.Problems = found.all()
	return l.d, nil
}

// loader fills a Database.
type loader struct {
	d       *Database
	c       *Cluster
	s       *scanner
	found   *problems
	in      pgdisk.RelFile // where its files are, without a number
	mapped  map[pgdisk.OID]pgdisk.RelFileNumber
	classes map[pgdisk.OID]entry[class]
	schemas map[pgdisk.OID]string
	methods map[pgdisk.OID]string // of access, from pg_am
	procs   map[pgdisk.OID]entry[proc]

	rowTypes map[pgdisk.OID]*values.Type // of relations
}

// load reads one catalog after the other, each with the help of those before it.
func (l *loader) load(ctx context.Context) error {
	var err error
	local := []pgdisk.OID{classRelation, attributeRelation, typeRelation, procRelation}
	if l.mapped, err = l.s.mapped(ctx, l.d.Info.Dir, l.in, local, l.c.Layout.Major); err != nil {
		return err
	}
	if err := l.loadClasses(ctx); err != nil {
		return err
	}
	steps := []func(context.Context) error{
		l.loadSchemas, l.loadMethods, l.loadProcs, l.loadRelations, l.loadTypes, l.loadEnums, l.loadRanges, l.loadAttributes,
		l.loadIndexes, l.loadConstraints, l.loadInherits, l.loadPartitioned, l.loadSequences, l.loadExtensions, l.loadNames,
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			l.found.file("", "%v", err)
		}
	}
	l.linkToast()
	l.crossCheck()
	l.loadFiles()
	return nil
}

// open says where a catalog of this database is. One whose row in pg_class is lost is looked
// for under the number it has from initdb.
func (l *loader) open(oid pgdisk.OID) (*table, pgdisk.RelFile, error) {
	t, file := tableOf(oid, l.c.Layout.Major), l.in
	if n, ok := l.mapped[oid]; ok {
		file.Number = n
		return t, file, nil
	}
	if e, ok := l.classes[oid]; ok && e.row.file != 0 {
		if e.row.tablespace != 0 {
			file = l.place(e.row.tablespace)
		}
		file.Number = e.row.file
		return t, file, nil
	}
	switch oid {
	case classRelation, attributeRelation, typeRelation, procRelation:
		return t, file, fmt.Errorf("%s: its file is not known", t.name)
	}
	file.Number = pgdisk.RelFileNumber(oid)
	l.found.file(file.Path(), "taken as %s, of which pg_class has no row", t.name)
	return t, file, nil
}

// place is where files of this database are in a tablespace.
func (l *loader) place(tablespace pgdisk.OID) pgdisk.RelFile {
	if tablespace == pgdisk.GlobalTablespace {
		return pgdisk.RelFile{Tablespace: tablespace}
	}
	return pgdisk.RelFile{Tablespace: tablespace, Database: l.d.Info.OID, VersionDir: l.c.versions[tablespace]}
}

// readCatalog reads a catalog of the database by key.
func readCatalog[K comparable, R any](ctx context.Context, l *loader, oid pgdisk.OID, key func(R) K, decode func(row) (R, error)) (map[K]entry[R], error) {
	t, file, err := l.open(oid)
	if err != nil {
		return nil, err
	}
	return read(ctx, l.s, t, file, key, decode)
}

// sortedKeys returns the keys in order.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// sorted returns the entries in order of key.
func sorted[K cmp.Ordered, R any](m map[K]entry[R]) []entry[R] {
	list := make([]entry[R], 0, len(m))
	for _, k := range sortedKeys(m) {
		list = append(list, m[k])
	}
	return list
}

func (l *loader) loadSchemas(ctx context.Context) error {
	rows, err := readCatalog(ctx, l, namespaceRelation, func(s Schema) pgdisk.OID { return s.OID }, func(r row) (Schema, error) {
		return Schema{OID: r.oid("oid"), Name: r.name("nspname"), Owner: l.c.roleName(r.oid("nspowner"))}, nil
	})
	for _, e := range sorted(rows) {
		e.row.Doubt = e.doubt
		l.d.Schemas = append(l.d.Schemas, e.row)
		l.schemas[e.row.OID] = e.row.Name
	}
	return err
}

// schema names a schema; by its number when it is not known.
func (l *loader) schema(oid pgdisk.OID) string {
	if name, ok := l.schemas[oid]; ok {
		return name
	}
	return strconv.FormatUint(uint64(oid), 10)
}

func (l *loader) loadMethods(ctx context.Context) error {
	type method struct {
		oid  pgdisk.OID
		name string
	}
	rows, err := readCatalog(ctx, l, amRelation, func(m method) pgdisk.OID { return m.oid }, func(r row) (method, error) {
		return method{r.oid("oid"), r.name("amname")}, nil
	})
	for oid, e := range rows {
		l.methods[oid] = e.row.name
	}
	return err
}

func (l *loader) loadExtensions(ctx context.Context) error {
	rows, err := readCatalog(ctx, l, extensionRelation, func(e Extension) pgdisk.OID { return e.OID }, func(r row) (Extension, error) {
		return Extension{OID: r.oid("oid"), Name: r.name("extname"), Version: r.text("extversion"), Schema: l.schema(r.oid("extnamespace"))}, nil
	})
	for _, e := range sorted(rows) {
		l.d.Extensions = append(l.d.Extensions, e.row)
	}
	return err
}

// Relation finds a relation by OID.
func (d *Database) Relation(oid pgdisk.OID) (*Relation, bool) {
	r, ok := d.relations[oid]
	return r, ok
}

// Lookup finds a relation by schema and name.
func (d *Database) Lookup(schema, name string) (*Relation, bool) {
	for _, r := range d.Relations {
		if r.Name == name && r.Schema == schema {
			return r, true
		}
	}
	return nil, false
}

// ByFile finds the relation that a file belongs to, whatever fork and segment it is.
func (d *Database) ByFile(f pgdisk.RelFile) (*Relation, bool) {
	r, ok := d.byFile[keyOf(f)]
	return r, ok
}

// Type finds a type by OID.
func (d *Database) Type(oid pgdisk.OID) (*values.Type, bool) {
	t, ok := d.types[oid]
	return t, ok
}

// Types returns the types in order of OID.
func (d *Database) Types() []*values.Type {
	list := make([]*values.Type, 0, len(d.types))
	for _, oid := range sortedKeys(d.types) {
		list = append(list, d.types[oid])
	}
	return list
}

// Children returns the relations that inherit from one, or are partitions of it, in order of OID.
func (d *Database) Children(oid pgdisk.OID) []*Relation {
	var list []*Relation
	for _, r := range d.Relations {
		if slices.Contains(r.Parents, oid) {
			list = append(list, r)
		}
	}
	return list
}
