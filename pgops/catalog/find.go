package catalog

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/pgops/values"
)

// mapped finds the files of mapped catalogs in a directory: by its pg_filenode.map, and where
// that is lost by what the files hold. Other mapped relations are returned too, as far as a
// map tells. in is the place of the directory's files, without a number.
func (s *scanner) mapped(ctx context.Context, dir string, in pgdisk.RelFile, want []pgdisk.OID, major int) (map[pgdisk.OID]pgdisk.RelFileNumber, error) {
	numbers := map[pgdisk.OID]pgdisk.RelFileNumber{}
	path := dir + "/" + pgdisk.RelMapName
	m, err := s.readMap(path)
	if err != nil {
		s.problems.file(path, "%v: the catalogs are looked for by content", err)
		m = &pgdisk.RelMap{}
	}
	for _, e := range m.Mappings {
		numbers[e.OID] = e.Number
	}
	if slices.ContainsFunc(want, func(oid pgdisk.OID) bool { return numbers[oid] == 0 }) {
		err = s.findByContent(ctx, dir, in, want, major, numbers)
		return numbers, err
	}
	return numbers, nil
}

func (s *scanner) readMap(path string) (*pgdisk.RelMap, error) {
	f, err := s.fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 1024))
	if err != nil {
		return nil, err
	}
	return pgdisk.DecodeRelMap(b)
}

// findByContent adds to numbers the files that look like the wanted catalogs. A catalog that
// was never rewritten has its OID as number; of several candidates that one is taken, else
// the one with the youngest page.
func (s *scanner) findByContent(ctx context.Context, dir string, in pgdisk.RelFile, want []pgdisk.OID, major int, numbers map[pgdisk.OID]pgdisk.RelFileNumber) error {
	files, err := listFiles(s.fsys, dir)
	if err != nil {
		s.problems.file(dir, "%v", err)
		return nil
	}
	for _, oid := range want {
		if numbers[oid] != 0 {
			continue
		}
		var best pgdisk.RelFileNumber
		var bestLSN pgdisk.LSN
		var names []string
		t := tableOf(oid, major)
		for _, f := range files {
			if err := ctx.Err(); err != nil {
				return err
			}
			if f.Fork != pgdisk.MainFork || f.Segment != 0 || f.Size == 0 || f.Temp {
				continue
			}
			in.Number = f.Number
			lsn, ok := s.holds(ctx, t, in)
			if !ok {
				continue
			}
			names = append(names, in.Path())
			if best == 0 || uint32(best) != uint32(oid) && (uint32(f.Number) == uint32(oid) || lsn > bestLSN) {
				best, bestLSN = f.Number, lsn
			}
		}
		switch {
		case best == 0:
			s.problems.file(dir, "no file looks like %s", t.name)
			continue
		case len(names) > 1:
			in.Number = best
			s.problems.file(in.Path(), "taken as %s, which %s look like", t.name, strings.Join(names, ", "))
		}
		numbers[oid] = best
	}
	return nil
}

// maxProbe bounds how many blocks of a file are searched for the proof.
const maxProbe = 4096

// holds reports whether a file holds the row that proves it to be a certain catalog, and the
// LSN of its youngest page. A file whose first page has other rows is not read further.
func (s *scanner) holds(ctx context.Context, t *table, file pgdisk.RelFile) (lsn pgdisk.LSN, ok bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	quiet := *s
	quiet.problems = &problems{}
	deformer := values.NewDeformer(t.columns)
	r := row{table: t, cols: make([][]byte, len(t.columns))}
	err := quiet.pages(ctx, t.name, file, func(path string, blk pgdisk.BlockNumber, page []byte) {
		if h, err := pgdisk.DecodePageHeader(page); err == nil {
			lsn = max(lsn, h.LSN)
		}
		alike := 0
		quiet.page(page, path, blk, t.name, func(_ uint16, tuple pgdisk.Tuple) error {
			err := deformer.Deform(tuple, r.cols)
			if err == nil && tuple.Natts() >= len(t.columns) && plausible(r) {
				alike++
				ok = ok || proof(r)
			}
			return err
		})
		if blk == 0 && alike == 0 || blk >= maxProbe {
			cancel()
		}
	})
	return lsn, ok && (err == nil || ctx.Err() != nil)
}

// plausible reports whether the column that is a name in the catalog holds one.
func plausible(r row) bool {
	for i, c := range r.columns {
		if c.Len != 64 {
			continue
		}
		name := strings.TrimRight(string(r.cols[i]), "\x00")
		return name != "" && !strings.ContainsRune(name, 0)
	}
	return true
}

// proof reports whether a row is one that the catalog has in every cluster.
func proof(r row) bool {
	switch r.table.oid {
	case classRelation:
		return r.identity("oid", "relname") == fmt.Sprintf("%d pg_class", classRelation)
	case attributeRelation:
		return r.identity("attrelid", "attname") == fmt.Sprintf("%d attrelid", attributeRelation)
	case typeRelation:
		return r.identity("oid", "typname") == "16 bool"
	case procRelation:
		return r.identity("oid", "proname") == "1242 boolin"
	case databaseRelation:
		return r.identity("oid", "datname") == "1 template1"
	case tablespaceRelation:
		return r.identity("oid", "spcname") == "1663 pg_default"
	case authidRelation:
		return r.uint32("oid") == 10 // BOOTSTRAP_SUPERUSERID, whatever its name
	}
	return false
}

// identity gives number and name of a row.
func (r row) identity(oid, name string) string {
	return fmt.Sprintf("%d %s", r.uint32(oid), r.name(name))
}
