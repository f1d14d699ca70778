package agent

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"syscall"
)

// Kind sorts the errors of jobs into what a caller does about them.
type Kind string

// The kinds of errors. They are part of the protocol: add, never rename.
const (
	KindBadRequest  Kind = "bad-request" // the request cannot be understood or asks for nonsense
	KindNotFound    Kind = "not-found"   // a path that the request names is not there
	KindNoSpace     Kind = "no-space"    // the destination has or had too few bytes
	KindNoInodes    Kind = "no-inodes"   // the destination has too few inodes
	KindNotEmpty    Kind = "not-empty"   // the destination holds something already
	KindChanged     Kind = "changed"     // a file changed while it must not
	KindMismatch    Kind = "mismatch"    // what was read back is not what was written
	KindRefused     Kind = "refused"     // doing it would not be safe: bytes are not as expected
	KindUnsupported Kind = "unsupported" // this kernel or file system cannot do it
	KindCancelled   Kind = "cancelled"   // the caller went away or asked to stop
	KindIO          Kind = "io"          // reading or writing failed
	KindLost        Kind = "lost"        // client side: the agent ended without an answer
	KindInternal    Kind = "internal"    // a defect of pgrescue
)

// Error is what a job ends with when it fails. It crosses the process border as JSON.
type Error struct {
	Kind    Kind   `json:"kind"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"` // what to do next
	Path    Path   `json:"path,omitempty"` // the file it is about, relative to its piece

	cause error
}

func (e *Error) Error() string {
	msg := e.Message
	if e.Hint != "" {
		msg += "; " + e.Hint
	}
	return msg
}

// Unwrap gives the cause, on the side of the process where it happened.
func (e *Error) Unwrap() error { return e.cause }

// KindOf tells the kind of err, or KindIO for an error without one.
func KindOf(err error) Kind {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e.Kind
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return KindCancelled
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return KindNoSpace
	case errors.Is(err, fs.ErrNotExist):
		return KindNotFound
	}
	return KindIO
}

// asError gives any error the shape that is sent.
func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		out := *e
		out.Message = strings.TrimSuffix(err.Error(), "; "+e.Hint)
		return &out
	}
	out := &Error{Kind: KindOf(err), Message: err.Error(), cause: err}
	switch out.Kind {
	case KindNoSpace:
		out.Hint = "free space on the destination and run again: what is already copied is kept"
	case KindCancelled:
		out.Message = "stopped: " + err.Error()
		out.Hint = "run again to go on from here"
	}
	return out
}

// refuse makes an error of a kind without a cause.
func refuse(kind Kind, path, message, hint string) *Error {
	return &Error{Kind: kind, Message: message, Hint: hint, Path: Path(path)}
}

// isMediaError reports whether a read failed in a way that copying carries on from.
func isMediaError(err error) bool {
	for _, e := range mediaErrors() {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
