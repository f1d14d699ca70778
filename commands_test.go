package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// everyCommand lists the command line's words for each command that people may call.
func everyCommand() [][]string {
	root := newRoot()
	refuseUnknown(root)
	all := [][]string{nil}
	var walk func(*cobra.Command, []string)
	walk = func(cmd *cobra.Command, words []string) {
		for _, sub := range cmd.Commands() {
			if sub.Hidden || sub.Name() == "help" {
				continue
			}
			path := append(words[:len(words):len(words)], sub.Name())
			all = append(all, path)
			walk(sub, path)
		}
	}
	walk(root, nil)
	return all
}

// Every command explains itself, on standard output, in both ways of asking.
func TestHelpOfEveryCommand(t *testing.T) {
	t.Setenv("DOCKER_HOST", noDocker)
	for _, words := range everyCommand() {
		name := strings.Join(append([]string{"pgrescue"}, words...), " ")
		var first string
		for _, args := range [][]string{append(words[:len(words):len(words)], "--help"), append([]string{"help"}, words...)} {
			var out, errOut bytes.Buffer
			if code := run(args, strings.NewReader(""), &out, &errOut); code != 0 || errOut.Len() != 0 {
				t.Errorf("%q: exit code %d, standard error %q", args, code, &errOut)
			}
			if first == "" {
				first = out.String()
			}
			if out.String() != first || !strings.Contains(first, "Usage:\n  "+name) {
				t.Errorf("%q says:\n%s", args, &out)
			}
		}
	}
}

// Every command refuses a switch that it does not know, before it does anything.
func TestUnknownSwitchOfEveryCommand(t *testing.T) {
	t.Setenv("DOCKER_HOST", noDocker)
	for _, words := range everyCommand() {
		args := append(words[:len(words):len(words)], "--nosuch-switch")
		var out, errOut bytes.Buffer
		if code := run(args, strings.NewReader(""), &out, &errOut); code != 2 || out.Len() != 0 {
			t.Errorf("%q: exit code %d, standard output %q", args, code, &out)
		}
		if err := checkComplaint(errOut.String(), true); err != nil {
			t.Errorf("%q: %v: %s", args, err, &errOut)
		}
	}
}

// The command line is the one that the documentation has.
func TestCommandsThereAre(t *testing.T) {
	have := map[string]bool{}
	for _, words := range everyCommand() {
		have[strings.Join(words, " ")] = true
	}
	for _, name := range []string{"", "triage", "run", "attach", "status", "resume", "undo", "incidents", "apply", "inspect", "inspect control",
		"inspect wal", "inspect slru", "inspect page", "inspect relation", "inspect catalog", "unload", "params", "export", "verify", "demo", "doctor", "version", "completion", "man", "clean"} {
		if !have[name] {
			t.Errorf("there is no command %q", name)
		}
	}
}

// One line that says what a command does, in lower case, without a period: it stands in
// lists.
func TestShortHelp(t *testing.T) {
	for _, cmd := range newRoot().Commands() {
		s := cmd.Short
		if s == "" || len(s) > 100 || strings.HasSuffix(s, ".") || strings.ToLower(s[:1]) != s[:1] {
			t.Errorf("%s: %q", cmd.Name(), s)
		}
	}
}
