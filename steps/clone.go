package steps

import (
	"context"
	"fmt"

	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// Clone lays a writable overlay over each volume of the snapshot. What an earlier rehearsal
// left behind is thrown away first.
func (w *Workspace) Clone(ctx context.Context, p *engine.Pass, fresh bool) (engine.Writer, error) {
	site, err := FactSite.Get(p)
	if err != nil {
		return nil, err
	}
	snap, err := FactSnapshot.Get(p)
	if err != nil {
		return nil, err
	}
	c, err := w.docker(ctx)
	if err != nil {
		return nil, err
	}
	if fresh {
		if err := w.removeLeftovers(ctx, c, dockerops.RoleHelper, dockerops.RoleSandbox, dockerops.RoleScratch, dockerops.RoleClone); err != nil {
			return nil, fmt.Errorf("throwing the last clone away: %w", err)
		}
	}
	image, err := w.helperImage(ctx)
	if err != nil {
		return nil, err
	}
	at := &Place{ws: w, site: &site, name: fmt.Sprintf("clone %d", p.View().Attempt), writable: true, pieces: site.copyPieces()}
	for _, piece := range site.Pieces {
		made, err := c.OverlayClone(ctx, dockerops.CloneSpec{
			Name:     w.name("clone", fmt.Sprintf("%s-%s", piece.Name, randomSuffix())),
			Incident: w.cfg.Incident, Lower: snap.Volumes[piece.Name], Image: image,
		})
		if err != nil {
			return nil, err
		}
		m := dockerops.Mount{Type: dockerops.MountVolume, Name: made.Volume, Destination: "/dst/" + piece.Name}
		at.source = append(at.source, m)
		m.Destination = piece.ContainerPath
		at.data = append(at.data, m)
	}
	return w.add(at), nil
}
