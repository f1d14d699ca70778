package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"
)

// Conn is the client's end of one agent process: writes reach its standard input, reads
// come from its standard output. CloseWrite ends the agent's standard input, which
// cancels the job. Close gives everything up and must unblock Read and Write.
type Conn interface {
	io.Reader
	io.Writer
	CloseWrite() error
	Close() error
}

// Exiter is a Conn that knows how the agent process ended. ExitCode waits for the end.
type Exiter interface {
	ExitCode() (int, error)
}

// cancelGrace is how long a cancelled job may take to answer before it is given up.
const cancelGrace = 10 * time.Second

// Call runs one job through conn, which it does not close, and returns its result.
//
// onProgress and onRecord may be nil; they are called one at a time. An error of
// onRecord cancels the job and is returned. Errors of the job are *Error. When ctx ends
// the job is cancelled and the error says so.
func Call[Req, Res any](ctx context.Context, conn Conn, job string, req Req,
	onProgress func(Progress), onRecord func(json.RawMessage) error) (Res, error) {
	return CallWithInput[Req, Res](ctx, conn, job, req, nil, onProgress, onRecord)
}

// CallWithInput is Call for jobs that take records: they are sent while the job runs.
func CallWithInput[Req, Res any](ctx context.Context, conn Conn, job string, req Req, input iter.Seq2[Record, error],
	onProgress func(Progress), onRecord func(json.RawMessage) error) (Res, error) {
	var res Res
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(ctx, func() {
		_ = conn.CloseWrite() // the agent takes this as the end; Close follows if it does not
		time.AfterFunc(cancelGrace, func() { _ = conn.Close() })
	})
	defer stop()

	raw, err := json.Marshal(req)
	if err != nil {
		return res, fmt.Errorf("encode the request of job %s: %w", job, err)
	}
	go func() {
		if err := send(conn, request{Job: job, Request: raw, Input: input != nil}, input); err != nil && !errors.Is(err, io.ErrClosedPipe) {
			cancel(fmt.Errorf("send to job %s: %w", job, err))
		}
	}()
	result, err := receive(conn, job, onProgress, onRecord, cancel)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil && ctx.Err() != nil && KindOf(err) != KindChanged {
			return res, fmt.Errorf("job %s: %w", job, cause)
		}
		return res, err
	}
	if err := json.Unmarshal(result, &res); err != nil {
		return res, fmt.Errorf("result of job %s: %w", job, err)
	}
	return res, nil
}

func send(w io.Writer, q request, input iter.Seq2[Record, error]) error {
	b, err := encodeLine(q)
	if err != nil {
		return err
	}
	if _, err := w.Write(b); err != nil || input == nil {
		return err
	}
	buf := bufio.NewWriterSize(w, 64<<10)
	for r, err := range input {
		if err != nil {
			return err
		}
		b, err := encodeLine(inputLine{Record: &r})
		if err != nil {
			return err
		}
		if _, err := buf.Write(b); err != nil {
			return err
		}
	}
	if b, err = encodeLine(inputLine{End: true}); err != nil {
		return err
	}
	if _, err := buf.Write(b); err != nil {
		return err
	}
	return buf.Flush()
}

// receive reads answers up to the last one.
func receive(conn Conn, job string, onProgress func(Progress), onRecord func(json.RawMessage) error, cancel context.CancelCauseFunc) (json.RawMessage, error) {
	in := bufio.NewReaderSize(conn, 64<<10)
	for {
		line, err := readLine(in, maxLine)
		if err != nil {
			return nil, lost(conn, job, err)
		}
		var a answer
		if err := json.Unmarshal(line, &a); err != nil {
			return nil, &Error{Kind: KindLost, Message: fmt.Sprintf("job %s answered with something else than JSON: %.80q", job, line), cause: err,
				Hint: "see that the helper image is made from this binary"}
		}
		switch {
		case a.Error != nil:
			return nil, a.Error
		case a.Result != nil:
			return a.Result, nil
		case a.Progress != nil && onProgress != nil:
			onProgress(*a.Progress)
		case a.Record != nil && onRecord != nil:
			if err := onRecord(a.Record); err != nil {
				cancel(err)
				onRecord = nil
			}
		}
	}
}

func lost(conn Conn, job string, err error) error {
	msg := fmt.Sprintf("the agent ended without an answer to job %s", job)
	if x, ok := conn.(Exiter); ok && errors.Is(err, io.EOF) {
		if code, xerr := x.ExitCode(); xerr == nil {
			msg += fmt.Sprintf(" (exit code %d)", code)
		}
	}
	return &Error{Kind: KindLost, Message: msg, cause: err,
		Hint: "it was killed or its container went away; what it had copied is kept, run again"}
}

// Each adapts a function of a record type to what Call takes.
func Each[T any](f func(T) error) func(json.RawMessage) error {
	return func(raw json.RawMessage) error {
		var v T
		if err := json.Unmarshal(raw, &v); err != nil {
			return fmt.Errorf("record from the agent: %w", err)
		}
		return f(v)
	}
}
