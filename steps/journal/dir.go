package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// Base is where incidents live: $XDG_STATE_HOME/pgrescue/incidents, ~/.local/state/...
// without it, and /var/lib/pgrescue/incidents for root without a home.
func Base() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "pgrescue", "incidents"), nil
	}
	if home := os.Getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "pgrescue", "incidents"), nil
	}
	if os.Geteuid() == 0 {
		return "/var/lib/pgrescue/incidents", nil
	}
	return "", errors.New("no place for incidents: set XDG_STATE_HOME or HOME")
}

// Dir is an incident's directory.
type Dir string

// Create makes the directory of a new incident, mode 0700. Its name is its identity.
func Create(base, target string, now time.Time) (Dir, error) {
	if err := os.MkdirAll(base, 0o700); err != nil {
		return "", fmt.Errorf("incident directory: %w", err)
	}
	stem := now.UTC().Format("20060102T150405Z") + "-" + slug(target)
	for i := 1; i < 100; i++ {
		name := stem
		if i > 1 {
			name = fmt.Sprintf("%s-%d", stem, i)
		}
		err := os.Mkdir(filepath.Join(base, name), 0o700)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("incident directory: %w", err)
		}
		return Dir(filepath.Join(base, name)), syncDir(base)
	}
	return "", fmt.Errorf("incident directory %s exists a hundred times over", stem)
}

// slug keeps what is safe in a file name, at most 40 bytes of it.
func slug(s string) string {
	if _, after, ok := strings.Cut(s, ":"); ok {
		s = after
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '-'
	}, s)
	s = strings.Trim(s, "-.")
	if len(s) > 40 {
		s = s[:40]
	}
	if s == "" {
		s = "incident"
	}
	return s
}

// ID is the incident's name.
func (d Dir) ID() string { return filepath.Base(string(d)) }

// Path joins names to the directory.
func (d Dir) Path(names ...string) string {
	return filepath.Join(append([]string{string(d)}, names...)...)
}

// Find resolves an incident by its name, a unique part of it, or the latest for "".
func Find(base, name string) (Dir, error) {
	all, err := List(base)
	if err != nil {
		return "", err
	}
	var hits []Dir
	for _, d := range all {
		if d.ID() == name {
			return d, nil
		}
		if strings.Contains(d.ID(), name) {
			hits = append(hits, d)
		}
	}
	switch {
	case len(all) == 0:
		return "", engine.Errorf(engine.Usage, "pgrescue starts one", "there is no incident in %s", base)
	case name == "":
		return all[0], nil
	case len(hits) == 0:
		return "", engine.Errorf(engine.Usage, "pgrescue incidents lists them", "no incident is called %q", name)
	case len(hits) > 1:
		return "", engine.Errorf(engine.Usage, "give more of its name", "%d incidents have %q in their name", len(hits), name)
	}
	return hits[0], nil
}

// List returns the incidents, the latest first.
func List(base string) ([]Dir, error) {
	entries, err := os.ReadDir(base)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("incidents: %w", err)
	}
	var dirs []Dir
	for _, e := range slices.Backward(entries) {
		if _, err := os.Stat(filepath.Join(base, e.Name(), journalName)); err == nil {
			dirs = append(dirs, Dir(filepath.Join(base, e.Name())))
		}
	}
	return dirs, nil
}

func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return fmt.Errorf("directory %s: %w", path, err)
	}
	return nil
}
