package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pgrescue/pgrescue/dockerops"
)

// TestMain lets scripts run this test binary as the program: main and all.
func TestMain(m *testing.M) {
	testscript.Main(withScratch{m}, map[string]func(){"pgrescue": main})
}

// withScratch runs the tests with a directory that outlives each of them. It is not asked
// for where the test binary plays the program.
type withScratch struct{ m *testing.M }

const scratchVariable = "PGRESCUE_TEST_SCRATCH"

func (w withScratch) Run() int {
	dir, err := os.MkdirTemp("", "pgrescue-main-")
	if err == nil {
		err = errors.Join(os.Chmod(dir, 0o711), os.Setenv(scratchVariable, dir)) // others run initdb in it
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	return w.m.Run()
}

// noDocker is an address where no daemon is.
const noDocker = "unix:///nonexistent/docker.sock"

// TestScripts plays testdata/script against the whole program. Scripts see no Docker
// unless they set DOCKER_HOST to $DOCKER; their state is in $WORK/state.
func TestScripts(t *testing.T) {
	controls, err := filepath.Abs("pgops/pgdisk/testdata/control")
	if err != nil {
		t.Fatal(err)
	}
	data := initdb(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("CONTROL", controls)
			env.Setenv("PGDATA15", data)
			env.Setenv("DOCKER_HOST", noDocker)
			env.Setenv("DOCKER", cmpEnv("DOCKER_HOST", "unix:///var/run/docker.sock"))
			env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, "state"))
			env.Setenv("INCIDENTS", filepath.Join(env.WorkDir, "state", "pgrescue", "incidents"))
			env.Setenv("TERM", "dumb")
			env.Setenv("GORACE", "atexit_sleep_ms=10") // else each program waits a second for races at its end
			return nil
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "root":
				return os.Geteuid() == 0, nil
			case "docker":
				c, err := dockerops.Connect(context.Background())
				if err != nil {
					return false, nil
				}
				return true, c.Close()
			}
			return false, errors.New("unknown condition " + cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": cmdExits, "fails": cmdFails, "incident": cmdIncident, "poke": cmdPoke, "rewrite": cmdRewrite, "find": cmdFind,
		},
	})
}

func cmpEnv(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

// initdb makes a cluster of the machine's own PostgreSQL, as another user where we are root.
func initdb(t *testing.T) string {
	t.Helper()
	bins, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is well-formed
	if len(bins) == 0 {
		t.Skip("SKIP-REASON: no PostgreSQL on this machine (/usr/lib/postgresql/*/bin/initdb)")
	}
	slices.Sort(bins)
	data := filepath.Join(os.Getenv(scratchVariable), "data")
	argv := []string{bins[len(bins)-1], "--no-sync", "--no-locale", "--auth", "trust", "--username", "postgres", "--pgdata", data}
	if os.Geteuid() == 0 {
		owner, err := user.Lookup("postgres")
		if err != nil {
			t.Skipf("SKIP-REASON: root cannot run initdb, and there is no other user for it: %v", err)
		}
		uid, _ := strconv.Atoi(owner.Uid)
		gid, _ := strconv.Atoi(owner.Gid)
		if err := errors.Join(os.Mkdir(data, 0o700), os.Chown(data, uid, gid)); err != nil {
			t.Fatal(err)
		}
		argv = []string{"su", "postgres", "-s", "/bin/sh", "-c", strings.Join(argv, " ")}
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = "/"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	return data
}

// cmdExits runs a program and wants exactly the exit code: exits CODE PROGRAM [ARG...].
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	err = ts.Exec(args[1], args[2:]...)
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// cmdFails is exits for a command that has nothing to show: standard output is empty, and
// standard error is one sentence and at most one hint, which a usage error never lacks.
func cmdFails(ts *testscript.TestScript, neg bool, args []string) {
	cmdExits(ts, neg, args)
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("standard output is for data, and there is none: %q", out)
	}
	if err := checkComplaint(ts.ReadFile("stderr"), args[0] == "2"); err != nil {
		ts.Fatalf("%v", err)
	}
}

// checkComplaint holds what a failed command says against the house rules.
func checkComplaint(stderr string, needsHint bool) error {
	message, hint, hinted := strings.Cut(strings.TrimSuffix(stderr, "\n"), "\n")
	said, ok := strings.CutPrefix(message, "pgrescue: ")
	switch {
	case !ok || said == "":
		return errors.New("does not begin with pgrescue: and a sentence")
	case strings.HasSuffix(said, "."):
		return errors.New("the sentence ends with a period")
	case strings.Contains(said, "%!") || strings.Contains(said, "<nil>") || strings.Contains(said, "goroutine "):
		return errors.New("the sentence is not for people")
	case needsHint && !hinted:
		return errors.New("a usage error without a hint")
	case hinted && (!strings.HasPrefix(hint, "hint: ") || strings.Contains(hint, "\n") || strings.TrimPrefix(hint, "hint: ") == ""):
		return errors.New("the second line is not a hint, or not the last")
	}
	return nil
}

// cmdPoke overwrites bytes: poke FILE OFFSET BYTE..., the bytes in any base.
func cmdPoke(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: poke FILE OFFSET BYTE...")
	}
	off, err := strconv.ParseInt(args[1], 0, 64)
	ts.Check(err)
	var bytes []byte
	for _, a := range args[2:] {
		b, err := strconv.ParseUint(a, 0, 8)
		ts.Check(err)
		bytes = append(bytes, byte(b))
	}
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_RDWR, 0)
	ts.Check(err)
	_, err = f.WriteAt(bytes, off)
	ts.Check(errors.Join(err, f.Close()))
}

// cmdRewrite replaces text that must be there once or more: rewrite FILE OLD NEW.
func cmdRewrite(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: rewrite FILE OLD NEW")
	}
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.ReplaceAll(text, args[1], args[2])), 0o600))
}

// cmdFind sets a variable to the one path that a pattern fits: find VAR PATTERN.
func cmdFind(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: find VAR PATTERN")
	}
	hits, err := filepath.Glob(ts.MkAbs(args[1]))
	ts.Check(err)
	if len(hits) != 1 {
		ts.Fatalf("%d files fit %s, want one", len(hits), args[1])
	}
	ts.Setenv(args[0], hits[0])
}

func TestCheckComplaint(t *testing.T) {
	for stderr, wrong := range map[string]bool{
		"pgrescue: a is not b\n":               false,
		"pgrescue: a is not b\nhint: take c\n": false,
		"":                                     true,
		"Error: a\n":                           true,
		"pgrescue: \n":                         true,
		"pgrescue: a is not b.\n":              true,
		"pgrescue: a %!s(MISSING)\n":           true,
		"pgrescue: a\nUsage:\n":                true,
		"pgrescue: a\nhint: b\nmore\n":         true,
		"pgrescue: a\nhint: \n":                true,
		"panic: runtime error\n\ngoroutine 1 [running]": true,
	} {
		if err := checkComplaint(stderr, false); (err != nil) != wrong {
			t.Errorf("%q: %v", stderr, err)
		}
	}
	if checkComplaint("pgrescue: a is not b\n", true) == nil {
		t.Error("a missing hint was not missed")
	}
}
