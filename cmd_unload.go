package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"
	_ "time/tzdata" // the host of a rescue may have no time zones

	"github.com/spf13/cobra"

	"github.com/pgrescue/pgrescue/pgops/catalog"
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/pgops/unload"
	"github.com/pgrescue/pgrescue/steps/engine"
)

const unloadLong = `Write the rows of tables, read from the files of a cluster without a server.

Each table becomes a file DIR/DATABASE/SCHEMA.TABLE.FORMAT with the columns and, byte for byte, the
text that COPY ... TO would give. Rows that cannot be trusted, or not be read whole, go to
SCHEMA.TABLE.damaged.jsonl; DIR/notes.jsonl says what was wrong and where, DIR/manifest.json what
came of each table. A run that was stopped goes on when it is started again.

The cluster must be stopped. Its files are opened for reading only.`

func newUnload() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "unload DATADIR -o DIR",
		Short: "write the rows of tables from the files of a cluster that cannot start",
		Long:  unloadLong,
		Args:  usage(cobra.ExactArgs(1)),
		RunE:  runUnload,
	}
	f := cmd.Flags()
	f.StringP("output", "o", "", "directory to write to: new, empty, or of a run to go on with")
	f.String("format", "copy", "copy, csv or jsonl")
	f.StringArray("database", nil, "unload only this database ('*' stands for anything; can be given again)")
	f.StringArray("table", nil, "unload only [SCHEMA.]NAME ('*' stands for anything; can be given again)")
	f.Bool("dead", false, "write rows that are deleted or were never committed too, to files of their own")
	f.Bool("system", false, "write the system catalogs too")
	f.String("timezone", "UTC", "TimeZone in which timestamps with time zone are written")
	f.Int("jobs", 0, "how many pieces of tables are read at a time (default one for each CPU)")
	f.Bool("no-xact", false, "go by hint bits alone, as if pg_xact and the multixacts were lost")
	f.Bool("json", false, "progress and summary as JSON lines on standard output")
	return cmd
}

func runUnload(cmd *cobra.Command, args []string) error {
	opt, err := unloadOptions(cmd)
	if err != nil {
		return engine.Errorf(engine.Usage, cmd.UseLine(), "%w", err)
	}
	pieces, closePieces, err := openPieces(args[0])
	if err != nil {
		return engine.Errorf(engine.Usage, "give a data directory", "%w", err)
	}
	defer closePieces()
	if err := outsideOf(opt.Dir, args[0]); err != nil {
		return engine.Errorf(engine.Usage, "write to another directory, best on another disk", "%w", err)
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fsys := pieces.FS()
	cluster, err := catalog.Open(ctx, fsys)
	if err != nil {
		return engine.Errorf(engine.Usage, "give the data directory of a cluster of 13 to 18", "%w", err)
	}
	face := newUnloadFace(cmd)
	face.begin(fsys, cluster, &opt)
	started := time.Now()
	m, err := unload.Run(ctx, fsys, cluster, opt)
	face.end()
	if err != nil {
		return unloadFailed(err)
	}
	if err := face.summary(m, opt.Dir, time.Since(started)); err != nil {
		return err
	}
	if !m.Clean() {
		return engine.Errorf(engine.Damage, "read "+filepath.Join(opt.Dir, unload.NotesName), "not everything is sound: %s", unloadTrouble(m))
	}
	return nil
}

func unloadOptions(cmd *cobra.Command) (unload.Options, error) {
	var opt unload.Options
	var err error
	f := cmd.Flags()
	if opt.Dir, _ = f.GetString("output"); opt.Dir == "" {
		return opt, errors.New("say where to write: -o DIR")
	}
	if opt.Dir, err = filepath.Abs(opt.Dir); err != nil {
		return opt, err
	}
	format, _ := f.GetString("format")
	if opt.Format, err = unload.ParseFormat(format); err != nil {
		return opt, err
	}
	for _, list := range []struct {
		flag string
		to   *[]unload.Pattern
	}{{"database", &opt.Databases}, {"table", &opt.Tables}} {
		patterns, _ := f.GetStringArray(list.flag)
		for _, text := range patterns {
			p, err := unload.ParsePattern(text)
			if err != nil {
				return opt, fmt.Errorf("--%s: %w", list.flag, err)
			}
			*list.to = append(*list.to, p)
		}
	}
	opt.TimeZone, _ = f.GetString("timezone")
	if opt.Location, err = time.LoadLocation(opt.TimeZone); err != nil || opt.TimeZone == "" || opt.TimeZone == "Local" {
		return opt, fmt.Errorf("there is no time zone %q", opt.TimeZone)
	}
	opt.Dead, _ = f.GetBool("dead")
	opt.System, _ = f.GetBool("system")
	opt.NoXact, _ = f.GetBool("no-xact")
	if opt.Jobs, _ = f.GetInt("jobs"); opt.Jobs < 0 {
		return opt, fmt.Errorf("--jobs %d: want 1 or more", opt.Jobs)
	}
	return opt, nil
}

// outsideOf refuses an output directory in what is read, where one of its links leads, or in
// any other data directory: what is written there could take the room or the name of what is
// to be saved.
func outsideOf(output, data string) error {
	forbidden := []string{data, filepath.Join(data, "pg_wal")}
	spaces, _ := filepath.Glob(filepath.Join(data, "pg_tblspc", "*")) // the pattern is well-formed
	var no []os.FileInfo
	for _, name := range append(forbidden, spaces...) {
		if info, err := os.Stat(name); err == nil {
			no = append(no, info)
		}
	}
	// What is not there yet is made below its first parent that is.
	at := output
	for {
		real, err := filepath.EvalSymlinks(at)
		if err == nil {
			at = real
			break
		}
		if !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at) {
			return err
		}
		at = filepath.Dir(at)
	}
	for ; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if err != nil {
			return err
		}
		if isDataDir(at) || slices.ContainsFunc(no, func(bad os.FileInfo) bool { return os.SameFile(info, bad) }) {
			return fmt.Errorf("the output directory %s lies within the cluster's files (%s)", output, at)
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}

// unloadFailed gives an error its kind and what to do next.
func unloadFailed(err error) error {
	const again = "the same command goes on from where this one stopped"
	switch {
	case errors.Is(err, unload.ErrNotEmpty), errors.Is(err, unload.ErrOtherRun):
		return engine.Errorf(engine.Usage, "give a new directory with -o", "%w", err)
	case errors.Is(err, unload.ErrNothing):
		return engine.Errorf(engine.Usage, "pgrescue inspect catalog lists what there is", "%w", err)
	case errors.Is(err, unload.ErrLocked):
		return engine.Errorf(engine.Locked, "wait for it to end", "%w", err)
	case errors.Is(err, context.Canceled):
		return engine.Errorf(engine.Aborted, again, "interrupted")
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return engine.Errorf(engine.Failure, "make room; "+again, "the disk of the output directory is full: %w", err)
	}
	return engine.Errorf(engine.Failure, again, "%w", err)
}

// serverRuns reports a lock file, which a crash leaves behind as well.
func serverRuns(fsys fs.FS) bool {
	_, err := fs.Stat(fsys, pgdisk.PIDFileName)
	return err == nil
}

// unloadLine is one line of --json.
type unloadLine struct {
	Type     string           `json:"type"` // warning, progress or summary
	Warning  string           `json:"warning,omitempty"`
	Progress *unload.Progress `json:"progress,omitempty"`
	Summary  *unloadSummary   `json:"summary,omitempty"`
}

// unloadSummary is the manifest without its lists.
type unloadSummary struct {
	Manifest string        `json:"manifest"` // path of manifest.json
	Clean    bool          `json:"clean"`
	Tables   int           `json:"tables"`
	Skipped  int           `json:"skipped"` // relations without rows of their own, and the like
	Totals   unload.Counts `json:"totals"`
	Problems int           `json:"problems"` // of dictionaries and sequences
	Seconds  float64       `json:"seconds"`
}

func printLine(cmd *cobra.Command, l unloadLine) error {
	return json.NewEncoder(cmd.OutOrStdout()).Encode(l)
}
