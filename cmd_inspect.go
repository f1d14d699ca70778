package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgrescue/pgrescue/pgops"
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/steps/engine"
)

func newInspect() *cobra.Command {
	cmd := &cobra.Command{Use: "inspect", Short: "read PostgreSQL's files with the native readers", Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(newInspectControl())
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
		if f, err = root.Open(pgdisk.ControlFilePath); err != nil {
			return nil, err
		}
	} else if f, err = os.Open(path); err != nil {
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

func newParams() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "params DATADIR",
		Short: "compute pg_resetwal's values with their reasons, from files alone",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			pieces, closePieces, err := openPieces(args[0])
			if err != nil {
				return engine.Errorf(engine.Usage, "give a data directory", "%w", err)
			}
			defer closePieces()
			evidence, err := pgops.ScanParams(cmd.Context(), pieces, nil)
			if err != nil {
				return err
			}
			plan, err := pgops.PlanReset(*evidence, pgops.ResetOptions{})
			var contradiction *pgops.ContradictionError
			if errors.As(err, &contradiction) {
				return engine.Errorf(engine.Damage, "a value chosen against one of the sources can destroy rows", "%w", err)
			}
			if err != nil {
				return err
			}
			return printParams(cmd, plan, pgops.WhatResetLoses(*evidence))
		},
	}
	cmd.Flags().Bool("json", false, "machine-readable")
	return cmd
}

func printParams(cmd *cobra.Command, plan *pgops.ResetPlan, loss pgops.ResetLoss) error {
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"plan": plan, "loses": loss})
	}
	out := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
	for _, v := range plan.Params {
		given := "not given"
		if v.Given {
			given = "given"
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", v.Switch, v.Value, given, v.Name)
		for _, e := range v.Evidence {
			fmt.Fprintf(out, "\tevidence\t%s\t\n", e)
		}
		fmt.Fprintf(out, "\tformula\t%s\t\n\tmargin\t%s\t\n\tif wrong\t%s\t\n", v.Formula, v.Margin, v.IfWrong)
	}
	for _, s := range loss.Sentences {
		fmt.Fprintf(out, "loses\t%s\n", s)
	}
	for _, w := range plan.Warnings {
		fmt.Fprintf(out, "warning\t%s\n", w)
	}
	return out.Flush()
}
