package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"runtime/debug"
)

// Exit codes of Serve.
const (
	exitOK         = 0
	exitFailed     = 1 // the job failed; the error line says how
	exitBadRequest = 2 // the request was not understood; nothing was done
)

// memoryLimit keeps the collector from letting the heap grow beyond what a helper
// container may be given.
const memoryLimit = 96 << 20

var errCallerGone = &Error{Kind: KindCancelled, Message: "the caller went away",
	Hint: "run again to go on from here"}

// Serve does the one job that the request on stdin names and returns the exit code. It
// is what `pgrescue agent` runs. Errors go to stdout as the protocol says; stderr gets
// only what defects leave behind.
func Serve(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) int {
	debug.SetMemoryLimit(memoryLimit)
	out := &lineWriter{w: stdout}
	in := bufio.NewReaderSize(stdin, 64<<10)
	q, j, err := readRequest(in)
	if err != nil {
		_ = out.write(answer{Error: asError(err)}) // nobody is left to tell if this fails
		return exitBadRequest
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := &Stream{out: stdout, OnRecord: out.record}
	s.OnProgress = func(p Progress) {
		if out.write(answer{Progress: &p}) != nil {
			cancel(errCallerGone)
		}
	}
	if j.raw {
		s.raw = func() (io.Reader, error) { return in, out.write(answer{Result: json.RawMessage(`{}`)}) }
	} else {
		s.Input = watchInput(ctx, cancel, in, q.Input)
		if f, ok := stdin.(*os.File); ok {
			go func() {
				if waitHangup(f, ctx.Done()) {
					cancel(errCallerGone)
				}
			}()
		}
	}
	res, err := runJob(ctx, j, q.Request, s, stderr)
	return finish(ctx, out, j, res, err)
}

func readRequest(in *bufio.Reader) (request, Job, error) {
	line, err := readLine(in, maxLine)
	if err != nil {
		return request{}, Job{}, &Error{Kind: KindBadRequest, Message: fmt.Sprintf("read the request: %v", err), cause: err}
	}
	q, err := decodeRequest(line)
	if err != nil {
		return q, Job{}, err
	}
	for _, j := range Jobs() {
		if j.Name == q.Job {
			return q, j, nil
		}
	}
	return q, Job{}, refuse(KindBadRequest, "", fmt.Sprintf("there is no job %q", q.Job),
		"the two ends may be of different versions of pgrescue")
}

// runJob turns a panic into an error: a defect in a reader of damaged bytes must not
// look like a container that was killed.
func runJob(ctx context.Context, j Job, req json.RawMessage, s *Stream, stderr io.Writer) (res any, err error) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(stderr, "agent: job %s: %v\n%s", j.Name, p, debug.Stack())
			err = &Error{Kind: KindInternal, Message: fmt.Sprintf("job %s: defect in pgrescue: %v", j.Name, p),
				Hint: "report it with the agent's standard error"}
		}
	}()
	return j.run(ctx, req, s)
}

func finish(ctx context.Context, out *lineWriter, j Job, res any, err error) int {
	if err != nil && ctx.Err() != nil && KindOf(err) == KindCancelled {
		err = context.Cause(ctx)
	}
	if err == nil && j.raw {
		return exitOK
	}
	if err == nil {
		var b []byte
		if b, err = json.Marshal(res); err == nil {
			if out.write(answer{Result: b}) != nil {
				return exitFailed
			}
			return exitOK
		}
	}
	e := asError(err)
	_ = out.write(answer{Error: e}) // nobody is left to tell if this fails
	if e.Kind == KindBadRequest {
		return exitBadRequest
	}
	return exitFailed
}

// watchInput reads standard input for as long as the job runs: first the records, if
// there are any, then until its end, which cancels the job.
func watchInput(ctx context.Context, cancel context.CancelCauseFunc, in *bufio.Reader, records bool) iter.Seq2[Record, error] {
	ch := make(chan Record, 256)
	bad := make(chan error, 1)
	go func() {
		defer cancel(errCallerGone)
		if records {
			err := readRecords(ctx, in, ch)
			if err != nil {
				bad <- err
			}
			close(ch)
			if err != nil {
				return
			}
		}
		_, _ = io.Copy(io.Discard, in) // whatever ends it, the caller is gone
	}()
	if !records {
		return nil
	}
	return func(yield func(Record, error) bool) {
		for r := range ch {
			if !yield(r, nil) {
				return
			}
		}
		select {
		case err := <-bad:
			yield(Record{}, err)
		default:
		}
	}
}

func readRecords(ctx context.Context, in *bufio.Reader, ch chan<- Record) error {
	for {
		line, err := readLine(in, maxLine)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return errCallerGone
		}
		if err != nil {
			return err
		}
		var l inputLine
		if err := decodeStrict(line, &l); err != nil {
			return &Error{Kind: KindBadRequest, Message: fmt.Sprintf("input line: %v", err), cause: err}
		}
		if l.End {
			return nil
		}
		if l.Record == nil {
			return refuse(KindBadRequest, "", "input line holds neither a record nor the end", "")
		}
		select {
		case ch <- *l.Record:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
