package main

import (
	"fmt"
	"strings"
	"testing"
)

// line renders one event as `go test -json` does.
func line(action, pkg, test, output string) string {
	return fmt.Sprintf(`{"Action":%q,"Package":%q,"Test":%q,"Output":%q}`+"\n", action, pkg, test, output)
}

func TestSummary(t *testing.T) {
	pass := line("start", "p", "", "") + line("run", "p", "TestA", "") + line("pass", "p", "TestA", "") + line("pass", "p", "", "")
	tests := []struct {
		name   string
		stream string
		ok     bool
		want   []string // in the report
	}{
		{"pass", pass, true, []string{"\n1 passed, 0 failed, 0 skipped\n"}},
		{"nothing ran", line("start", "p", "", "") + line("skip", "p", "", ""), false, []string{"\n0 passed, 0 failed, 0 skipped\n"}},
		{
			"skip is loud", pass + line("run", "q", "TestB", "") + line("output", "q", "TestB", "    b_test.go:7: SKIP-REASON: no engine\n") +
				line("output", "q", "TestB", "--- SKIP: TestB (0.00s)\n") + line("skip", "q", "TestB", ""),
			true,
			[]string{"!!! SKIPPED q TestB: b_test.go:7: SKIP-REASON: no engine", "1 passed, 0 failed, 1 skipped"},
		},
		{
			"failure shows its output", pass + line("run", "q", "TestB", "") + line("output", "q", "TestB", "got 1, want 2\n") + line("fail", "q", "TestB", ""),
			false,
			[]string{"=== FAILED q TestB\ngot 1, want 2\n", "1 passed, 1 failed, 0 skipped"},
		},
		{"unfinished", pass + line("run", "q", "TestB", ""), false, []string{"=== NEVER FINISHED q TestB", "1 passed, 1 failed"}},
		{
			"died outside a test", pass + line("start", "q", "", "") + line("output", "q", "", "panic: boom\n") + line("fail", "q", "", ""),
			false,
			[]string{"panic: boom", "q (failed outside any test)", "1 passed, 1 failed"},
		},
		{
			"does not build", pass + `{"Action":"build-fail","ImportPath":"q"}` + "\n", false,
			[]string{"q (does not build)", "1 passed, 1 failed"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := read(strings.NewReader(tt.stream), &strings.Builder{})
			if err != nil {
				t.Fatal(err)
			}
			if s.ok() != tt.ok {
				t.Errorf("ok() = %v, want %v", s.ok(), tt.ok)
			}
			var b strings.Builder
			s.report(&b)
			for _, want := range tt.want {
				if !strings.Contains(b.String(), want) {
					t.Errorf("report lacks %q:\n%s", want, b.String())
				}
			}
		})
	}
}

// TestOrdinaryOutputPassesThrough keeps what the go command says outside JSON.
func TestOrdinaryOutputPassesThrough(t *testing.T) {
	var b strings.Builder
	if _, err := read(strings.NewReader("go: no such module\n"), &b); err != nil {
		t.Fatal(err)
	}
	if b.String() != "go: no such module\n" {
		t.Errorf("printed %q", b.String())
	}
}
