package catalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// class is what a row of pg_class says that is not in Relation as it is.
type class struct {
	Relation
	namespace, owner, am, toast pgdisk.OID
	file                        pgdisk.RelFileNumber // relfilenode: 0 for a mapped relation, or for none
	tablespace                  pgdisk.OID           // reltablespace: 0 for the database's
	natts                       int16
}

func (l *loader) loadClasses(ctx context.Context) error {
	var err error
	l.classes, err = readCatalog(ctx, l, classRelation, func(c class) pgdisk.OID { return c.OID }, decodeClass)
	return err
}

func decodeClass(r row) (class, error) {
	c := class{
		Relation: Relation{
			OID: r.oid("oid"), Name: r.name("relname"), Kind: r.char("relkind"), Persistence: r.char("relpersistence"),
			Shared: r.bool("relisshared"), Pages: r.int32("relpages"), Tuples: r.float4("reltuples"), AllVisible: r.int32("relallvisible"),
			FrozenXID: pgdisk.XID(r.uint32("relfrozenxid")), MinMultiXact: pgdisk.MultiXactID(r.uint32("relminmxid")),
			RowType: r.oid("reltype"), IsPartition: r.bool("relispartition"), ReplicaIdentity: r.char("relreplident"),
			Populated: r.bool("relispopulated"), TID: r.tid,
		},
		namespace: r.oid("relnamespace"), owner: r.oid("relowner"), am: r.oid("relam"), toast: r.oid("reltoastrelid"),
		file: pgdisk.RelFileNumber(r.oid("relfilenode")), tablespace: r.oid("reltablespace"), natts: r.int16("relnatts"),
	}
	if c.OID == 0 || c.Name == "" {
		return c, fmt.Errorf("a row of pg_class without OID or name")
	}
	return c, nil
}

// loadRelations makes the relations of the rows of pg_class.
func (l *loader) loadRelations(context.Context) error {
	for _, e := range sorted(l.classes) {
		r := &e.row.Relation
		r.Schema, r.Owner, r.Doubt = l.schema(e.row.namespace), l.c.roleName(e.row.owner), e.doubt
		r.AccessMethod = l.methods[e.row.am]
		space := cmp.Or(e.row.tablespace, l.d.Info.Tablespace)
		if r.Shared {
			space = pgdisk.GlobalTablespace
		}
		if r.HasStorage() {
			r.Tablespace = l.c.tablespaceName(space)
			l.locate(r, e.row, space)
		}
		l.d.Relations = append(l.d.Relations, r)
		l.d.relations[r.OID] = r
	}
	return nil
}

// locate finds the file of a relation that has storage.
func (l *loader) locate(r *Relation, c class, space pgdisk.OID) {
	number := c.file
	if number == 0 {
		r.Mapped = true
		number = l.mapped[r.OID]
		if r.Shared {
			number = l.c.shared[r.OID].Number
		}
	}
	r.File = l.place(space)
	r.File.Number = number
	if number == 0 {
		r.File.Number = pgdisk.RelFileNumber(r.OID) // what it has until it is rewritten
		if _, err := fs.Stat(l.c.fsys, r.File.Path()); err != nil {
			r.File = pgdisk.RelFile{}
			l.found.file("", "%s.%s: pg_filenode.map does not say which file it has", r.Schema, r.Name)
			return
		}
		r.Doubt = cmp.Or(r.Doubt, "its file is taken by its OID: pg_filenode.map does not name it")
	}
	if r.Persistence == 't' {
		r.File.Backend, r.File.Temp = tempBackend(r.Schema)
	}
	l.d.byFile[keyOf(r.File)] = r
}

// linkToast connects tables with their TOAST tables, and those with their valid index.
func (l *loader) linkToast() {
	for _, r := range l.d.Relations {
		oid := l.classes[r.OID].row.toast
		if oid == 0 {
			continue
		}
		t, ok := l.d.relations[oid]
		if !ok {
			l.found.file("", "%s.%s: pg_class has no row for its TOAST table %d: its long values cannot be read", r.Schema, r.Name, oid)
			continue
		}
		r.Toast = t
		for _, i := range t.Indexes {
			if i.Relation != nil && (r.ToastIndex == nil || i.Valid) {
				r.ToastIndex = i.Relation
			}
		}
	}
}

// loadFiles lists what is on disk, gives each relation its files and keeps the rest as orphans.
func (l *loader) loadFiles() {
	dirs := []string{l.d.Info.Dir, "global"}
	for _, t := range l.c.Tablespaces {
		dir := fmt.Sprintf("%s/%d", t.Dir, l.d.Info.OID)
		if t.OID != pgdisk.GlobalTablespace && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	for _, dir := range dirs {
		files, err := listFiles(l.c.fsys, dir)
		if err != nil && (!errors.Is(err, fs.ErrNotExist) || dir == l.d.Info.Dir) {
			l.found.file(dir, "%v", err)
		}
		for _, f := range files {
			if r, ok := l.d.ByFile(f.RelFile); ok {
				r.Files = append(r.Files, f)
			} else if dir != "global" && !f.Temp {
				l.d.Orphans = append(l.d.Orphans, f)
			}
		}
	}
	for _, r := range l.d.Relations {
		// Those of temporary tables are removed when the server starts.
		if r.File.Number != 0 && r.Persistence != 't' && !slices.ContainsFunc(r.Files, func(f File) bool { return f.RelFile == r.File }) {
			l.found.file(r.File.Path(), "the file of %s.%s is missing", r.Schema, r.Name)
		}
		l.checkPages(r)
	}
}
