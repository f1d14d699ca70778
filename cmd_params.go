package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/pgrescue/pgrescue/pgops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

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
