package steps

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/pgrescue/pgrescue/agent"
	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// SettingArchive names the directory for the second copy.
const SettingArchive = "archive"

// noArchive is the answer that wants no second copy.
const noArchive = "none"

// archiveDir is where the operator wants the second copy, "" for nowhere.
func archiveDir(p *engine.Pass) string {
	if dir := p.Answer(SettingArchive); dir != noArchive {
		return dir
	}
	return ""
}

// TakeSnapshot copies the cluster, proves the copy and seals it.
func TakeSnapshot() *engine.Step {
	return &engine.Step{
		Name: "snapshot", Title: "Snapshot", Doc: doc("snapshot"), Part: engine.Opening,
		Needs: []engine.AnyFact{FactSite, FactStopped}, Makes: []engine.AnyFact{FactSnapshot},
		Ask: []engine.Question{{Name: SettingArchive, Default: noArchive,
			Prompt: "Directory on another device for a second copy of the snapshot, compressed and verified?",
			Help:   "none: no second copy. Choose one if the disk may be dying: a copy on the same disk does not protect from that disk."}},
		Rewrite: &engine.Rewrite{Danger: engine.OnCopy, Plan: planSnapshot, Apply: applySnapshot, Verify: verifySnapshot},
	}
}

// headroom is left free beside the snapshot: the journal and the rehearsal live there too.
const headroom = 256 << 20

func planSnapshot(ctx context.Context, p *engine.Pass) (engine.Plan, error) {
	at := here(p)
	if err := at.ws.requireQuiet(ctx, *at.site); err != nil {
		return engine.Plan{}, err
	}
	plan := engine.Plan{Summary: "copy " + humanBytes(at.site.Bytes) + " to volumes of this incident, verify the copy and seal it"}
	for _, piece := range at.site.Pieces {
		plan.Changes = append(plan.Changes, engine.Change{
			Path: at.ws.snapshotVolume(piece.Name), Before: "does not exist", After: "a full copy of " + piece.ContainerPath,
			Why: "everything that follows is tried on clones of it, and undo puts it back",
		})
	}
	if dir := archiveDir(p); dir != "" {
		plan.Changes = append(plan.Changes, engine.Change{Path: archivePath(dir, p), After: "a second copy, zstd-compressed and verified",
			Why: "a copy on the same disk does not protect from that disk"})
	}
	return plan, nil
}

func (w *Workspace) snapshotVolume(piece string) string { return w.name("snapshot", piece) }

func applySnapshot(ctx context.Context, d *engine.Deed) error {
	at, p := here(d.Pass()), d.Pass()
	snap := Snapshot{Volumes: map[string]string{}, Records: recordsName}
	c, err := at.ws.docker(ctx)
	if err != nil {
		return err
	}
	resume := false
	for _, piece := range at.site.Pieces {
		name := at.ws.snapshotVolume(piece.Name)
		snap.Volumes[piece.Name] = name
		if v, err := c.Volume(ctx, name); err == nil && v.Tag == at.ws.tag(dockerops.RoleSnapshot) {
			resume = true // an earlier, interrupted try made it
			continue
		}
		if _, err := c.CreateVolume(ctx, name, at.ws.tag(dockerops.RoleSnapshot), nil); err != nil {
			return err
		}
	}
	err = p.Do(ctx, "copy the cluster into the snapshot", nil, func(ctx context.Context) (engine.Output, error) {
		var err error
		snap.Result, err = copyCluster(ctx, at, snap, resume, p)
		return engine.Output{}, err
	})
	if err != nil {
		return err
	}
	if err := reportCopy(p, snap); err != nil {
		return err
	}
	if snap.Ignore, err = writeManifest(at, snap, p); err != nil {
		return err
	}
	if err := FactSnapshot.Put(p, snap); err != nil {
		return err
	}
	return archiveSnapshot(ctx, at, snap, p)
}

// copyCluster runs the copy job and writes the sidecar. An earlier try's records let it go
// on where that one ended.
func copyCluster(ctx context.Context, at *Place, snap Snapshot, resume bool, p *engine.Pass) (agent.CopyResult, error) {
	path := at.ws.recordsPath(snap)
	partial := path + ".partial"
	earlier := path + ".earlier"
	if hasRecords(partial) {
		if err := os.Rename(partial, earlier); err != nil {
			return agent.CopyResult{}, err
		}
	}
	file, err := os.OpenFile(partial, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return agent.CopyResult{}, fmt.Errorf("records of the snapshot: %w", err)
	}
	defer file.Close()
	// The writer takes a bufio.Writer of this size as its own buffer, so what it holds can
	// be flushed: each record is in the file as soon as it is known, and outlives us.
	buffer := bufio.NewWriterSize(file, 64<<10)
	side, err := agent.NewSidecarWriter(buffer, agent.SidecarHeader{
		Tool: "pgrescue " + at.ws.cfg.Version, Made: time.Now().UTC().Format(time.RFC3339),
		SystemIdentifier: at.site.SystemID, Pieces: at.site.copyPieces(),
	})
	if err != nil {
		return agent.CopyResult{}, err
	}
	j := job[agent.CopyRequest]{name: agent.JobCopy, what: "snapshot",
		// Without records of the files that an earlier try copied, all are copied again.
		req:      agent.CopyRequest{Source: at.pieces, Dest: at.site.copyPieces(), Headroom: headroom, HeadroomInodes: 1000, Resume: resume},
		onRecord: agent.Each(func(r agent.Record) error { return errors.Join(side.Write(r), buffer.Flush()) }),
	}
	if records, done, err := readRecords(earlier); err == nil {
		defer done()
		j.input = untilError(records)
	}
	res, err := changeWith[agent.CopyRequest, agent.CopyResult](ctx, at, append(at.source, snap.mounts(at.site, false)...), p, j)
	if resume && agent.KindOf(err) == agent.KindMismatch {
		// The power went before the copy was on the disk and after its record was: the
		// next try must not rely on what the records say.
		return res, errors.Join(err, os.RemoveAll(partial), os.RemoveAll(earlier))
	}
	if _, e := side.Close(); e != nil || err != nil {
		return res, errors.Join(err, e)
	}
	if err := errors.Join(file.Sync(), os.Rename(partial, path), os.RemoveAll(earlier)); err != nil {
		return res, fmt.Errorf("records of the snapshot: %w", err)
	}
	return res, nil
}

// hasRecords reports whether a file holds at least the beginning of a sidecar.
func hasRecords(path string) bool {
	_, done, err := readRecords(path)
	if err != nil {
		return false
	}
	done()
	return true
}

// untilError ends quietly where an interrupted try's records are torn.
func untilError(records func(func(agent.Record, error) bool)) func(func(agent.Record, error) bool) {
	return func(yield func(agent.Record, error) bool) {
		for r, err := range records {
			if err != nil || !yield(r, nil) {
				return
			}
		}
	}
}

// reportCopy tells what the copy found on its way.
func reportCopy(p *engine.Pass, snap Snapshot) error {
	r := snap.Result
	if err := p.Say("copied %d files, %s; read back (%s) and equal", r.Files, humanBytes(r.Bytes), r.ReadBack); err != nil {
		return err
	}
	if r.Reused > 0 {
		if err := p.Say("%d of them had been copied by an interrupted try", r.Reused); err != nil {
			return err
		}
	}
	var errs []error
	if r.BadBytes > 0 {
		errs = append(errs, p.Report(engine.Finding{Severity: engine.Damaged, Title: fmt.Sprintf("%s in %d files could not be read from the disk", humanBytes(r.BadBytes), r.BadFiles),
			Detail: "they are zeros in the copy; the sidecar lists them", Evidence: []string{recordsName},
			Next: "put a second copy on another device before anything else (--archive), and replace the disk"}))
	}
	switch {
	case !r.Checksums:
		errs = append(errs, p.Say("page checksums are off in this cluster: only page headers could be looked at"))
	case r.BadPages > 0:
		errs = append(errs, p.Report(engine.Finding{Severity: engine.Damaged, Title: fmt.Sprintf("%d of %d pages fail their checksum", r.BadPages, r.Pages),
			Detail: "pages written since the last checkpoint may be torn, which replay would have mended; others are damaged", Evidence: []string{recordsName}}))
	default:
		errs = append(errs, p.Say("all %d pages pass their checksum", r.Pages))
	}
	for _, n := range r.Notes {
		errs = append(errs, p.Report(engine.Finding{Severity: engine.Info, Title: fmt.Sprintf("%s/%s: %s", n.Piece, n.Path, n.Text)}))
	}
	return errors.Join(errs...)
}

// manifestName is PostgreSQL's own manifest of the snapshot, in the incident directory.
const manifestName = "backup_manifest"

// writeManifest returns the paths that pg_verifybackup has to be told to ignore.
func writeManifest(at *Place, snap Snapshot, p *engine.Pass) ([]agent.Path, error) {
	records, done, err := readRecords(at.ws.recordsPath(snap))
	if err != nil {
		return nil, err
	}
	defer done()
	file, err := os.OpenFile(at.ws.path(manifestName), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	id, _ := strconv.ParseUint(at.site.SystemID, 10, 64) // 0 when pg_control did not tell
	report, err := agent.WriteManifest(file, agent.ManifestInfo{Major: at.site.Major, SystemIdentifier: id, Pieces: at.site.copyPieces()}, records)
	if err != nil {
		return nil, err
	}
	if err := file.Sync(); err != nil {
		return nil, err
	}
	return report.Ignore, p.Say("sealed with a backup_manifest of %d files (pg_verifybackup -n reads it) and a sidecar for what that format leaves out", report.Files)
}

// verifySnapshot has the image's own pg_verifybackup read the copy by our manifest.
func verifySnapshot(ctx context.Context, d *engine.Deed) error {
	p, at := d.Pass(), here(d.Pass())
	snap, err := FactSnapshot.Get(p)
	if err != nil {
		return errors.New("the copy is not complete")
	}
	if !exists(at.ws.path(manifestName)) {
		return errors.New("the copy is not sealed")
	}
	return verifyBackup(ctx, at, snap, p)
}

func archivePath(dir string, p *engine.Pass) string { return dir + "/" + p.Incident() + ".tar.zst" }

func archiveSnapshot(ctx context.Context, at *Place, snap Snapshot, p *engine.Pass) error {
	dir := archiveDir(p)
	if dir == "" {
		return nil
	}
	records, done, err := readRecords(at.ws.recordsPath(snap))
	if err != nil {
		return err
	}
	defer done()
	mounts := append(snap.mounts(at.site, true), dockerops.Mount{Type: dockerops.MountBind, Source: dir, Destination: "/archive"})
	var res agent.ArchiveResult
	err = p.Do(ctx, "write the second copy to "+archivePath(dir, p), nil, func(ctx context.Context) (engine.Output, error) {
		var err error
		res, err = changeWith[agent.ArchiveRequest, agent.ArchiveResult](ctx, at, mounts, p, job[agent.ArchiveRequest]{
			name: agent.JobArchive, input: records, what: "second copy",
			req: agent.ArchiveRequest{Pieces: at.site.copyPieces(), Path: archivePath("/archive", p)},
		})
		return engine.Output{}, err
	})
	if err != nil {
		return err
	}
	raw, err := json.Marshal(res)
	if err != nil {
		return err
	}
	return p.Show(engine.Exhibit{Title: "second copy", Text: string(raw)})
}
