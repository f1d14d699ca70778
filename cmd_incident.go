package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/steps"
	"github.com/pgrescue/pgrescue/steps/engine"
	"github.com/pgrescue/pgrescue/steps/journal"
)

// incidentCommand is a command on one incident, the latest if none is named.
func incidentCommand(use, short string, run func(*cobra.Command, journal.Dir) error) *cobra.Command {
	return &cobra.Command{
		Use:               use + " [INCIDENT]",
		Short:             short,
		Args:              usage(cobra.MaximumNArgs(1)),
		ValidArgsFunction: completeIncident,
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := findIncident(cmd, strings.Join(args, ""))
			if err != nil {
				return err
			}
			return run(cmd, dir)
		},
	}
}

func findIncident(cmd *cobra.Command, name string) (journal.Dir, error) {
	base, err := stateDir(cmd)
	if err != nil {
		return "", err
	}
	return journal.Find(base, name)
}

func completeIncident(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	base, err := stateDir(cmd)
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	dirs, _ := journal.List(base)
	var out []string
	for _, d := range dirs {
		out = append(out, d.ID())
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

func newAttach() *cobra.Command {
	cmd := incidentCommand("attach", "look at a running incident, and steer it if nobody else does", func(cmd *cobra.Command, dir journal.Dir) error {
		f, err := newFace(cmd)
		if err != nil {
			return err
		}
		client, err := attachTo(cmd.Context(), dir)
		if err == nil {
			defer client.Close()
			return f.show(cmd.Context(), client, dir)
		}
		rep, err := dir.Read()
		if err != nil {
			return err
		}
		fmt.Fprintf(f.errOut, "incident %s is not running; this is how it ended (pgrescue resume goes on)\n", dir.ID())
		return f.show(cmd.Context(), &pastLink{events: rep.Events}, dir)
	})
	addUIFlags(cmd)
	return cmd
}

func newResume() *cobra.Command {
	cmd := incidentCommand("resume", "go on with an incident that ended early or waits for consent", func(cmd *cobra.Command, dir journal.Dir) error {
		f, err := newFace(cmd)
		if err != nil {
			return err
		}
		rehearse, _ := cmd.Flags().GetBool("rehearse-only")
		f.opts.RehearseOnly = rehearse
		again, _ := cmd.Flags().GetBool("rehearse-again")
		return play(cmd.Context(), f, dir, engineMode{reason: "resumed", rehearseOnly: rehearse, rehearseAgain: again})
	})
	addUIFlags(cmd)
	cmd.Flags().Bool("rehearse-only", false, "end after the rehearsal")
	cmd.Flags().Bool("rehearse-again", false, "throw the clone away and rehearse from a fresh one")
	return cmd
}

func newUndo() *cobra.Command {
	cmd := incidentCommand("undo", "put the original back as the snapshot has it, and give back what was stopped", func(cmd *cobra.Command, dir journal.Dir) error {
		f, err := newFace(cmd)
		if err != nil {
			return err
		}
		if confirm, _ := cmd.Flags().GetString("confirm"); confirm != "" {
			f.answers = f.answers.With("consent.original", "put-back").With("confirm", confirm).With("consent.reversible", "yes")
		}
		return play(cmd.Context(), f, dir, engineMode{undo: true, reason: "undo"})
	})
	addUIFlags(cmd)
	cmd.Flags().String("confirm", "", "HOST/SYSID4, to put it back with nobody present")
	return cmd
}

func newApply() *cobra.Command {
	cmd := incidentCommand("apply", "perform a passed rehearsal with nobody present", func(cmd *cobra.Command, dir journal.Dir) error {
		f, err := newFace(cmd)
		if err != nil {
			return err
		}
		if f.kind == "tui" {
			f.kind = "plain"
		}
		digest, _ := cmd.Flags().GetString("approve")
		confirm, _ := cmd.Flags().GetString("confirm")
		if digest == "" || confirm == "" {
			return engine.Errorf(engine.Usage, "pgrescue status shows the digest", "apply needs both --approve DIGEST and --confirm HOST/SYSID4")
		}
		if err := approved(dir, digest); err != nil {
			return err
		}
		if err := confirmed(dir, confirm); err != nil {
			return err
		}
		f.answers = f.answers.With("consent.original", digest).With("confirm", confirm).With("consent.reversible", "yes").With("consent.on-copy", "yes")
		return play(cmd.Context(), f, dir, engineMode{reason: "apply"})
	})
	addUIFlags(cmd)
	cmd.Flags().String("approve", "", "digest of the rehearsal, as its end printed it")
	cmd.Flags().String("confirm", "", "HOST/SYSID4: this host's short name and the last four digits of the system identifier")
	return cmd
}

// approved checks that the digest is the one of the incident's passed rehearsal.
func approved(dir journal.Dir, digest string) error {
	v, err := viewOf(dir)
	if err != nil {
		return err
	}
	switch {
	case v.Rehearsed == nil:
		return engine.Errorf(engine.Precondition, "pgrescue resume --rehearse-only "+dir.ID(), "incident %s has no passed rehearsal", dir.ID())
	case v.Rehearsed.Digest != digest:
		return engine.Errorf(engine.Stale, "read the report again and approve what it says", "the rehearsal's digest is %s, not %s", v.Rehearsed.Digest, digest)
	}
	return nil
}

// confirmed checks that the confirmation names this host and the incident's database. It does
// not say what would have been right: that is what the operator has to know.
func confirmed(dir journal.Dir, confirm string) error {
	v, err := viewOf(dir)
	if err != nil {
		return err
	}
	want, err := steps.ChallengeOf(v, shortHost())
	if err != nil {
		return engine.Errorf(engine.Precondition, "pgrescue resume "+dir.ID(), "the incident has not found its database yet: %w", err)
	}
	if confirm != want {
		return engine.Errorf(engine.Usage, "give this host's short name, a slash, and the last four digits of the system identifier in the report", "--confirm %s is not this host and this database", confirm)
	}
	return nil
}

func viewOf(dir journal.Dir) (engine.View, error) {
	rep, err := dir.Read()
	if err != nil {
		return engine.View{}, err
	}
	return engine.FoldAll(rep.Events)
}

// status is what pgrescue status --json prints.
type status struct {
	Incident    string         `json:"incident"`
	Target      string         `json:"target"`
	Playbook    string         `json:"playbook"`
	Running     bool           `json:"running"`
	Act         engine.Act     `json:"act"`
	Step        string         `json:"step,omitempty"`
	State       engine.State   `json:"state,omitempty"`
	Waiting     bool           `json:"waiting_for_consent"`
	Original    string         `json:"original"`
	Outcome     string         `json:"outcome,omitempty"`
	Exit        *int           `json:"exit,omitempty"`
	Digest      string         `json:"rehearsal_digest,omitempty"`
	Obligations []string       `json:"obligations,omitempty"`
	Events      int64          `json:"events"`
	Head        string         `json:"head"`
	Started     time.Time      `json:"started"`
	Last        time.Time      `json:"last"`
	Closed      *engine.Closed `json:"closed,omitempty"`
}

func statusOf(dir journal.Dir) (status, error) {
	// The lock before the journal: of a run that ends meanwhile the journal says how.
	running := journal.Held(dir)
	rep, err := dir.Read()
	if err != nil {
		return status{}, err
	}
	v, err := engine.FoldAll(rep.Events)
	if err != nil {
		return status{}, err
	}
	s := status{
		Incident: dir.ID(), Target: v.Opened.Target, Playbook: v.Opened.Playbook, Running: running, Act: v.Act,
		Waiting: v.Gate != nil, Original: string(v.Original), Events: v.Seq, Head: rep.Head, Started: v.Started, Last: v.Last, Closed: v.Closed,
	}
	if row := v.Current(); row != nil {
		s.Step, s.State = row.Step, row.State
	}
	if !running && v.Original == engine.Writing {
		s.Original = string(engine.Uncertain) // whoever was writing it is gone
	}
	if v.Rehearsed != nil {
		s.Digest = v.Rehearsed.Digest
	}
	if v.Closed != nil {
		s.Outcome, s.Exit = v.Closed.Outcome, &v.Closed.Exit
	}
	for _, o := range v.Obligations {
		s.Obligations = append(s.Obligations, o.What)
	}
	return s, nil
}

func newStatus() *cobra.Command {
	cmd := incidentCommand("status", "say where an incident stands", func(cmd *cobra.Command, dir journal.Dir) error {
		s, err := statusOf(dir)
		if err != nil {
			return err
		}
		if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
			return printJSON(cmd, s)
		}
		out := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
		fmt.Fprintf(out, "incident\t%s\ntarget\t%s\nplaybook\t%s\nrunning\t%s\nact\t%s\nstep\t%s %s\noriginal\t%s\n",
			s.Incident, s.Target, s.Playbook, yesNo(s.Running), s.Act, s.Step, s.State, s.Original)
		if s.Closed != nil {
			fmt.Fprintf(out, "ended\t%s (exit %d): %s\n", s.Outcome, *s.Exit, s.Closed.Summary)
			for _, next := range s.Closed.Next {
				fmt.Fprintf(out, "next\t%s\n", next)
			}
		}
		for _, o := range s.Obligations {
			fmt.Fprintf(out, "owed\t%s\n", o)
		}
		fmt.Fprintf(out, "journal\t%d events, head %.12s\n", s.Events, s.Head)
		return out.Flush()
	})
	cmd.Flags().Bool("json", false, "machine-readable")
	return cmd
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func newIncidents() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "incidents",
		Short: "list incidents, the latest first",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			base, err := stateDir(cmd)
			if err != nil {
				return err
			}
			dirs, err := journal.List(base)
			if err != nil {
				return err
			}
			list := make([]status, 0, len(dirs))
			for _, d := range dirs {
				s, err := statusOf(d)
				if err != nil {
					s = status{Incident: d.ID(), Outcome: "unreadable: " + err.Error()}
				}
				list = append(list, s)
			}
			if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
				return printJSON(cmd, list)
			}
			return printIncidents(cmd, list)
		},
	}
	cmd.Flags().Bool("json", false, "machine-readable")
	return cmd
}

func printIncidents(cmd *cobra.Command, list []status) error {
	out := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
	fmt.Fprintln(out, "INCIDENT\tTARGET\tPLAYBOOK\tSTATE\tORIGINAL")
	for _, s := range list {
		state := s.Outcome
		switch {
		case s.Running && s.Waiting:
			state = "waits for consent"
		case s.Running:
			state = "running"
		case state == "":
			state = "interrupted"
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\n", s.Incident, s.Target, s.Playbook, state, s.Original)
	}
	return out.Flush()
}

func newClean() *cobra.Command {
	cmd := incidentCommand("clean", "remove an incident's containers and clones; with --snapshot its snapshot too", func(cmd *cobra.Command, dir journal.Dir) error {
		if journal.Held(dir) {
			return engine.Errorf(engine.Locked, "pgrescue attach shows it", "incident %s is being worked on", dir.ID())
		}
		all, _ := cmd.Flags().GetBool("snapshot")
		if v, err := viewOf(dir); err != nil {
			return err
		} else if all && !slices.Contains([]engine.OriginalState{engine.Untouched, engine.PutBack}, v.Original) && (v.Closed == nil || v.Closed.Exit != 0) {
			return engine.Errorf(engine.Precondition, "pgrescue undo puts the original back first", "the original is %s and the snapshot is the only way back", v.Original)
		}
		return cleanIncident(cmd.Context(), cmd.OutOrStdout(), dir, all)
	})
	cmd.Flags().Bool("snapshot", false, "remove the snapshot too: undo is impossible afterwards")
	return cmd
}

func cleanIncident(ctx context.Context, w io.Writer, dir journal.Dir, all bool) error {
	c, err := dockerops.Connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	removed, err := c.Clean(ctx, dir.ID(), all)
	for _, o := range removed {
		fmt.Fprintf(w, "removed %s %s (%s)\n", o.Kind, o.Name, o.Tag.Role)
	}
	return err
}

func printJSON(cmd *cobra.Command, v any) error {
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
