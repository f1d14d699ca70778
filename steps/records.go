package steps

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"github.com/pgrescue/pgrescue/agent"
	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// recordsName is the sidecar of the snapshot in the incident directory.
const recordsName = "snapshot.sidecar.jsonl"

func (w *Workspace) path(name string) string { return filepath.Join(w.cfg.Dir, name) }

func (w *Workspace) recordsPath(s Snapshot) string { return w.path(s.Records) }

// mounts are the snapshot's volumes under /dst, one for each piece.
func (s Snapshot) mounts(site *Site, readOnly bool) []dockerops.Mount {
	var out []dockerops.Mount
	for _, p := range site.Pieces {
		out = append(out, dockerops.Mount{Type: dockerops.MountVolume, Name: s.Volumes[p.Name], Destination: "/dst/" + p.Name, ReadOnly: readOnly})
	}
	return out
}

// readRecords streams the records of a snapshot. Of an unfinished sidecar, what is whole
// comes, then an error.
func readRecords(path string) (iter.Seq2[agent.Record, error], func(), error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("records of the snapshot: %w", err)
	}
	side, err := agent.OpenSidecar(f)
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("records of the snapshot: %w", err)
	}
	return side.Records(), func() { f.Close() }, nil
}

// compare asks the agent whether the place still is what the records say. Without content,
// a fingerprint of names, sizes, times and inodes that still holds is an answer.
func compare(ctx context.Context, at *Place, path string, content bool, p *engine.Pass) (agent.CompareResult, error) {
	snap, err := FactSnapshot.Get(p)
	if err != nil {
		return agent.CompareResult{}, err
	}
	records, done, err := readRecords(path)
	if err != nil {
		return agent.CompareResult{}, err
	}
	defer done()
	req := agent.CompareRequest{Pieces: at.pieces}
	if !content {
		req.Fingerprint = snap.Result.Fingerprint
	}
	return inspectWith[agent.CompareRequest, agent.CompareResult](ctx, at, p, job[agent.CompareRequest]{
		name: agent.JobCompare, req: req, input: records, what: "compare with the snapshot",
	})
}

func describeDifferences(res agent.CompareResult) []string {
	if res.Equal {
		return nil
	}
	var out []string
	for i, d := range res.Diffs {
		if i == 5 {
			break
		}
		out = append(out, fmt.Sprintf("%s/%s: %s", d.Piece, d.Path, d.What))
	}
	if res.Count > int64(len(out)) {
		out = append(out, fmt.Sprintf("%d differences in all", res.Count))
	}
	return out
}

// exists reports whether the file is there.
func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
