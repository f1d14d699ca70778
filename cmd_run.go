package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/playbooks"
	"github.com/pgrescue/pgrescue/steps"
	"github.com/pgrescue/pgrescue/steps/engine"
	"github.com/pgrescue/pgrescue/steps/journal"
	"github.com/pgrescue/pgrescue/ui"
)

func newRun() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run PLAYBOOK TARGET",
		Short: "rehearse a playbook on a copy, then perform it on the original with your consent",
		Long: "TARGET is container:NAME, service:NAME, volume:NAME, dir:PATH, or a bare name that only one\n" +
			"of them has. Playbooks:\n" + playbookList(),
		Args:              usage(cobra.ExactArgs(2)),
		ValidArgsFunction: completeRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			return startIncident(cmd, args[0], args[1])
		},
	}
	addUIFlags(cmd)
	addRunFlags(cmd)
	return cmd
}

// addRunFlags are what a new incident can be told.
func addRunFlags(cmd *cobra.Command) {
	cmd.Flags().Bool("rehearse-only", false, "end after the rehearsal with the report; exit code 4 when it passed")
	cmd.Flags().String("image", "", "image to run PostgreSQL from, when the target does not tell (volume:, dir:)")
	cmd.Flags().String("pgdata", "", "data directory in the container, when it holds several")
	cmd.Flags().String("archive", "", "directory for a second copy of the snapshot, as a verified zstd archive")
	cmd.Flags().String("good", "", "a known-good cluster to compare with: a data directory or a connection string without password")
}

func newTriage() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "triage TARGET",
		Short: "look only: what is wrong, which playbook answers it, and why",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return startIncident(cmd, "triage", args[0])
		},
	}
	addUIFlags(cmd)
	cmd.Flags().String("image", "", "image to run PostgreSQL from, when the target does not tell")
	return cmd
}

func playbookList() string {
	var b strings.Builder
	for _, pb := range playbooks.All() {
		fmt.Fprintf(&b, "  %-12s %s\n", pb.Name, pb.Title)
	}
	return b.String()
}

func completeRun(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var out []string
	switch len(args) {
	case 0:
		for _, pb := range playbooks.All() {
			out = append(out, pb.Name+"\t"+pb.Title)
		}
	case 1:
		for _, t := range candidates(cmd.Context()) {
			out = append(out, t.String()+"\t"+t.State.Status)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

func candidates(ctx context.Context) []dockerops.Target {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	c, err := dockerops.Connect(ctx)
	if err != nil {
		return nil
	}
	defer c.Close()
	all, err := c.List(ctx)
	if err != nil {
		return nil
	}
	return all
}

// startIncident resolves the target, makes the incident and shows its engine.
func startIncident(cmd *cobra.Command, playbook, target string) error {
	if _, ok := playbooks.ByName(playbook); !ok {
		return engine.Errorf(engine.Usage, "pgrescue help run lists them", "there is no playbook %q", playbook)
	}
	f, err := newFace(cmd)
	if err != nil {
		return err
	}
	if good := cmd.Flags().Lookup(steps.SettingGood); good != nil && holdsPassword(good.Value.String()) {
		return engine.Errorf(engine.Usage, "put it into ~/.pgpass", "--good must not hold a password: flags are seen by every user of this host")
	}
	resolved, err := resolveTarget(cmd.Context(), target)
	if err != nil {
		return err
	}
	req := request{Playbook: playbook, Target: resolved, Actor: actor(), Options: engine.Options{Settings: map[string]string{}}}
	for _, name := range [...]string{steps.SettingImage, steps.SettingPGData, steps.SettingArchive, steps.SettingGood} {
		if flag := cmd.Flags().Lookup(name); flag != nil && flag.Value.String() != "" {
			req.Options.Settings[name] = flag.Value.String()
		}
	}
	req.Options.RehearseOnly, _ = cmd.Flags().GetBool("rehearse-only")
	f.opts.RehearseOnly = req.Options.RehearseOnly
	_, err = begin(cmd, f, req)
	return err
}

// holdsPassword looks for one in a connection string of either form.
func holdsPassword(dsn string) bool {
	if u, err := url.Parse(dsn); err == nil && u.User != nil {
		if _, ok := u.User.Password(); ok {
			return true
		}
	}
	return strings.Contains(strings.ToLower(dsn), "password=")
}

// begin makes the incident and plays it.
func begin(cmd *cobra.Command, f face, req request) (journal.Dir, error) {
	base, err := stateDir(cmd)
	if err != nil {
		return "", err
	}
	dir, err := journal.Create(base, req.Target, time.Now())
	if err != nil {
		return "", err
	}
	if err := req.save(dir); err != nil {
		return dir, err
	}
	return dir, play(cmd.Context(), f, dir, engineMode{})
}

// play starts an engine for the incident and shows it.
func play(ctx context.Context, f face, dir journal.Dir, mode engineMode) error {
	link, err := spawn(ctx, dir, mode)
	if err != nil {
		return err
	}
	defer link.Close()
	return f.show(ctx, link, dir)
}

// resolveTarget gives the target's full name, or one sentence on why it cannot be.
func resolveTarget(ctx context.Context, target string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c, err := dockerops.Connect(ctx)
	if err != nil {
		return "", &engine.Error{Kind: engine.Precondition, Hint: "start the Docker daemon; pgrescue doctor looks at it", Err: err}
	}
	defer c.Close()
	t, err := c.Resolve(ctx, target)
	if err != nil {
		return "", &engine.Error{Kind: engine.Usage, Hint: "pgrescue without arguments lists what there is", Err: err}
	}
	if t.Kind == dockerops.KindDir {
		if info, err := os.Stat(t.Name); err != nil || !info.IsDir() {
			return "", engine.Errorf(engine.Usage, "give the path of a data directory on this host", "%s is no directory that can be looked at", t)
		}
	}
	if t.Kind == dockerops.KindDir {
		if info, err := os.Stat(t.Name); err != nil || !info.IsDir() {
			return "", engine.Errorf(engine.Usage, "give the path of a data directory on this host", "%s is not a directory", t.Name)
		}
	}
	return t.String(), nil
}

func stateDir(cmd *cobra.Command) (string, error) {
	if dir, _ := cmd.Flags().GetString("state-dir"); dir != "" {
		return dir, nil
	}
	return journal.Base()
}

// pickAndRun is pgrescue without a command: choose among what Docker has, then crash-loop.
func pickAndRun(cmd *cobra.Command, _ []string) error {
	f, err := newFace(cmd)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), time.Minute)
	defer cancel()
	c, err := dockerops.Connect(ctx)
	if err != nil {
		return &engine.Error{Kind: engine.Precondition, Hint: "start the Docker daemon; pgrescue doctor looks at it", Err: err}
	}
	defer c.Close()
	all, err := c.List(ctx)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return engine.Errorf(engine.Precondition, "for data without a container: pgrescue run crash-loop dir:PATH --image IMAGE", "this Docker daemon has no container, service or volume")
	}
	choice, ok, err := f.pick(cmd.Context(), all)
	if err != nil || !ok {
		return err
	}
	return startIncident(cmd, "crash-loop", choice)
}

func (f face) pick(ctx context.Context, all []dockerops.Target) (string, bool, error) {
	var list []ui.Candidate
	for _, t := range all {
		if t.Kind == dockerops.KindVolume && !named(t.Name) {
			continue // an anonymous volume is found through its container
		}
		list = append(list, ui.Candidate{
			Name: t.String(), Kind: string(t.Kind), Image: t.Image, State: stateWords(t),
			Crashing: t.Looping(), Detail: t.State.Error,
		})
	}
	if f.kind == "tui" {
		return ui.Pick(ctx, list, f.opts)
	}
	return ui.PickPlain(ctx, list, f.in, f.out, f.opts)
}

// named tells a volume that somebody named from one that Docker did.
func named(volume string) bool {
	return len(volume) != 64 || strings.Trim(volume, "0123456789abcdef") != ""
}

func stateWords(t dockerops.Target) string {
	s := t.State
	words := s.Status
	if s.RestartCount > 0 {
		words += fmt.Sprintf(", %d restarts", s.RestartCount)
	}
	if s.ExitCode != 0 {
		words += fmt.Sprintf(", exit %d", s.ExitCode)
	}
	return words
}
