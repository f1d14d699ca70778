package engine

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// TestExitCodes holds the documented table. A code that changes breaks scripts.
func TestExitCodes(t *testing.T) {
	want := map[ErrorKind]int{
		Failure: 1, Usage: 2, Damage: 3, Precondition: 5, Stale: 6, Declined: 7, Aborted: 7, NoInput: 8, Locked: 9, Unknown: 10,
		"something new": 1,
	}
	for kind, code := range want {
		if got := kind.Exit(); got != code {
			t.Errorf("%s exits with %d, want %d", kind, got, code)
		}
	}
	if ExitPending != 4 {
		t.Errorf("a pending consent exits with %d, want 4", ExitPending)
	}
	for kind := range exitCodes {
		if _, ok := want[kind]; !ok {
			t.Errorf("%s is not in this test", kind)
		}
	}
}

func TestExplain(t *testing.T) {
	cause := errors.New("disk on fire")
	wrapped := fmt.Errorf("step x: %w", Errorf(Stale, "rehearse again", "it changed: %w", cause))
	if p := Explain(wrapped); p.Kind != Stale || p.Hint != "rehearse again" || p.Message != "step x: it changed: disk on fire" {
		t.Errorf("%+v", p)
	}
	if !errors.Is(wrapped, cause) {
		t.Error("the cause is lost")
	}
	if p := Explain(cause); p.Kind != Failure || p.Hint != "" {
		t.Errorf("%+v", p)
	}
	if p := Explain(fmt.Errorf("x: %w", context.Canceled)); p.Kind != Aborted || p.Hint == "" {
		t.Errorf("%+v", p)
	}
	e := &Error{Kind: Failure, Msg: "step x", Err: cause}
	if e.Error() != "step x: disk on fire" || (&Error{Msg: "alone"}).Error() != "alone" || (&Error{Err: cause}).Error() != "disk on fire" {
		t.Error("messages do not join")
	}
}
