package ui

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/steps/engine"
	"github.com/pgrescue/pgrescue/ui/internal/stage"
)

func playJSON(t *testing.T, script func(*stage.Play), in io.Reader, answers string, opts Options) (string, Exit, error) {
	t.Helper()
	p := stage.New(script)
	defer p.Close()
	var out bytes.Buffer
	exit, err := JSON(context.Background(), p, in, &out, parsed(t, answers), opts)
	return out.String(), exit, err
}

// lastLine decodes the result, after checking that every line is an object with a type.
func lastLine(t *testing.T, out string) jsonResult {
	t.Helper()
	var r jsonResult
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for i, l := range lines {
		var m map[string]any
		if err := json.Unmarshal([]byte(l), &m); err != nil || m["type"] == nil {
			t.Fatalf("line %d is no typed object: %v: %s", i+1, err, l)
		}
		if i == 0 && (m["type"] != "version" || m["schema"] != JSONSchema) {
			t.Fatalf("first line: %s", l)
		}
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &r); err != nil || r.Type != "result" {
		t.Fatalf("last line is no result: %v: %s", err, lines[len(lines)-1])
	}
	return r
}

func TestJSONAnswers(t *testing.T) {
	out, exit, err := playJSON(t, stage.CrashLoop, nil, allAnswers, testOptions())
	if err != nil || exit.Code != 0 {
		t.Fatalf("got %+v, %v", exit, err)
	}
	golden(t, "json/answers", out)
	r := lastLine(t, out)
	if r.Outcome != "healed" || len(r.Verdicts) != 6 || r.Rehearsed == nil || len(r.Obligations) != 0 {
		t.Errorf("result: %+v", r)
	}
}

func TestJSONRehearsal(t *testing.T) {
	opts := testOptions()
	opts.RehearseOnly = true
	r, w := io.Pipe() // an open line on which nobody ever speaks must not hold the rehearsal
	defer w.Close()
	out, exit, err := playJSON(t, stage.RehearseOnly, r, "", opts)
	if err != nil || exit.Code != engine.ExitPending {
		t.Fatalf("got %+v, %v", exit, err)
	}
	res := lastLine(t, out)
	if res.Outcome != "rehearsed" || res.Exit != 4 || len(res.Verdicts) != 3 || res.Original != "UNTOUCHED" || len(res.Obligations) != 1 {
		t.Errorf("result: %+v", res)
	}
	if res.Verdicts[2].Result != engine.CouldNotCheck || res.Verdicts[2].Subject != "shop.public.late" {
		t.Errorf("verdicts: %+v", res.Verdicts)
	}
}

func TestJSONLacksAnAnswer(t *testing.T) {
	for _, in := range []io.Reader{nil, strings.NewReader("")} {
		out, exit, err := playJSON(t, stage.CrashLoop, in, "consent.reversible = yes", testOptions())
		if err == nil || exit.Code != 8 {
			t.Fatalf("got %+v, %v", exit, err)
		}
		if r := lastLine(t, out); r.Exit != 8 || r.Error == nil || r.Error.Kind != engine.NoInput || !strings.Contains(r.Error.Message, "archive") {
			t.Errorf("result: %+v", r)
		}
	}
}

// A program decides from what it reads.
func TestJSONDecisions(t *testing.T) {
	p := stage.New(stage.CrashLoop)
	defer p.Close()
	inRead, inWrite := io.Pipe()
	outRead, outWrite := io.Pipe()
	type end struct {
		exit Exit
		err  error
	}
	done := make(chan end, 1)
	go func() {
		exit, err := JSON(context.Background(), p, inRead, outWrite, Answers{}, testOptions())
		outWrite.Close()
		done <- end{exit, err}
	}()
	refusals, original := 0, 0
	decoder := json.NewDecoder(outRead)
	for {
		var m struct {
			jsonWaiting
			Data json.RawMessage
		}
		if decoder.Decode(&m) != nil {
			break
		}
		switch {
		case m.Type == "refused":
			refusals++
		case m.Type == "waiting" && m.Question != nil:
			fmt.Fprintln(inWrite, `{"kind":"answer","act":"prepare","step":"snapshot","name":"archive","value":"/nowhere"}`)
			fmt.Fprintln(inWrite, "not json")
			fmt.Fprintln(inWrite, `{"kind":"answer","act":"prepare","step":"snapshot","name":"archive","value":"none"}`)
		case m.Type == "waiting":
			d := engine.Decision{Kind: engine.DecideAgree, Act: m.Act, Step: m.Step, Digest: m.Gate.Digest}
			if m.Gate.Danger == engine.Original {
				original++
				b, _ := json.Marshal(d)
				fmt.Fprintln(inWrite, string(b)) // without the challenge
				d.Typed = m.Gate.Challenge
			}
			b, _ := json.Marshal(d)
			fmt.Fprintln(inWrite, string(b))
		}
	}
	e := <-done
	if e.err != nil || e.exit.Code != 0 {
		t.Fatalf("got %+v, %v", e.exit, e.err)
	}
	if original != 3 || refusals != 2+original {
		t.Errorf("%d refusals, %d gates on the original", refusals, original)
	}
}

func TestJSONProgressIsBounded(t *testing.T) {
	out, _, _ := playJSON(t, stage.CrashLoop, nil, allAnswers, testOptions())
	if n := strings.Count(out, `"type":"progress"`); n < 1 || n > 4 {
		t.Errorf("%d progress lines while the clock stood still", n)
	}
}
