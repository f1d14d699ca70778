package main

import "github.com/spf13/cobra"

func newInspectRelation() *cobra.Command {
	return &cobra.Command{Use: "relation PATH", Hidden: true, Args: usage(cobra.ExactArgs(1))}
}
