package engine

import (
	"encoding/json"
	"fmt"
)

// AnyFact is a Fact of whatever type, for the lists in Step.Needs and Step.Makes.
type AnyFact interface{ FactName() string }

// Fact names a typed result of one step that later steps and acts read. Its values are
// journaled as JSON.
type Fact[T any] struct{ name string }

// NewFact names a fact. Names are unique within the program.
func NewFact[T any](name string) Fact[T] { return Fact[T]{name} }

// FactName is the fact's name in the journal.
func (f Fact[T]) FactName() string { return f.name }

// Get reads the fact as the current act made it, or else as Prepare did.
func (f Fact[T]) Get(p *Pass) (T, error) { return f.From(p.session.View(), p.act) }

// From reads the fact out of a folded view.
func (f Fact[T]) From(v View, act Act) (T, error) {
	var value T
	raw, ok := v.Fact(act, f.name)
	if !ok {
		return value, fmt.Errorf("fact %q has not been established", f.name)
	}
	if err := json.Unmarshal(raw, &value); err != nil {
		return value, fmt.Errorf("fact %q in the journal: %w", f.name, err)
	}
	return value, nil
}

// Put journals the fact.
func (f Fact[T]) Put(p *Pass, value T) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("fact %q: %w", f.name, err)
	}
	return p.emit(KindFact, FactData{Name: f.name, Value: raw})
}
