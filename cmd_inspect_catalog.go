package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/pgrescue/pgrescue/inspect"
	"github.com/pgrescue/pgrescue/pgops/catalog"
	"github.com/pgrescue/pgrescue/steps/engine"
)

func newInspectCatalog() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "catalog DATADIR",
		Short: "print the dictionary of a cluster that need not start: databases, tables, columns, files",
		Long: "Reads databases, tablespaces, roles, schemas, tables with their columns and types, indexes, constraints and\n" +
			"sequences from the bytes of the catalogs. Which rows count is told by pg_xact, and where that is lost by hint\n" +
			"bits; what is not sure is marked. A damaged page costs what is on it; then it exits with 3.\n\n" +
			"Changes that are only in the WAL are not seen.",
		Args: usage(cobra.ExactArgs(1)),
		RunE: runInspectCatalog,
	}
	f := cmd.Flags()
	f.StringP("database", "d", "", "only this database, by name or OID")
	f.StringP("schema", "n", "", "only relations of this schema")
	f.StringP("table", "t", "", "only relations of this name: tables, views, sequences, indexes")
	f.Bool("files", false, "every file of each relation, and the files that no relation has")
	f.Bool("system", false, "also what comes with every cluster, indexes and TOAST tables on their own")
	f.Bool("json", false, "machine-readable: an object a line")
	return cmd
}

func runInspectCatalog(cmd *cobra.Command, args []string) error {
	const hint = "give the directory that holds PG_VERSION, base and global"
	if info, err := os.Stat(args[0]); err != nil || !info.IsDir() {
		if err == nil {
			err = fmt.Errorf("%s: not a directory", args[0])
		}
		return engine.Errorf(engine.Usage, hint, "%w", err)
	}
	pieces, done, err := openPieces(args[0])
	if err != nil {
		return engine.Errorf(engine.Usage, hint, "%w", err)
	}
	defer done()
	var opt inspect.CatalogOptions
	f := cmd.Flags()
	opt.Database, _ = f.GetString("database")
	opt.Schema, _ = f.GetString("schema")
	opt.Table, _ = f.GetString("table")
	opt.Files, _ = f.GetBool("files")
	opt.System, _ = f.GetBool("system")
	opt.JSON, _ = f.GetBool("json")
	out := bufio.NewWriterSize(cmd.OutOrStdout(), 1<<16)
	sum, err := inspect.Catalog(cmd.Context(), pieces.FS(), opt, out, cmd.ErrOrStderr())
	err = errors.Join(err, out.Flush())
	var name *inspect.CatalogSelectError
	var major *catalog.VersionError
	switch {
	case errors.As(err, &name):
		return engine.Errorf(engine.Usage, cmd.CommandPath()+" "+args[0]+" lists what there is", "%w", err)
	case errors.Is(err, catalog.ErrNotCluster), errors.As(err, &major):
		return engine.Errorf(engine.Usage, hint, "%s: %w", args[0], err)
	case err != nil:
		return err
	case sum.Problems > 0:
		return engine.Errorf(engine.Damage, "lines with PROBLEM say what is lost and where; the rest is complete", "the dictionary has %s", counted(sum.Problems, "problem"))
	}
	return nil
}
