package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// plainProgressEvery bounds how often Plain says how far the work is.
const plainProgressEvery = 10 * time.Second

// typeAhead is how old a line must not be: what was typed before a consent on a terminal
// was asked for, or within this time after, is not an answer to it.
const typeAhead = 500 * time.Millisecond

// Plain shows the incident one line per event and asks with numbered prompts. It moves no
// cursor and draws nothing. in is the person; nil means that nobody may be asked, and
// then answers decide. Answers go before a person. The same events give the same output
// unless opts.Times is set.
//
// It returns when the run is closed, the engine is gone, the person leaves, or an answer
// is needed that nobody gives (engine.NoInput, after the engine was asked to stop).
func Plain(ctx context.Context, link Link, in io.Reader, out io.Writer, answers Answers, opts Options) (Exit, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := &plain{
		link: link, out: out, opts: opts,
		auto: unattended{answers: answers, rehearseOnly: opts.RehearseOnly && in == nil, actor: opts.Actor},
	}
	if in != nil {
		p.input = readLines(ctx, in)
		p.terminal = isTerminal(in)
	}
	return p.run(ctx)
}

type plain struct {
	link     Link
	out      io.Writer
	opts     Options
	auto     unattended
	input    <-chan typedLine // nil: nobody may be asked
	terminal bool

	view     engine.View
	past     int64
	watching bool    // another front end is the operator
	decided  pending // what a decision has been sent for
	asking   pending // what the person is being asked
	asked    time.Time
	lastSaid time.Time // progress
	stopping bool      // abort has been sent
	verdict  error     // why we stop, where it was our own doing
	writeErr error
}

type typedLine struct {
	text string
	at   time.Time
}

func (p *plain) run(ctx context.Context) (Exit, error) {
	arrivals := follow(ctx, p.link)
	for {
		var input <-chan typedLine
		if p.asking.any() {
			input = p.input
		}
		select {
		case a := <-arrivals:
			if a.err != nil {
				return p.ended(a.err)
			}
			if err := p.take(a.message); err != nil {
				return Exit{Code: engine.Failure.Exit()}, err
			}
			if p.view.Closed != nil && p.view.Seq >= p.past {
				return p.finish()
			}
		case l, ok := <-input:
			if !ok {
				p.input, p.asking = nil, pending{}
				p.auto.rehearseOnly = p.opts.RehearseOnly
			} else if leave, err := p.heard(l); leave || err != nil {
				return p.opts.leave(p), err
			}
		case <-p.opts.Interrupts:
			if p.stopping {
				return p.opts.leave(p), nil
			}
			p.stop("stopping as soon as that is safe; ctrl-c again leaves the engine to go on alone")
		case <-ctx.Done():
			return p.opts.leave(p), nil
		}
		if err := p.respond(); err != nil {
			return Exit{Code: engine.Failure.Exit()}, err
		}
		if p.writeErr != nil {
			return p.opts.detached(), fmt.Errorf("output: %w", p.writeErr)
		}
	}
}

// leave is the exit of a person who goes; it is said as the last line.
func (o Options) leave(p *plain) Exit {
	e := o.detached()
	p.print(0, "%s", e.Message)
	return e
}

func (p *plain) print(indent int, format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	if p.opts.ASCII {
		s = asciiFold(s)
	}
	if _, err := io.WriteString(p.out, strings.Repeat("  ", indent)+s+"\n"); err != nil && p.writeErr == nil {
		p.writeErr = err
	}
}

func (p *plain) take(m engine.Message) error {
	switch {
	case m.Hello != nil:
		p.past = m.Hello.Past
		if p.watching = !m.Hello.Operator; p.watching {
			p.print(0, "another front end is the operator: this one only watches")
		}
	case m.Event != nil:
		return p.event(*m.Event)
	case m.Progress != nil:
		p.progress(*m.Progress)
	case m.Refused != nil:
		p.print(0, "refused: %s", cleanLine(m.Refused.Reason))
		if p.decided.any() && p.decided.same(p.view) && p.input == nil {
			p.fail(engine.Errorf(engine.Failure, p.opts.attachHint(), "the engine refuses the decision: %s", m.Refused.Reason))
			return nil
		}
		p.decided = pending{}
	}
	return nil
}

func (p *plain) event(e engine.Event) error {
	after, err := p.view.Fold(e)
	if err != nil {
		return fmt.Errorf("what the engine sent cannot be followed: %w", err)
	}
	for _, l := range narrate(p.view, after, e) {
		if p.prompts(e, after) {
			break // the prompt says it
		}
		stamp := ""
		if p.opts.Times {
			stamp = l.At.UTC().Format("15:04:05Z ")
		}
		p.print(0, "%s%s%s", stamp, strings.Repeat("  ", l.Indent), l.Text)
	}
	p.view = after
	if p.asking.any() && !p.asking.same(after) {
		p.asking = pending{}
	}
	if e.Kind == engine.KindStarted {
		p.lastSaid = p.opts.now()
	}
	return nil
}

// prompts reports an event that is about to be put to the person here.
func (p *plain) prompts(e engine.Event, after engine.View) bool {
	if e.Kind != engine.KindAsked && e.Kind != engine.KindProposed ||
		p.input == nil || p.watching || p.stopping || e.Seq < p.past {
		return false
	}
	_, lacks := p.auto.decide(after)
	return lacks != nil
}

func (p *plain) progress(pr engine.Progress) {
	now := p.opts.now()
	if now.Sub(p.lastSaid) < plainProgressEvery {
		return
	}
	p.lastSaid = now
	p.print(1, "progress: %s", progressWords(pr, now))
}

// progressWords is a progress in one line.
func progressWords(pr engine.Progress, now time.Time) string {
	pc := paceOf(pr, now)
	s := cleanLine(pr.What)
	for _, part := range []string{amount(pr), pc.Percent, pc.Rate, pc.Left, pc.Quiet} {
		if part != "" {
			s += ", " + part
		}
	}
	return strings.TrimPrefix(s, ", ")
}

// respond decides or asks, when something is being asked that has not been dealt with.
// What the past of the incident asked has been dealt with.
func (p *plain) respond() error {
	now := pendingIn(p.view)
	if !now.any() || p.view.Seq < p.past || p.watching || p.stopping ||
		p.decided.any() && p.decided.same(p.view) || p.asking.any() {
		return nil
	}
	d, lacks := p.auto.decide(p.view)
	switch {
	case lacks == nil:
		return p.send(d)
	case p.input != nil:
		p.ask()
	default:
		p.fail(lacks.err())
	}
	return nil
}

func (p *plain) send(d engine.Decision) error {
	p.decided, p.asking = pendingIn(p.view), pending{}
	if err := checkDecision(p.view, d); err != nil {
		return err
	}
	if err := p.link.Decide(d); err != nil {
		return fmt.Errorf("the engine cannot be told: %w", err)
	}
	return nil
}

// stop asks the engine to stop where that is safe.
func (p *plain) stop(words string) {
	p.print(0, "%s", words)
	p.stopping, p.asking = true, pending{}
	if err := p.link.Decide(engine.Decision{Kind: engine.DecideAbort, Actor: p.opts.Actor, Reason: words}); err != nil {
		p.print(0, "the engine cannot be told: %v", err)
	}
}

// fail stops the run for a reason of our own, which becomes the exit.
func (p *plain) fail(err error) {
	p.verdict = err
	p.stop("stopping: " + cleanLine(err.Error()))
}

func (p *plain) finish() (Exit, error) { return conclude(p.view, p.verdict) }

// conclude is the exit of a closed run. ours is why the front end stopped it, if it did;
// an unknown outcome is worse than any reason of ours, and is what the error says then.
func conclude(v engine.View, ours error) (Exit, error) {
	e := closed(v.Closed)
	switch {
	case ours == nil:
		return e, nil
	case e.Code == engine.Unknown.Exit():
		return e, engine.Errorf(engine.Unknown, "run pgrescue resume to look again", "%s: %w", v.Closed.Summary, ours)
	}
	e.Code = engine.Explain(ours).Kind.Exit()
	return e, ours
}

// ended is the exit when the link ended. A clean end after Closed was taken in finish.
func (p *plain) ended(err error) (Exit, error) {
	e := p.opts.gone(p.view)
	p.print(0, "%s", e.Message)
	if p.verdict != nil && e.Code != engine.Unknown.Exit() {
		e.Code = engine.Explain(p.verdict).Kind.Exit()
		return e, p.verdict
	}
	if errors.Is(err, io.EOF) {
		return e, nil
	}
	return e, fmt.Errorf("line to the engine: %w", err)
}

// readLines reads the person's lines as they come, so that what was typed ahead can be
// told from what was typed as an answer.
func readLines(ctx context.Context, in io.Reader) <-chan typedLine {
	out := make(chan typedLine, 64)
	go func() {
		defer close(out)
		lines := newLineReader(in)
		for {
			s, err := lines.next()
			if err != nil {
				return
			}
			select {
			case out <- typedLine{s, time.Now()}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

func isTerminal(in io.Reader) bool {
	f, ok := in.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}
