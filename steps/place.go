package steps

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/pgrescue/pgrescue/agent"
	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// Place is the original or a clone, with what is needed to look at it, run PostgreSQL's
// tools on it and start a server on it. A place that is not writable is mounted
// read-only everywhere.
type Place struct {
	ws       *Workspace
	name     string
	site     *Site // nil before triage
	original bool
	writable bool
	source   []dockerops.Mount // as helpers see the data
	data     []dockerops.Mount // as the server sees it
	pieces   []agent.Piece     // under source

	clones []dockerops.Clone // of a clone: what it is made of

	mu     sync.Mutex
	helper string // container id, "" until needed
	run    string // volume that the helper and the server share for socket and settings
	server string // container id of the running server
	doomed bool   // the server need not be shut down in order
	closed bool
}

var _ engine.Writer = (*Place)(nil)

// Place names it for people.
func (p *Place) Place() string { return p.name }

// here is the place a step looks at.
func here(p *engine.Pass) *Place { return p.Target().(*Place) }

// there is the place a deed may change.
func there(d *engine.Deed) (*Place, error) {
	at, ok := d.Writer.(*Place)
	if !ok || at == nil || !at.writable {
		return nil, errors.New("no writable place was handed out")
	}
	return at, nil
}

// Close stops what runs on the place. A server is shut down cleanly first.
func (p *Place) Close(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.ws.client == nil {
		return nil
	}
	p.closed = true
	var errs []error
	if p.server != "" {
		if !p.doomed {
			errs = append(errs, p.ws.client.Stop(ctx, p.server, stopGrace))
		}
		errs = append(errs, p.ws.client.Remove(ctx, p.server))
	}
	if p.helper != "" {
		errs = append(errs, p.ws.client.Remove(ctx, p.helper))
	}
	if p.run != "" {
		errs = append(errs, p.ws.client.RemoveVolume(ctx, p.run))
	}
	p.server, p.helper, p.run = "", "", ""
	return errors.Join(errs...)
}

// kill gives the server up without a shutdown: what it writes no longer matters.
func (p *Place) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.doomed = true
}

// runPath is where the shared run volume is mounted, in helpers and servers alike.
const runPath = "/pgrescue-run"

// helperSpec is a container that runs one agent with the mounts given.
func (p *Place) helperSpec(ctx context.Context, mounts []dockerops.Mount, args ...string) (dockerops.Spec, error) {
	image, err := p.ws.helperImage(ctx)
	if err != nil {
		return dockerops.Spec{}, err
	}
	return dockerops.Spec{
		Tag: p.ws.tag(dockerops.RoleHelper), Image: image, User: "0:0",
		Entrypoint: []string{dockerops.HelperBinary}, Cmd: append([]string{"agent"}, args...),
		Mounts: mounts, ReadonlyRootfs: true,
		// What a full-fidelity copy needs: read and write whatever the owner, give files
		// away, set modes and times.
		CapAdd: []string{"DAC_OVERRIDE", "DAC_READ_SEARCH", "CHOWN", "FOWNER", "FSETID", "SETFCAP"},
	}, nil
}

// look starts the place's resident helper, with the data read-only whatever the place may
// do, and the run volume beside it.
func (p *Place) look(ctx context.Context) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return "", fmt.Errorf("%s has been closed", p.name)
	}
	if p.helper != "" {
		return p.helper, nil
	}
	c, err := p.ws.docker(ctx)
	if err != nil {
		return "", err
	}
	run, err := c.CreateVolume(ctx, p.ws.name("run", randomSuffix()), p.ws.tag(dockerops.RoleScratch), nil)
	if err != nil {
		return "", err
	}
	p.run = run.Name
	mounts := append(readOnly(p.source), dockerops.Mount{Type: dockerops.MountVolume, Name: run.Name, Destination: runPath})
	spec, err := p.helperSpec(ctx, mounts, "idle")
	if err != nil {
		return "", err
	}
	id, err := c.Run(ctx, spec)
	if err != nil {
		return "", err
	}
	p.helper = id
	return id, nil
}

func readOnly(mounts []dockerops.Mount) []dockerops.Mount {
	out := make([]dockerops.Mount, len(mounts))
	for i, m := range mounts {
		m.ReadOnly = true
		out[i] = m
	}
	return out
}
