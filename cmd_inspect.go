package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/steps/engine"
)

func newInspect() *cobra.Command {
	cmd := &cobra.Command{Use: "inspect", Short: "read PostgreSQL's files with the native readers", Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(newInspectControl(), newInspectWAL(), newInspectSLRU(), newInspectPage(), newInspectRelation(), newInspectCatalog())
	return cmd
}

func newInspectControl() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "control PATH",
		Short: "print pg_control: PATH is a data directory or the file itself",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			raw, err := readControl(args[0])
			if err != nil {
				return engine.Errorf(engine.Usage, "give a data directory or the path of a pg_control", "%w", err)
			}
			control, damage := pgdisk.DecodeControl(raw)
			if refused := foreignVersion(damage); refused != nil {
				return refused
			}
			if control == nil {
				return engine.Errorf(engine.Damage, "pgrescue run crash-loop takes its values from the other files", "%w", damage)
			}
			if err := printControl(cmd, control); err != nil {
				return err
			}
			if damage != nil {
				return engine.Errorf(engine.Damage, "take none of these values for granted", "%w", damage)
			}
			return nil
		},
	}
	cmd.Flags().Bool("json", false, "machine-readable")
	return cmd
}

// foreignVersion turns the refusal of a pg_control that is not damaged but of a release or a machine that is
// not read here into what a command returns, nil for any other error.
func foreignVersion(err error) error {
	var refused *pgdisk.ControlError
	if !errors.As(err, &refused) || !refused.Foreign() {
		return nil
	}
	return engine.Errorf(engine.Precondition, "that release's own pg_controldata reads it", "%w", err)
}

// readControl reads at most what a pg_control can be, through os.Root where a data
// directory is given.
func readControl(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	var f *os.File
	if info.IsDir() {
		root, err := os.OpenRoot(path)
		if err != nil {
			return nil, err
		}
		defer root.Close()
		if f, err = openPlain(root, pgdisk.ControlFilePath); err != nil {
			return nil, err
		}
	} else if f, err = os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0); err != nil { // a named pipe without a writer is empty
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, pgdisk.ControlFileSize+1))
}

func printControl(cmd *cobra.Command, c *pgdisk.Control) error {
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return printJSON(cmd, c)
	}
	for _, f := range c.Fields(time.Local) {
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%-38s%s\n", f.Label+":", f.Value); err != nil {
			return err
		}
	}
	return nil
}
