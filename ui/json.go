package ui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// JSONSchema is the version of the JSON stream. It changes when a field changes its
// meaning or goes; new types and fields may come at any time.
const JSONSchema = "1.0"

// jsonProgressEvery bounds how often JSON tells how far one piece of work is.
const jsonProgressEvery = time.Second

// JSON writes one object per line: first a "version", then each event under its kind, now
// and then a "progress", a "waiting" when a decision is wanted, "refused" when one was not
// taken, and last a "result". Decisions are read from in as engine.Decision, one object a
// line; a consent must carry the digest (and for the original the typed challenge) that
// the waiting line shows. Answers go before in. When in ends, or is nil, answers decide;
// what they lack is engine.NoInput. With opts.RehearseOnly the gates of the rehearsal are
// agreed to and questions get their defaults; the original's gates never.
func JSON(ctx context.Context, link Link, in io.Reader, out io.Writer, answers Answers, opts Options) (Exit, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	j := &jsonFace{
		link: link, out: json.NewEncoder(out), opts: opts,
		auto: unattended{answers: answers, rehearseOnly: opts.RehearseOnly, actor: opts.Actor},
	}
	j.out.SetEscapeHTML(false)
	if in != nil {
		j.input = readLines(ctx, in)
	}
	j.write(jsonVersion{Type: "version", Schema: JSONSchema, Program: "pgrescue", Version: opts.Version})
	exit, err := j.run(ctx)
	j.result(exit, err)
	if err == nil && j.writeErr != nil {
		err = fmt.Errorf("output: %w", j.writeErr)
	}
	return exit, err
}

type jsonFace struct {
	link  Link
	out   *json.Encoder
	opts  Options
	auto  unattended
	input <-chan typedLine

	view     engine.View
	past     int64
	watching bool
	decided  pending
	told     pending // what a "waiting" line was written for
	stopping bool
	verdict  error
	lastStep string
	lastSaid time.Time
	writeErr error
}

type jsonVersion struct {
	Type    string `json:"type"`
	Schema  string `json:"schema"`
	Program string `json:"program"`
	Version string `json:"version,omitempty"`
}

// jsonLine is an event or a progress.
type jsonLine struct {
	Type string     `json:"type"`
	Act  engine.Act `json:"act,omitempty"`
	Step string     `json:"step,omitempty"`
	Seq  int64      `json:"seq,omitempty"`
	At   *time.Time `json:"ts,omitempty"`
	Data any        `json:"data,omitempty"`
}

// jsonWaiting says what decision is wanted.
type jsonWaiting struct {
	Type     string           `json:"type"`
	Act      engine.Act       `json:"act"`
	Step     string           `json:"step"`
	Question *engine.Question `json:"question,omitempty"`
	Gate     *engine.Gate     `json:"gate,omitempty"`
}

// jsonVerdict is a verdict with its place.
type jsonVerdict struct {
	Act     engine.Act `json:"act"`
	Attempt int        `json:"attempt"`
	Step    string     `json:"step"`
	engine.Verdict
}

// jsonResult is the last line.
type jsonResult struct {
	Type        string              `json:"type"`
	Incident    string              `json:"incident,omitempty"`
	Outcome     string              `json:"outcome"`
	Exit        int                 `json:"exit"`
	Summary     string              `json:"summary,omitempty"`
	Next        []string            `json:"next,omitempty"`
	Error       *engine.Problem     `json:"error,omitempty"`
	Original    string              `json:"original,omitempty"`
	Verdicts    []jsonVerdict       `json:"verdicts"`
	Rehearsed   *engine.Rehearsed   `json:"rehearsed"`
	Obligations []engine.Obligation `json:"obligations"`
}

func (j *jsonFace) write(v any) {
	if err := j.out.Encode(v); err != nil && j.writeErr == nil {
		j.writeErr = err
	}
}

func (j *jsonFace) run(ctx context.Context) (Exit, error) {
	arrivals := follow(ctx, j.link)
	for {
		select {
		case a := <-arrivals:
			if a.err != nil {
				return j.ended(a.err)
			}
			if err := j.take(a.message); err != nil {
				return Exit{Code: engine.Failure.Exit()}, err
			}
			if j.view.Closed != nil && j.view.Seq >= j.past {
				return j.finish()
			}
		case l, ok := <-j.input:
			if !ok {
				j.input = nil
			} else {
				j.heard(l.text)
			}
		case <-j.opts.Interrupts:
			if j.stopping {
				return j.opts.detached(), nil
			}
			j.stop("interrupted")
		case <-ctx.Done():
			return j.opts.detached(), nil
		}
		if err := j.respond(); err != nil {
			return Exit{Code: engine.Failure.Exit()}, err
		}
		if j.writeErr != nil {
			return j.opts.detached(), fmt.Errorf("output: %w", j.writeErr)
		}
	}
}

func (j *jsonFace) take(m engine.Message) error {
	switch {
	case m.Hello != nil:
		j.past, j.watching = m.Hello.Past, !m.Hello.Operator
		j.write(jsonLine{Type: "hello", Data: m.Hello})
	case m.Event != nil:
		e := *m.Event
		after, err := j.view.Fold(e)
		if err != nil {
			return fmt.Errorf("what the engine sent cannot be followed: %w", err)
		}
		j.view = after
		line := jsonLine{Type: string(e.Kind), Act: e.Act, Step: e.Step, Seq: e.Seq, At: &e.At}
		if len(e.Data) > 0 {
			line.Data = e.Data
		}
		j.write(line)
	case m.Progress != nil:
		j.progress(*m.Progress)
	case m.Refused != nil:
		j.refused(m.Refused.Reason)
	}
	return nil
}

func (j *jsonFace) progress(p engine.Progress) {
	now, key := j.opts.now(), string(p.Act)+"/"+p.Step+"/"+p.What
	if key == j.lastStep && now.Sub(j.lastSaid) < jsonProgressEvery {
		return
	}
	j.lastStep, j.lastSaid = key, now
	j.write(jsonLine{Type: "progress", Act: p.Act, Step: p.Step, Data: p})
}

// refused tells of a decision that the engine did not take. Without anybody to decide
// otherwise that ends the run.
func (j *jsonFace) refused(reason string) {
	j.write(jsonLine{Type: "refused", Data: engine.Refusal{Reason: reason}})
	if j.decided.any() && j.decided.same(j.view) && j.input == nil {
		j.fail(engine.Errorf(engine.Failure, j.opts.attachHint(), "the engine refuses the decision: %s", reason))
		return
	}
	j.decided = pending{}
}

// heard takes a line of input. What is not understood is refused and changes nothing.
func (j *jsonFace) heard(text string) {
	if text == "" {
		return
	}
	var d engine.Decision
	err := json.Unmarshal([]byte(text), &d)
	if err == nil {
		err = checkDecision(j.view, d)
	}
	if err == nil {
		if d.Actor == "" {
			d.Actor = j.opts.Actor
		}
		err = j.send(d)
	}
	if err != nil {
		j.write(jsonLine{Type: "refused", Data: engine.Refusal{Reason: err.Error()}})
	}
}

func (j *jsonFace) respond() error {
	now := pendingIn(j.view)
	if !now.any() || j.view.Seq < j.past || j.watching || j.stopping || j.decided.any() && j.decided.same(j.view) {
		return nil
	}
	d, lacks := j.auto.decide(j.view)
	switch {
	case lacks == nil:
		if err := checkDecision(j.view, d); err != nil {
			return err
		}
		return j.send(d)
	case j.input == nil:
		j.fail(lacks.err())
	case !j.told.any() || !j.told.same(j.view):
		j.told = now
		j.waiting(now)
	}
	return nil
}

func (j *jsonFace) waiting(p pending) {
	if q := p.question; q != nil {
		j.write(jsonWaiting{Type: "waiting", Act: q.Act, Step: q.Step, Question: &q.Question})
		return
	}
	j.write(jsonWaiting{Type: "waiting", Act: p.gate.Act, Step: p.gate.Step, Gate: &p.gate.Gate})
}

func (j *jsonFace) send(d engine.Decision) error {
	if d.Kind == engine.DecideAnswer || d.Kind == engine.DecideAgree || d.Kind == engine.DecideDecline {
		j.decided = pendingIn(j.view)
	}
	if err := j.link.Decide(d); err != nil {
		return fmt.Errorf("the engine cannot be told: %w", err)
	}
	return nil
}

func (j *jsonFace) stop(reason string) {
	j.stopping = true
	if err := j.send(engine.Decision{Kind: engine.DecideAbort, Reason: reason, Actor: j.opts.Actor}); err != nil {
		j.write(jsonLine{Type: "refused", Data: engine.Refusal{Reason: err.Error()}})
	}
}

func (j *jsonFace) fail(err error) {
	j.verdict = err
	j.stop(err.Error())
}

func (j *jsonFace) finish() (Exit, error) { return conclude(j.view, j.verdict) }

func (j *jsonFace) ended(err error) (Exit, error) {
	e := j.opts.gone(j.view)
	if j.verdict != nil && e.Code != engine.Unknown.Exit() {
		e.Code = engine.Explain(j.verdict).Kind.Exit()
		return e, j.verdict
	}
	if errors.Is(err, io.EOF) {
		return e, nil
	}
	return e, fmt.Errorf("line to the engine: %w", err)
}

// result writes the last line.
func (j *jsonFace) result(exit Exit, err error) {
	v := j.view
	r := jsonResult{Type: "result", Incident: v.Opened.Incident, Outcome: "gone", Exit: exit.Code, Summary: exit.Message,
		Original: string(v.Original), Verdicts: []jsonVerdict{}, Rehearsed: v.Rehearsed, Obligations: []engine.Obligation{}}
	if exit.Detached {
		r.Outcome = "detached"
	}
	if c := exit.Closed; c != nil {
		r.Outcome, r.Summary, r.Next = c.Outcome, c.Summary, c.Next
	}
	if err != nil {
		p := engine.Explain(err)
		r.Error = &p
	}
	for _, p := range latestVerdicts(v) {
		r.Verdicts = append(r.Verdicts, jsonVerdict{p.Act, p.Attempt, p.Step, p.Item})
	}
	r.Obligations = append(r.Obligations, v.Obligations...)
	j.write(r)
}
