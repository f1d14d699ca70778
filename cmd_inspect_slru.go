package main

import "github.com/spf13/cobra"

func newInspectSLRU() *cobra.Command {
	return &cobra.Command{Use: "slru PATH", Hidden: true, Args: usage(cobra.ExactArgs(1))}
}
