// Pgrescue walks an on-call operator from a PostgreSQL that does not start to a healed
// and verified one, and never writes to the damaged data before the very same actions
// have worked on a copy of it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// version is set by the linker.
var version = "dev"

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program: stdout is data, stderr is messages, the result is the exit
// code (engine.ErrorKind.Exit and engine.ExitPending say which).
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	refuseUnknown(root)
	err := root.ExecuteContext(context.Background())
	var code exitCode
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	}
	var told *engine.Error
	if !errors.As(err, &told) {
		fmt.Fprintf(stderr, "pgrescue: %v\n", err)
		return 1
	}
	fmt.Fprintf(stderr, "pgrescue: %v\n", err)
	if told.Hint != "" {
		fmt.Fprintf(stderr, "hint: %s\n", told.Hint)
	}
	return told.Kind.Exit()
}

// exitCode is the error of a command that has said all there is to say.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// exit turns a code into what a command returns.
func exit(code int) error {
	if code == 0 {
		return nil
	}
	return exitCode(code)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "pgrescue",
		Short: "walk a PostgreSQL that does not start back to a healed, verified database",
		Long: "pgrescue walks you from a PostgreSQL that does not start to a healed and verified one.\n" +
			"Everything is rehearsed on a copy first; the original is not changed before you agree to\n" +
			"exactly what worked there. Without a command it lets you pick a target.",
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version,
		Args:          usage(cobra.NoArgs),
		RunE:          pickAndRun,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return engine.Errorf(engine.Usage, cmd.CommandPath()+" --help", "%w", err)
	})
	root.PersistentFlags().String("state-dir", "", "where incidents are kept (default $XDG_STATE_HOME/pgrescue/incidents)")
	addUIFlags(root)
	root.AddCommand(
		newRun(), newTriage(), newAttach(), newStatus(), newResume(), newUndo(), newIncidents(), newApply(),
		newInspect(), newUnload(), newParams(), newExport(), newVerify(), newDemo(), newDoctor(), newClean(),
		newVersion(), newMan(), newEngine(), newAgent(),
	)
	return root
}

// refuseUnknown makes cobra's own commands, which print help for whatever they do not know,
// say so and fail. The streams must have been set.
func refuseUnknown(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Args = func(_ *cobra.Command, args []string) error {
				if _, rest, err := root.Find(args); err != nil || len(rest) > 0 {
					return engine.Errorf(engine.Usage, "pgrescue help", "there is no command %q to help with", strings.Join(args, " "))
				}
				return nil
			}
		case "completion":
			cmd.Args = usage(cobra.NoArgs)
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
}

// usage makes a wrong number of arguments a usage error.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return engine.Errorf(engine.Usage, cmd.UseLine(), "%w", err)
		}
		return nil
	}
}
