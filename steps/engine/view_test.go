package engine

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// journalOf makes events of kinds and data, numbered from 1.
func journalOf(list ...Event) []Event {
	for i := range list {
		list[i].V, list[i].Seq, list[i].At = EventVersion, int64(i+1), time.Unix(int64(i), 0).UTC()
	}
	return list
}

func raw(t *testing.T, v any) json.RawMessage {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestFoldRefuses what cannot have been written by an engine.
func TestFoldRefuses(t *testing.T) {
	opened := Event{Kind: KindOpened, Data: raw(t, Opened{Incident: "I", Steps: []StepInfo{{Name: "s", Part: Twice}}})}
	for name, list := range map[string][]Event{
		"no opening":              {{Kind: KindNote, Data: raw(t, Note{})}},
		"a fact first":            {{Kind: KindFact, Data: raw(t, FactData{Name: "f"})}},
		"opened twice":            {opened, opened},
		"a step nobody knows":     {opened, {Kind: KindStarted, Act: Rehearsal, Step: "x"}},
		"a step in the wrong act": {opened, {Kind: KindStarted, Act: Prepare, Step: "s"}},
		"no step":                 {opened, {Kind: KindPlanned, Data: raw(t, Planned{})}},
		"consent from nowhere":    {opened, {Kind: KindAgreed, Act: Performance, Step: "s", Data: raw(t, Agreed{})}},
		"applying from nowhere":   {opened, {Kind: KindApplying, Act: Performance, Step: "s"}},
		"outcome without intent":  {opened, {Kind: KindOutcome, Act: Rehearsal, Step: "s", Data: raw(t, Outcome{ID: "9"})}},
		"data of another form":    {opened, {Kind: KindRehearsed, Data: json.RawMessage(`[1]`)}},
	} {
		if _, err := FoldAll(journalOf(list...)); err == nil {
			t.Errorf("%s: folds", name)
		}
	}
	events := journalOf(opened, Event{Kind: KindAct, Data: raw(t, ActData{Prepare, 1})})
	events[1].Seq = 3
	if _, err := FoldAll(events); err == nil || !strings.Contains(err.Error(), "event 3 follows event 1") {
		t.Errorf("gap: %v", err)
	}
	events[1].Seq, events[1].V = 2, 99
	if _, err := FoldAll(events); err == nil || !strings.Contains(err.Error(), "version 99") {
		t.Errorf("newer version: %v", err)
	}
}

// TestPromise3NewRehearsalDropsTheOld: from the moment another attempt begins, the one that
// passed unlocks nothing, whatever becomes of the new one.
func TestPromise3NewRehearsalDropsTheOld(t *testing.T) {
	events := journalOf(
		Event{Kind: KindOpened, Data: raw(t, Opened{Incident: "I", Steps: []StepInfo{{Name: "s", Part: Twice}}})},
		Event{Kind: KindAct, Data: raw(t, ActData{Rehearsal, 1})},
		Event{Kind: KindStarted, Act: Rehearsal, Step: "s"},
		Event{Kind: KindFact, Act: Rehearsal, Step: "s", Data: raw(t, FactData{"f", json.RawMessage("1")})},
		Event{Kind: KindDone, Act: Rehearsal, Step: "s"},
		Event{Kind: KindRehearsed, Data: raw(t, Rehearsed{Digest: "d", Plans: map[string]string{"s": "p"}, Attempt: 1})},
		Event{Kind: KindAct, Data: raw(t, ActData{Rehearsal, 2})},
	)
	before, err := FoldAll(events[:6])
	if err != nil || before.Rehearsed == nil {
		t.Fatalf("%v, %v", before.Rehearsed, err)
	}
	after, err := FoldAll(events)
	if err != nil || after.Rehearsed != nil || after.Row(Rehearsal, "s").State != Pending {
		t.Errorf("still rehearsed: %+v, step %+v, %v", after.Rehearsed, after.Row(Rehearsal, "s"), err)
	}
	if _, ok := after.Fact(Rehearsal, "f"); ok {
		t.Error("a fact of the old clone is believed of the new one")
	}
	if _, ok := before.Fact(Performance, "f"); ok {
		t.Error("a fact of the clone is believed of the original")
	}
}

// FuzzFold must not panic on any sequence of events, and a refused event changes nothing.
func FuzzFold(f *testing.F) {
	f.Add([]byte(`{"kind":"opened","data":{"incident":"I","steps":[{"name":"s","part":"twice"}]}}
{"kind":"act","data":{"act":"rehearsal","attempt":1}}
{"kind":"started","act":"rehearsal","step":"s"}
{"kind":"planned","act":"rehearsal","step":"s","data":{"plan":{"summary":"x"},"digest":"d"}}
{"kind":"fact","act":"rehearsal","step":"s","data":{"name":"n","value":1}}
{"kind":"answered","data":{"name":"n"}}
{"kind":"settled","data":{"id":"n"}}`))
	f.Add([]byte(`{"kind":"fact","data":{}}`))
	f.Add([]byte(`{"kind":"proposed","data":{}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var v View
		for i, line := range strings.Split(string(b), "\n") {
			var e Event
			if json.Unmarshal([]byte(line), &e) != nil {
				return
			}
			e.V, e.Seq = EventVersion, int64(i+1)
			next, err := v.Fold(e)
			if err != nil {
				return
			}
			if next.Seq != v.Seq+1 {
				t.Fatal("an event was not counted")
			}
			v = next
		}
	})
}
