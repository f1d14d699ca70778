package steps

import (
	"testing"

	"github.com/pgrescue/pgrescue/agent"
	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

func TestWantedPGData(t *testing.T) {
	argv := func(args ...string) dockerops.Target {
		tg := target(volume("db", "/mnt"))
		tg.Entrypoint, tg.Cmd = []string{"docker-entrypoint.sh"}, args
		tg.Env = map[string]string{"PGDATA": "/env"}
		return tg
	}
	env := target()
	env.Env = map[string]string{"PGDATA": "/var/lib/postgresql/18/docker"}
	entry := target()
	entry.Entrypoint, entry.Cmd = []string{"postgres", "-D"}, []string{"/split"}
	vol := dockerops.Target{Kind: dockerops.KindVolume, Name: "db", Mounts: []dockerops.Mount{volume("db", "/volume")}}
	dir := dockerops.Target{Kind: dockerops.KindDir, Name: "/srv/pg", Mounts: []dockerops.Mount{bind("/srv/pg", "/srv/pg")}}
	setting := map[string]string{SettingPGData: "/told"}
	for _, c := range []struct {
		name     string
		target   dockerops.Target
		settings map[string]string
		want     string
	}{
		{"-D and a word", argv("postgres", "-D", "/arg"), nil, "/arg"},
		{"-Dword", argv("postgres", "-D/arg"), nil, "/arg"},
		{"--pgdata=", argv("pg_ctl", "--pgdata=/arg", "start"), nil, "/arg"},
		{"-D at the end says nothing", argv("postgres", "-D"), nil, "/env"},
		{"lower-case -d is another switch", argv("postgres", "-d", "5"), nil, "/env"},
		{"the first one counts", argv("postgres", "-D", "/one", "--pgdata=/two"), nil, "/one"},
		{"entry point and command are one line", entry, nil, "/split"},
		{"environment", env, nil, "/var/lib/postgresql/18/docker"},
		{"the operator wins", argv("postgres", "-D", "/arg"), setting, "/told"},
		{"a volume by itself", vol, nil, "/volume"},
		{"a directory by itself", dir, nil, "/srv/pg"},
		{"a container that says nothing", target(volume("db", "/mnt")), nil, "/var/lib/postgresql/data"},
	} {
		withPass(t, "i", nil, c.settings, func(p *engine.Pass) {
			if got := wantedPGData(c.target, p); got != c.want {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
			}
		})
	}
}

func TestChooseData(t *testing.T) {
	tg := target(volume("db", "/var/lib/postgresql"))
	dirs := func(subs ...string) (out []agent.DataDir) {
		for _, s := range subs {
			out = append(out, agent.DataDir{Sub: agent.Path(s)})
		}
		return out
	}
	for _, c := range []struct {
		name   string
		dirs   []agent.DataDir
		wanted string
		want   string
		ok     bool
	}{
		{"the wanted one", dirs("14/main", "15/main"), "/var/lib/postgresql/15/main", "15/main", true},
		{"with a slash at its end", dirs("14/main", "15/main"), "/var/lib/postgresql/15/main/", "15/main", true},
		{"the mount itself", dirs("."), "/var/lib/postgresql", ".", true},
		{"a single other one", dirs("18/docker"), "/var/lib/postgresql/data", "18/docker", true},
		{"none of several", dirs("14/main", "15/main"), "/var/lib/postgresql/data", "", false},
		{"none", nil, "/var/lib/postgresql/data", "", false},
	} {
		got, ok := chooseData(tg, 0, c.dirs, c.wanted)
		if ok != c.ok || string(got.Sub) != c.want {
			t.Errorf("%s: %q, %v; want %q, %v", c.name, got.Sub, ok, c.want, c.ok)
		}
	}
}
