package main

import "github.com/spf13/cobra"

func newInspectCatalog() *cobra.Command {
	return &cobra.Command{Use: "catalog DATADIR", Hidden: true, Args: usage(cobra.ExactArgs(1))}
}
