package inspect

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/pgrescue/pgrescue/pgops/catalog"
)

// CatalogOptions say what is shown of a dictionary.
type CatalogOptions struct {
	Database string // one database by name; empty is all
	Schema   string // relations of one schema
	Table    string // relations of one name, whatever their kind
	Files    bool   // every file of each relation, and those that no relation has
	System   bool   // what came with initdb and TOAST tables too
	JSON     bool   // an object a line
}

// CatalogSummary counts what makes a dictionary incomplete or unsure.
type CatalogSummary struct {
	Problems int // see catalog.Problem
	Doubtful int // rows shown that are not sure
}

// CatalogSelectError says that nothing has the name that was asked for.
type CatalogSelectError struct {
	What     string   // database, schema or table
	Name     string   // the name that was asked for
	Have     []string // the names there are, of databases
	Problems int      // of the dictionary, which may be why it is not found
}

func (e *CatalogSelectError) Error() string {
	s := fmt.Sprintf("there is no %s %q", e.What, e.Name)
	if len(e.Have) > 0 {
		s += ": there are " + strings.Join(e.Have, ", ")
	}
	if e.Problems > 0 {
		s += fmt.Sprintf("; the dictionary has %d problems, so it may have been lost", e.Problems)
	}
	return s
}

// Catalog prints the dictionary of a cluster that need not be able to start. In fsys, which is
// the data directory, the links of tablespaces are followed. What limits the dictionary
// without being damage goes to notes. The output is complete even where problems were found;
// only what keeps the dictionary from being read at all is an error.
func Catalog(ctx context.Context, fsys fs.FS, opt CatalogOptions, w, notes io.Writer) (CatalogSummary, error) {
	c, err := catalog.Open(ctx, fsys)
	if err != nil {
		return CatalogSummary{}, err
	}
	for _, n := range c.Notes {
		fmt.Fprintf(notes, "note: %s\n", n)
	}
	if c.Visibility.Xact == nil {
		fmt.Fprintln(notes, "note: pg_xact is lost: which rows count is told by hint bits; what they do not tell is shown and marked doubtful")
	}
	out := bufio.NewWriter(w)
	p := &catalogPrinter{opt: opt, out: out, enc: json.NewEncoder(out), c: c}
	p.enc.SetEscapeHTML(false)
	err = p.print(ctx)
	return p.sum, errors.Join(err, out.Flush())
}

// catalogPrinter writes records as text or as JSON. Errors of writing wait in out.
type catalogPrinter struct {
	opt CatalogOptions
	out *bufio.Writer
	enc *json.Encoder
	c   *catalog.Cluster
	sum CatalogSummary

	found bool // something has the schema and table asked for
}

// catalogRecord is a line of JSON, or some lines of text.
type catalogRecord interface{ text(w *bufio.Writer) }

func (p *catalogPrinter) record(r catalogRecord) error {
	if p.opt.JSON {
		return p.enc.Encode(r)
	}
	r.text(p.out)
	return nil
}

func (p *catalogPrinter) print(ctx context.Context) error {
	chosen, err := p.choose()
	if err != nil {
		return err
	}
	if err := p.printCluster(); err != nil {
		return err
	}
	for _, info := range chosen {
		if err := ctx.Err(); err != nil {
			return err
		}
		d, err := p.c.Database(ctx, info.OID)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			err = p.problem(info.Name, catalog.Problem{What: err.Error()})
		} else {
			err = p.printDatabase(d)
		}
		if err != nil {
			return err
		}
	}
	switch {
	case p.found || p.opt.Schema == "" && p.opt.Table == "":
	case p.opt.Table == "":
		return &CatalogSelectError{What: "schema", Name: p.opt.Schema, Problems: p.sum.Problems}
	default:
		return &CatalogSelectError{What: "table", Name: p.opt.Table, Problems: p.sum.Problems}
	}
	return nil
}

// choose returns the databases to be shown.
func (p *catalogPrinter) choose() ([]catalog.DatabaseInfo, error) {
	if p.opt.Database == "" {
		return p.c.Databases, nil
	}
	d, ok := p.c.DatabaseByName(p.opt.Database)
	if ok {
		return []catalog.DatabaseInfo{d}, nil
	}
	e := &CatalogSelectError{What: "database", Name: p.opt.Database, Problems: len(p.c.Problems)}
	for _, d := range p.c.Databases {
		if fmt.Sprint(d.OID) == p.opt.Database {
			return []catalog.DatabaseInfo{d}, nil // by number, for one whose row is lost
		}
		e.Have = append(e.Have, d.Name)
	}
	return nil, e
}

// narrow reports whether only some relations were asked for; then the rest is left out.
func (p *catalogPrinter) narrow() bool { return p.opt.Schema != "" || p.opt.Table != "" }

func (p *catalogPrinter) printCluster() error {
	r := catalogCluster{Record: "cluster", Major: p.c.Layout.Major, PgXact: p.c.Visibility.Xact != nil}
	if c := p.c.Control; c != nil {
		r.SystemIdentifier, r.CatalogVersion, r.State = c.SystemIdentifier, c.CatalogVersion, c.State.String()
	}
	if err := p.record(r); err != nil {
		return err
	}
	for _, t := range p.c.Tablespaces {
		p.doubt(t.Doubt)
		if err := p.record(catalogTablespace{"tablespace", t.OID, t.Name, t.Owner, t.Dir, t.Doubt}); err != nil {
			return err
		}
	}
	for _, role := range p.c.Roles {
		p.doubt(role.Doubt)
		if !p.opt.System && role.OID < catalog.FirstNormalOID && !role.Superuser {
			continue // the roles that every cluster has
		}
		if err := p.record(catalogRole{"role", role.OID, role.Name, role.Superuser, role.Login, role.Doubt}); err != nil {
			return err
		}
	}
	return p.problems("", p.c.Problems)
}

func (p *catalogPrinter) doubt(why string) {
	if why != "" {
		p.sum.Doubtful++
	}
}

func (p *catalogPrinter) problems(database string, list []catalog.Problem) error {
	for _, problem := range list {
		if err := p.problem(database, problem); err != nil {
			return err
		}
	}
	return nil
}

func (p *catalogPrinter) problem(database string, problem catalog.Problem) error {
	p.sum.Problems++
	r := catalogProblem{Record: "problem", Database: database, File: problem.File, What: problem.What, full: problem.String()}
	if problem.InBlock {
		r.Block, r.Item = &problem.Block, problem.Item
	}
	return p.record(r)
}

// printDatabase shows one database: what is chosen of it, then its problems.
func (p *catalogPrinter) printDatabase(d *catalog.Database) error {
	i := d.Info
	p.doubt(i.Doubt)
	if err := p.record(databaseRecord(p.c, d)); err != nil {
		return err
	}
	if !p.narrow() {
		if err := p.printSchemas(d); err != nil {
			return err
		}
	}
	for _, r := range d.Relations {
		if !p.wants(r) {
			continue
		}
		p.found = true
		p.doubt(r.Doubt)
		if err := p.record(p.relation(d, r)); err != nil {
			return err
		}
	}
	if p.opt.Files && !p.narrow() {
		for _, f := range d.Orphans {
			if err := p.record(catalogOrphan{"orphan", i.Name, f.Path(), f.Size}); err != nil {
				return err
			}
		}
	}
	return p.problems(i.Name, d.Problems)
}

func (p *catalogPrinter) printSchemas(d *catalog.Database) error {
	for _, s := range d.Schemas {
		p.doubt(s.Doubt)
		if !p.opt.System && s.OID < catalog.FirstNormalOID && s.Name != "public" {
			continue
		}
		if err := p.record(catalogSchema{"schema", d.Info.Name, s.OID, s.Name, s.Owner, s.Doubt}); err != nil {
			return err
		}
	}
	for _, e := range d.Extensions {
		if err := p.record(catalogExtension{"extension", d.Info.Name, e.OID, e.Name, e.Version, e.Schema}); err != nil {
			return err
		}
	}
	return nil
}

// wants reports whether a relation is shown: as one of its own, for indexes are shown with
// their table.
func (p *catalogPrinter) wants(r *catalog.Relation) bool {
	if p.narrow() {
		return (p.opt.Schema == "" || r.Schema == p.opt.Schema) && (p.opt.Table == "" || r.Name == p.opt.Table) &&
			(p.opt.Table != "" || !isIndex(r))
	}
	return p.opt.System || !r.System() && !isIndex(r) && r.Kind != catalog.KindToast
}

func isIndex(r *catalog.Relation) bool {
	return r.Kind == catalog.KindIndex || r.Kind == catalog.KindPartitionedIndex
}
