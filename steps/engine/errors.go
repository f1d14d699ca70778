package engine

import (
	"context"
	"errors"
	"fmt"
)

// Kind of an error decides the exit code and what is offered next.
type ErrorKind string

// The kinds.
const (
	Failure      ErrorKind = "failure"      // something did not work
	Precondition ErrorKind = "precondition" // the target is not in a state this can start from
	Damage       ErrorKind = "damage"       // the tool worked, the data is bad
	Stale        ErrorKind = "stale"        // plan or original differ from what was rehearsed
	Declined     ErrorKind = "declined"     // the operator said no
	NoInput      ErrorKind = "no-input"     // an answer is needed and nobody may be asked
	Unknown      ErrorKind = "unknown"      // an effect may or may not have taken place
	Aborted      ErrorKind = "aborted"      // the operator interrupted
	Locked       ErrorKind = "locked"       // another run holds the incident
	Usage        ErrorKind = "usage"        // the command line is wrong
)

// Exit codes are documented and stable (README, "Exit codes").
var exitCodes = map[ErrorKind]int{
	Failure: 1, Usage: 2, Damage: 3, Precondition: 5, Stale: 6, Declined: 7,
	Aborted: 7, NoInput: 8, Locked: 9, Unknown: 10,
}

// ExitPending is the exit code of a passed rehearsal whose performance awaits consent.
const ExitPending = 4

// Exit is the process exit code for the kind.
func (k ErrorKind) Exit() int {
	if code, ok := exitCodes[k]; ok {
		return code
	}
	return 1
}

// Error says what failed and what to do next.
type Error struct {
	Kind ErrorKind
	Msg  string // one sentence without a period
	Hint string // what to do next
	Err  error  // cause
}

func (e *Error) Error() string {
	if e.Err == nil {
		return e.Msg
	}
	if e.Msg == "" {
		return e.Err.Error()
	}
	return e.Msg + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error. The last argument may be an error for %w as with fmt.Errorf.
func Errorf(kind ErrorKind, hint, format string, args ...any) *Error {
	return &Error{Kind: kind, Hint: hint, Err: fmt.Errorf(format, args...)}
}

// Explain turns any error into its journaled form.
func Explain(err error) Problem {
	var e *Error
	p := Problem{Kind: Failure, Message: err.Error()}
	switch {
	case errors.As(err, &e):
		p.Kind, p.Hint = e.Kind, e.Hint
	case errors.Is(err, context.Canceled):
		p.Kind, p.Hint = Aborted, "run pgrescue resume to go on from here"
	}
	return p
}

// Problem is an error as the journal and the screen have it.
type Problem struct {
	Kind    ErrorKind `json:"kind"`
	Message string    `json:"message"`
	Hint    string    `json:"hint,omitempty"`
}
