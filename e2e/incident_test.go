package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/pgrescue/pgrescue/demo"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// TestIncident follows one broken database from the first look to a performance with
// nobody present and back again. The cases build on each other.
func TestIncident(t *testing.T) {
	l := newLab(t)
	s := &story{lab: l, b: l.breakOne(demo.Options{Major: 15})}
	s.target = "container:" + s.b.Container
	s.data = l.path(s.b.Volume)
	for _, c := range []struct {
		name string
		test func(*testing.T)
	}{
		{"triage names the trouble and changes nothing", s.triage},
		{"rehearsal with nobody present ends with exit 4", s.rehearse},
		{"apply with a wrong digest changes nothing", s.applyWrongDigest},
		{"apply with a wrong confirmation changes nothing", s.applyWrongConfirm},
		{"apply on a touched original names the file", s.applyTouched},
		{"apply heals", s.apply},
		{"undo puts everything back", s.undo},
		{"clean removes the snapshot only when told", s.clean},
	} {
		if !t.Run(c.name, c.test) {
			t.Fatal("the later cases build on this one")
		}
	}
}

// story is what the cases of TestIncident share.
type story struct {
	*lab
	b        *demo.Broken
	target   string
	data     string // the original on this host
	incident string
	digest   string
	sealed   manifest // the original when the rehearsal had passed
}

// in makes the lab fail the case at hand.
func (s *story) in(t *testing.T) { s.t = t }

func (s *story) triage(t *testing.T) {
	s.in(t)
	before := s.inspect(s.b.Container)
	r := s.run("triage", s.target, "--ui", "plain")
	r.want(t, 3, "invalid lp", "crash-loop")
	after := s.inspect(s.b.Container)
	if after.HostConfig.RestartPolicy != before.HostConfig.RestartPolicy || after.ID != before.ID {
		t.Error("triage changed the container")
	}
	// It must be looping still.
	s.eventually("it is restarted again", minute, func() bool { return s.inspect(s.b.Container).RestartCount > after.RestartCount })
	if containers, volumes := s.owned(s.last()); len(containers)+len(volumes) > 0 {
		t.Errorf("triage left %v and %v", containers, volumes)
	}
}

func (s *story) rehearse(t *testing.T) {
	s.in(t)
	r := s.run("run", "crash-loop", s.target, "--rehearse-only", "--ui", "json")
	r.want(t, 4)
	lines := jsonLines(t, r.stdout)
	end := lines[len(lines)-1]
	if end.Type != "result" || end.Exit != 4 || end.Outcome != "rehearsed" || end.Original != untouched {
		t.Fatalf("outcome %q, exit %d, original %q: %s", end.Outcome, end.Exit, end.Original, end.Summary)
	}
	if strings.Contains(r.stderr, "{") {
		t.Errorf("data on stderr: %q", r.stderr)
	}
	s.incident = end.Incident
	if s.incident != s.last() {
		t.Errorf("the result names incident %q, the directory is %q", s.incident, s.last())
	}
	if end.Rehearsed == nil || len(end.Rehearsed.Digest) != 64 {
		t.Fatalf("the result has no digest: %+v", end.Rehearsed)
	}
	s.digest = end.Rehearsed.Digest
	for _, table := range []string{"public.parent", "public.child", "public.document"} {
		i := slices.IndexFunc(end.Verdicts, func(v verdict) bool { return v.Subject == s.b.Database+"."+table })
		if i < 0 {
			t.Errorf("there is no verdict on %s", table)
			continue
		}
		v := end.Verdicts[i]
		if v.Result != engine.Passed || len(v.Evidence) == 0 || !json.Valid(v.Data) {
			t.Errorf("verdict on %s: %+v", table, v)
		}
	}
	s.sealed = readManifest(t, s.data)
	_, volumes := s.owned(s.incident)
	if len(volumes["snapshot"]) != 1 {
		t.Fatalf("snapshot volumes: %v", volumes["snapshot"])
	}
	requireSame(t, "original and snapshot", s.sealed.without("postmaster.pid"), readManifest(t, s.path(volumes["snapshot"][0])).without("postmaster.pid"))
}

// unchanged fails the case if a run that was refused has done anything.
func (s *story) unchanged() {
	s.t.Helper()
	requireSame(s.t, "the original", s.sealed, readManifest(s.t, s.data))
	if c := s.inspect(s.b.Container); c.State.Running {
		s.t.Error("the container was started")
	}
}

func (s *story) confirm() string {
	s.t.Helper()
	r := s.run("inspect", "control", s.data, "--json")
	r.want(s.t, 0)
	var control struct{ SystemIdentifier json.Number }
	s.must(json.Unmarshal([]byte(r.stdout), &control))
	id := control.SystemIdentifier.String()
	if len(id) < 15 {
		s.t.Fatalf("inspect control gives no system identifier: %s", r.stdout)
	}
	return shortHost(s.t) + "/" + id[len(id)-4:]
}

func (s *story) applyWrongDigest(t *testing.T) {
	s.in(t)
	before := s.status(s.incident)
	wrong := strings.Repeat("0123456789abcdef", 4)
	for _, digest := range []string{wrong, s.digest[:12], "WRONG"} {
		r := s.run("apply", s.incident, "--approve", digest, "--confirm", s.confirm())
		r.want(t, 6, s.digest)
		r.oneSentence(t)
	}
	s.unchanged()
	if after := s.status(s.incident); after.Head != before.Head {
		t.Errorf("the journal went on: %+v, was %+v", after, before)
	}
}

func (s *story) applyWrongConfirm(t *testing.T) {
	s.in(t)
	for _, confirm := range []string{"elsewhere/0000", shortHost(t) + "/0000", shortHost(t), "yes"} {
		r := s.run("apply", s.incident, "--approve", s.digest, "--confirm", confirm)
		if r.code == 0 || r.code == 4 {
			t.Fatalf("--confirm %s: exit %d\n%s", confirm, r.code, tail(r.stdout, 40))
		}
		t.Logf("--confirm %s: exit %d: %s", confirm, r.code, r.stderr)
		s.unchanged()
	}
	r := s.run("apply", s.incident, "--approve", s.digest)
	r.want(t, 2, "--confirm")
	r.oneSentence(t)
	s.unchanged()
}

// applyTouched changes one byte of the original and its times back, as well as that can be
// done from outside.
func (s *story) applyTouched(t *testing.T) {
	s.in(t)
	name := filepath.Join(s.data, "base/1/PG_VERSION")
	old, err := os.ReadFile(name)
	s.must(err)
	info, err := os.Stat(name)
	s.must(err)
	s.must(os.WriteFile(name, append([]byte("9"), old[1:]...), 0o600))
	s.must(os.Chtimes(name, info.ModTime(), info.ModTime()))
	touched := readManifest(t, s.data)
	r := s.run("apply", s.incident, "--approve", s.digest, "--confirm", s.confirm())
	r.want(t, 6, "base/1/PG_VERSION")
	requireSame(t, "the touched original", touched, readManifest(t, s.data))
	s.must(os.WriteFile(name, old, 0o600))
	s.must(os.Chtimes(name, info.ModTime(), info.ModTime()))
	s.unchanged()
}

func (s *story) apply(t *testing.T) {
	s.in(t)
	r := s.run("apply", s.incident, "--approve", s.digest, "--confirm", s.confirm())
	r.want(t, 0, "healed")
	s.serves(s.b.Container)
	if p := s.inspect(s.b.Container).HostConfig.RestartPolicy.Name; p != container.RestartPolicyAlways {
		t.Errorf("the restart policy is %q", p)
	}
	checkRows(s.lab, s.b)
	checkKeys(s.lab, s.b)
	checkRecord(s.lab, s.incident)
	checkLeftovers(s.lab, s.incident)
}

// undo looks at the original between the two steps that matter: once the container is
// given back it writes again.
func (s *story) undo(t *testing.T) {
	s.in(t)
	_, volumes := s.owned(s.incident)
	snapshot := readManifest(t, s.path(volumes["snapshot"][0]))
	looked := false
	decide := func(w line) engine.Decision {
		if w.Gate != nil && w.Step == "give-back-undone" {
			looked = true
			requireSame(t, "the original put back", s.sealed, readManifest(t, s.data))
		}
		return agree(w)
	}
	r := s.drive(decide, nil, "undo", s.incident)
	r.want(t, 0)
	if !looked {
		t.Error("undo did not ask before it gave the container back")
	}
	requireSame(t, "the snapshot after undo", snapshot, readManifest(t, s.path(volumes["snapshot"][0])))
	count := s.inspect(s.b.Container).RestartCount
	s.eventually("the loop is back", minute, func() bool { return s.inspect(s.b.Container).RestartCount > count })
	if p := s.inspect(s.b.Container).HostConfig.RestartPolicy.Name; p != container.RestartPolicyAlways {
		t.Errorf("the restart policy is %q", p)
	}
	if got := s.status(s.incident); got.Original != string(engine.PutBack) || len(got.Obligations) > 0 {
		t.Errorf("status after undo: %+v", got)
	}
	checkLeftovers(s.lab, s.incident)
}

func (s *story) clean(t *testing.T) {
	s.in(t)
	s.run("clean", s.incident).want(t, 0)
	checkLeftovers(s.lab, s.incident)
	s.run("clean", s.incident, "--snapshot").want(t, 0, "snapshot")
	if containers, volumes := s.owned(s.incident); len(containers)+len(volumes) > 0 {
		t.Errorf("left after clean --snapshot: %v, %v", containers, volumes)
	}
	s.run("verify", s.dir(s.incident)).want(t, 0)
}
