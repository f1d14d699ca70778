package inspect

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// list makes jobs of all files of the source and closes the channels when there are no more.
func (c *pageCheck) list(ctx context.Context) error {
	defer close(c.queue)
	defer close(c.work)
	if f := c.src.Only; f != nil {
		info, err := fs.Stat(c.src.FS, f.Path)
		if err != nil {
			return fmt.Errorf("check pages: %w", err)
		}
		return c.add(ctx, f.Path, f.Fork, f.First, info.Size())
	}
	dirs, failed := relationDirs(c.src.FS, c.src.VersionDir)
	for _, dir := range dirs {
		if err := c.listDir(ctx, dir); err != nil {
			failed = append(failed, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}

// listDir makes jobs of the relations' files in a directory.
func (c *pageCheck) listDir(ctx context.Context, dir string) error {
	entries, err := fs.ReadDir(c.src.FS, dir)
	if err != nil {
		return fmt.Errorf("check pages: %w", err)
	}
	per := c.src.SegBlocks
	if per == 0 {
		per = pgdisk.RelSegmentBlocks
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		rel, ok := pgdisk.ParseRelFile(name)
		if !ok {
			continue
		}
		first, ok := rel.FirstBlock(per)
		odd := error(nil)
		switch {
		case !e.Type().IsRegular():
			odd = errNotRegular
		case !ok:
			odd = errTooFar
		}
		if odd != nil {
			if err := c.send(ctx, &checkJob{path: name, fork: rel.Fork, start: true, odd: odd}); err != nil {
				return err
			}
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("check pages: %w", err)
		}
		if err := c.add(ctx, name, rel.Fork, first, info.Size()); err != nil {
			return err
		}
	}
	return nil
}

// relationDirs lists the directories of a data directory that hold files of relations: global,
// one for each database, and in each tablespace one for each database with tables there. A
// directory that cannot be listed does not keep the others from being.
func relationDirs(fsys fs.FS, versionDir string) (dirs []string, failed []error) {
	under := func(dir string, want func(name string) bool) (found []string) {
		entries, err := fs.ReadDir(fsys, dir)
		if err != nil {
			failed = append(failed, fmt.Errorf("check pages: %w", err))
		}
		for _, e := range entries {
			switch name := path.Join(dir, e.Name()); {
			case !want(e.Name()):
			case e.Type().IsRegular():
				failed = append(failed, fmt.Errorf("check pages: %s is a file, and should be a directory", name))
			default:
				found = append(found, name)
			}
		}
		return found
	}
	number := func(name string) bool { return strings.Trim(name, "0123456789") == "" }
	version := func(name string) bool { return strings.HasPrefix(name, "PG_") }
	dirs = append([]string{"global"}, under("base", number)...)
	for _, space := range under("pg_tblspc", number) {
		versions := []string{path.Join(space, versionDir)}
		if versionDir == "" {
			versions = under(space, version)
		}
		for _, v := range versions {
			dirs = append(dirs, under(v, number)...)
		}
	}
	return dirs, failed
}
