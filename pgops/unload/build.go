package unload

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/pgrescue/pgrescue/pgops/catalog"
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/pgops/values"
)

// largeObjectRelation is the OID of pg_largeobject (LargeObjectRelationId,
// catalog/pg_largeobject.h), largeObjectMetadata of pg_largeobject_metadata.
const (
	largeObjectRelation pgdisk.OID = 2613
	largeObjectMetadata pgdisk.OID = 2995
)

// planner makes a plan from dictionaries.
type planner struct {
	cluster    *catalog.Cluster
	opt        *Options
	plan       *plan
	perSegment uint32
	chunkSize  uint32
	checksums  bool
	clean      bool
	chosen     bool            // some relation was asked for
	taken      map[string]bool // file names that are given away
}

func makePlan(ctx context.Context, c *catalog.Cluster, opt *Options) (*plan, error) {
	p := &planner{cluster: c, opt: opt, plan: &plan{}, taken: map[string]bool{}, perSegment: pgdisk.RelSegmentBlocks, chunkSize: defaultToastChunk}
	p.identify()
	if err := p.unreplayed(ctx); err != nil {
		return nil, err
	}
	for _, problem := range c.Problems {
		p.plan.problems = append(p.plan.problems, Note{Kind: NoteDatabase, Reason: problem.String()})
	}
	chosen := 0
	for _, info := range c.Databases {
		if !opt.wantsDatabase(info) {
			continue
		}
		if len(opt.Databases) == 0 && info.IsTemplate && !info.AllowConn && !opt.System {
			p.plan.skipped = append(p.plan.skipped, SkippedReport{Database: newCharset(info.Encoding).shared(info.Name), Kind: "database",
				Reason: "a template that allows no connections: ask for it by name"})
			continue
		}
		chosen++
		if err := p.database(ctx, info); err != nil {
			return nil, err
		}
	}
	if chosen == 0 && len(opt.Databases) > 0 {
		return nil, fmt.Errorf("%w: no database fits%s", ErrNothing, firstProblem(c))
	}
	if !p.chosen && len(opt.Tables) > 0 {
		return nil, fmt.Errorf("%w: no table fits%s", ErrNothing, firstProblem(c))
	}
	return p.plan, nil
}

// firstProblem says of a damaged cluster that what was asked for may be what is lost.
func firstProblem(c *catalog.Cluster) string {
	if len(c.Problems) == 0 {
		return ""
	}
	return fmt.Sprintf(", but not all that there was can be found: %s (and %d more); a database can be given by its OID, the name of its directory", c.Problems[0], len(c.Problems)-1)
}

// identify takes from pg_control what tells the cluster and its state.
func (p *planner) identify() {
	id := ClusterID{Major: p.cluster.Layout.Major}
	warn := func(format string, args ...any) {
		p.plan.warnings = append(p.plan.warnings, fmt.Sprintf(format, args...))
	}
	c := p.cluster.Control
	if c == nil {
		warn("pg_control is lost: whether changes are left in the WAL, and whether pages have checksums, is not known")
	} else {
		id.SystemIdentifier, id.State = strconv.FormatUint(c.SystemIdentifier, 10), c.State.String()
		id.Checkpoint = c.Checkpoint.String()
		id.CheckpointTime = time.Unix(c.CheckpointCopy.Time, 0).UTC().Format(time.RFC3339)
		if c.RelSegSize > 0 {
			p.perSegment = c.RelSegSize
		}
		if n := c.ToastMaxChunkSize; n > 0 && n < pgdisk.BlockSize {
			p.chunkSize = n
		}
		p.checksums = c.DataChecksumVersion != 0
		if p.clean = c.State == pgdisk.ShutDown; c.State == pgdisk.ShutDownInRecovery {
			warn("the cluster is a standby that was shut down: transactions whose commit it had not replayed count as not committed")
		} else if !p.clean {
			warn("the cluster was not shut down cleanly (%s): changes since the checkpoint at %s (%s) are in the WAL and may be missing here; rows can be missing, old, or appear twice, and all figures hold for the files as they lie", c.State, id.Checkpoint, id.CheckpointTime)
		}
	}
	if p.opt.NoXact {
		warn("pg_xact and the multixacts were left alone: the fate of rows was told by hint bits, and where those are not set the row was taken as visible")
	}
	for _, note := range p.cluster.Notes {
		warn("%s", note)
	}
	p.plan.cluster = id
}

// unreplayed makes it a problem when recovery would change what is about to be read.
func (p *planner) unreplayed(ctx context.Context) error {
	left, err := p.cluster.UnreplayedWAL(ctx)
	if err != nil {
		return err
	}
	if !left.Nothing() {
		p.plan.problems = append(p.plan.problems, Note{Kind: NoteDatabase, Reason: left.String()})
	} else if !p.clean {
		p.plan.warnings = append(p.plan.warnings, fmt.Sprintf("the WAL from %s to %s was read: it holds no change that is not in the files", left.From, left.To))
	}
	return nil
}

// database plans one database. One whose dictionary cannot be had at all is a problem, not
// an error: the others come out.
func (p *planner) database(ctx context.Context, info catalog.DatabaseInfo) error {
	name := info.Name
	if name == "" {
		name = strconv.FormatUint(uint64(info.OID), 10)
	}
	cs := newCharset(info.Encoding)
	note := func(reason string) {
		p.plan.problems = append(p.plan.problems, Note{Kind: NoteDatabase, Database: cs.shared(name), Reason: reason})
	}
	if info.Doubt != "" {
		note(info.Doubt)
	}
	d, err := p.cluster.Database(ctx, info.OID)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		note("none of its tables can be found: " + err.Error())
		return nil
	}
	for _, problem := range d.Problems {
		note(problem.String())
	}
	db := &database{oid: info.OID, name: name, charset: cs,
		env: values.Env{Major: p.cluster.Layout.Major, Location: p.opt.Location, Names: d.Names, Lookup: d.Type}}
	planned := &plannedDatabase{database: db, dir: p.distinct(safeName(name, info.OID), info.OID)}
	p.plan.databases = append(p.plan.databases, planned)
	relations := slices.Clone(d.Relations)
	slices.SortStableFunc(relations, compareRelations)
	for _, r := range relations {
		p.relation(d, planned, r)
	}
	return nil
}

// relation plans one relation.
func (p *planner) relation(d *catalog.Database, db *plannedDatabase, r *catalog.Relation) {
	if !p.wants(r) {
		return
	}
	p.chosen = true
	skip := func(reason string) {
		p.plan.skipped = append(p.plan.skipped, SkippedReport{Database: db.charset.shared(db.name), Schema: db.charset.string(r.Schema),
			Name: db.charset.string(r.Name), Kind: kindName(r), Reason: reason})
	}
	switch {
	case r.Kind == catalog.KindView:
		skip("no rows of its own: a view")
	case r.Kind == catalog.KindForeign:
		skip("no rows of its own: they are in another server")
	case r.Kind == catalog.KindPartitioned:
		skip("no rows of its own: they are in its partitions")
	case r.Persistence == 't':
		skip("temporary: its rows ended with their session")
	case r.Kind == catalog.KindSequence:
		db.sequences = append(db.sequences, sequence{oid: r.OID, schema: r.Schema, name: r.Name, files: filesOf(r, p.perSegment)})
	case r.Kind != catalog.KindTable && r.Kind != catalog.KindMatview:
	case r.AccessMethod != "" && r.AccessMethod != "heap":
		p.plan.problems = append(p.plan.problems, Note{Kind: NoteTable, Database: db.charset.shared(db.name), Table: db.charset.string(r.Schema) + "." + db.charset.string(r.Name),
			Reason: fmt.Sprintf("its access method %q is not read: its rows are not in the output", r.AccessMethod)})
		skip(fmt.Sprintf("the access method %q is not read", r.AccessMethod))
	default:
		t := p.table(d, db, r)
		p.plan.tables = append(p.plan.tables, t)
		p.plan.bytes += t.files.bytes()
	}
}

// wants reports whether a relation was asked for. Large objects are users' data though their
// tables are the system's.
func (p *planner) wants(r *catalog.Relation) bool {
	if !p.opt.wants(r.Schema, r.Name) {
		return false
	}
	if r.OID == largeObjectRelation || r.OID == largeObjectMetadata {
		return p.opt.System || filesOf(r, p.perSegment).bytes() > 0
	}
	system := r.System() || r.Schema == "pg_toast"
	return p.opt.System || !system
}

// table plans a relation with rows.
func (p *planner) table(d *catalog.Database, db *plannedDatabase, r *catalog.Relation) *table {
	t := &table{database: db.database, oid: r.OID, schema: r.Schema, name: r.Name, files: filesOf(r, p.perSegment), columns: r.Columns,
		printed: printedColumns(r.Columns, values.Readable), deformer: values.NewDeformer(r.Columns),
		paths: tablePaths(p.distinct(db.dir+"/"+safeName(db.charset.fileName(r.Schema), r.OID)+"."+safeName(db.charset.fileName(r.Name), r.OID), r.OID), p.opt.Format)}
	t.fsm, t.vm = forkOf(r, pgdisk.FSMFork, p.perSegment), forkOf(r, pgdisk.VMFork, p.perSegment)
	// A crash empties an unlogged table without its count; VACUUM FULL can leave those of
	// mapped catalogs as they were, of which shared ones have one in each database.
	if r.Persistence == 'p' && !r.Mapped && r.Pages > 0 {
		t.pages = uint32(r.Pages)
	}
	if p.clean && r.FrozenXID.Normal() {
		t.frozenXID = r.FrozenXID
	}
	if r.Toast != nil {
		t.toast = &toastSource{oid: r.Toast.OID, heap: filesOf(r.Toast, p.perSegment), chunkSize: p.chunkSize, checksums: p.checksums}
		if r.ToastIndex != nil {
			t.toast.index = filesOf(r.ToastIndex, p.perSegment)
		}
	}
	cs := db.charset
	t.report = TableReport{Database: cs.shared(db.name), Schema: cs.string(r.Schema), Name: cs.string(r.Name), OID: r.OID, Kind: kindName(r),
		Unlogged: r.Persistence == 'u', Source: t.files.path(0), Blocks: t.files.bytes() / pgdisk.BlockSize, Doubt: r.Doubt}
	for _, oid := range r.Parents {
		name := strconv.FormatUint(uint64(oid), 10)
		if parent, ok := d.Relation(oid); ok {
			name = cs.string(parent.Schema) + "." + cs.string(parent.Name)
		}
		if r.IsPartition {
			t.report.PartitionOf = name
		} else {
			t.report.Inherits = append(t.report.Inherits, name)
		}
	}
	for _, c := range t.printed {
		col := t.columns[c.index]
		report := ColumnReport{Name: cs.string(col.Name), Type: strconv.FormatUint(uint64(col.TypeOID), 10), Hex: c.opaque}
		if col.Type != nil {
			report.Type = cs.string(col.Type.Schema) + "." + cs.string(col.Type.Name)
		}
		t.report.Columns = append(t.report.Columns, report)
	}
	return t
}

// distinct adds the object's number to a file name that is taken: in a dictionary in doubt
// two objects can have one name.
func (p *planner) distinct(name string, oid pgdisk.OID) string {
	if p.taken[name] {
		name += "~" + strconv.FormatUint(uint64(oid), 10)
	}
	p.taken[name] = true
	return name
}

// Warnings are what holds for all that is read from a cluster: the state that it was left in,
// and what the options leave out. The manifest has them too.
func Warnings(c *catalog.Cluster, opt *Options) []string {
	p := &planner{cluster: c, opt: opt, plan: &plan{}}
	p.identify()
	return p.plan.warnings
}
