package catalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// DatabaseInfo is a row of pg_database (FormData_pg_database, catalog/pg_database.h).
type DatabaseInfo struct {
	OID          pgdisk.OID
	Name         string // empty when pg_database lacks the row and only the directory is there
	Owner        string
	Encoding     string // as pg_encoding_to_char prints it
	Collate      string
	CType        string
	Provider     byte   // datlocprovider: 'c' libc, 'i' ICU, 'b' builtin; 'c' up to 14
	Locale       string // of ICU or builtin, else empty
	IsTemplate   bool
	AllowConn    bool
	Tablespace   pgdisk.OID // where its files are unless a relation says otherwise
	FrozenXID    pgdisk.XID
	MinMultiXact pgdisk.MultiXactID
	Dir          string // under the data directory
	Doubt        string // why this row is not sure, empty when it is
}

// Tablespace is a row of pg_tablespace (FormData_pg_tablespace, catalog/pg_tablespace.h).
type Tablespace struct {
	OID   pgdisk.OID
	Name  string
	Owner string
	Dir   string // under the data directory: base, global, or pg_tblspc/OID/PG_...
	Doubt string
}

// Role is a row of pg_authid (FormData_pg_authid, catalog/pg_authid.h).
type Role struct {
	OID       pgdisk.OID
	Name      string
	Superuser bool
	Login     bool
	Doubt     string
}

// readShared reads the catalogs in global/.
func (c *Cluster) readShared(ctx context.Context, found *problems) error {
	s := c.scanner(found)
	shared := []pgdisk.OID{authidRelation, tablespaceRelation, databaseRelation}
	numbers, err := s.mapped(ctx, "global", pgdisk.RelFile{Tablespace: pgdisk.GlobalTablespace}, shared, c.Layout.Major)
	if err != nil {
		return err
	}
	for oid, n := range numbers {
		c.shared[oid] = pgdisk.RelFile{Tablespace: pgdisk.GlobalTablespace, Number: n}
	}
	for _, load := range []func(context.Context, *scanner) error{c.readRoles, c.readTablespaces, c.readDatabases} {
		if err := load(ctx, s); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			found.file("", "%v", err)
		}
	}
	c.addLostDatabases(found)
	return nil
}

// openShared says where a shared catalog is.
func (c *Cluster) openShared(oid pgdisk.OID) (*table, pgdisk.RelFile, error) {
	t := tableOf(oid, c.Layout.Major)
	file, ok := c.shared[oid]
	if !ok {
		return t, file, fmt.Errorf("%s: its file is not known", t.name)
	}
	return t, file, nil
}

func (c *Cluster) readRoles(ctx context.Context, s *scanner) error {
	t, file, err := c.openShared(authidRelation)
	if err != nil {
		return err
	}
	rows, err := read(ctx, s, t, file, func(r Role) pgdisk.OID { return r.OID }, func(r row) (Role, error) {
		return Role{OID: r.oid("oid"), Name: r.name("rolname"), Superuser: r.bool("rolsuper"), Login: r.bool("rolcanlogin")}, nil
	})
	for _, oid := range slices.Sorted(maps.Keys(rows)) {
		e := rows[oid]
		e.row.Doubt = e.doubt
		c.Roles = append(c.Roles, e.row)
	}
	return err
}

// roleName names an owner; by its number when the role is not known.
func (c *Cluster) roleName(oid pgdisk.OID) string {
	i, ok := slices.BinarySearchFunc(c.Roles, oid, func(r Role, oid pgdisk.OID) int { return cmp.Compare(r.OID, oid) })
	if !ok {
		return strconv.FormatUint(uint64(oid), 10)
	}
	return c.Roles[i].Name
}

func (c *Cluster) readTablespaces(ctx context.Context, s *scanner) error {
	t, file, err := c.openShared(tablespaceRelation)
	if err != nil {
		return err
	}
	rows, err := read(ctx, s, t, file, func(t Tablespace) pgdisk.OID { return t.OID }, func(r row) (Tablespace, error) {
		oid := r.oid("oid")
		return Tablespace{OID: oid, Name: r.name("spcname"), Owner: c.roleName(r.oid("spcowner")), Dir: c.tablespaceDir(oid)}, nil
	})
	for _, oid := range slices.Sorted(maps.Keys(rows)) {
		e := rows[oid]
		e.row.Doubt = e.doubt
		c.Tablespaces = append(c.Tablespaces, e.row)
	}
	return err
}

// tablespaceDir is the directory of a tablespace's databases.
func (c *Cluster) tablespaceDir(oid pgdisk.OID) string {
	switch oid {
	case pgdisk.DefaultTablespace:
		return "base"
	case pgdisk.GlobalTablespace:
		return "global"
	}
	return fmt.Sprintf("pg_tblspc/%d/%s", oid, c.versions[oid])
}

// tablespaceName names a tablespace; by its number when it is not known.
func (c *Cluster) tablespaceName(oid pgdisk.OID) string {
	for _, t := range c.Tablespaces {
		if t.OID == oid {
			return t.Name
		}
	}
	return strconv.FormatUint(uint64(oid), 10)
}

func (c *Cluster) readDatabases(ctx context.Context, s *scanner) error {
	t, file, err := c.openShared(databaseRelation)
	if err != nil {
		return err
	}
	rows, err := read(ctx, s, t, file, func(d DatabaseInfo) pgdisk.OID { return d.OID }, func(r row) (DatabaseInfo, error) {
		d := DatabaseInfo{
			OID: r.oid("oid"), Name: r.name("datname"), Owner: c.roleName(r.oid("datdba")), Encoding: encodingName(r.int32("encoding")),
			Provider: cmp.Or(r.char("datlocprovider"), 'c'), IsTemplate: r.bool("datistemplate"), AllowConn: r.bool("datallowconn"),
			Tablespace: r.oid("dattablespace"), FrozenXID: pgdisk.XID(r.uint32("datfrozenxid")),
			MinMultiXact: pgdisk.MultiXactID(r.uint32("datminmxid")), Locale: cmp.Or(r.text("datlocale"), r.text("daticulocale")),
		}
		d.Collate, d.CType = r.text("datcollate"), r.text("datctype")
		if c.Layout.DatabaseNames {
			d.Collate, d.CType = r.name("datcollate"), r.name("datctype")
		}
		d.Dir = fmt.Sprintf("%s/%d", c.tablespaceDir(d.Tablespace), d.OID)
		return d, nil
	})
	for _, oid := range slices.Sorted(maps.Keys(rows)) {
		e := rows[oid]
		e.row.Doubt = e.doubt
		c.Databases = append(c.Databases, e.row)
	}
	return err
}

// addLostDatabases adds the directories of databases that pg_database does not have: its row
// may be on a page that was lost. One that is empty belongs to a database that is being made
// or was dropped.
func (c *Cluster) addLostDatabases(found *problems) {
	for _, space := range append([]pgdisk.OID{pgdisk.DefaultTablespace}, slices.Sorted(maps.Keys(c.versions))...) {
		dir := c.tablespaceDir(space)
		entries, err := fs.ReadDir(c.fsys, dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			found.file(dir, "%v", err)
		}
		for _, e := range entries {
			n, ok := parseNumber(e.Name())
			oid := pgdisk.OID(n)
			if !ok || slices.ContainsFunc(c.Databases, func(d DatabaseInfo) bool { return d.OID == oid }) {
				continue
			}
			path := dir + "/" + e.Name()
			if _, err := fs.Stat(c.fsys, path+"/"+pgdisk.VersionFileName); err != nil {
				continue // only a database's own tablespace has it
			}
			found.file(path, "pg_database has no row for this database")
			c.Databases = append(c.Databases, DatabaseInfo{OID: oid, AllowConn: true, Tablespace: space, Dir: path,
				Doubt: "pg_database has no row for it"})
		}
	}
	slices.SortFunc(c.Databases, func(a, b DatabaseInfo) int { return cmp.Compare(a.OID, b.OID) })
}

// DatabaseByName finds a database.
func (c *Cluster) DatabaseByName(name string) (DatabaseInfo, bool) {
	for _, d := range c.Databases {
		if d.Name == name && name != "" {
			return d, true
		}
	}
	return DatabaseInfo{}, false
}

// parseNumber reads the name of a directory that is an OID.
func parseNumber(s string) (uint32, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil && n != 0 && strconv.FormatUint(n, 10) == s
}

// encodingName names a character set (pg_enc, mb/pg_wchar.h; pg_enc2name_tbl, common/encnames.c).
func encodingName(n int32) string {
	names := [...]string{"SQL_ASCII", "EUC_JP", "EUC_CN", "EUC_KR", "EUC_TW", "EUC_JIS_2004", "UTF8", "MULE_INTERNAL",
		"LATIN1", "LATIN2", "LATIN3", "LATIN4", "LATIN5", "LATIN6", "LATIN7", "LATIN8", "LATIN9", "LATIN10",
		"WIN1256", "WIN1258", "WIN866", "WIN874", "KOI8R", "WIN1251", "WIN1252", "ISO_8859_5", "ISO_8859_6", "ISO_8859_7",
		"ISO_8859_8", "WIN1250", "WIN1253", "WIN1254", "WIN1255", "WIN1257", "KOI8U", "SJIS", "BIG5", "GBK", "UHC", "GB18030",
		"JOHAB", "SHIFT_JIS_2004"}
	if n < 0 || int(n) >= len(names) {
		return fmt.Sprintf("encoding %d", n)
	}
	return names[n]
}
