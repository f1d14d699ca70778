package main

import "github.com/spf13/cobra"

func newInspectPage() *cobra.Command {
	return &cobra.Command{Use: "page PATH", Hidden: true, Args: usage(cobra.ExactArgs(1))}
}
