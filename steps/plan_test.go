package steps

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// A plan made on the clone and one made on the original have the same digest, in whatever
// incident, at whatever time: otherwise no rehearsal would count.
func TestPlanOfTheStartIsTheSameEverywhere(t *testing.T) {
	plan := func(incident, name string, change func(*Place)) (string, string) {
		at := placeWith()
		at.name, at.helper, at.server, at.run = name, "c0ffee"+name, "f00d"+name, "run-"+incident
		change(at)
		var text, digest string
		withPass(t, incident, at, nil, func(p *engine.Pass) {
			made, err := planStart(context.Background(), p)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := json.Marshal(made)
			if err != nil {
				t.Fatal(err)
			}
			text = string(raw)
			if digest, err = made.Digest(); err != nil {
				t.Fatal(err)
			}
		})
		return text, digest
	}
	clone, first := plan("20260101T021407Z-db", "clone 1", func(at *Place) { at.writable = true })
	original, second := plan("20260202T101112Z-other", "the original, container:db", func(at *Place) { at.original = true })
	if first != second {
		t.Errorf("two digests of one plan:\n%s\n%s", clone, original)
	}
	for _, word := range []string{"20260101T021407Z", "clone", "c0ffee", "f00d", "run-", "db7"} {
		if strings.Contains(clone, word) {
			t.Errorf("the plan holds %q: %s", word, clone)
		}
	}
	if _, other := plan("20260101T021407Z-db", "clone 1", func(at *Place) { at.site.PGData = "/elsewhere" }); other == first {
		t.Error("another data directory gives the same digest")
	}
}
