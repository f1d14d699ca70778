package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Pass is all a step may touch while it looks or plans: the place it looks at, the facts,
// and what it reports. A step reports, it does not print; it declares its questions, it
// does not ask.
type Pass struct {
	session *Session
	act     Act
	step    *Step
	target  Target
}

// Target is the place to look at. In Prepare it is the original, read-only.
func (p *Pass) Target() Target { return p.target }

// View is the incident so far.
func (p *Pass) View() View { return p.session.View() }

// Answer is the operator's answer to the step's (or an earlier step's) question.
func (p *Pass) Answer(name string) string { return p.session.View().Answers[name] }

// Setting is an option the command line gave for the steps.
func (p *Pass) Setting(name string) string { return p.session.View().Opened.Options.Settings[name] }

// Incident is the incident's name.
func (p *Pass) Incident() string { return p.session.View().Opened.Incident }

// Say records a sentence for people.
func (p *Pass) Say(format string, args ...any) error {
	return p.emit(KindSaid, Said{fmt.Sprintf(format, args...)})
}

// Report records a finding.
func (p *Pass) Report(f Finding) error { return p.emit(KindFinding, f) }

// Show records evidence.
func (p *Pass) Show(x Exhibit) error { return p.emit(KindExhibit, x) }

// Judge records a verdict. A verdict without evidence is a programming error.
func (p *Pass) Judge(v Verdict) error {
	if len(v.Evidence) == 0 {
		return fmt.Errorf("verdict on %s carries no evidence", v.Subject)
	}
	return p.emit(KindVerdict, v)
}

// Oblige records, durably, what will have to be given back, before it is taken.
func (p *Pass) Oblige(id, what string, record any) error {
	raw, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("obligation %s: %w", id, err)
	}
	return p.emit(KindObligation, Obligation{ID: id, What: what, Record: raw})
}

// Settle records that an obligation has been met.
func (p *Pass) Settle(id string) error { return p.emit(KindSettled, Settled{id}) }

// Progress tells how far the work is. It is neither journaled nor waited for.
func (p *Pass) Progress(pr Progress) {
	pr.Act, pr.Step, pr.At = p.act, p.step.Name, time.Now()
	p.session.hub.Progress(pr)
}

// Do runs an effect between its intent, which is durable before it begins, and its
// outcome. What the effect printed is kept in the incident directory.
func (p *Pass) Do(ctx context.Context, what string, argv []string, effect func(context.Context) (Output, error)) error {
	id := fmt.Sprintf("%04d", p.session.View().Seq+1)
	if err := p.emit(KindIntent, Intent{ID: id, What: what, Argv: argv}); err != nil {
		return err
	}
	start := time.Now()
	printed, effectErr := effect(ctx)
	out := Outcome{ID: id, Exit: printed.Exit, Millis: time.Since(start).Milliseconds(),
		Lines: countLines(printed.Stdout) + countLines(printed.Stderr), Output: head(append(printed.Stdout[:len(printed.Stdout):len(printed.Stdout)], printed.Stderr...), 4096)}
	if effectErr != nil {
		out.Err = effectErr.Error()
	}
	if out.Lines > 0 {
		file, err := p.session.log.Keep(id, what, argv, printed)
		if err != nil {
			return fmt.Errorf("output of %s was not saved: %w", what, err)
		}
		out.LogFile = file
	}
	if err := p.emit(KindOutcome, out); err != nil {
		return err
	}
	return effectErr
}

// Pass returns a deed's own Pass, for reporting from Apply and Verify.
func (d *Deed) Pass() *Pass { return d.pass }

// Deed is what Apply and Verify get: the plan, and where to carry it out.
type Deed struct {
	Plan   Plan
	Writer Writer // in Verify, and for Reversible steps, nil
	pass   *Pass
}

func (p *Pass) emit(k Kind, data any) error {
	return p.session.emit(p.act, p.step.Name, k, data)
}

// Output of an effect. Exit is 0 for effects that have no exit status.
type Output struct {
	Exit   int
	Stdout []byte
	Stderr []byte
}

func countLines(b []byte) int {
	n := 0
	for _, c := range b {
		if c == '\n' {
			n++
		}
	}
	if len(b) > 0 && b[len(b)-1] != '\n' {
		n++
	}
	return n
}

func head(b []byte, n int) string {
	if len(b) > n {
		b = b[:n]
	}
	return string(b)
}
