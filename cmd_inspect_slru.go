package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgrescue/pgrescue/inspect"
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/steps/engine"
)

func newInspectSLRU() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "slru PATH",
		Short: "read pg_xact, pg_multixact, pg_commit_ts and their like: PATH is a data directory, one of these directories or a file in one",
		Long: "Without a question: which files there are, what is missing or cut, and whether they hold the ids that pg_control\n" +
			"says are in use. With one: the fate of a transaction or of many, the members of a multixact, every entry.",
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			kind, _ := cmd.Flags().GetString("kind")
			question, err := slruQuestion(cmd)
			if err != nil {
				return err
			}
			src, closeSource, err := openSLRU(args[0], kind)
			if err != nil {
				return err
			}
			defer closeSource()
			findings, err := question(src)
			if err != nil {
				return err
			}
			if findings > 0 {
				return engine.Errorf(engine.Damage, "nothing was changed; pgrescue triage says which playbook repairs what", "%s", counted(findings, "finding"))
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.String("kind", "", "look at one of "+strings.Join(inspect.SLRUKinds(), ", "))
	f.String("xid", "", "one transaction: its status, parents, time of commit, and where the status lies")
	f.String("multi", "", "one multixact: its members, and where they lie")
	f.String("range", "", "statuses of the transactions A-B, in runs")
	f.Bool("counts", false, "transactions of each pg_xact file by status")
	f.Bool("dump", false, "every entry that is not zero, of one directory")
	f.Bool("json", false, "machine-readable: one object a line")
	return cmd
}

// slruQuestion turns the switches into the one question they ask.
func slruQuestion(cmd *cobra.Command) (func(inspect.SLRUSource) (int, error), error) {
	ctx, w := cmd.Context(), cmd.OutOrStdout()
	asJSON, _ := cmd.Flags().GetBool("json")
	var asked []string
	for _, name := range []string{"xid", "multi", "range", "counts", "dump"} {
		if cmd.Flags().Changed(name) {
			asked = append(asked, name)
		}
	}
	if len(asked) > 1 {
		return nil, engine.Errorf(engine.Usage, "ask one thing at a time", "--%s and --%s are two questions", asked[0], asked[1])
	}
	if len(asked) == 0 {
		return func(src inspect.SLRUSource) (int, error) { return inspect.SLRU(ctx, src, asJSON, w) }, nil
	}
	value := cmd.Flags().Lookup(asked[0]).Value.String()
	switch asked[0] {
	case "xid":
		x, err := parseXID(value)
		return func(src inspect.SLRUSource) (int, error) { return inspect.SLRUTransaction(src, x, asJSON, w) }, err
	case "multi":
		m, err := parseXID(value)
		return func(src inspect.SLRUSource) (int, error) {
			return inspect.SLRUMultiXact(ctx, src, pgdisk.MultiXactID(m), asJSON, w)
		}, err
	case "range":
		first, last, err := parseXIDRange(value)
		return func(src inspect.SLRUSource) (int, error) {
			return inspect.SLRURange(ctx, src, first, last, asJSON, w)
		}, err
	case "counts":
		return func(src inspect.SLRUSource) (int, error) { return inspect.SLRUCounts(ctx, src, asJSON, w) }, nil
	}
	return func(src inspect.SLRUSource) (int, error) {
		findings, err := inspect.SLRUDump(ctx, src, asJSON, w)
		var refused *inspect.SLRUQuestionError
		if errors.As(err, &refused) {
			return 0, engine.Errorf(engine.Usage, "choose one with --kind", "%w", err)
		}
		return findings, err
	}, nil
}

// parseXID reads an id of 32 bits, or a full transaction id with its epoch in the upper half, as
// pg_current_xact_id prints it.
func parseXID(s string) (pgdisk.XID, error) {
	n, err := strconv.ParseUint(s, 0, 64)
	if err != nil {
		return 0, engine.Errorf(engine.Usage, "give a number such as 742", "id %q: not a number", s)
	}
	return pgdisk.XID(n), nil
}

func parseXIDRange(s string) (first, last pgdisk.XID, err error) {
	a, b, ok := strings.Cut(s, "-")
	if !ok {
		return 0, 0, engine.Errorf(engine.Usage, "give --range 700-800", "range %q: want two ids joined by a hyphen", s)
	}
	if first, err = parseXID(a); err != nil {
		return 0, 0, err
	}
	last, err = parseXID(b)
	return first, last, err
}

// counted puts a number before a noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
