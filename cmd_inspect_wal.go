package main

import "github.com/spf13/cobra"

func newInspectWAL() *cobra.Command {
	return &cobra.Command{Use: "wal PATH", Hidden: true, Args: usage(cobra.ExactArgs(1))}
}
