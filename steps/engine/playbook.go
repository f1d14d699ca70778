package engine

import (
	"errors"
	"fmt"
)

// Playbook is an ordered list of steps for one kind of disaster.
type Playbook struct {
	Name  string // "crash-loop"
	Title string
	Doc   string
	Steps []*Step
}

// Validate rejects a playbook that could not be played: a step without a name, prose or
// body, with two bodies, played twice, out of order, or in need of a fact nobody makes.
func (pb *Playbook) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if pb.Name == "" || pb.Title == "" || pb.Doc == "" {
		bad("playbook %q lacks a name, a title or prose", pb.Name)
	}
	made, seen := map[string]bool{}, map[string]bool{}
	order := map[Part]int{Opening: 0, Twice: 1, Final: 2, Putback: 3}
	last := 0
	for _, s := range pb.Steps {
		if s.Name == "" || s.Title == "" || s.Doc == "" {
			bad("step %q lacks a name, a title or prose", s.Name)
		}
		if seen[s.Name] {
			bad("step %q is in the playbook twice", s.Name)
		}
		seen[s.Name] = true
		if (s.Observe == nil) == (s.Rewrite == nil) {
			bad("step %q must have exactly one of Observe and Rewrite", s.Name)
		}
		if r := s.Rewrite; r != nil && (r.Plan == nil || r.Apply == nil || r.Verify == nil) {
			bad("step %q rewrites without a plan, an apply or a verify", s.Name)
		}
		rank, ok := order[s.Part]
		if !ok || rank < last {
			bad("step %q: part %q is unknown or out of order", s.Name, s.Part)
		}
		last = max(last, rank)
		for _, f := range s.Needs {
			if !made[f.FactName()] {
				bad("step %q needs the fact %q, which no earlier step makes", s.Name, f.FactName())
			}
		}
		for _, f := range s.Makes {
			made[f.FactName()] = true
		}
	}
	return errors.Join(errs...)
}

// Part returns the steps that have the part, in order.
func (pb *Playbook) Part(p Part) []*Step {
	var steps []*Step
	for _, s := range pb.Steps {
		if s.Part == p {
			steps = append(steps, s)
		}
	}
	return steps
}

// Step finds a step by name, or nil.
func (pb *Playbook) Step(name string) *Step {
	for _, s := range pb.Steps {
		if s.Name == name {
			return s
		}
	}
	return nil
}
