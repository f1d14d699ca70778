package steps

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/pgrescue/pgrescue/agent"
	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// Config is what a Workspace has to know of its incident.
type Config struct {
	Incident string // its name: every Docker object carries it
	Dir      string // its directory
	Target   string // as the operator gave it
	Host     string // short name
	Version  string
	// Owed finds what earlier incidents stopped and have not given back. It reads their
	// journals, so it is asked only when something is to be stopped.
	Owed func() []engine.Obligation
}

// Workspace binds the engine to Docker and the agent.
type Workspace struct {
	cfg Config

	mu     sync.Mutex
	client *dockerops.Client
	image  string // of helpers
	places []*Place
	lost   bool // the daemon has gone away, and that has been said
}

var _ engine.Workspace = (*Workspace)(nil)

// NewWorkspace connects to nothing yet.
func NewWorkspace(cfg Config) *Workspace { return &Workspace{cfg: cfg} }

// docker connects on first use.
func (w *Workspace) docker(ctx context.Context) (*dockerops.Client, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.client != nil {
		return w.client, nil
	}
	c, err := dockerops.Connect(ctx)
	if err != nil {
		return nil, &engine.Error{Kind: engine.Precondition, Msg: "Docker", Hint: "start the Docker daemon, then run pgrescue resume", Err: err}
	}
	c.KeepEnv = []string{"PGDATA", "POSTGRES_USER", "PGUSER", "PG_MAJOR"} // and nothing that may be secret
	w.client = c
	return c, nil
}

// helperImage makes the image that holds this very program and nothing else.
func (w *Workspace) helperImage(ctx context.Context) (string, error) {
	c, err := w.docker(ctx)
	if err != nil {
		return "", err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.image != "" {
		return w.image, nil
	}
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding this program: %w", err)
	}
	w.image, err = c.EnsureHelperImage(ctx, self)
	return w.image, err
}

// name makes the name of a Docker object of this incident.
func (w *Workspace) name(role, of string) string {
	return fmt.Sprintf("pgrescue-%s-%s-%s", w.cfg.Incident, role, of)
}

func (w *Workspace) tag(role dockerops.Role) dockerops.Tag {
	return dockerops.Tag{Incident: w.cfg.Incident, Role: role}
}

func (w *Workspace) add(p *Place) *Place {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.places = append(w.places, p)
	return p
}

// Original is the target's data by read-only mounts. Before triage it is a place without
// a site: there is nothing to look at yet.
func (w *Workspace) Original(_ context.Context, p *engine.Pass) (engine.Target, error) {
	site, err := FactSite.Get(p)
	if err != nil {
		return w.add(&Place{ws: w, name: w.cfg.Target, original: true}), nil
	}
	w.mu.Lock()
	for _, at := range w.places {
		if at.original && !at.writable && at.site != nil && !at.closed {
			w.mu.Unlock()
			return at, nil
		}
	}
	w.mu.Unlock()
	return w.add(w.originalPlace(site, false)), nil
}

func (w *Workspace) originalPlace(site Site, writable bool) *Place {
	return &Place{
		ws: w, site: &site, name: "the original, " + w.cfg.Target, original: true, writable: writable,
		source: site.sourceMounts(!writable), data: site.serverMounts(!writable), pieces: site.sourcePieces(),
	}
}

// OriginalWriter makes the original writable for one step of one consented plan. Nobody
// else may be writing to it.
func (w *Workspace) OriginalWriter(ctx context.Context, p *engine.Pass, permit engine.Permit) (engine.Writer, error) {
	if !permit.Valid() {
		return nil, errors.New("no writer on the original without a permit")
	}
	site, err := FactSite.Get(p)
	if err != nil {
		return nil, err
	}
	if err := w.requireQuiet(ctx, site); err != nil {
		return nil, err
	}
	return w.add(w.originalPlace(site, true)), nil
}

// requireQuiet refuses while a container other than ours can write to the data.
func (w *Workspace) requireQuiet(ctx context.Context, site Site) error {
	c, err := w.docker(ctx)
	if err != nil {
		return err
	}
	users, err := c.Users(ctx, site.sources()...)
	if err != nil {
		return err
	}
	for _, u := range users {
		if u.Writes() && u.Incident != w.cfg.Incident {
			return engine.Errorf(engine.Precondition, "stop it, and what starts it, then run pgrescue resume",
				"%s %s is running with the data mounted writable", u.Kind, u.Name)
		}
	}
	return nil
}

// sources are the volumes and directories that hold the cluster.
func (s Site) sources() []dockerops.Source {
	var out []dockerops.Source
	for _, p := range s.Pieces {
		out = append(out, s.Target.Mounts[p.Mount].Data())
	}
	return out
}

// Challenge is HOST/1234: the short name of this host and the end of the cluster's system
// identifier, so that a consent cannot land on another machine or another database.
func (w *Workspace) Challenge(p *engine.Pass) (string, error) {
	return ChallengeOf(p.View(), w.cfg.Host)
}

// ChallengeOf is the challenge of an incident whose journal is at hand.
func ChallengeOf(v engine.View, host string) (string, error) {
	site, err := FactSite.From(v, engine.Prepare)
	if err != nil {
		return "", err
	}
	id := site.SystemID
	if len(id) < 4 {
		id = "0000"
	}
	return host + "/" + id[len(id)-4:], nil
}

// Unchanged compares the original with the snapshot by what the kernel keeps of every
// file: size, times (the change time cannot be set back) and inode.
func (w *Workspace) Unchanged(ctx context.Context, p *engine.Pass) ([]string, error) {
	snap, err := FactSnapshot.Get(p)
	if err != nil {
		return nil, err
	}
	target, err := w.Original(ctx, p)
	if err != nil {
		return nil, err
	}
	res, err := compare(ctx, target.(*Place), w.recordsPath(snap), false, p)
	if err != nil {
		return nil, err
	}
	return describeDifferences(res), p.Say("compared the original with the snapshot's records by %s", compareWords(res))
}

// compareWords says on what evidence two trees are equal or not.
func compareWords(res agent.CompareResult) string {
	if res.Method == "fingerprint" {
		return "names, sizes, inodes and change times of every file, which the kernel keeps"
	}
	return fmt.Sprintf("content: %d files, %s", res.Files, humanBytes(res.Bytes))
}

// TakeOver removes the containers and clones of an engine that died. A server among them is
// asked to shut down first.
func (w *Workspace) TakeOver(ctx context.Context) error {
	c, err := w.docker(ctx)
	if err != nil {
		return err
	}
	return w.removeLeftovers(ctx, c, dockerops.RoleHelper, dockerops.RoleSandbox, dockerops.RoleScratch, dockerops.RoleClone)
}

// Release stops servers and helpers of this process and of any that died before it.
func (w *Workspace) Release(ctx context.Context, _ engine.Act) error {
	w.mu.Lock()
	places, client, lost := w.places, w.client, w.lost
	w.places = nil
	w.mu.Unlock()
	if lost {
		return nil // TakeOver does it when the daemon is back
	}
	var errs []error
	for _, p := range places {
		errs = append(errs, p.Close(ctx))
	}
	if client != nil {
		errs = append(errs, w.removeLeftovers(ctx, client, dockerops.RoleHelper, dockerops.RoleSandbox, dockerops.RoleScratch, dockerops.RoleClone))
	}
	return w.daemonGone(errors.Join(errs...))
}

// removeLeftovers removes what this incident made for the roles. A server is asked to shut
// down before it is removed.
func (w *Workspace) removeLeftovers(ctx context.Context, c *dockerops.Client, roles ...dockerops.Role) error {
	owned, err := c.Owned(ctx, w.cfg.Incident)
	if err != nil {
		return err
	}
	var errs []error
	for _, o := range owned {
		if !slices.Contains(roles, o.Tag.Role) {
			continue
		}
		if o.Kind == dockerops.KindVolume {
			errs = append(errs, c.RemoveVolume(ctx, o.ID))
			continue
		}
		if o.Tag.Role == dockerops.RoleSandbox {
			errs = append(errs, c.Stop(ctx, o.ID, stopGrace))
		}
		errs = append(errs, c.Remove(ctx, o.ID))
	}
	return errors.Join(errs...)
}

// jobError gives an agent's error the kind that decides the exit code.
func jobError(err error) error {
	if err == nil {
		return nil
	}
	kind := engine.Failure
	switch agent.KindOf(err) {
	case agent.KindNoSpace, agent.KindNoInodes, agent.KindNotEmpty:
		kind = engine.Precondition
	case agent.KindChanged:
		kind = engine.Stale
	}
	var e *agent.Error
	hint := ""
	if errors.As(err, &e) {
		hint = e.Hint
	}
	return &engine.Error{Kind: kind, Hint: hint, Err: err}
}
