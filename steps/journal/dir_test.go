package journal

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
)

func TestBase(t *testing.T) {
	for _, tc := range []struct{ state, home, want string }{
		{"/s", "/h", "/s/pgrescue/incidents"},
		{"relative", "/h", "/h/.local/state/pgrescue/incidents"},
		{"", "/h", "/h/.local/state/pgrescue/incidents"},
	} {
		t.Setenv("XDG_STATE_HOME", tc.state)
		t.Setenv("HOME", tc.home)
		if got, err := Base(); err != nil || got != tc.want {
			t.Errorf("XDG_STATE_HOME=%q HOME=%q: %s, %v", tc.state, tc.home, got, err)
		}
	}
	t.Setenv("XDG_STATE_HOME", "")
	t.Setenv("HOME", "")
	got, err := Base()
	if os.Geteuid() == 0 && got != "/var/lib/pgrescue/incidents" || os.Geteuid() != 0 && err == nil {
		t.Errorf("without either: %q, %v", got, err)
	}
}

func TestCreateNames(t *testing.T) {
	base := filepath.Join(t.TempDir(), "deep", "er")
	now := time.Date(2026, 10, 1, 4, 3, 2, 1, time.FixedZone("", 7200))
	for _, tc := range []struct{ target, want string }{
		{"container:db-service", "20261001T020302Z-db-service"},
		{"container:db-service", "20261001T020302Z-db-service-2"},
		{"dir:/var/lib/postgresql/15", "20261001T020302Z-var-lib-postgresql-15"},
		{"volume:../../etc", "20261001T020302Z-etc"},
		{"", "20261001T020302Z-incident"},
		{"süß\x00\n/", "20261001T020302Z-s"},
		{"volume:" + strings.Repeat("v", 300), "20261001T020302Z-" + strings.Repeat("v", 40)},
	} {
		d, err := Create(base, tc.target, now)
		if err != nil {
			t.Fatal(err)
		}
		if d.ID() != tc.want || filepath.Dir(string(d)) != base {
			t.Errorf("%q: %s, want %s", tc.target, d, tc.want)
		}
	}
}

func TestFindAndList(t *testing.T) {
	base := t.TempDir()
	if _, err := Find(base, ""); kind(err) != engine.Usage {
		t.Errorf("nothing there: %v", err)
	}
	if list, err := List(filepath.Join(base, "none")); err != nil || list != nil {
		t.Errorf("no directory: %v, %v", list, err)
	}
	var made []Dir
	for i, name := range []string{"alpha", "beta", "alphabet"} {
		d, err := Create(base, name, time.Unix(int64(1700000000+i), 0))
		if err != nil {
			t.Fatal(err)
		}
		j, _ := openDir(t, d)
		fill(t, j, 1, 1)
		made = append(made, d)
	}
	// A directory without a journal, and a file, are no incidents.
	if err := os.Mkdir(filepath.Join(base, "zzz"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(base, "zzzz"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := List(base)
	if err != nil || len(list) != 3 || list[0] != made[2] || list[2] != made[0] {
		t.Errorf("list %v, %v", list, err)
	}
	for name, want := range map[string]Dir{"": made[2], "beta": made[1], made[0].ID(): made[0], "alphab": made[2]} {
		if got, err := Find(base, name); err != nil || got != want {
			t.Errorf("%q finds %s, %v", name, got, err)
		}
	}
	for name, want := range map[string]string{"gamma": "no incident is called", "alpha": "2 incidents have", "../": "no incident"} {
		if _, err := Find(base, name); kind(err) != engine.Usage || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func kind(err error) engine.ErrorKind {
	var e *engine.Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

// TestSocketPath: a socket in a directory too deep for sockaddr_un can be listened on and
// dialled.
func TestSocketPath(t *testing.T) {
	for _, depth := range []int{0, 5} {
		dir := Dir(filepath.Join(append([]string{t.TempDir()}, strings.Split(strings.Repeat(strings.Repeat("d", 40)+" ", depth), " ")...)...))
		if err := os.MkdirAll(string(dir), 0o700); err != nil {
			t.Fatal(err)
		}
		path, done, err := dir.SocketPath("engine.sock")
		if err != nil {
			t.Fatal(err)
		}
		if len(path) > maxSocketPath {
			t.Errorf("%d bytes: %s", len(path), path)
		}
		l, err := net.Listen("unix", path)
		done()
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			if c, err := l.Accept(); err == nil {
				c.Write([]byte("hi"))
				c.Close()
			}
		}()
		path, done, err = dir.SocketPath("engine.sock")
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("unix", path)
		done()
		if err != nil {
			t.Fatalf("depth %d: %v", depth, err)
		}
		b := make([]byte, 2)
		if _, err := c.Read(b); err != nil || string(b) != "hi" {
			t.Errorf("depth %d: %q, %v", depth, b, err)
		}
		c.Close()
		l.Close()
		if _, err := os.Stat(dir.Path("engine.sock")); depth == 0 && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the socket stays: %v", err)
		}
	}
	if _, _, err := Dir("/nowhere/" + strings.Repeat("x", 120)).SocketPath("s"); err == nil {
		t.Error("a directory that is not there has a socket path")
	}
}
