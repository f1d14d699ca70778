package journal

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// TestMain lets the test binary be another process that works on an incident.
func TestMain(m *testing.M) {
	if dir := os.Getenv("JOURNAL_TEST_DIR"); dir != "" {
		os.Exit(otherProcess(Dir(dir), os.Getenv("JOURNAL_TEST_DO")))
	}
	os.Exit(m.Run())
}

// otherProcess holds the incident's lock, or appends until it is killed, and says so.
func otherProcess(dir Dir, do string) int {
	j, past, err := Open(dir)
	if err != nil {
		fmt.Println("error:", err)
		return engine.Explain(err).Kind.Exit()
	}
	fmt.Println("open")
	if do == "hold" {
		time.Sleep(time.Minute)
	}
	for seq := int64(len(past) + 1); ; seq++ {
		if _, err := j.Append(note(seq, "from another process")); err != nil {
			fmt.Println("error:", err)
			return 1
		}
		fmt.Println(seq) // acknowledged
	}
}

// newDir is an incident's directory.
func newDir(t *testing.T) Dir {
	t.Helper()
	d, err := Create(t.TempDir(), "container:db", time.Date(2026, 10, 1, 2, 3, 4, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// openDir opens it for writing until the test ends or closes it.
func openDir(t *testing.T, d Dir) (*Journal, []engine.Event) {
	t.Helper()
	j, past, err := Open(d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() }) // closed twice where a test closes it
	return j, past
}

// note is an event that any incident may have.
func note(seq int64, text string) engine.Event {
	return engine.Event{V: engine.EventVersion, Seq: seq, At: time.Unix(1700000000+seq, 0).UTC(), Kind: engine.KindNote, Data: []byte(fmt.Sprintf(`{"text":%q,"actor":"op@host"}`, text))}
}

// fill appends n notes.
func fill(t *testing.T, j *Journal, from, n int64) {
	t.Helper()
	for seq := from; seq < from+n; seq++ {
		if _, err := j.Append(note(seq, fmt.Sprintf("note %d", seq))); err != nil {
			t.Fatal(err)
		}
	}
}
