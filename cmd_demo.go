package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/docker/docker/client"
	"github.com/spf13/cobra"

	"github.com/pgrescue/pgrescue/demo"
	"github.com/pgrescue/pgrescue/steps/engine"
	"github.com/pgrescue/pgrescue/steps/journal"
)

// demoName is the container that a demo makes.
const demoName = "pgrescue-demo"

func newDemo() *cobra.Command {
	var o demo.Options
	var major int
	var damage string
	var keep, only bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "make a really broken database and practise on it",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkDemo(major, damage); err != nil {
				return err
			}
			f, err := newFace(cmd)
			if err != nil {
				return err
			}
			o.Name, o.Major, o.Cut = demoName, major, demo.Cut(damage)
			o.Progress = func(s string) { fmt.Fprintf(cmd.ErrOrStderr(), "demo: %s\n", s) }
			return runDemo(cmd, f, o, only, keep)
		},
	}
	addUIFlags(cmd)
	cmd.Flags().IntVar(&major, "major", 15, "PostgreSQL major: 13, 15, 17 or 18")
	cmd.Flags().StringVar(&damage, "damage", string(demo.CutOffsets), "what is cut short beside the wiped page: offsets, members or none")
	cmd.Flags().BoolVar(&o.Checksums, "checksums", false, "with data checksums")
	cmd.Flags().BoolVar(&only, "only", false, "make the broken database and stop there")
	cmd.Flags().BoolVar(&keep, "keep", false, "keep the container afterwards")
	return cmd
}

// checkDemo refuses what cannot be made before an earlier demo is removed for it.
func checkDemo(major int, damage string) error {
	if majors := []int{13, 15, 17, 18}; !slices.Contains(majors, major) {
		return engine.Errorf(engine.Usage, fmt.Sprintf("choose one of %v", majors), "there is no demo of PostgreSQL %d", major)
	}
	if kinds := []demo.Cut{demo.CutOffsets, demo.CutMembers, demo.CutNone}; !slices.Contains(kinds, demo.Cut(damage)) {
		return engine.Errorf(engine.Usage, fmt.Sprintf("choose one of %v", kinds), "there is no damage %q", damage)
	}
	return nil
}

func runDemo(cmd *cobra.Command, f face, o demo.Options, only, keep bool) (err error) {
	ctx := cmd.Context()
	cli, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		return engine.Errorf(engine.Precondition, "make demo starts one", "docker: %w", err)
	}
	defer cli.Close()
	if err := demo.Remove(ctx, cli, o.Name); err != nil {
		return engine.Errorf(engine.Precondition, "start the Docker daemon; pgrescue doctor looks at it", "removing what an earlier demo left: %w", err)
	}
	broken, err := demo.Break(ctx, cli, o)
	if err != nil {
		return engine.Errorf(engine.Precondition, "make images gets them; then run it again", "demo: %w", err)
	}
	for _, d := range broken.Damage {
		fmt.Fprintf(cmd.ErrOrStderr(), "demo: %s\n", d)
	}
	if only {
		fmt.Fprintf(cmd.OutOrStdout(), "container:%s\n", broken.Container)
		return nil
	}
	if !keep {
		defer func() { err = errors.Join(err, broken.Remove(context.WithoutCancel(ctx))) }()
	}
	req := request{Playbook: "crash-loop", Target: "container:" + broken.Container, Actor: actor(), Options: engine.Options{Settings: map[string]string{"demo": "yes"}}}
	dir, err := begin(cmd, f, req)
	var code exitCode
	if err != nil && !errors.As(err, &code) {
		return err
	}
	if f.kind == "plain" && code == 0 {
		if err := compareWithTruth(ctx, cmd.OutOrStdout(), cli, broken, dir); err != nil {
			return err
		}
	}
	return exit(int(code))
}

// compareWithTruth prints the rows of each table beside those of an undamaged twin.
func compareWithTruth(ctx context.Context, w io.Writer, cli *client.Client, broken *demo.Broken, dir journal.Dir) error {
	now, err := demo.Measure(ctx, cli, broken.Container, broken.Database)
	if err != nil {
		return fmt.Errorf("counting the healed database: %w", err)
	}
	out := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(out, "TABLE\tROWS IN AN UNDAMAGED TWIN\tROWS KEPT\tROWS LOST")
	for _, t := range broken.Truth {
		i := slices.IndexFunc(now, func(n demo.TableCount) bool { return n.Schema == t.Schema && n.Table == t.Table })
		kept := int64(0)
		note := ""
		if i >= 0 {
			kept = now[i].Rows
		} else {
			note = " (the table does not exist)"
		}
		fmt.Fprintf(out, "%s.%s\t%d\t%d%s\t%d\n", t.Schema, t.Table, t.Rows, kept, note, t.Rows-kept)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	v, err := viewOf(dir)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "before the first consent: %s\ntranscript: %s\n", untouchedWords(v), dir.Path("report.md"))
	return err
}

// untouchedWords repeats the evidence that nothing changed before consent.
func untouchedWords(v engine.View) string {
	for _, s := range v.Said {
		if strings.HasPrefix(s.Item.Text, engine.UnchangedWords) {
			return s.Item.Text
		}
	}
	return "not compared: nothing was performed"
}
