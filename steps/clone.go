package steps

import (
	"context"
	"fmt"

	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// Clone lays a writable overlay over each volume of the snapshot. Every one is fresh: what an
// engine that died left behind was removed when this one took over.
func (w *Workspace) Clone(ctx context.Context, p *engine.Pass, _ bool) (engine.Writer, error) {
	at, err := w.newClone(ctx, p, fmt.Sprintf("clone %d", p.View().Attempt))
	if err != nil {
		return nil, err
	}
	return at, nil
}

// newClone makes one more clone of the snapshot.
func (w *Workspace) newClone(ctx context.Context, p *engine.Pass, name string) (*Place, error) {
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
	image, err := w.helperImage(ctx)
	if err != nil {
		return nil, err
	}
	at := &Place{ws: w, site: &site, name: name, writable: true, pieces: site.copyPieces()}
	for _, piece := range site.Pieces {
		made, err := c.OverlayClone(ctx, dockerops.CloneSpec{
			Name:     w.name("clone", fmt.Sprintf("%s-%s", piece.Name, randomSuffix())),
			Incident: w.cfg.Incident, Lower: snap.Volumes[piece.Name], Image: image,
		})
		if err != nil {
			return nil, err
		}
		at.clones = append(at.clones, made)
		m := dockerops.Mount{Type: dockerops.MountVolume, Name: made.Volume, Destination: "/dst/" + piece.Name}
		at.source = append(at.source, m)
		m.Destination = piece.ContainerPath
		at.data = append(at.data, m)
	}
	return w.add(at), nil
}
