package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Log keeps events. Append returns only when the event is durable; it sets Prev.
type Log interface {
	Append(Event) (Event, error)
	// Keep saves the whole output of a command and returns its name in the incident
	// directory.
	Keep(id, what string, argv []string, printed Output) (file string, err error)
}

// Session plays one incident.
type Session struct {
	playbook *Playbook
	ws       Workspace
	log      Log
	hub      *Hub
	born     time.Time
	resumed  bool // another process worked on the incident before

	mu      sync.Mutex
	view    View
	broken  error         // the log failed: nothing may happen any more
	decided chan struct{} // signalled after a decision was journaled
	abort   bool
	cancel  context.CancelFunc // of the running step, where it may be interrupted
}

// Open makes a session from a journal's events; none for a new incident, which New
// begins. Steps that an earlier process left unfinished are recorded as interrupted.
func Open(pb *Playbook, ws Workspace, log Log, past []Event, again Reopened) (*Session, error) {
	if err := pb.Validate(); err != nil {
		return nil, fmt.Errorf("playbook %s: %w", pb.Name, err)
	}
	view, err := FoldAll(past)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	s := &Session{playbook: pb, ws: ws, log: log, hub: NewHub(past), born: time.Now(), view: view, decided: make(chan struct{}, 1)}
	if len(past) == 0 {
		return s, nil
	}
	s.resumed = true
	if err := s.emit("", "", KindReopened, again); err != nil {
		return nil, err
	}
	return s, s.recordInterrupted()
}

// Begin journals the first event of a new incident.
func (s *Session) Begin(o Opened) error {
	for _, step := range s.playbook.Steps {
		o.Steps = append(o.Steps, StepInfo{step.Name, step.Title, step.Doc, step.Part, step.Rewrite != nil})
	}
	o.Playbook, o.Title = s.playbook.Name, s.playbook.Title
	return s.emit("", "", KindOpened, o)
}

// recordInterrupted turns what the last process left half done into events, so that
// every front end sees it.
func (s *Session) recordInterrupted() error {
	for _, row := range s.View().Rows {
		if row.State == Pending || row.State.Final() {
			continue
		}
		if err := s.emit(row.Act, row.Step, KindInterrupted, Said{"the engine ended while this step was " + string(row.State)}); err != nil {
			return err
		}
	}
	return nil
}

// View is the incident so far.
func (s *Session) View() View {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.view
}

// Hub carries the session's events to front ends.
func (s *Session) Hub() *Hub { return s.hub }

// emit checks that the event may follow, makes it durable, then lets it be seen.
func (s *Session) emit(act Act, step string, kind Kind, data any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.emitLocked(act, step, kind, data)
}

func (s *Session) emitLocked(act Act, step string, kind Kind, data any) error {
	if s.broken != nil {
		return s.broken
	}
	e := Event{V: EventVersion, Seq: s.view.Seq + 1, At: time.Now().UTC(), Mono: time.Since(s.born).Milliseconds(), Act: act, Step: step, Kind: kind}
	if data != nil {
		raw, err := json.Marshal(data)
		if err != nil {
			return fmt.Errorf("event %s: %w", kind, err)
		}
		e.Data = raw
	}
	if _, err := s.view.Fold(e); err != nil {
		return fmt.Errorf("not possible now: %w", err)
	}
	e, err := s.log.Append(e)
	if err != nil {
		s.broken = Errorf(Failure, "free space in the incident directory, then run pgrescue resume", "the journal cannot be written, so nothing more is done: %w", err)
		return s.broken
	}
	// Fold what was written, not what was meant: the log removes secrets.
	view, err := s.view.Fold(e)
	if err != nil {
		return fmt.Errorf("the journal took an event that does not fold: %w", err)
	}
	s.view = view
	s.hub.Publish(e)
	return nil
}

// Decide takes a decision of the operator, or says why it is refused.
func (s *Session) Decide(d Decision) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch d.Kind {
	case DecideAnswer:
		return s.answer(d)
	case DecideAgree, DecideDecline:
		return s.consent(d)
	case DecideAbort:
		s.abort = true
		if s.cancel != nil {
			s.cancel()
		}
		s.signal()
		return nil
	case DecideNote:
		defer s.signal() // if it cannot be journaled, the run ends
		return s.emitLocked(s.view.Act, "", KindNote, Note{Text: d.Value, Actor: d.Actor})
	}
	return fmt.Errorf("decision %q is not known", d.Kind)
}

func (s *Session) answer(d Decision) error {
	q := s.view.Question
	if q == nil || q.Name != d.Name || q.Step != d.Step || q.Act != d.Act {
		return fmt.Errorf("the question %q is not being asked", d.Name)
	}
	if err := q.Validate(d.Value); err != nil {
		return err
	}
	defer s.signal()
	return s.emitLocked(q.Act, q.Step, KindAnswered, Answered{Name: d.Name, Value: d.Value, Actor: d.Actor})
}

func (s *Session) consent(d Decision) error {
	g := s.view.Gate
	if g == nil || g.Step != d.Step || g.Act != d.Act {
		return fmt.Errorf("step %q does not wait for a decision", d.Step)
	}
	if d.Digest != g.Digest {
		return errors.New("the decision is about another plan than the one that waits")
	}
	kind := KindDeclined
	if d.Kind == DecideAgree {
		kind = KindAgreed
		if g.Danger == Original && (g.Challenge == "" || d.Typed != g.Challenge) {
			return fmt.Errorf("consent to change the original must be typed exactly: %s", g.Challenge)
		}
	}
	defer s.signal()
	return s.emitLocked(g.Act, g.Step, kind, Agreed{Digest: d.Digest, Typed: d.Typed, Reason: d.Reason, Actor: d.Actor})
}

func (s *Session) signal() {
	select {
	case s.decided <- struct{}{}:
	default:
	}
}

// await waits until the condition on the view holds, a decision at a time.
func (s *Session) await(ctx context.Context, met func(View) bool) error {
	for {
		s.mu.Lock()
		view, abort, broken := s.view, s.abort, s.broken
		s.mu.Unlock()
		if met(view) {
			return nil
		}
		if broken != nil {
			return broken // the decision could not be journaled: nothing will ever be met
		}
		if abort {
			return errAborted()
		}
		select {
		case <-s.decided:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func errAborted() error {
	return Errorf(Aborted, "run pgrescue resume to go on from here", "stopped by the operator")
}
