package main

import "github.com/spf13/cobra"

func newUnload() *cobra.Command {
	return &cobra.Command{Use: "unload DATADIR", Hidden: true, Args: usage(cobra.ExactArgs(1))}
}
