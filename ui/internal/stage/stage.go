// Package stage plays a made-up incident to a front end, for the tests of the screens and
// for looking at them. It follows the engine's rules closely enough that every event
// folds, and takes decisions as strictly as the engine does.
package stage

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// Play is a link to a made-up engine.
type Play struct {
	// Pace is slept between events; 0 plays as fast as it can.
	Pace time.Duration
	// Watch makes the front end a viewer instead of the operator.
	Watch bool
	// Past is told in Hello: so many events count as having happened before.
	Past int64
	// Live stamps events with the real time.
	Live bool
	// Vanish ends the line without a closing event once this event has been sent.
	Vanish int64

	mu        sync.Mutex
	changed   *sync.Cond
	queue     []engine.Message
	decisions []engine.Decision
	taken     []engine.Decision // all that came in
	view      engine.View
	clock     time.Time
	closed    bool // by the front end
	ended     bool // by the script
	started   bool
	panics    bool // Next panics once the queue is empty
	script    func(*Play)
}

// New makes a play of the script.
func New(script func(*Play)) *Play {
	p := &Play{script: script, clock: time.Date(2026, 3, 14, 2, 14, 7, 0, time.UTC)}
	p.changed = sync.NewCond(&p.mu)
	return p
}

// errLeft unwinds the script when the front end is gone or the operator said stop.
var errLeft = errors.New("left")

// Next implements the link.
func (p *Play) Next() (engine.Message, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.started {
		p.started = true
		p.queue = append(p.queue, engine.Message{Hello: &engine.Hello{Incident: "20260314T021407Z-db", Operator: !p.Watch, Past: p.Past}})
		go p.run()
	}
	for len(p.queue) == 0 && !p.ended && !p.closed {
		if p.panics {
			panic("made up")
		}
		p.changed.Wait()
	}
	if len(p.queue) == 0 || p.closed {
		return engine.Message{}, io.EOF
	}
	m := p.queue[0]
	p.queue = p.queue[1:]
	return m, nil
}

// Decide implements the link.
func (p *Play) Decide(d engine.Decision) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken = append(p.taken, d)
	p.decisions = append(p.decisions, d)
	p.changed.Broadcast()
	return nil
}

// Close implements the link.
func (p *Play) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.changed.Broadcast()
	return nil
}

// Decisions are all that the front end has sent.
func (p *Play) Decisions() []engine.Decision {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]engine.Decision(nil), p.taken...)
}

// View is the incident as far as it has been played.
func (p *Play) View() engine.View {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.view
}

func (p *Play) run() {
	defer func() {
		if r := recover(); r != nil && r != errLeft {
			panic(r)
		}
		p.mu.Lock()
		p.ended = true
		p.mu.Unlock()
		p.changed.Broadcast()
	}()
	p.script(p)
}

// Wait lets the made-up clock go on, and with a pace the real one.
func (p *Play) Wait(d time.Duration) {
	p.mu.Lock()
	p.clock = p.clock.Add(d)
	if p.Live {
		p.clock = time.Now().UTC()
	}
	p.mu.Unlock()
	if p.Pace > 0 {
		time.Sleep(p.Pace)
	}
}

// Emit plays an event.
func (p *Play) Emit(act engine.Act, step string, kind engine.Kind, data any) {
	p.Wait(700 * time.Millisecond)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.emit(act, step, kind, data)
}

func (p *Play) emit(act engine.Act, step string, kind engine.Kind, data any) {
	e := engine.Event{V: engine.EventVersion, Seq: p.view.Seq + 1, At: p.clock, Act: act, Step: step, Kind: kind}
	if data != nil {
		raw, err := json.Marshal(data)
		if err != nil {
			panic(err)
		}
		e.Data = raw
	}
	view, err := p.view.Fold(e)
	if err != nil {
		panic(err)
	}
	p.view = view
	p.queue = append(p.queue, engine.Message{Event: &e})
	p.changed.Broadcast()
	if p.Vanish == e.Seq || p.closed {
		panic(errLeft)
	}
}

// Progress sends a progress that has gone on for since.
func (p *Play) Progress(act engine.Act, step, what string, done, total int64, unit string, since time.Duration) {
	now := p.now()
	p.mu.Lock()
	p.queue = append(p.queue, engine.Message{Progress: &engine.Progress{Act: act, Step: step, What: what,
		Done: done, Total: total, Unit: unit, At: now, Since: now.Add(-since)}})
	p.mu.Unlock()
	p.changed.Broadcast()
	if p.Pace > 0 {
		time.Sleep(p.Pace)
	}
}

func (p *Play) now() time.Time {
	if p.Pace > 0 {
		return time.Now()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.clock
}

// Await waits for the decision that the view asks for. It returns the answer.
func (p *Play) Await() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		for len(p.decisions) == 0 && !p.closed {
			p.changed.Wait()
		}
		if p.closed {
			panic(errLeft)
		}
		d := p.decisions[0]
		p.decisions = p.decisions[1:]
		p.clock = p.clock.Add(3 * time.Second)
		done, value, err := p.decide(d)
		if err != nil {
			p.queue = append(p.queue, engine.Message{Refused: &engine.Refusal{Reason: err.Error()}})
			p.changed.Broadcast()
		}
		if done {
			return value
		}
	}
}

func (p *Play) decide(d engine.Decision) (done bool, value string, err error) {
	q, g := p.view.Question, p.view.Gate
	switch d.Kind {
	case engine.DecideNote:
		p.emit(p.view.Act, "", engine.KindNote, engine.Note{Text: d.Value, Actor: d.Actor})
	case engine.DecideAbort:
		p.abort()
	case engine.DecideAnswer:
		if q == nil || d.Name != q.Name || d.Step != q.Step || d.Act != q.Act {
			return false, "", fmt.Errorf("the question %q is not being asked", d.Name)
		}
		if err := q.Validate(d.Value); err != nil {
			return false, "", err
		}
		p.emit(q.Act, q.Step, engine.KindAnswered, engine.Answered{Name: d.Name, Value: d.Value, Actor: d.Actor})
		return true, d.Value, nil
	case engine.DecideAgree, engine.DecideDecline:
		return p.consent(g, d)
	}
	return false, "", nil
}

func (p *Play) consent(g *engine.Proposal, d engine.Decision) (bool, string, error) {
	if g == nil || g.Step != d.Step || g.Act != d.Act || g.Digest != d.Digest {
		return false, "", fmt.Errorf("step %q does not wait for this decision", d.Step)
	}
	a := engine.Agreed{Digest: d.Digest, Typed: d.Typed, Reason: d.Reason, Actor: d.Actor}
	if d.Kind == engine.DecideDecline {
		p.emit(g.Act, g.Step, engine.KindDeclined, a)
		p.emit("", "", engine.KindClosed, engine.Closed{Outcome: "declined", Exit: engine.Declined.Exit(),
			Summary: g.Step + " was declined", Next: []string{"run pgrescue resume to be asked again"}})
		panic(errLeft)
	}
	if g.Danger == engine.Original && d.Typed != g.Challenge {
		return false, "", fmt.Errorf("consent must be typed exactly: %s", g.Challenge)
	}
	p.emit(g.Act, g.Step, engine.KindAgreed, a)
	return true, "", nil
}

func (p *Play) abort() {
	if r := p.view.Current(); r != nil && !r.State.Final() && r.State != engine.Pending {
		p.emit(r.Act, r.Step, engine.KindFailed, engine.Problem{Kind: engine.Aborted, Message: "stopped by the operator",
			Hint: "run pgrescue resume to go on from here"})
	}
	p.emit("", "", engine.KindClosed, engine.Closed{Outcome: "aborted", Exit: engine.Aborted.Exit(), Summary: "stopped by the operator",
		Next: []string{"run pgrescue resume to go on from here"}})
	panic(errLeft)
}
