package steps

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/pgrescue/pgrescue/agent"
	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// surveyed is what the look at the files brought beside the Site.
type surveyed struct {
	data      agent.DataDir
	spaces    []agent.PieceSpace
	control   *pgdisk.Control // nil if it cannot be decoded at all
	controlIs error           // what is wrong with it
	serverLog string
}

// survey finds the data directory and everything that belongs to it.
func survey(ctx context.Context, ws *Workspace, t dockerops.Target, p *engine.Pass) (Site, surveyed, error) {
	site := Site{Target: t, Image: t.Image, ImageID: t.ImageID}
	if err := chooseImage(ctx, ws, p, &site); err != nil {
		return site, surveyed{}, err
	}
	data, mount, err := findData(ctx, ws, t, p)
	if err != nil {
		return site, surveyed{}, err
	}
	found := surveyed{data: data}
	if site.Major, err = strconv.Atoi(data.Version); err != nil {
		return site, found, engine.Errorf(engine.Precondition, "majors 13 to 18 are supported", "PG_VERSION says %q", data.Version)
	}
	site.UID, site.GID = data.UID, data.GID
	site.PGData = path.Join(t.Mounts[mount].Destination, string(data.Sub))
	site.Pieces = []SitePiece{{Name: agent.RoleData, Mount: mount, Sub: string(data.Sub), ContainerPath: site.PGData}}
	if err := errors.Join(followLinks(t, data, &site), mountsInside(t, &site)); err != nil {
		return site, found, err
	}
	if err := requireMajor(ctx, ws, p, site); err != nil {
		return site, found, err
	}
	found.control, found.controlIs = pgdisk.DecodeControl(data.Control)
	if found.control != nil {
		site.SystemID = strconv.FormatUint(found.control.SystemIdentifier, 10)
	}
	site.inherit(found)
	if data.Log != nil {
		found.serverLog = data.Log.Tail
	}
	err = measureSite(ctx, ws, p, &site, &found)
	return site, found, err
}

// inherit takes over what a server on the data must know, and finds out whether this is a
// cluster that a reset would ruin.
func (s *Site) inherit(found surveyed) {
	s.Prepared = 10
	if c := found.control; c != nil {
		s.Prepared = max(s.Prepared, int(c.MaxPreparedXacts))
		s.CommitTs = c.TrackCommitTimestamp
		if c.State == pgdisk.InArchiveRecovery || c.BackupStartPoint != 0 {
			s.Refuse = fmt.Sprintf("pg_control says %q: it is a standby or an unfinished restore", c.State)
		}
	}
	for _, t := range found.data.Texts {
		switch name := string(t.Path); name {
		case "standby.signal", "recovery.signal", "backup_label":
			s.Refuse = name + " is there: it is a standby, or a base backup whose restore is not finished"
		}
	}
}

// chooseImage takes the image the operator names, or the one that the target ran.
func chooseImage(ctx context.Context, ws *Workspace, p *engine.Pass, site *Site) error {
	if named := p.Setting(SettingImage); named != "" {
		site.Image, site.ImageID = named, named
	}
	if site.ImageID == "" {
		return engine.Errorf(engine.Precondition, "name one: --image postgres:N, the very one that wrote the data if you can",
			"it is not known which image runs %s", site.Target)
	}
	c, err := ws.docker(ctx)
	if err != nil {
		return err
	}
	id, err := c.ImageID(ctx, site.ImageID)
	if err != nil {
		return err
	}
	site.ImageID = id // a tag can be moved meanwhile
	if id == "" {
		return engine.Errorf(engine.Precondition, "load it (docker load, docker pull), then start again", "image %s is not on this host", site.Image)
	}
	return nil
}

// findData looks where the container's settings say, then in all its mounts.
func findData(ctx context.Context, ws *Workspace, t dockerops.Target, p *engine.Pass) (agent.DataDir, int, error) {
	wanted := wantedPGData(t, p)
	if m, _, ok := locate(t, wanted); ok {
		dirs, err := lookAt(ctx, ws, p, t, []int{m})
		if err != nil {
			return agent.DataDir{}, 0, err
		}
		if d, ok := chooseData(t, m, dirs, wanted); ok {
			return d, m, nil
		}
	}
	var hits []string
	var only agent.DataDir
	where := 0
	for m := range t.Mounts {
		if !isDirectoryMount(t.Mounts[m]) {
			continue
		}
		dirs, err := lookAt(ctx, ws, p, t, []int{m})
		if err != nil {
			return agent.DataDir{}, 0, err
		}
		for _, d := range dirs {
			hits = append(hits, path.Join(t.Mounts[m].Destination, string(d.Sub)))
			only, where = d, m
		}
	}
	switch len(hits) {
	case 1:
		return only, where, nil
	case 0:
		return only, 0, engine.Errorf(engine.Precondition, "name the container or volume that PostgreSQL's data is in; data in a container's own layer must be copied out first (docker cp)",
			"%s has no PostgreSQL data directory in any of its mounts (looked for %s)", t, wanted)
	}
	return only, 0, engine.Errorf(engine.Precondition, "say which: --pgdata PATH", "%s holds several data directories: %s", t, strings.Join(hits, ", "))
}

// wantedPGData is where the container's own settings put the data.
func wantedPGData(t dockerops.Target, p *engine.Pass) string {
	if d := p.Setting(SettingPGData); d != "" {
		return d
	}
	args := append(append([]string{}, t.Entrypoint...), t.Cmd...)
	for i, a := range args {
		switch {
		case a == "-D" && i+1 < len(args):
			return args[i+1]
		case strings.HasPrefix(a, "-D") && len(a) > 2:
			return a[2:]
		case strings.HasPrefix(a, "--pgdata="):
			return strings.TrimPrefix(a, "--pgdata=")
		}
	}
	if d := t.Env["PGDATA"]; d != "" {
		return d
	}
	if t.Kind == dockerops.KindVolume || t.Kind == dockerops.KindDir {
		if len(t.Mounts) > 0 {
			return t.Mounts[0].Destination
		}
	}
	return "/var/lib/postgresql/data"
}

// chooseData prefers the wanted directory; a single other one will do.
func chooseData(t dockerops.Target, m int, dirs []agent.DataDir, wanted string) (agent.DataDir, bool) {
	for _, d := range dirs {
		if path.Join(t.Mounts[m].Destination, string(d.Sub)) == path.Clean(wanted) {
			return d, true
		}
	}
	if len(dirs) == 1 {
		return dirs[0], true
	}
	return agent.DataDir{}, false
}

// isDirectoryMount leaves out tmpfs and files that are bind-mounted one by one.
func isDirectoryMount(m dockerops.Mount) bool {
	if m.Type == dockerops.MountVolume {
		return true
	}
	if m.Type != dockerops.MountBind {
		return false
	}
	info, err := os.Stat(m.Source)
	return err == nil && info.IsDir()
}

// lookAt runs the look job over mounts of the target, read-only.
func lookAt(ctx context.Context, ws *Workspace, p *engine.Pass, t dockerops.Target, mounts []int) ([]agent.DataDir, error) {
	at := ws.add(&Place{ws: ws, name: "the original, " + t.String(), original: true})
	defer at.Close(context.WithoutCancel(ctx))
	for _, m := range mounts {
		at.source = append(at.source, bindOf(t.Mounts[m], helperPath(m), true))
		at.pieces = append(at.pieces, agent.Piece{Name: fmt.Sprintf("m%d", m), ContainerPath: t.Mounts[m].Destination, Path: helperPath(m)})
	}
	res, err := lookAround(ctx, at, p, "looking for the data directory")
	return res.Data, err
}

// lookTries is how often a look is begun anew, lookPause apart.
const (
	lookTries = 20
	lookPause = 300 * time.Millisecond
)

// lookAround runs the look job on a place where a crash loop may be at work: a file that
// comes or goes under it means to look again, not that nothing can be seen.
func lookAround(ctx context.Context, at *Place, p *engine.Pass, what string) (agent.LookResult, error) {
	for n := 1; ; n++ {
		res, err := inspectWith[agent.LookRequest, agent.LookResult](ctx, at, p, job[agent.LookRequest]{name: agent.JobLook, req: agent.LookRequest{Pieces: at.pieces}, what: what})
		if agent.KindOf(err) != agent.KindChanged || n == lookTries {
			return res, err
		}
		select {
		case <-ctx.Done():
			return res, ctx.Err()
		case <-time.After(lookPause):
		}
	}
}

// versionWord finds the major in what postgres --version prints.
var versionWord = regexp.MustCompile(`PostgreSQL\) (\d+)`)

// requireMajor refuses an image of another major than the data: that is no damage, and
// nothing may be repaired with it.
func requireMajor(ctx context.Context, ws *Workspace, p *engine.Pass, site Site) error {
	if _, ok := pgdisk.LayoutFor(site.Major); !ok {
		return engine.Errorf(engine.Precondition, "majors 13 to 18 are supported", "the data is of PostgreSQL %d", site.Major)
	}
	at := &Place{ws: ws, site: &site, name: "image " + site.Image}
	out, err := at.tool(ctx, p, "postgres", "--version")
	if err != nil {
		return err
	}
	if err := toolFailed("postgres", out); err != nil {
		return &engine.Error{Kind: engine.Precondition, Hint: "name an image that has PostgreSQL: --image", Err: fmt.Errorf("image %s: %w", site.Image, err)}
	}
	m := versionWord.FindSubmatch(out.Stdout)
	if m == nil {
		return engine.Errorf(engine.Precondition, "name an image that has PostgreSQL: --image", "image %s does not say its version: %s", site.Image, out.Stdout)
	}
	if string(m[1]) != strconv.Itoa(site.Major) {
		return engine.Errorf(engine.Precondition, "this is no damage: start the data with its own major, postgres:"+strconv.Itoa(site.Major),
			"the data is of PostgreSQL %d, image %s has PostgreSQL %s", site.Major, site.Image, m[1])
	}
	return nil
}

// measureSite adds up sizes and free space over all pieces.
func measureSite(ctx context.Context, ws *Workspace, p *engine.Pass, site *Site, found *surveyed) error {
	at := ws.add(ws.originalPlace(*site, false))
	defer at.Close(context.WithoutCancel(ctx))
	res, err := lookAround(ctx, at, p, "measuring")
	if err != nil {
		return err
	}
	found.spaces = res.Spaces
	for _, s := range res.Spaces {
		site.Bytes += s.Usage.Bytes
		site.Alloc += s.Usage.Alloc
		site.Entries += s.Usage.Entries
	}
	return nil
}

// reportData says what the files look like.
func reportData(p *engine.Pass, site Site, found surveyed) error {
	rows := [][]string{{"data directory", site.PGData}, {"PostgreSQL", strconv.Itoa(site.Major)}, {"owner", site.user()},
		{"mode", fmt.Sprintf("%04o", found.data.Mode)}, {"size", humanBytes(site.Bytes)}}
	for _, piece := range site.Pieces[1:] {
		rows = append(rows, []string{piece.Name, piece.ContainerPath})
	}
	for _, s := range found.spaces {
		rows = append(rows, []string{"free space under " + s.Piece, fmt.Sprintf("%s, %d inodes (%s)", humanBytes(s.FreeBytes), s.FreeInodes, s.FSType)})
	}
	for _, t := range found.data.Texts {
		rows = append(rows, []string{string(t.Path), strings.Join(strings.Fields(withoutSecrets(string(t.Path), t.Text)), " ")})
	}
	if err := p.Show(engine.Exhibit{Title: "what the files say", Columns: []string{"what", "value"}, Rows: rows}); err != nil {
		return err
	}
	if err := reportControlState(p, found); err != nil {
		return err
	}
	if site.Refuse != "" {
		if err := p.Report(engine.Finding{Severity: engine.Blocker, Title: site.Refuse, Next: refuseNext}); err != nil {
			return err
		}
	}
	for _, d := range found.data.Dirs {
		if d.State == "missing" || d.State == "unreadable" {
			if err := p.Report(engine.Finding{Severity: engine.Warning, Title: fmt.Sprintf("directory %s is %s", d.Path, d.State), Next: "a server does not start without it; an empty one may be all that is needed"}); err != nil {
				return err
			}
		}
	}
	if found.data.Mode&0o077 != 0 && found.data.Mode&0o777 != 0o750 {
		return p.Report(engine.Finding{Severity: engine.Warning, Title: fmt.Sprintf("the data directory has mode %04o", found.data.Mode), Next: "PostgreSQL starts only with 0700 or 0750; that is no damage"})
	}
	return hostPostmaster(p, site)
}

// secretSetting finds settings whose values may hold a password.
var secretSetting = regexp.MustCompile(`(?mi)^(\s*[a-z_.]*(?:command|conninfo|passphrase|password|library|key)[a-z_.]*\s*=?\s*).*$`)

// withoutSecrets hides such values in the text of a configuration file.
func withoutSecrets(path, text string) string {
	if !strings.HasSuffix(path, ".conf") {
		return text
	}
	return secretSetting.ReplaceAllString(text, "${1}[not shown]")
}

func reportControlState(p *engine.Pass, found surveyed) error {
	switch {
	case found.control == nil && found.data.NoControl != "":
		return p.Report(engine.Finding{Severity: engine.Damaged, Title: "pg_control cannot be read", Detail: found.data.NoControl})
	case found.control == nil:
		return p.Report(engine.Finding{Severity: engine.Damaged, Title: "pg_control is damaged", Detail: found.controlIs.Error()})
	case found.controlIs != nil:
		return p.Report(engine.Finding{Severity: engine.Damaged, Title: "pg_control does not pass its own checksum", Detail: found.controlIs.Error()})
	}
	return p.Say("pg_control is whole: the cluster was %q, its last checkpoint is at %s", found.control.State, found.control.Checkpoint)
}

// hostPostmaster looks for a server of this host that has the directory as its working
// directory, as every postmaster does.
func hostPostmaster(p *engine.Pass, site Site) error {
	m := site.Target.Mounts[site.Pieces[0].Mount]
	if m.Source == "" {
		return nil
	}
	dir := filepath.Join(m.Source, site.Pieces[0].Sub)
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		return err
	}
	for _, l := range links {
		if at, err := os.Readlink(l); err == nil && at == dir {
			pid := strings.Split(l, "/")[2]
			return p.Report(engine.Finding{Severity: engine.Blocker, Title: "process " + pid + " of this host works in the data directory", Next: "stop that server first"})
		}
	}
	return nil
}

// refuseNext is what to do with a cluster that must not be reset.
const refuseNext = "do not reset it and do not delete the file: finish the restore with its restore_command and archive, or rebuild the standby from its primary"

func when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}
