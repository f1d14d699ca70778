package main

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgrescue/pgrescue/inspect"
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/steps/engine"
)

func newInspectRelation() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "relation PATH",
		Short: "read all files of a table, an index or a sequence: PATH is one of them, or a data directory with --relation",
		Long: "Segments and forks, kinds of pages, checksums, the fate of the rows, HOT chains, the maps. Rows are judged by\n" +
			"pg_xact where the file lies in a data directory.",
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, _ := cmd.Flags().GetString("relation")
			src, closeSource, err := openRelation(args[0], name)
			if err != nil {
				return err
			}
			defer closeSource()
			src.NoXact, _ = cmd.Flags().GetBool("no-xact")
			asJSON, _ := cmd.Flags().GetBool("json")
			findings, err := inspect.Relation(cmd.Context(), src, asJSON, cmd.OutOrStdout())
			if errors.Is(err, fs.ErrNotExist) {
				return engine.Errorf(engine.Usage, "pgrescue inspect catalog lists the relations of a cluster with their files", "%w", err)
			}
			if err != nil {
				return err
			}
			if findings > 0 {
				return engine.Errorf(engine.Damage, "pgrescue inspect page shows a block; nothing was changed", "%s", counted(findings, "finding"))
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.String("relation", "", "in a data directory: the file, such as 5/16384, global/1260 or base/5/16384")
	f.Bool("no-xact", false, "tell the fate of rows by hint bits alone")
	f.Bool("json", false, "machine-readable: one object")
	return cmd
}

// openRelation finds the relation that PATH and --relation name, and the data directory around it.
func openRelation(path, name string) (inspect.RelationSource, func(), error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return inspect.RelationSource{}, nil, engine.Errorf(engine.Usage, "give the path of a file", "%w", err)
	}
	if info, err := os.Stat(abs); err == nil && info.IsDir() {
		if name == "" {
			return inspect.RelationSource{}, nil, engine.Errorf(engine.Usage, "choose one with --relation, such as 5/16384", "%s is a directory", path)
		}
		return openRelationIn(abs, name)
	}
	if name != "" {
		return inspect.RelationSource{}, nil, engine.Errorf(engine.Usage, "give a data directory, or leave --relation out", "%s: not a directory", path)
	}
	if dir, rel, ok := splitRelation(abs); ok {
		return openRelationAt(dir, rel)
	}
	return openRelationAlone(abs)
}

// splitRelation takes a path apart into the data directory and the rest, if it is that of a
// file in one.
func splitRelation(abs string) (dir, rel string, ok bool) {
	parts := strings.Split(filepath.ToSlash(abs), "/")
	for _, n := range []int{2, 3, 5} { // global/1260, base/5/16384, pg_tblspc/16400/PG_15_202209061/5/16385
		if len(parts) <= n {
			break
		}
		dir, rel = filepath.FromSlash(strings.Join(parts[:len(parts)-n], "/")), strings.Join(parts[len(parts)-n:], "/")
		if _, ok := pgdisk.ParseRelFile(rel); ok && isDataDir(dir) {
			return dir, rel, true
		}
	}
	return "", "", false
}

// openRelationIn reads --relation: a path under the data directory, or one without base/, or
// tablespace/database/file.
func openRelationIn(dir, name string) (inspect.RelationSource, func(), error) {
	if !isDataDir(dir) {
		return inspect.RelationSource{}, nil, engine.Errorf(engine.Usage, "give a data directory", "%s: not a data directory", dir)
	}
	name = strings.Trim(filepath.ToSlash(name), "/")
	tries := []string{name}
	if space, rest, ok := strings.Cut(name, "/"); ok {
		switch space {
		case "1663": // DEFAULTTABLESPACE_OID
			tries = append(tries, "base/"+rest)
		case "1664": // GLOBALTABLESPACE_OID
			tries = append(tries, "global/"+path.Base(rest))
		}
		versions, _ := filepath.Glob(filepath.Join(dir, "pg_tblspc", space, "PG_*")) // the pattern is well-formed unless space is not, and then nothing fits
		for _, v := range versions {
			tries = append(tries, path.Join("pg_tblspc", space, filepath.Base(v), rest))
		}
	}
	tries = append(tries, "base/"+name)
	for _, rel := range tries {
		if _, ok := pgdisk.ParseRelFile(rel); ok {
			return openRelationAt(dir, rel)
		}
	}
	return inspect.RelationSource{}, nil, engine.Errorf(engine.Usage, "give --relation 5/16384, global/1260, or a path under the data directory", "%q is not the name of a relation's file", name)
}

func openRelationAt(dir, rel string) (inspect.RelationSource, func(), error) {
	cluster, closeCluster, err := openCluster(dir)
	if err != nil {
		return inspect.RelationSource{}, nil, err
	}
	file, _ := pgdisk.ParseRelFile(rel)
	return inspect.RelationSource{FS: cluster.FS(), Dir: path.Dir(rel), File: file, Control: cluster.Control, ControlErr: cluster.ControlErr}, closeCluster, nil
}

// openRelationAlone opens the directory of a file that lies in no data directory: a copy, or a
// tablespace's own directory.
func openRelationAlone(abs string) (inspect.RelationSource, func(), error) {
	file, ok := pgdisk.ParseRelFile("base/1/" + filepath.Base(abs))
	if !ok {
		return inspect.RelationSource{}, nil, engine.Errorf(engine.Usage, "give a file under the name it has in its database: 16384, 16384.1, 16384_vm", "%s: not the name of a relation's file", filepath.Base(abs))
	}
	root, err := os.OpenRoot(filepath.Dir(abs))
	if err != nil {
		return inspect.RelationSource{}, nil, engine.Errorf(engine.Usage, "give the path of a relation's file", "%w", err)
	}
	return inspect.RelationSource{FS: newPlainFS(root), Dir: ".", File: file}, func() { root.Close() }, nil
}
