package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// RestoreRequest asks to bring the target back to what a snapshot holds. The input is
// the snapshot's records, in their order.
type RestoreRequest struct {
	Snapshot []Piece `json:"snapshot"` // read
	Target   []Piece `json:"target"`   // written, by name
	DryRun   bool    `json:"dry_run"`  // list what differs, write nothing
	Max      int     `json:"max"`      // differences to list, 100 if 0
}

// RestoreResult says what differed and was put back.
type RestoreResult struct {
	Compared int64        `json:"compared"` // entries
	Restored int64        `json:"restored"`
	Removed  int64        `json:"removed"`
	Bytes    int64        `json:"bytes"` // of content put back
	Count    int64        `json:"count"` // differences found
	Diffs    []Difference `json:"diffs,omitempty"`
}

// Restore puts back every file that differs from its record, with owner, mode, times
// and attributes, and removes what has no record. Before the first change pg_control is
// moved aside and it comes back last, so that no server starts on half a cluster if the
// restore is interrupted; running it again finishes it.
//
// It writes to the target's data. The caller has the operator's consent.
func Restore(ctx context.Context, req RestoreRequest, s *Stream) (RestoreResult, error) {
	snap, err := match(req.Target, req.Snapshot)
	if err != nil {
		return RestoreResult{}, err
	}
	r := &restorer{ctx: ctx, req: req, s: s, buf: make([]byte, chunkSize), inodes: map[string]bool{}}
	if r.snap, err = openTrees(snap); err != nil {
		return r.res, err
	}
	defer closeTrees(r.snap)
	if r.dst, err = openTrees(req.Target); err != nil {
		return r.res, err
	}
	defer closeTrees(r.dst)
	defer r.dirs.close()
	r.meter = newMeter("restore", 0, 0, s.Progress)
	for _, step := range []func() error{r.records, r.extras, r.finishDirs, r.control} {
		if err := step(); err != nil {
			return r.res, fmt.Errorf("restore: %w", err)
		}
	}
	return r.res, nil
}

type restorer struct {
	ctx       context.Context
	req       RestoreRequest
	s         *Stream
	snap, dst []*tree // by position
	dirs      dirCache
	buf       []byte
	meter     *meter
	seen      []uint64
	allDirs   []Record        // for their times at the end
	inodes    map[string]bool // files that were replaced: their further links must follow
	controls  []Record        // pg_control, kept for the end
	aside     bool            // pg_control was moved out of the way
	res       RestoreResult
}

// asideSuffix marks the control file of a cluster that is being restored.
const asideSuffix = ".pgrescue-restoring"

func (r *restorer) diff(rec *Record, ds ...Difference) {
	limit := r.req.Max
	if limit == 0 {
		limit = defaultMaxDiffs
	}
	for _, d := range ds {
		r.res.Count++
		if len(r.res.Diffs) < limit {
			d.Piece, d.Path = rec.Piece, rec.Path
			r.res.Diffs = append(r.res.Diffs, d)
		}
	}
}

// records goes through the snapshot's entries in order.
func (r *restorer) records() error {
	for rec, err := range r.s.input() {
		if err != nil {
			return err
		}
		if r.ctx.Err() != nil {
			return context.Cause(r.ctx)
		}
		t := byName(r.dst, rec.Piece)
		if t == nil || !rec.Path.Local() {
			return refuse(KindBadRequest, string(rec.Path), fmt.Sprintf("record of %q in piece %q does not belong here", rec.Path, rec.Piece), "")
		}
		r.seen = append(r.seen, rec.key())
		if !rec.copied() {
			continue
		}
		if rec.Type == TypeDir {
			r.allDirs = append(r.allDirs, rec)
		}
		if isControl(t, string(rec.Path)) {
			r.controls = append(r.controls, rec)
			continue
		}
		if err := r.entry(t, &rec); err != nil {
			return err
		}
	}
	if len(r.seen) == 0 {
		return refuse(KindBadRequest, "", "the snapshot has no records", "without them everything would count as extra")
	}
	return nil
}

// entry compares one entry and restores it if it differs.
func (r *restorer) entry(t *tree, rec *Record) error {
	opt := CompareRequest{IgnoreMtime: rec.Type == TypeDir} // finishDirs sees to those
	diffs, err := compareEntry(r.ctx, &r.dirs, t, rec, opt, r.buf, func(n int64) { r.meter.add(n, 0, string(rec.Path)) })
	if err != nil {
		return err
	}
	r.res.Compared++
	r.meter.add(0, 1, string(rec.Path))
	if len(diffs) == 0 && !r.inodes[firstKey(rec.Piece, string(rec.LinkOf))] {
		return nil
	}
	r.diff(rec, diffs...)
	if r.req.DryRun {
		return nil
	}
	if err := r.moveControlAside(); err != nil {
		return err
	}
	if err := r.restore(t, rec); err != nil {
		return fmt.Errorf("%s: %w", rec.Path, err)
	}
	r.res.Restored++
	return nil
}

// moveControlAside makes the cluster unstartable for the time of the restore.
func (r *restorer) moveControlAside() error {
	if r.aside {
		return nil
	}
	r.aside = true
	for _, c := range controlFiles(r.dst) {
		t, path := c.tree, c.path
		err := t.root.Rename(path, path+asideSuffix)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("move pg_control aside: %w", err)
		}
		dir, _ := split(path)
		if err := syncDir(t.root, dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// controlFiles lists where trees have, or should have, a pg_control.
func controlFiles(trees []*tree) []start {
	var out []start
	for _, t := range trees {
		for _, p := range t.parts() {
			if p.Role == RoleData {
				out = append(out, start{t, join(string(p.Sub), pgdisk.ControlFilePath)})
			}
		}
	}
	return out
}

// extras removes what the snapshot does not have.
func (r *restorer) extras() error {
	slices.Sort(r.seen)
	var extra []start
	var under string
	err := walkTrees(r.ctx, r.dst, nil, func(e entry) error {
		if _, ok := slices.BinarySearch(r.seen, pathKey(e.tree.Name, e.path)); ok || e.path == lostFound {
			return nil
		}
		if _, in := within(doneKey(e.tree, e.path), under); under != "" && in {
			return nil // goes with its directory
		}
		under = doneKey(e.tree, e.path)
		extra = append(extra, start{e.tree, e.path})
		return nil
	})
	if err != nil {
		return err
	}
	for _, x := range extra {
		rec := &Record{Piece: x.tree.Name, Path: Path(x.path)}
		r.diff(rec, Difference{What: "extra"})
		if r.req.DryRun || r.isAside(x) {
			continue
		}
		if err := r.moveControlAside(); err != nil {
			return err
		}
		if err := x.tree.root.RemoveAll(x.path); err != nil {
			return err
		}
		r.res.Removed++
	}
	return nil
}

// isAside recognises the control file that was moved aside; control removes it.
func (r *restorer) isAside(x start) bool {
	for _, c := range controlFiles(r.dst) {
		if c.tree == x.tree && x.path == c.path+asideSuffix {
			return true
		}
	}
	return false
}

// finishDirs gives directories their metadata back, the deepest first, because what was
// put into them changed their times.
func (r *restorer) finishDirs() error {
	for _, rec := range slices.Backward(r.allDirs) {
		t := byName(r.dst, rec.Piece)
		if r.req.DryRun {
			continue
		}
		if err := r.finishDir(t, &rec); err != nil {
			return fmt.Errorf("directory %s: %w", rec.Path, err)
		}
	}
	return nil
}

func (r *restorer) finishDir(t *tree, rec *Record) error {
	diffs, err := compareEntry(r.ctx, &r.dirs, t, rec, CompareRequest{}, r.buf, nil)
	if err != nil || len(diffs) == 0 {
		return err
	}
	d, err := openIn(t.root, string(rec.Path))
	if err != nil {
		return err
	}
	defer d.close()
	if err := restoreMetadata(d, ".", d.file, rec); err != nil {
		return err
	}
	return d.file.Sync()
}

// control puts pg_control back, last of all.
func (r *restorer) control() error {
	for i := range r.controls {
		rec := &r.controls[i]
		t := byName(r.dst, rec.Piece)
		if err := r.entry(t, rec); err != nil {
			return err
		}
		if r.req.DryRun {
			continue
		}
		path := string(rec.Path)
		if err := t.root.Remove(path + asideSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		dir, _ := split(path)
		for _, d := range r.allDirs {
			if d.Piece == rec.Piece && string(d.Path) == dir {
				if err := r.finishDir(t, &d); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
