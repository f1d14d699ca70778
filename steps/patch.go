package steps

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/pgrescue/pgrescue/agent"
	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/pgops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// savePath is where the patch job finds the incident's directory for saved bytes.
const savePath = "/save"

// maxPatch keeps one patch request within what the agent takes.
const (
	maxPatchChanges = 20000
	maxPatchBytes   = 16 << 20
)

// patch carries out changes of files, the old bytes saved first.
func patch(ctx context.Context, at *Place, p *engine.Pass, changes []agent.Change, what string) error {
	if len(changes) == 0 {
		return nil
	}
	save := at.ws.path("before")
	if err := os.MkdirAll(save, 0o700); err != nil {
		return fmt.Errorf("directory for saved bytes: %w", err)
	}
	mounts := append(at.source[:len(at.source):len(at.source)], dockerops.Mount{Type: dockerops.MountBind, Source: save, Destination: savePath})
	for _, part := range splitChanges(changes) {
		err := p.Do(ctx, fmt.Sprintf("%s: %d changes of files on %s", what, len(part), at.name), nil, func(ctx context.Context) (engine.Output, error) {
			res, err := changeWith[agent.PatchRequest, agent.PatchResult](ctx, at, mounts, p, job[agent.PatchRequest]{
				name: agent.JobPatch, what: what, req: agent.PatchRequest{Pieces: at.pieces, Save: savePath, Changes: part},
			})
			text := fmt.Sprintf("%d written, %d already there, %d bytes, saved in before/%s\n", res.Written, res.Already, res.Bytes, res.Saved)
			return engine.Output{Stdout: []byte(text)}, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// splitChanges cuts a long list into requests of bounded size. No single change is larger
// than a request may be: see zeroRun.
func splitChanges(changes []agent.Change) [][]agent.Change {
	var out [][]agent.Change
	start, bytes := 0, 0
	for i, c := range changes {
		n := len(c.Before) + len(c.After)
		if i > start && (i-start >= maxPatchChanges || bytes+n > maxPatchBytes) {
			out = append(out, changes[start:i])
			start, bytes = i, 0
		}
		bytes += n
	}
	if start < len(changes) {
		out = append(out, changes[start:])
	}
	return out
}

// pieceOf finds the piece that holds a path of the data directory, following the links the
// cluster has.
func (p *Place) pieceOf(path string) (piece string, rel agent.Path) {
	for _, s := range p.site.Pieces {
		at := ""
		switch {
		case s.Name == agent.RoleWAL:
			at = "pg_wal"
		case strings.HasPrefix(s.Name, agent.RoleTablespacePrefix):
			at = "pg_tblspc/" + strings.TrimPrefix(s.Name, agent.RoleTablespacePrefix)
		}
		if at == "" {
			continue
		}
		if rest, ok := below(at, path); ok {
			return s.Name, agent.Path(rest)
		}
	}
	return agent.RoleData, agent.Path(path)
}

// makeDir is the change that makes an empty directory for the server.
func (p *Place) makeDir(path string) agent.Change {
	piece, rel := p.pieceOf(path)
	return agent.Change{Piece: piece, Path: rel, Op: agent.OpMkdir, UID: p.site.UID, GID: p.site.GID, Mode: 0o700}
}

// zeroRun bounds what one change of a run of zeros holds.
const zeroRun = 1 << 20

// changesOf turns planned edits into what the agent carries out.
func (p *Place) changesOf(edits []pgops.Edit) []agent.Change {
	var out []agent.Change
	zeros := make([]byte, zeroRun) // shared: thousands of edits may be nothing but zeros
	for _, e := range edits {
		out = append(out, p.changeOf(e, zeros)...)
	}
	return out
}

func (p *Place) changeOf(e pgops.Edit, zeros []byte) []agent.Change {
	piece, rel := p.pieceOf(e.Path)
	var out []agent.Change
	if e.Create {
		out = append(out, agent.Change{Piece: piece, Path: rel, Op: agent.OpCreate, UID: p.site.UID, GID: p.site.GID, Mode: 0o600})
	}
	if e.After != nil {
		return append(out, agent.Change{Piece: piece, Path: rel, Op: agent.OpWrite, Off: e.Offset, Before: e.Before, After: e.After, Extend: len(e.Before) < len(e.After)})
	}
	run := int64(len(zeros))
	for done := int64(0); done < e.Zeros; done += run {
		n := min(e.Zeros-done, run)
		out = append(out, agent.Change{Piece: piece, Path: rel, Op: agent.OpWrite, Off: e.Offset + done, After: zeros[:n], Extend: true})
	}
	return out
}
