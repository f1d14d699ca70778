// Package playbooks lists the named sequences of steps.
package playbooks

import (
	_ "embed"
	"slices"

	"github.com/pgrescue/pgrescue/steps"
	"github.com/pgrescue/pgrescue/steps/engine"
)

//go:embed crash_loop.md
var crashLoopDoc string

//go:embed triage.md
var triageDoc string

// All returns every playbook, in the order in which they are offered.
func All() []*engine.Playbook {
	return []*engine.Playbook{crashLoop(), triage()}
}

// ByName finds a playbook.
func ByName(name string) (*engine.Playbook, bool) {
	all := All()
	i := slices.IndexFunc(all, func(pb *engine.Playbook) bool { return pb.Name == name })
	if i < 0 {
		return nil, false
	}
	return all[i], true
}

// Questions are the names that an answers file may answer.
func Questions() []string {
	var names []string
	for _, pb := range All() {
		for _, s := range pb.Steps {
			for _, q := range s.Ask {
				names = append(names, q.Name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// crashLoop heals a server that dies while it replays its log.
func crashLoop() *engine.Playbook {
	return &engine.Playbook{
		Name:  "crash-loop",
		Title: "the server dies while it replays its log, again and again",
		Doc:   crashLoopDoc,
		Steps: []*engine.Step{
			steps.Triage(), steps.StopWriters(), steps.TakeSnapshot(), steps.TryReplay(),
			steps.Sandbox(), steps.ReadControl(), steps.ResetValues(), steps.RepairMultiXact(), steps.ResetWAL(), steps.StartAndCheck(),
			steps.GiveBack(), steps.Report(),
			steps.StopForUndo(), steps.PutBack(), steps.GiveBackAfterUndo(),
		},
	}
}

// triage only looks.
func triage() *engine.Playbook {
	return &engine.Playbook{
		Name:  "triage",
		Title: "look only: what is wrong, and which playbook answers it",
		Doc:   triageDoc,
		Steps: []*engine.Step{steps.Triage()},
	}
}
