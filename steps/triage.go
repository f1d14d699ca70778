package steps

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/pgops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// Settings that triage reads.
const (
	SettingImage  = "image"  // image to run PostgreSQL from
	SettingPGData = "pgdata" // data directory in the container
	SettingGood   = "good"   // known-good cluster to compare with
)

// Triage looks at the target, changes nothing, and says what is wrong.
func Triage() *engine.Step {
	return &engine.Step{
		Name: "triage", Title: "Triage", Doc: doc("triage"), Part: engine.Opening,
		Makes: []engine.AnyFact{FactSite, FactHeadline}, Observe: observeTriage,
	}
}

func observeTriage(ctx context.Context, p *engine.Pass) error {
	ws := here(p).ws
	c, err := ws.docker(ctx)
	if err != nil {
		return err
	}
	target, err := c.Resolve(ctx, ws.cfg.Target)
	if err != nil {
		return &engine.Error{Kind: engine.Precondition, Hint: "pgrescue without arguments lists what there is", Err: err}
	}
	target, err = withContainer(ctx, c, target)
	if err != nil {
		return err
	}
	if err := showState(p, target); err != nil {
		return err
	}
	site, found, err := survey(ctx, ws, target, p)
	if err != nil {
		return err
	}
	if err := FactSite.Put(p, site); err != nil {
		return err
	}
	if err := FactHeadline.Put(p, headline(ws.cfg, site)); err != nil {
		return err
	}
	return errors.Join(
		reportData(p, site, found),
		reportUsers(ctx, c, p, site),
		reportLog(ctx, c, p, site, found),
	)
}

// withContainer finds the container behind a volume or directory that several use.
func withContainer(ctx context.Context, c *dockerops.Client, t dockerops.Target) (dockerops.Target, error) {
	if t.ContainerID != "" {
		return t, nil
	}
	for _, u := range t.UsedBy {
		if u.Kind != dockerops.KindContainer || u.Incident != "" || u.Mount.ReadOnly {
			continue
		}
		full, err := c.Container(ctx, u.ID)
		if err != nil {
			return t, err
		}
		if full.Env["PGDATA"] != "" || strings.Contains(full.Image, "postgres") {
			full.Kind, full.Name, full.UsedBy = t.Kind, t.Name, t.UsedBy
			return full, nil
		}
	}
	return alone(t)
}

// imagePGData is where the images before 18 have the data.
const imagePGData = "/var/lib/postgresql/data"

// alone gives a volume or directory that no container uses a place to be mounted at.
func alone(t dockerops.Target) (dockerops.Target, error) {
	if t.Kind == dockerops.KindDir && len(t.Mounts) == 0 {
		info, err := os.Stat(t.Name)
		if err != nil {
			return t, engine.Errorf(engine.Usage, "give the path of a data directory on this host", "%s: %w", t, err)
		}
		if !info.IsDir() {
			return t, engine.Errorf(engine.Usage, "give the path of a data directory on this host", "%s is no directory", t)
		}
		t.Mounts = []dockerops.Mount{{Type: dockerops.MountBind, Source: t.Name}}
	}
	for i := range t.Mounts {
		if t.Mounts[i].Destination == "" {
			t.Mounts[i].Destination = imagePGData
		}
	}
	return t, nil
}

// showState is what Docker knows.
func showState(p *engine.Pass, t dockerops.Target) error {
	s := t.State
	rows := [][]string{
		{"target", t.String()},
		{"container", t.ContainerName},
		{"image", t.Image},
		{"state", s.Status},
		{"restarts", fmt.Sprint(s.RestartCount)},
		{"last exit code", fmt.Sprintf("%d%s", s.ExitCode, exitWords(s))},
		{"started", when(s.StartedAt)},
		{"ended", when(s.FinishedAt)},
		{"restart policy", t.RestartPolicy.Name},
	}
	if t.Service != nil {
		rows = append(rows, []string{"service replicas", fmt.Sprintf("%d wanted", t.Service.Replicas)})
	}
	if s.Error != "" {
		rows = append(rows, []string{"docker says", s.Error})
	}
	return p.Show(engine.Exhibit{Title: "what Docker knows", Columns: []string{"what", "value"}, Rows: rows})
}

func exitWords(s dockerops.State) string {
	switch {
	case s.OOMKilled:
		return " (killed: out of memory)"
	case s.ExitCode > 128 && s.ExitCode < 160:
		return fmt.Sprintf(" (signal %d)", s.ExitCode-128)
	}
	return ""
}

func headline(cfg Config, s Site) Headline {
	volume := ""
	if len(s.Pieces) > 0 {
		m := s.Target.Mounts[s.Pieces[0].Mount]
		volume = m.Name
		if volume == "" {
			volume = m.Source
		}
	}
	return Headline{Target: s.Target.String(), Image: s.Image, Volume: volume, Size: humanBytes(s.Bytes),
		SystemID: s.SystemID, Host: cfg.Host, Version: fmt.Sprint(s.Major)}
}

// reportUsers names everybody else who can reach the data, and every live postmaster.
func reportUsers(ctx context.Context, c *dockerops.Client, p *engine.Pass, site Site) error {
	users, err := c.Users(ctx, site.sources()...)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, u := range users {
		if u.Incident != "" {
			continue // a helper of ours, read-only
		}
		rows = append(rows, []string{string(u.Kind), u.Name, u.Status, u.Mount.Destination, mountMode(u.Mount)})
		if u.Is(site.Target) || !u.Running {
			continue
		}
		alive, err := hasPostmaster(ctx, c, u)
		if err != nil {
			return err
		}
		f := engine.Finding{Severity: engine.Warning, Title: fmt.Sprintf("%s %s mounts the same data and is running", u.Kind, u.Name), Next: "find out what it does; it is stopped with the target if it can write"}
		if alive {
			f.Severity, f.Title = engine.Blocker, fmt.Sprintf("a postmaster is alive in %s %s, on the same data", u.Kind, u.Name)
			f.Next = "stop it in an orderly way first: two servers on one data directory destroy it"
		}
		if err := p.Report(f); err != nil {
			return err
		}
	}
	if err := p.Show(engine.Exhibit{Title: "who mounts the data", Columns: []string{"kind", "name", "state", "at", "mode"}, Rows: rows}); err != nil {
		return err
	}
	return reportServing(ctx, c, p, site)
}

func mountMode(m dockerops.Mount) string {
	if m.ReadOnly {
		return "read-only"
	}
	return "writable"
}

// hasPostmaster looks for a postgres process in a running container.
func hasPostmaster(ctx context.Context, c *dockerops.Client, u dockerops.User) (bool, error) {
	if u.Kind != dockerops.KindContainer {
		return false, nil
	}
	processes, err := c.Processes(ctx, u.ID)
	for _, proc := range processes {
		if proc.Name == "postgres" || proc.Name == "postmaster" {
			return true, err
		}
	}
	return false, err
}

// serving reports whether the target's own server accepts connections now.
func serving(ctx context.Context, c *dockerops.Client, t dockerops.Target) (bool, error) {
	now, err := c.Resolve(ctx, t.String())
	if err != nil {
		return false, err
	}
	if now.ContainerID == "" || !now.State.Running || now.State.Restarting {
		return false, nil
	}
	_, _, code, err := c.Output(ctx, now.ContainerID, "pg_isready", "-t", "3")
	if err != nil {
		return false, nil // it died meanwhile, or has no pg_isready: not shown to serve
	}
	return code == 0, nil
}

func reportServing(ctx context.Context, c *dockerops.Client, p *engine.Pass, site Site) error {
	ok, err := serving(ctx, c, site.Target)
	if err != nil || !ok {
		return err
	}
	return p.Report(engine.Finding{Severity: engine.Info, Title: "the server is running and accepts connections",
		Evidence: []string{"pg_isready in container " + site.Target.ContainerName}, Next: "there is nothing to heal here; for damaged tables on a running server, dump what can be read first"})
}

// reportLog matches the container's log and the server's own log files with the known
// symptoms.
func reportLog(ctx context.Context, c *dockerops.Client, p *engine.Pass, site Site, found surveyed) error {
	text := found.serverLog
	if site.Target.ContainerID != "" {
		log, err := c.Logs(ctx, site.Target, dockerops.LogOptions{Tail: 2000})
		switch {
		case errors.Is(err, dockerops.ErrNoLogs):
			if err := p.Report(engine.Finding{Severity: engine.Info, Title: "the container's log driver cannot be read back"}); err != nil {
				return err
			}
		case err != nil:
			return err
		}
		var b strings.Builder
		for _, l := range log.Lines {
			b.WriteString(l.Text + "\n")
		}
		text = b.String() + text
	}
	if err := p.Show(engine.Exhibit{Title: "last log lines", Text: lastLines(text, 40)}); err != nil {
		return err
	}
	return reportSymptoms(ctx, p, text)
}

func reportSymptoms(ctx context.Context, p *engine.Pass, text string) error {
	catalogue, err := pgops.NewCatalogue()
	if err != nil {
		return err
	}
	report, err := catalogue.Match(ctx, strings.NewReader(text))
	if err != nil {
		return err
	}
	for _, h := range report.Hits {
		f := engine.Finding{Severity: severityOf(h), Title: h.Line, Detail: h.Meaning, Next: h.Next,
			Evidence: []string{fmt.Sprintf("written %d time(s); symptom %d, %s", h.Count, h.Number, h.ID)}}
		for _, extra := range h.Context {
			f.Evidence = append(f.Evidence, extra.Kind+": "+extra.Text)
		}
		if err := p.Report(f); err != nil {
			return err
		}
	}
	for _, paragraph := range report.Explain() {
		if err := p.Say("%s", paragraph); err != nil {
			return err
		}
	}
	playbook, why := report.Choose()
	if playbook == "" {
		playbook = "none"
	}
	return p.Show(engine.Exhibit{Title: "which playbook", Columns: []string{"playbook", "why"}, Rows: [][]string{{playbook, why}}})
}

func severityOf(h pgops.SymptomHit) engine.Severity {
	if h.Past {
		return engine.Info
	}
	switch h.Weighed() {
	case pgops.SeverityFatal, pgops.SeverityDamage:
		if h.NotCorruption {
			return engine.Blocker
		}
		return engine.Damaged
	case pgops.SeverityWarning:
		return engine.Warning
	}
	return engine.Info
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	return strings.Join(lines, "\n")
}
