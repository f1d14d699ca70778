package agent

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
)

// Bounds of the search for data directories.
const (
	findDepth = 8
	findDirs  = 20000
)

// find looks for data directories: PG_VERSION beside global and base. It does not insist
// on global/pg_control, which may be what is missing, and it does not stop at the first,
// because a volume can hold several (an old major beside the new one, a left-over copy).
func (l *looker) find(t *tree) error {
	return l.findIn(t, t.root, ".", 0)
}

func (l *looker) findIn(t *tree, root *os.Root, path string, depth int) error {
	if l.ctx.Err() != nil {
		return context.Cause(l.ctx)
	}
	if l.seen++; l.seen > findDirs || depth > findDepth {
		l.res.Cut = true
		return nil
	}
	sub, names, err := openDir(root, baseOrDot(path))
	if err != nil {
		return nil // unreadable: no data directory of ours
	}
	defer sub.Close()
	cluster := isDataDir(sub)
	if cluster {
		d, err := l.dataDir(t, sub, path)
		if err != nil {
			return err
		}
		l.res.Data = append(l.res.Data, d)
	}
	for _, n := range names {
		fi, err := sub.Lstat(n)
		if err != nil || !fi.IsDir() || (cluster && ofCluster(n)) {
			continue
		}
		if err := l.findIn(t, sub, join(path, n), depth+1); err != nil {
			return err
		}
	}
	return nil
}

func baseOrDot(path string) string {
	_, name := split(path)
	return name
}

func isDataDir(d *os.Root) bool {
	for name, dir := range map[string]bool{"PG_VERSION": false, "global": true, "base": true} {
		fi, err := d.Lstat(name)
		if err != nil || fi.IsDir() != dir {
			return false
		}
	}
	return true
}

// ofCluster keeps the search out of the directories that every cluster has and that can
// be large.
func ofCluster(name string) bool {
	return name == "base" || name == "global" || strings.HasPrefix(name, "pg_")
}

// dataDirTexts are the small files that tell what state a cluster is in.
var dataDirTexts = [...]string{
	"postmaster.pid", "postmaster.opts", "backup_label", "backup_label.old", "tablespace_map", "tablespace_map.old",
	"recovery.signal", "standby.signal", "recovery.conf", "postgresql.auto.conf", "current_logfiles",
}

// dataDirDirs are the directories initdb makes (bin/initdb/initdb.c subdirs, plus
// pg_xact and pg_wal). The server does not make them again.
var dataDirDirs = [...]string{
	"base", "global", "pg_commit_ts", "pg_dynshmem", "pg_logical", "pg_logical/mappings", "pg_logical/snapshots",
	"pg_multixact", "pg_multixact/members", "pg_multixact/offsets", "pg_notify", "pg_replslot", "pg_serial",
	"pg_snapshots", "pg_stat", "pg_stat_tmp", "pg_subtrans", "pg_tblspc", "pg_twophase", "pg_wal",
	"pg_wal/archive_status", "pg_xact",
}

// dataDirLists are the directories whose files triage reasons about by name and size.
var dataDirLists = [...]string{"pg_wal", "pg_wal/archive_status", "pg_xact", "pg_multixact/offsets", "pg_multixact/members", "pg_twophase"}

func (l *looker) dataDir(t *tree, d *os.Root, path string) (DataDir, error) {
	out := DataDir{Piece: t.Name, Sub: Path(path)}
	if fi, err := d.Lstat("."); err == nil {
		if st, err := statOf(fi); err == nil {
			out.UID, out.GID, out.Mode = st.uid, st.gid, st.mode
		}
	}
	if v, err := readSmall(d, "PG_VERSION", 64); err == nil {
		out.Version = strings.TrimSpace(string(v))
	}
	control, err := readSmall(d, "global/pg_control", 8192)
	if err != nil {
		out.NoControl = err.Error()
	}
	out.Control = control
	for _, name := range dataDirTexts {
		if text, ok := readText(d, name); ok {
			out.Texts = append(out.Texts, text)
		}
	}
	out.Links = links(d)
	for _, name := range dataDirDirs {
		out.Dirs = append(out.Dirs, dirState(d, name))
	}
	for _, name := range dataDirLists {
		out.Lists = append(out.Lists, list(d, name))
	}
	out.Log = newestLog(d)
	one := &tree{Piece: Piece{Name: t.Name}, root: d}
	m, err := measureLive(l.ctx, []*tree{one})
	out.Usage = m.Usage
	return out, err
}

func readText(d *os.Root, name string) (Text, bool) {
	fi, err := d.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return Text{}, false
	}
	t := Text{Path: Path(name)}
	var b []byte
	if err == nil {
		t.Size = fi.Size()
		b, err = readSmall(d, name, 16<<10)
	}
	if err != nil {
		t.Err = err.Error()
	}
	t.Text = strings.ToValidUTF8(string(b), "\uFFFD")
	return t, true
}

// links reads the raw targets of pg_wal and of the tablespaces.
func links(d *os.Root) []Symlink {
	names := []string{"pg_wal"}
	if sub, entries, err := openDir(d, "pg_tblspc"); err == nil {
		sub.Close()
		for _, n := range entries {
			names = append(names, "pg_tblspc/"+n)
		}
	}
	var out []Symlink
	for _, n := range names {
		if target, err := d.Readlink(n); err == nil {
			out = append(out, Symlink{Path(n), Path(target)})
		}
	}
	return out
}

func dirState(d *os.Root, name string) DirState {
	s := DirState{Path: Path(name), State: "ok"}
	fi, err := d.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.State = "missing"
		return s
	case err != nil:
		s.State = "unreadable"
		return s
	case fi.Mode()&fs.ModeSymlink != 0:
		s.State = "link"
		return s
	}
	sub, names, err := openDir(d, name)
	if err != nil {
		s.State = "unreadable"
		return s
	}
	sub.Close()
	if len(names) == 0 {
		s.State = "empty"
	}
	return s
}

const maxListed = 20000

func list(d *os.Root, name string) Listing {
	l := Listing{Dir: Path(name)}
	sub, names, err := openDir(d, name)
	if err != nil {
		l.Err = err.Error()
		return l
	}
	defer sub.Close()
	for _, n := range names {
		fi, err := sub.Lstat(n)
		if err != nil || !fi.Mode().IsRegular() {
			continue
		}
		if l.Count++; l.Count <= maxListed {
			l.Files = append(l.Files, FileSize{Path(n), fi.Size()})
		}
	}
	return l
}

// newestLog finds the log that the server wrote last, in the directories that
// log_directory usually names.
func newestLog(d *os.Root) *Log {
	var best *Log
	var newest int64
	for _, dir := range [...]string{"log", "pg_log"} {
		sub, names, err := openDir(d, dir)
		if err != nil {
			continue
		}
		for _, n := range names {
			fi, err := sub.Lstat(n)
			if err == nil && fi.Mode().IsRegular() && fi.Size() > 0 && fi.ModTime().UnixNano() > newest {
				newest = fi.ModTime().UnixNano()
				best = &Log{Path: Path(join(dir, n)), Size: fi.Size()}
			}
		}
		sub.Close()
	}
	if best != nil {
		best.Tail = tail(d, string(best.Path), 64<<10)
	}
	return best
}

func tail(d *os.Root, name string, limit int64) string {
	f, st, err := openFile(d, name)
	if err != nil {
		return ""
	}
	defer f.Close()
	b := make([]byte, min(limit, st.size))
	n, _ := f.ReadAt(b, st.size-int64(len(b))) // a log that shrinks meanwhile: what is there will do
	return strings.ToValidUTF8(string(b[:n]), "\uFFFD")
}
