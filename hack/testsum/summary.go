package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// event is one line of `go test -json`; see `go doc test2json`.
type event struct {
	Action     string
	Package    string
	ImportPath string // of a build-output or build-fail event
	Test       string
	Output     string
	Elapsed    float64 // seconds
}

// id names a test within its package; an empty Test is the package itself.
type id struct{ pkg, test string }

func (i id) String() string {
	if i.test == "" {
		return i.pkg
	}
	return i.pkg + " " + i.test
}

// skipped is a test that did not run, with what it said about it.
type skipped struct {
	id     id
	reason string
}

// summary is what a run came to. Subtests count as tests.
type summary struct {
	passed, failed int
	skips          []skipped
	broken         []string // packages that did not build or end
	open           map[id][]string
	failures       []id
	failedOutput   map[id][]string
}

// read consumes the stream to its end and writes a line to progress as each package ends.
func read(r io.Reader, progress io.Writer) (*summary, error) {
	s := &summary{open: map[id][]string{}, failedOutput: map[id][]string{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20) // a test may print a long line
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Fprintln(progress, lines.Text()) // the go command's own words
			continue
		}
		s.add(e, progress)
	}
	return s, lines.Err()
}

// add folds one event in.
func (s *summary) add(e event, progress io.Writer) {
	i := id{e.Package, e.Test}
	switch e.Action {
	case "start", "run":
		s.open[i] = nil
	case "output":
		s.open[i] = append(s.open[i], e.Output)
	case "build-output":
		fmt.Fprint(progress, e.Output)
	case "build-fail":
		s.broken = append(s.broken, e.ImportPath+" (does not build)")
	case "pass", "fail", "skip":
		s.end(i, e, progress)
	}
}

// end closes a test or a package.
func (s *summary) end(i id, e event, progress io.Writer) {
	out := s.open[i]
	delete(s.open, i)
	if i.test == "" {
		s.endPackage(i, e, out, progress)
		return
	}
	switch e.Action {
	case "pass":
		s.passed++
	case "fail":
		s.failed++
		s.failures = append(s.failures, i)
		s.failedOutput[i] = out
	case "skip":
		s.skips = append(s.skips, skipped{i, reason(out)})
	}
}

// endPackage prints the package's line. A package can fail with no failed test
// in it: a panic, a timeout, a race, TestMain. Its own output then tells why.
func (s *summary) endPackage(i id, e event, out []string, progress io.Writer) {
	word := map[string]string{"pass": "ok  ", "fail": "FAIL", "skip": "none"}[e.Action]
	fmt.Fprintf(progress, "%s  %-60s %6.1fs\n", word, i.pkg, e.Elapsed)
	if e.Action != "fail" {
		return
	}
	if !slices.ContainsFunc(s.failures, func(f id) bool { return f.pkg == i.pkg }) {
		s.broken = append(s.broken, i.pkg+" (failed outside any test)")
	}
	s.failures = append(s.failures, i)
	s.failedOutput[i] = out
}

// reason is the text a skipped test logged, in one line.
func reason(out []string) string {
	var kept []string
	for _, line := range out {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "=== ") || strings.HasPrefix(line, "--- ") {
			continue
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, " ")
}

// ok is whether the run deserves exit status 0.
func (s *summary) ok() bool {
	return s.failed == 0 && len(s.broken) == 0 && len(s.open) == 0 && s.passed > 0
}

// report prints failures, then skips, then the counts.
func (s *summary) report(w io.Writer) {
	for _, i := range s.failures {
		fmt.Fprintf(w, "\n=== FAILED %s\n%s", i, strings.Join(s.failedOutput[i], ""))
	}
	for _, i := range sortedOpen(s.open) {
		fmt.Fprintf(w, "\n=== NEVER FINISHED %s\n%s", i, strings.Join(s.open[i], ""))
	}
	for _, b := range s.broken {
		fmt.Fprintf(w, "\n=== BROKEN %s\n", b)
	}
	if len(s.skips) > 0 {
		fmt.Fprintf(w, "\n!!! %d TESTS DID NOT RUN. Nothing is known about what they check:\n", len(s.skips))
		for _, k := range s.skips {
			fmt.Fprintf(w, "!!! SKIPPED %s: %s\n", k.id, k.reason)
		}
	}
	failed := s.failed + len(s.broken) + len(s.open)
	fmt.Fprintf(w, "\n%d passed, %d failed, %d skipped\n", s.passed, failed, len(s.skips))
}

func sortedOpen(open map[id][]string) []id {
	ids := make([]id, 0, len(open))
	for i := range open {
		ids = append(ids, i)
	}
	slices.SortFunc(ids, func(a, b id) int { return strings.Compare(a.String(), b.String()) })
	return ids
}
