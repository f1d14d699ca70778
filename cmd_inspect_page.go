package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgrescue/pgrescue/inspect"
	"github.com/pgrescue/pgrescue/pgops"
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/steps/engine"
)

func newInspectPage() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "page PATH",
		Short: "print the pages of a relation's file, or check all pages of a data directory with --check",
		Long: "Without --block, a line for each page: what it is, its LSN, checksum, line pointers and flags. With --block N,\n" +
			"everything on that page: header, special part, line pointers, tuple headers, index entries, the contents of maps.\n" +
			"Block numbers count over the 1 GB files of a relation, as they do in the server.\n\n" +
			"With --check, only bad pages and a summary; PATH may then be a data directory. This is what pg_checksums --check\n" +
			"does, and more: it runs on a cluster that crashed or runs, and without checksums it judges by structure.",
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if check, _ := cmd.Flags().GetBool("check"); check {
				return checkPages(cmd, args[0])
			}
			return printPages(cmd, args[0])
		},
	}
	f := cmd.Flags()
	f.String("block", "all", "N: that block in full; N-M or all: a line for each")
	f.Bool("full", false, "show each block in full")
	f.Bool("hex", false, "dump the bytes too")
	f.Bool("check", false, "check header and checksum of all pages and print the bad ones")
	f.Bool("json", false, "machine-readable: an object per line")
	return cmd
}

func printPages(cmd *cobra.Command, name string) error {
	opt, err := pageOptions(cmd)
	if err != nil {
		return err
	}
	src, err := openPages(name)
	if err != nil {
		return err
	}
	defer src.close()
	f, err := src.fsys.Open(src.path)
	if err != nil {
		return engine.Errorf(engine.Usage, "give the path of a relation's file", "%w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	at, ok := f.(io.ReaderAt)
	if !ok || !info.Mode().IsRegular() {
		return engine.Errorf(engine.Usage, "give the path of a relation's file", "%s is not a regular file", name)
	}
	file := inspect.PageFile{Name: filepath.Base(name), R: at, Size: info.Size(), Fork: src.fork, First: src.first, Checksums: src.checksums}
	damaged, err := inspect.Pages(cmd.Context(), file, opt, cmd.OutOrStdout())
	if bad, ok := errors.AsType[*inspect.PageRangeError](err); ok {
		return engine.Errorf(engine.Usage, "block numbers count over all files of the relation", "%w", bad)
	}
	if err != nil {
		return err
	}
	if damaged > 0 {
		return engine.Errorf(engine.Damage, "everything that could be read of them is shown; nothing was changed", "%s: %s", name, counted(damaged, "damaged block"))
	}
	return nil
}

// pageOptions reads the switches.
func pageOptions(cmd *cobra.Command) (inspect.PageOptions, error) {
	var opt inspect.PageOptions
	opt.Hex, _ = cmd.Flags().GetBool("hex")
	opt.JSON, _ = cmd.Flags().GetBool("json")
	opt.Full, _ = cmd.Flags().GetBool("full")
	block, _ := cmd.Flags().GetString("block")
	if block == "all" {
		return opt, nil
	}
	first, last, isRange := strings.Cut(block, "-")
	from, err := strconv.ParseUint(first, 10, 32)
	to := from
	if err == nil && isRange {
		to, err = strconv.ParseUint(last, 10, 32)
	}
	if err != nil || to < from || to == uint64(pgdisk.InvalidBlock) {
		return opt, engine.Errorf(engine.Usage, "give a number, two joined by a hyphen, or all", "--block %q is no block and no range of blocks", block)
	}
	opt.Range, opt.From, opt.To = true, pgdisk.BlockNumber(from), pgdisk.BlockNumber(to)
	opt.Full = opt.Full || !isRange
	return opt, nil
}

// checkPages checks a file or a data directory.
func checkPages(cmd *cobra.Command, name string) error {
	for _, other := range []string{"block", "full", "hex"} {
		if cmd.Flags().Changed(other) {
			return engine.Errorf(engine.Usage, "check first, then show a block with --block", "--check and --%s do not go together", other)
		}
	}
	src, err := openCheck(name)
	if err != nil {
		return err
	}
	defer src.close()
	asJSON, _ := cmd.Flags().GetBool("json")
	check := inspect.PageCheckSource{FS: src.fsys, Checksums: src.checksums, SegBlocks: src.segBlocks, VersionDir: src.versionDir}
	if src.path != "" {
		check.Only = &inspect.PageCheckFile{Path: src.path, Fork: src.fork, First: src.first}
	}
	sum, err := inspect.PageCheck(cmd.Context(), check, asJSON, cmd.OutOrStdout())
	if _, ok := errors.AsType[*fs.PathError](err); ok && src.path != "" {
		return engine.Errorf(engine.Usage, "give a data directory or the path of a relation's file", "%w", err)
	}
	if err != nil {
		return err
	}
	if sum.Bad > 0 {
		hint := "pgrescue inspect page --block shows what is left of a block"
		if src.replay {
			hint = "the cluster was not shut down cleanly: replay of its WAL may restore some of them"
		}
		return engine.Errorf(engine.Damage, hint, "%s: %s", name, counted(int(sum.Bad), "bad block"))
	}
	return nil
}

// pageSource is where pages are read from, with what pg_control says of them.
type pageSource struct {
	fsys       fs.FS
	path       string // in fsys; empty for a whole data directory
	fork       pgdisk.Fork
	first      pgdisk.BlockNumber
	checksums  inspect.PageChecksums
	segBlocks  uint32
	versionDir string
	replay     bool // the cluster was not shut down in order
	close      func()
}

// openCheck opens a data directory, or a file.
func openCheck(name string) (*pageSource, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, engine.Errorf(engine.Usage, "give a data directory or the path of a relation's file", "%w", err)
	}
	if !info.IsDir() {
		return openPages(name)
	}
	cluster, closeCluster, err := openCluster(name)
	if err != nil {
		return nil, err
	}
	src := &pageSource{fsys: cluster.FS(), close: closeCluster}
	src.control(cluster)
	return src, nil
}

// openPages opens a file: through the data directory around it where there is one, else
// through the directory that it lies in.
func openPages(name string) (*pageSource, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return nil, engine.Errorf(engine.Usage, "give the path of a file", "%w", err)
	}
	if info, err := os.Stat(abs); err != nil {
		return nil, engine.Errorf(engine.Usage, "give the path of a relation's file", "%w", err)
	} else if info.IsDir() {
		return nil, engine.Errorf(engine.Usage, "give the path of a relation's file, or --check for all of a data directory", "%s is a directory", name)
	} else if !info.Mode().IsRegular() {
		return nil, engine.Errorf(engine.Usage, "give the path of a relation's file", "%s is not a regular file", name)
	}
	src := &pageSource{segBlocks: pgdisk.RelSegmentBlocks}
	dir, rel, inCluster := splitRelation(abs)
	if inCluster {
		cluster, closeCluster, err := openCluster(dir)
		if err != nil {
			return nil, err
		}
		src.fsys, src.path, src.close = cluster.FS(), rel, closeCluster
		src.control(cluster)
	} else {
		root, err := os.OpenRoot(filepath.Dir(abs))
		if err != nil {
			return nil, engine.Errorf(engine.Usage, "give the path of a relation's file", "%w", err)
		}
		src.fsys, src.path, src.close = newPlainFS(root), filepath.Base(abs), func() { root.Close() }
	}
	// A copy may have any name: it is then taken for the start of a main fork.
	if file, ok := pgdisk.ParseRelFile("base/1/" + path.Base(src.path)); ok {
		src.fork = file.Fork
		if src.first, ok = file.FirstBlock(src.segBlocks); !ok {
			src.close()
			return nil, engine.Errorf(engine.Usage, "give the path of a relation's file", "no relation has a file %s", path.Base(src.path))
		}
	}
	return src, nil
}

// control takes over what pg_control says, where it can be believed.
func (s *pageSource) control(cluster *pgops.Cluster) {
	s.segBlocks = pgdisk.RelSegmentBlocks
	if cluster.ControlState() != pgops.ControlGood {
		return
	}
	c := cluster.Control
	if s.checksums = inspect.ChecksumsOff; c.DataChecksumVersion != 0 {
		s.checksums = inspect.ChecksumsOn
	}
	if c.RelSegSize != 0 {
		s.segBlocks = c.RelSegSize
	}
	if major := c.Major(); major != 0 {
		s.versionDir = fmt.Sprintf("PG_%d_%d", major, c.CatalogVersion)
	}
	s.replay = !c.State.Clean()
}
