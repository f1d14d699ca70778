package steps

import (
	"context"
	"testing"
	"time"

	"github.com/pgrescue/pgrescue/agent"
	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// memoryLog keeps a session's events in memory.
type memoryLog struct{}

var _ engine.Log = memoryLog{}

func (memoryLog) Append(e engine.Event) (engine.Event, error) { return e, nil }
func (memoryLog) Keep(string, string, []string, engine.Output) (string, error) {
	return "kept", nil
}

// onePlace is a workspace whose only place is the one given. Nothing can be written in it.
type onePlace struct {
	*Workspace
	at *Place
}

func (w onePlace) Original(context.Context, *engine.Pass) (engine.Target, error) { return w.at, nil }
func (w onePlace) Release(context.Context, engine.Act) error                     { return nil }

// withPass runs the function as a step of a real session would be run, and returns the view
// of what it journaled.
func withPass(t *testing.T, incident string, at *Place, settings map[string]string, f func(*engine.Pass)) engine.View {
	t.Helper()
	ran := false
	pb := &engine.Playbook{Name: "test", Title: "Test", Doc: "Test.", Steps: []*engine.Step{{
		Name: "test", Title: "Test", Doc: "Test.", Part: engine.Opening,
		Observe: func(_ context.Context, p *engine.Pass) error {
			ran = true
			f(p)
			return nil
		},
	}}}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ws := NewWorkspace(Config{Incident: incident, Dir: t.TempDir(), Target: "container:db", Host: "db7"})
	if at == nil {
		at = &Place{ws: ws, name: "nowhere"}
	}
	s, err := engine.Open(pb, onePlace{ws, at}, memoryLog{}, nil, engine.Reopened{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Begin(engine.Opened{Incident: incident, Options: engine.Options{RehearseOnly: true, Settings: settings}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if !ran {
		t.Fatal("the step was not played")
	}
	return s.View()
}

// volume and bind are mounts as inspect shows them.
func volume(name, at string) dockerops.Mount {
	return dockerops.Mount{Type: dockerops.MountVolume, Name: name, Source: "/var/lib/docker/volumes/" + name + "/_data", Destination: at}
}

func bind(source, at string) dockerops.Mount {
	return dockerops.Mount{Type: dockerops.MountBind, Source: source, Destination: at}
}

func tmpfs(at string) dockerops.Mount {
	return dockerops.Mount{Type: dockerops.MountTmpfs, Destination: at}
}

func target(mounts ...dockerops.Mount) dockerops.Target {
	return dockerops.Target{Kind: dockerops.KindContainer, Name: "db", ContainerID: "c0ffee", Mounts: mounts}
}

// placeWith is a place of a cluster with pg_wal and two tablespaces elsewhere.
func placeWith() *Place {
	return &Place{ws: NewWorkspace(Config{}), name: "a clone", site: &Site{
		Target: target(volume("db-data", "/data"), volume("db-wal", "/wal"), volume("fast", "/ts")),
		PGData: "/data", UID: 999, GID: 998, Major: 15,
		Pieces: []SitePiece{
			{Name: agent.RoleData, Mount: 0, Sub: ".", ContainerPath: "/data"},
			{Name: agent.RoleWAL, Mount: 1, Sub: "pg", ContainerPath: "/wal/pg"},
			{Name: agent.RoleTablespacePrefix + "16", Mount: 2, Sub: "a", ContainerPath: "/ts/a"},
			{Name: agent.RoleTablespacePrefix + "16385", Mount: 2, Sub: "b", ContainerPath: "/ts/b"},
		},
	}}
}
