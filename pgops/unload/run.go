package unload

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/pgrescue/pgrescue/pgops/catalog"
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// ErrNothing says that what was asked for is not in the cluster.
var ErrNothing = errors.New("nothing to unload")

// Run writes the rows of a cluster's tables to opt.Dir, or goes on with a run that was stopped
// there, and returns the manifest. fsys is what the dictionary was opened from; its files must
// be io.ReaderAt. What is damaged is no error: it is in the manifest (Manifest.Clean) and in
// the notes. After an error, a full disk or the end of ctx say, the same call goes on.
func Run(ctx context.Context, fsys fs.FS, c *catalog.Cluster, opt Options) (*Manifest, error) {
	p, err := makePlan(ctx, c, &opt)
	if err != nil {
		return nil, err
	}
	src := &source{fsys: fsys, visibility: c.Visibility}
	if opt.NoXact {
		src.visibility = pgdisk.Visibility{}
	}
	if c.Control != nil {
		src.checksums = c.Control.DataChecksumVersion != 0
		if c.Control.State == pgdisk.ShutDown {
			src.nextXID = c.Control.CheckpointCopy.NextXID.XID()
		}
	}
	return execute(ctx, src, &opt, p)
}

// execute writes a plan, from where an earlier run stopped. A run that was finished before
// is not run again.
func execute(ctx context.Context, src *source, opt *Options, p *plan) (_ *Manifest, err error) {
	out, err := openOutDir(opt.Dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, out.close()) }()
	s, err := beginState(out, opt, p)
	if err != nil {
		return nil, err
	}
	if s.Finished {
		return out.loadManifest()
	}
	for _, t := range p.tables {
		if t.toast != nil {
			name := fmt.Sprintf("%s%d-%d", spillName, t.database.oid, t.toast.oid)
			t.toast.scan = &toastScan{ctx: ctx, limit: runEntries, fsys: src.fsys, heap: t.toast.heap, spill: func() (*os.File, error) { return out.spill(name) }}
		}
	}
	pool := newPartPool(opt.jobs())
	w, err := openWriter(out, opt, p, pool, newMeter(opt, p, s), s)
	if err != nil {
		return nil, err
	}
	w.src = src
	defer w.closeMaps()
	if err := pipeline(ctx, src, opt, p, pool, w); err != nil {
		return nil, err
	}
	return w.finish(ctx, src)
}

// beginState takes up an earlier run, or makes the directory ours before anything else is
// in it.
func beginState(out *outDir, opt *Options, p *plan) (*state, error) {
	digest, err := p.digest()
	if err != nil {
		return nil, err
	}
	fresh := &state{Version: stateVersion, Cluster: p.cluster, Options: opt.id(), Plan: digest, Started: time.Now().UTC().Truncate(time.Second)}
	s, err := out.loadState()
	if err != nil {
		return nil, err
	}
	if s == nil {
		return fresh, out.saveState(fresh)
	}
	if err := s.fits(fresh); err != nil {
		return nil, err
	}
	if s.Done > len(p.tables) || s.Done == len(p.tables) && s.Current != nil {
		return nil, fmt.Errorf("%w: its state is of %d tables, and there are %d", ErrOtherRun, s.Done, len(p.tables))
	}
	return s, out.removeSpills()
}

// finish writes what is left when all tables are done: the sequences, the notes about the
// whole, and the manifest. It can be repeated: the last state but one is before all of it.
func (w *writer) finish(ctx context.Context, src *source) (*Manifest, error) {
	if err := w.checkpoint(); err != nil {
		return nil, err
	}
	m := &Manifest{Cluster: w.plan.cluster, Warnings: w.plan.warnings, Options: w.state.Options, Started: w.state.Started,
		Totals: w.state.Totals, Skipped: w.plan.skipped, Problems: len(w.plan.problems)}
	var notes []byte
	for _, n := range w.plan.problems {
		notes = n.append(notes)
	}
	for _, d := range w.plan.databases {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		report, bad, err := w.sequences(src, d)
		if err != nil {
			return nil, err
		}
		for _, n := range bad {
			notes = n.append(notes)
		}
		m.Problems += len(bad)
		m.Databases = append(m.Databases, report)
	}
	if err := w.notes.write(notes); err != nil {
		return nil, err
	}
	m.Notes = *w.notes.finish()
	tables, err := w.readTables()
	if err != nil {
		return nil, err
	}
	m.Tables = tables
	w.tables.finish()
	if err := w.out.sync(); err != nil {
		return nil, err
	}
	m.Finished = time.Now().UTC().Truncate(time.Second)
	return m, w.seal(m)
}

// seal makes the run finished: first the manifest, then the state that says so.
func (w *writer) seal(m *Manifest) error {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	if err := w.out.replace(ManifestName, append(b, '\n')); err != nil {
		return err
	}
	w.state.Finished, w.state.Tables, w.state.Notes = true, filePos{}, filePos{}
	if err := w.out.saveState(w.state); err != nil {
		return err
	}
	return w.out.root.Remove(tablesName)
}

// readTables reads the reports back.
func (w *writer) readTables() ([]TableReport, error) {
	if _, err := w.tables.f.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read %s: %w", w.out.full(tablesName), err)
	}
	var all []TableReport
	for d := json.NewDecoder(w.tables.f); ; {
		var r TableReport
		err := d.Decode(&r)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", w.out.full(tablesName), err)
		}
		all = append(all, r)
	}
}

// loadManifest reads what a finished run said.
func (d *outDir) loadManifest() (*Manifest, error) {
	f, err := d.root.Open(ManifestName)
	if err != nil {
		return nil, fmt.Errorf("the run was finished, but its manifest is gone: %w", err)
	}
	defer f.Close()
	m := &Manifest{}
	if err := json.NewDecoder(f).Decode(m); err != nil {
		return nil, fmt.Errorf("read %s: %w", d.full(ManifestName), err)
	}
	return m, nil
}

// sequences writes the state of a database's sequences.
func (w *writer) sequences(src *source, d *plannedDatabase) (DatabaseReport, []Note, error) {
	report := DatabaseReport{Name: d.charset.shared(d.name), OID: d.oid, Encoding: d.charset.name,
		Converted: w.opt.Format == FormatJSONL && d.charset.decoder != nil}
	if len(d.sequences) == 0 {
		return report, nil, nil
	}
	var lines []byte
	var notes []Note
	for _, s := range d.sequences {
		line, err := readSequence(src, s, d.charset)
		if err != nil {
			notes = append(notes, Note{Kind: NoteTable, Database: report.Name, Table: d.charset.string(s.schema) + "." + d.charset.string(s.name), Reason: "sequence: " + err.Error()})
			continue
		}
		lines = line.append(lines)
	}
	f, err := w.out.create(d.dir + "/" + SequencesName)
	if err != nil {
		return report, nil, err
	}
	if err := f.write(lines); err != nil {
		return report, nil, err
	}
	report.Sequences = f.finish()
	return report, notes, nil
}

// sequenceState is a line of a file of sequences: the only row of a sequence
// (FormData_pg_sequence_data, commands/sequence.h).
type sequenceState struct {
	Schema    string     `json:"schema"`
	Name      string     `json:"sequence"`
	OID       pgdisk.OID `json:"oid"`
	LastValue int64      `json:"last_value"`
	LogCount  int64      `json:"log_cnt"` // how many more the server may give out before it writes WAL
	IsCalled  bool       `json:"is_called"`
}

func (s sequenceState) append(dst []byte) []byte {
	b, err := json.Marshal(s)
	if err != nil { // strings and numbers always marshal
		panic(err)
	}
	return append(append(dst, b...), '\n')
}
