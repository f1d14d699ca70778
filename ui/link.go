package ui

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// Link is the front end's line to an engine; engine.Client is one.
type Link interface {
	// Next waits for the next message. An error means the engine or the line is gone.
	Next() (engine.Message, error)
	// Decide sends a decision. A refusal comes back through Next.
	Decide(engine.Decision) error
	// Close leaves the engine to itself and ends a waiting Next.
	Close() error
}

var _ Link = (*engine.Client)(nil)

// arrival is a message from the engine, or the reason why there will be no more.
type arrival struct {
	message engine.Message
	err     error
}

// follow reads the link until it ends or the context does. The last arrival carries the
// error. The caller closes the link to release it.
func follow(ctx context.Context, link Link) <-chan arrival {
	out := make(chan arrival, 64)
	go func() {
		defer close(out)
		for {
			m, err := nextSafely(link)
			select {
			case out <- arrival{m, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return out
}

// nextSafely turns a panic into an error: a panic in a goroutine would leave the terminal
// in raw mode.
func nextSafely(link Link) (m engine.Message, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	return link.Next()
}

// PanicError is a defect of the front end. The terminal has been restored when it is
// returned, and the engine is not affected.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("the front end has failed (%v); the engine is not affected\n%s", e.Value, e.Stack)
}
