package journal

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// other starts this test binary as another process on the incident.
func other(t *testing.T, d Dir, do string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "JOURNAL_TEST_DIR="+string(d), "JOURNAL_TEST_DO="+do)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }) // it may have ended
	in := bufio.NewScanner(out)
	if !in.Scan() || in.Text() != "open" {
		t.Fatalf("the other process says %q", in.Text())
	}
	return cmd, in
}

// TestLockIsHeldByAnotherProcess: two engines never work on one incident.
func TestLockIsHeldByAnotherProcess(t *testing.T) {
	d := newDir(t)
	if Held(d) {
		t.Error("held before anybody came")
	}
	cmd, _ := other(t, d, "hold")
	if !Held(d) {
		t.Error("not held while another process holds it")
	}
	_, _, err := Open(d)
	var e *engine.Error
	if !errors.As(err, &e) || e.Kind != engine.Locked || !strings.Contains(err.Error(), fmt.Sprintf("process %d", cmd.Process.Pid)) {
		t.Errorf("opening says %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	if Held(d) {
		t.Error("still held by a dead process")
	}
	openDir(t, d)
	if !Held(d) {
		t.Error("not held by this one")
	}
}

// TestPromise7KillLosesNothing kills a process that writes, again and again: every event
// that it had acknowledged is there, and the chain is whole.
func TestPromise7KillLosesNothing(t *testing.T) {
	d := newDir(t)
	total := 0
	for round := range 6 {
		cmd, in := other(t, d, "write")
		acknowledged := 0
		for in.Scan() {
			n, err := strconv.Atoi(in.Text())
			if err != nil {
				t.Fatalf("the writer says %q", in.Text())
			}
			if acknowledged = n; n >= total+10*(round+1) {
				break
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for in.Scan() { // what it acknowledged before it died
			if n, err := strconv.Atoi(in.Text()); err == nil {
				acknowledged = n
			}
		}
		_ = cmd.Wait() // killed
		j, past := openDir(t, d)
		if len(past) < acknowledged || acknowledged == 0 {
			t.Fatalf("round %d: %d events, %d were acknowledged", round, len(past), acknowledged)
		}
		total = len(past)
		j.Close()
	}
}
