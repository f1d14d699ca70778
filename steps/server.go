package steps

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/pgrescue/pgrescue/agent"
	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// stopGrace is how long a server may take to shut down: it has a checkpoint to write.
const stopGrace = 5 * time.Minute

// startQuiet is how long a starting server may say nothing. Replay reports every ten
// seconds from 15 on; older ones are silent for as long as the log is long.
const startQuiet = 20 * time.Minute

// Paths in the run volume, as server and helper see them.
const (
	confPath = runPath + "/postgresql.conf"
	hbaPath  = runPath + "/pg_hba.conf"
	identMap = runPath + "/pg_ident.conf"
)

// serverSetting is one setting of a sandboxed server, given on its command line, where it
// wins over postgresql.auto.conf, and asked of the server once it runs.
type serverSetting struct {
	name, value string
	why         string
}

// isolation are the settings without which a copied cluster reaches out.
func isolation() []serverSetting {
	return []serverSetting{
		{"listen_addresses", "", "no network"},
		{"port", "5432", "it names the socket that is dialled; ALTER SYSTEM may have set another"},
		{"archive_mode", "off", "an inherited archive_command would push into the production archive"},
		{"archive_command", "", "the same"},
		{"restore_command", "", "nothing is fetched"},
		{"archive_cleanup_command", "", "it may delete in the archive"},
		{"recovery_end_command", "", "the same"},
		{"primary_conninfo", "", "the copy must not follow its primary"},
		{"primary_slot_name", "", "the same"},
		{"synchronous_standby_names", "", "a commit would wait for ever for a standby that is not here"},
		{"max_logical_replication_workers", "0", "subscriptions would move their publisher's slot"},
		{"shared_preload_libraries", "", "no background workers of extensions, no scheduled jobs"},
		{"session_preload_libraries", "", "the same"},
		{"local_preload_libraries", "", "the same"},
		{"max_worker_processes", "8", "only the checks need any"},
		{"huge_pages", "off", "the sandbox may have none"},
		{"jit", "off", "needs libraries that may be missing"},
		{"ssl", "off", "keys may be missing"},
		{"logging_collector", "off", "the log goes to this incident"},
		{"log_destination", "stderr", "the same"},
		{"log_min_messages", "log", "the same"},
		{"lc_messages", "C", "messages that can be matched"},
		{"autovacuum", "off", "nothing is cleaned up before it has been looked at"},
		{"track_counts", "off", "the same"},
		{"autovacuum_freeze_max_age", "2000000000", "anti-wraparound vacuum runs even with autovacuum off"},
		{"autovacuum_multixact_freeze_max_age", "2000000000", "the same"},
		{"restart_after_crash", "on", "a crash of one backend must not end the checks"},
		{"hot_standby", "off", "nobody connects before recovery is over"},
		{"max_connections", "20", "only the checks connect"},
		{"superuser_reserved_connections", "3", "more than there are connections would refuse to start"},
		{"shared_buffers", "128MB", "the sandbox may have less memory than the server had"},
		{"wal_level", "logical", "with less, a cluster that has logical slots does not start"},
		{"max_wal_senders", "0", "nobody follows"},
		{"max_replication_slots", "1000", "with fewer than there are, it does not start"},
		{"recovery_target", "", "ALTER SYSTEM may have left one"},
		{"recovery_target_lsn", "", "the same"},
		{"recovery_target_name", "", "the same"},
		{"recovery_target_time", "", "the same"},
		{"recovery_target_xid", "", "the same"},
		{"zero_damaged_pages", "off", "damage must be seen"},
		{"ignore_checksum_failure", "off", "the same"},
		{"ignore_invalid_pages", "off", "the same"},
	}
}

// inherited are settings the server must have as the cluster had them: with less room for
// prepared transactions it does not start, and without commit timestamps it deletes them.
func (s Site) inherited() []serverSetting {
	track := "off"
	if s.CommitTs {
		track = "on"
	}
	return []serverSetting{
		{"max_prepared_transactions", strconv.Itoa(s.Prepared), "as many as the cluster may hold"},
		{"track_commit_timestamp", track, "as the cluster had it: switching it off deletes what is there"},
	}
}

// settings are all that a server on this place runs with.
func (p *Place) settings() []serverSetting {
	return append(append(isolation(), p.site.inherited()...), p.durability())
}

// settingsText is the same for a plan, without what differs between a clone and the original.
func (p *Place) settingsText() string {
	var b strings.Builder
	for _, s := range append(isolation(), p.site.inherited()...) {
		fmt.Fprintf(&b, "%s=%s\n", s.name, s.value)
	}
	return b.String()
}

// durable tells the original from a clone: a clone is thrown away, so nothing is flushed,
// which also keeps recovery from copying every file up into the overlay.
func (p *Place) durability() serverSetting {
	if p.original {
		return serverSetting{"fsync", "on", "this is the original"}
	}
	return serverSetting{"fsync", "off", "a clone is thrown away"}
}

// serverSpec is the isolated container that runs the server on the place's data.
func (p *Place) serverSpec(run string) dockerops.Spec {
	argv := []string{"postgres", "-D", p.site.PGData,
		"-c", "config_file=" + confPath, "-c", "hba_file=" + hbaPath, "-c", "ident_file=" + identMap,
		"-c", "unix_socket_directories=" + runPath, "-c", "external_pid_file="}
	for _, s := range p.settings() {
		argv = append(argv, "-c", s.name+"="+s.value)
	}
	spec := p.toolSpec(append(p.data[:len(p.data):len(p.data)], dockerops.Mount{Type: dockerops.MountVolume, Name: run, Destination: runPath}), argv...)
	spec.Tmpfs = map[string]string{"/tmp": "mode=1777"}
	spec.ShmSize = 256 << 20
	spec.Init = false
	return spec
}

// startServer prepares the run volume, starts the server in its isolated container, proves
// the isolation and waits until it accepts connections.
func (p *Place) startServer(ctx context.Context, pass *engine.Pass) error {
	if !p.writable {
		return fmt.Errorf("%s is not writable, and starting a server writes", p.name)
	}
	if err := p.prepareRun(ctx, pass); err != nil {
		return err
	}
	c, err := p.ws.docker(ctx)
	if err != nil {
		return err
	}
	spec := p.serverSpec(p.run)
	argv := append(spec.Entrypoint[:1:1], spec.Cmd...)
	return pass.Do(ctx, "start the server on "+p.name, argv, func(ctx context.Context) (engine.Output, error) {
		id, err := c.Create(ctx, spec)
		if err != nil {
			return engine.Output{}, err
		}
		p.setServer(id)
		if err := p.proveIsolated(ctx, c, id, pass); err != nil {
			return engine.Output{}, err
		}
		if err := c.Start(ctx, id); err != nil {
			return engine.Output{}, err
		}
		err = p.awaitServer(ctx, c, id, pass)
		return engine.Output{Stderr: []byte(p.serverLog(ctx, c, id))}, err
	})
}

func (p *Place) setServer(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.server = id
}

// prepareRun writes the server's settings where it finds them.
func (p *Place) prepareRun(ctx context.Context, pass *engine.Pass) error {
	if _, err := p.look(ctx); err != nil {
		return err
	}
	file := func(name, content string) agent.PrepareItem {
		return agent.PrepareItem{Piece: "run", Path: agent.Path(name), Type: agent.TypeFile, UID: p.site.UID, GID: p.site.GID, Mode: 0o600, Content: []byte(content)}
	}
	req := agent.PrepareRequest{
		Pieces: []agent.Piece{{Name: "run", Path: runPath}},
		Items: []agent.PrepareItem{
			{Piece: "run", Path: ".", Type: agent.TypeDir, UID: p.site.UID, GID: p.site.GID, Mode: 0o700},
			file("postgresql.conf", "# all settings are on the command line\n"),
			file("pg_hba.conf", "local all all trust\n"),
			file("pg_ident.conf", ""),
		},
	}
	_, err := inspectWith[agent.PrepareRequest, agent.PrepareResult](ctx, p, pass, job[agent.PrepareRequest]{name: agent.JobPrepare, req: req})
	return err
}

// proveIsolated looks at the container itself, before anything is started in it.
func (p *Place) proveIsolated(ctx context.Context, c *dockerops.Client, id string, pass *engine.Pass) error {
	rules := dockerops.Rules{Allowed: []dockerops.Source{{Volume: p.run}}}
	for _, m := range p.data {
		rules.Allowed = append(rules.Allowed, m.Data())
	}
	target, err := c.Container(ctx, id)
	if err != nil {
		return err
	}
	for _, m := range target.Mounts {
		if m.Anonymous { // the image declares it: empty, and removed with the container
			rules.Allowed = append(rules.Allowed, m.Data())
		}
	}
	if !p.original {
		rules.Originals = p.site.sources()
	}
	report, err := c.Isolation(ctx, id, rules)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, f := range report.Facts {
		rows = append(rows, []string{f.Name, f.Found, f.Want, okWord(f.OK)})
	}
	if err := pass.Show(engine.Exhibit{Title: "isolation, from the container's own inspect", Columns: []string{"what", "found", "want", ""}, Rows: rows}); err != nil {
		return err
	}
	if bad := report.Violations(); len(bad) > 0 {
		return engine.Errorf(engine.Failure, "nothing was started in it; report this", "the sandbox is not isolated: %v", bad)
	}
	return nil
}

// afterFailedStart says what to do next, which depends on whose data it is.
func (p *Place) afterFailedStart() string {
	if p.original {
		return "read its last words in the evidence; the original has been changed, pgrescue undo puts it back"
	}
	return "read its last words in the evidence; the remedy was not enough, the original is as it was"
}

func okWord(ok bool) string {
	if ok {
		return "ok"
	}
	return "VIOLATED"
}

// awaitServer waits until the server accepts connections, or says how it ended.
func (p *Place) awaitServer(ctx context.Context, c *dockerops.Client, id string, pass *engine.Pass) error {
	quiet := time.Now()
	said := ""
	for {
		t, err := c.Container(ctx, id)
		if err != nil {
			return err
		}
		if !t.State.Running {
			log := p.serverLog(ctx, c, id)
			if err := pass.Show(engine.Exhibit{Title: "the server's last words", Text: lastLines(log, 40)}); err != nil {
				return err
			}
			if err := reportSymptoms(ctx, pass, log); err != nil {
				return err
			}
			return engine.Errorf(engine.Damage, p.afterFailedStart(), "the server did not start: %s", lastWords(log))
		}
		if conn, err := p.dial(ctx); err == nil {
			conn.Close()
			if _, _, code, err := c.Output(ctx, id, "pg_isready", "-h", runPath, "-t", "5"); err == nil && code == 0 {
				return nil
			}
		}
		if now := lastWords(p.serverLog(ctx, c, id)); now != said {
			said, quiet = now, time.Now()
		}
		if time.Since(quiet) > startQuiet {
			return engine.Errorf(engine.Damage, p.afterFailedStart(), "the server neither starts nor ends, and has said nothing for %s; its last words: %s", startQuiet, said)
		}
		pass.Progress(engine.Progress{What: "the server starts: " + said})
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (p *Place) serverLog(ctx context.Context, c *dockerops.Client, id string) string {
	log, err := c.Logs(ctx, dockerops.Target{Kind: dockerops.KindContainer, ContainerID: id}, dockerops.LogOptions{Tail: 500})
	if err != nil {
		return "the server's log cannot be read: " + err.Error()
	}
	var b strings.Builder
	for _, l := range log.Lines {
		b.WriteString(l.Text + "\n")
	}
	return b.String()
}

// lastWords is the last line that says why: a PANIC or FATAL if there is one.
func lastWords(log string) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if strings.Contains(lines[i], "PANIC:") || strings.Contains(lines[i], "FATAL:") {
			return lines[i]
		}
	}
	return lines[len(lines)-1]
}

// dial reaches the server's socket through the helper, without any network.
func (p *Place) dial(ctx context.Context) (net.Conn, error) {
	id, err := p.look(ctx)
	if err != nil {
		return nil, err
	}
	c, err := p.ws.docker(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := c.ExecStream(ctx, id, dockerops.HelperBinary, "agent")
	if err != nil {
		return nil, err
	}
	return agent.DialTunnel(ctx, conn, runPath+"/.s.PGSQL.5432")
}

// stopServer shuts the server down in order: its checkpoint is part of the repair.
func (p *Place) stopServer(ctx context.Context, pass *engine.Pass) error {
	p.mu.Lock()
	id := p.server
	p.mu.Unlock()
	if id == "" {
		return nil
	}
	c, err := p.ws.docker(ctx)
	if err != nil {
		return err
	}
	err = pass.Do(ctx, "shut the server down", nil, func(ctx context.Context) (engine.Output, error) {
		err := c.Stop(ctx, id, stopGrace)
		out := engine.Output{Stderr: []byte(p.serverLog(ctx, c, id))}
		if err != nil {
			return out, err
		}
		exit, err := c.Wait(ctx, id)
		if err == nil && exit.Code != 0 {
			out.Exit, err = exit.Code, fmt.Errorf("it ended with exit status %d: %s", exit.Code, lastWords(string(out.Stderr)))
		}
		return out, err
	})
	if err != nil {
		return err
	}
	p.setServer("")
	return errors.Join(c.Remove(ctx, id))
}
