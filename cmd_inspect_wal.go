package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/pgrescue/pgrescue/inspect"
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/steps/engine"
)

func newInspectWAL() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "wal PATH",
		Short: "print write-ahead log: PATH is a data directory, a directory of segments, or one segment",
		Long: "Reads write-ahead log of any segment size and of every supported major, which are found out from\n" +
			"the bytes, and prints its records, one a line. It always says how the WAL ends, and looks behind\n" +
			"the end for records that a server would lose without a word; then it exits with 3.\n\n" +
			"Timelines are followed back through their history files, from the newest one that there is.",
		Args: func(cmd *cobra.Command, args []string) error {
			if listsManagers(cmd) {
				return nil
			}
			return usage(cobra.ExactArgs(1))(cmd, args)
		},
		RunE: runInspectWAL,
	}
	f := cmd.Flags()
	f.Bool("json", false, "machine-readable: an object a line, the end last")
	f.StringP("start", "s", "", "first record at or after this `LSN` (default: the first segment)")
	f.Bool("from-checkpoint", false, "start where recovery would: at the redo point in pg_control")
	f.StringP("end", "e", "", "stop at this `LSN`")
	f.Uint32P("timeline", "t", 0, "follow this timeline (default: the newest)")
	f.Uint64P("limit", "n", 0, "print this many records")
	f.StringSliceP("rmgr", "r", nil, "only records of this resource manager; list prints the names (repeatable)")
	f.Uint32P("xid", "x", 0, "only records of this transaction")
	f.StringSliceP("relation", "R", nil, "only records about this relation, as `TBLSPC/DB/REL` (repeatable)")
	f.StringP("block", "B", "", "only records about this block")
	f.StringP("fork", "F", "", "only records about this fork: main, fsm, vm, init")
	f.BoolP("fullpage", "w", false, "only records with a page image")
	f.Bool("commits", false, "only ends of transactions: time, subtransactions, dropped relations")
	f.StringP("stats", "z", "", "numbers instead of records; =record for each kind of record")
	f.Lookup("stats").NoOptDefVal = "rmgr"
	f.Bool("count", false, "how many records, instead of the records")
	f.Bool("past-damage", false, "read on behind WAL that cannot be read, and mark the gap")
	f.String("save-fullpage", "", "write page images into this new `DIR`")
	f.Bool("bytes", false, "print the bytes of each record")
	return cmd
}

// listsManagers reports whether the names of resource managers are asked for, as pg_waldump
// can be, and no WAL at all.
func listsManagers(cmd *cobra.Command) bool {
	names, _ := cmd.Flags().GetStringSlice("rmgr")
	return len(names) == 1 && names[0] == "list"
}

func runInspectWAL(cmd *cobra.Command, args []string) error {
	if listsManagers(cmd) {
		for _, name := range inspect.WALManagerNames() {
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), name); err != nil {
				return err
			}
		}
		return nil
	}
	opt, err := walOptions(cmd)
	if err != nil {
		return engine.Errorf(engine.Usage, cmd.CommandPath()+" --help", "%w", err)
	}
	in, done, err := openWAL(args[0])
	if err != nil {
		return engine.Errorf(engine.Usage, "give a data directory, a directory of WAL segments or one segment", "%w", err)
	}
	defer done()
	if dir, _ := cmd.Flags().GetString("save-fullpage"); dir != "" {
		if dir, err = filepath.Abs(dir); err == nil {
			err = outsideOf(dir, args[0])
		}
		if err != nil {
			return engine.Errorf(engine.Usage, "write to another directory, best on another disk", "%w", err)
		}
		root, err := newImageDir(dir)
		if err != nil {
			return engine.Errorf(engine.Usage, "name a directory that does not exist yet", "%w", err)
		}
		defer root.Close()
		opt.SaveImage = func(name string, page []byte) error { return writeImage(root, name, page) }
	}
	out := bufio.NewWriterSize(cmd.OutOrStdout(), 1<<20)
	end, err := inspect.WAL(cmd.Context(), in, opt, out, cmd.ErrOrStderr())
	err = errors.Join(err, out.Flush())
	var input *inspect.WALInputError
	switch {
	case errors.As(err, &input):
		return engine.Errorf(engine.Usage, cmd.CommandPath()+" --help", "%s: %w", args[0], err)
	case err != nil:
		return err
	case end.Lossy:
		return engine.Errorf(engine.Damage, "keep a copy of these files before any server starts on them; pgrescue triage weighs the ways out",
			"the WAL is %s: %s", end.State, end.Reason)
	case end.BadImages > 0:
		return engine.Errorf(engine.Damage, "the others are saved", "%d page images could not be restored", end.BadImages)
	}
	return nil
}

// walOptions reads the flags.
func walOptions(cmd *cobra.Command) (opt inspect.WALOptions, err error) {
	f := cmd.Flags()
	opt.JSON, _ = f.GetBool("json")
	opt.FromCheckpoint, _ = f.GetBool("from-checkpoint")
	opt.Limit, _ = f.GetUint64("limit")
	opt.PastDamage, _ = f.GetBool("past-damage")
	opt.Bytes, _ = f.GetBool("bytes")
	opt.Filter.FullPage, _ = f.GetBool("fullpage")
	timeline, _ := f.GetUint32("timeline")
	opt.Timeline = pgdisk.TimelineID(timeline)
	xid, _ := f.GetUint32("xid")
	opt.Filter.XID = pgdisk.XID(xid)
	if opt.Mode, err = walMode(cmd); err != nil {
		return opt, err
	}
	for name, lsn := range map[string]*pgdisk.LSN{"start": &opt.Start, "end": &opt.End} {
		text, _ := f.GetString(name)
		if text == "" {
			continue
		}
		if *lsn, err = pgdisk.ParseLSN(text); err != nil {
			return opt, fmt.Errorf("--%s: %w", name, err)
		}
	}
	if opt.FromCheckpoint && opt.Start != 0 {
		return opt, errors.New("--start and --from-checkpoint exclude each other")
	}
	if opt.End != 0 && opt.Start >= opt.End {
		return opt, fmt.Errorf("--end %s is not behind --start %s", opt.End, opt.Start)
	}
	return opt, walFilter(cmd, &opt.Filter)
}

func walMode(cmd *cobra.Command) (inspect.WALMode, error) {
	f := cmd.Flags()
	stats, _ := f.GetString("stats")
	commits, _ := f.GetBool("commits")
	count, _ := f.GetBool("count")
	switch {
	case stats != "" && (commits || count), commits && count:
		return 0, errors.New("--commits, --stats and --count exclude each other")
	case stats == "rmgr":
		return inspect.WALStats, nil
	case stats == "record":
		return inspect.WALRecordStats, nil
	case stats != "":
		return 0, fmt.Errorf("--stats=%s: want rmgr or record", stats)
	case commits:
		return inspect.WALCommits, nil
	case count:
		return inspect.WALCount, nil
	}
	return inspect.WALList, nil
}

func walFilter(cmd *cobra.Command, filter *inspect.WALFilter) error {
	f := cmd.Flags()
	names, _ := f.GetStringSlice("rmgr")
	for _, name := range names {
		id, err := inspect.ParseWALManager(name)
		if err != nil {
			return err
		}
		filter.Managers = append(filter.Managers, id)
	}
	relations, _ := f.GetStringSlice("relation")
	for _, text := range relations {
		rel, err := inspect.ParseWALRelation(text)
		if err != nil {
			return err
		}
		filter.Relations = append(filter.Relations, rel)
	}
	if text, _ := f.GetString("fork"); text != "" {
		fork, err := inspect.ParseWALFork(text)
		if err != nil {
			return err
		}
		filter.Fork = &fork
	}
	if text, _ := f.GetString("block"); text != "" {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return fmt.Errorf("--block %q: want a block number", text)
		}
		block := pgdisk.BlockNumber(n)
		filter.Block = &block
	}
	return nil
}

// openWAL finds the WAL that a path leads to, each directory opened through os.Root.
func openWAL(path string) (in inspect.WALInput, done func(), err error) {
	info, err := os.Stat(path)
	if err != nil {
		return in, nil, err
	}
	if !info.IsDir() {
		root, err := os.OpenRoot(filepath.Dir(path))
		if err != nil {
			return in, nil, err
		}
		return inspect.WALInput{FS: newPlainFS(root), File: filepath.Base(path)}, func() { root.Close() }, nil
	}
	pieces, closeAll, err := openPieces(path)
	if err != nil {
		return in, nil, err
	}
	fsys := pieces.FS()
	if _, err := fs.ReadDir(fsys, "pg_wal"); err != nil {
		return inspect.WALInput{FS: fsys}, closeAll, nil // segments are in it, or nothing that is WAL
	}
	if in.FS, err = fs.Sub(fsys, "pg_wal"); err != nil {
		closeAll()
		return in, nil, err
	}
	if raw, err := readControl(path); err == nil {
		if control, err := pgdisk.DecodeControl(raw); err == nil {
			in.Control = control
		}
	}
	return in, closeAll, nil
}

// newImageDir makes a directory for page images. One that holds anything is refused: images of two
// readings would mix.
func newImageDir(dir string) (*os.Root, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	if _, err := d.Readdirnames(1); !errors.Is(err, io.EOF) {
		return nil, errors.Join(fmt.Errorf("directory %s is not empty", dir), err)
	}
	return os.OpenRoot(dir)
}

func writeImage(root *os.Root, name string, page []byte) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(page)
	return errors.Join(err, f.Close())
}
