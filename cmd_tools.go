package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/pgrescue/pgrescue/agent"
	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/steps/engine"
	"github.com/pgrescue/pgrescue/steps/journal"
)

func newAgent() *cobra.Command {
	return &cobra.Command{
		Use:                "agent [idle]",
		Short:              "do one job next to the data (internal)",
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && args[0] == "idle" {
				return idle(cmd.Context())
			}
			return exit(agent.Serve(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()))
		},
	}
}

// idle keeps a helper container alive until it is stopped; jobs come in through exec.
func idle(ctx context.Context) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	<-ctx.Done()
	return nil
}

func newVersion() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "print the version",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
				return printJSON(cmd, map[string]any{"version": version, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
					"journal": engine.EventVersion, "postgresql": "13-18"})
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "pgrescue %s\n", version)
			return err
		},
	}
	cmd.Flags().Bool("json", false, "machine-readable")
	return cmd
}

func newMan() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "write the manual pages into a directory",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			header := &doc.GenManHeader{Title: "PGRESCUE", Section: "1", Source: "pgrescue " + version, Manual: "pgrescue"}
			return doc.GenManTree(cmd.Root(), header, args[0])
		},
	}
}

func newVerify() *cobra.Command {
	return &cobra.Command{
		Use:   "verify JOURNAL",
		Short: "check that a journal is whole: every line follows the one before",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := args[0]
			if info, err := os.Stat(path); err == nil && info.IsDir() {
				path = filepath.Join(path, "journal.jsonl")
			}
			rep, err := journal.Read(path)
			if errors.Is(err, os.ErrNotExist) {
				return engine.Errorf(engine.Usage, "give the path of a journal.jsonl or of an incident's directory", "%w", err)
			}
			if err == nil {
				_, err = engine.FoldAll(rep.Events)
			}
			if err != nil {
				return engine.Errorf(engine.Damage, "compare it with a copy taken earlier", "%s: %w", path, err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %d events, chain whole, head %s\n", path, len(rep.Events), rep.Head)
			if len(rep.Torn) > 0 {
				fmt.Fprintf(cmd.OutOrStdout(), "the last line is torn (%d bytes); it was never acknowledged\n", len(rep.Torn))
			}
			return nil
		},
	}
}

func newExport() *cobra.Command {
	cmd := incidentCommand("export", "write an incident's transcript for people or programs", func(cmd *cobra.Command, dir journal.Dir) error {
		format, _ := cmd.Flags().GetString("format")
		output, _ := cmd.Flags().GetString("output")
		if output != "" && output != "-" {
			return exportFile(dir, output, format)
		}
		if format == "bundle" && isatty.IsTerminal(os.Stdout.Fd()) {
			return engine.Errorf(engine.Usage, "give --output FILE", "a bundle is binary")
		}
		return dir.Export(cmd.OutOrStdout(), format)
	})
	cmd.Flags().StringP("format", "f", "md", "md, postmortem, json, cast or bundle")
	cmd.Flags().StringP("output", "o", "", "file to write (default standard output)")
	return cmd
}

// exportFile writes an export beside its destination and moves it there when it is whole:
// a failed one leaves what was there.
func exportFile(dir journal.Dir, path, format string) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return engine.Errorf(engine.Usage, "give --output a file in a directory that can be written", "output: %w", err)
	}
	err = errors.Join(dir.Export(file, format), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

func newDoctor() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "look whether this host and terminal are fit for a rescue",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
			bad := 0
			say := func(ok bool, what, detail string) {
				word := "ok"
				if !ok {
					word = "BAD"
					bad++
				}
				fmt.Fprintf(out, "%s\t%s\t%s\n", word, what, detail)
			}
			examine(cmd, say)
			if err := out.Flush(); err != nil {
				return err
			}
			if bad > 0 {
				return exit(engine.Precondition.Exit())
			}
			return nil
		},
	}
}

func examine(cmd *cobra.Command, say func(ok bool, what, detail string)) {
	base, err := stateDir(cmd)
	if err == nil {
		err = os.MkdirAll(base, 0o700)
	}
	say(err == nil, "incident directory", sayOr(base, err))
	say(true, "terminal", fmt.Sprintf("TERM=%s, interactive: %s", os.Getenv("TERM"), yesNo(isatty.IsTerminal(os.Stdout.Fd()))))
	if os.Getenv("SSH_CONNECTION") != "" {
		say(true, "over SSH", "a dropped line does not end a repair: pgrescue attach comes back to it")
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), 20*time.Second)
	defer cancel()
	c, err := dockerops.Connect(ctx)
	if err != nil {
		say(false, "docker", err.Error())
		return
	}
	defer c.Close()
	h, err := c.Host(ctx)
	if err != nil {
		say(false, "docker", err.Error())
		return
	}
	say(true, "docker", fmt.Sprintf("%s, data in %s", h.ServerVersion, h.RootDir))
	self, err := os.Executable()
	if err == nil {
		_, err = c.EnsureHelperImage(ctx, self)
	}
	say(err == nil, "helper image", sayOr("made from this binary, no registry asked", err))
}

func sayOr(text string, err error) string {
	if err != nil {
		return err.Error()
	}
	return text
}
