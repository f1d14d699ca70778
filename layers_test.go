package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/pgrescue/pgrescue"

// layer is what the package in a directory may import beside the standard library.
type layer struct {
	ours  []string // directories of this module
	other []string // prefixes of import paths; "all" is anything
}

// layers is the table of DESIGN.md, "Packages". A new package wants a row here, and so a
// thought about where it belongs.
func layers() map[string]layer {
	const (
		pgx    = "github.com/jackc/pgx/v5"
		docker = "github.com/docker/"
		zstd   = "github.com/klauspost/compress/zstd"
		lz4    = "github.com/pierrec/lz4/v4"
		text   = "golang.org/x/text/encoding"
		unix   = "golang.org/x/sys/unix"
	)
	return map[string]layer{
		"pgops/pgdisk":  {other: []string{zstd, lz4}},
		"pgops/values":  {ours: []string{"pgops/pgdisk"}},
		"pgops/catalog": {ours: []string{"pgops/pgdisk", "pgops/values"}},
		"pgops/unload":  {ours: []string{"pgops/pgdisk", "pgops/values", "pgops/catalog"}, other: []string{unix, text}},
		"inspect":       {ours: []string{"pgops", "pgops/pgdisk", "pgops/values", "pgops/catalog"}},
		"pgops":         {ours: []string{"pgops/pgdisk"}, other: []string{pgx}},
		"dockerops":     {other: []string{docker, "github.com/containerd/errdefs", "github.com/opencontainers/image-spec"}},
		"agent":         {ours: []string{"pgops", "pgops/pgdisk"}, other: []string{zstd, unix}},

		"steps/engine":            {},
		"steps/engine/enginetest": {ours: []string{"steps/engine"}},
		"steps/journal":           {ours: []string{"steps/engine"}, other: []string{zstd}},
		"steps":                   {ours: []string{"steps/engine", "agent", "pgops", "pgops/pgdisk", "dockerops"}, other: []string{pgx, unix}},
		"playbooks":               {ours: []string{"steps", "steps/engine"}},

		"ui": {ours: []string{"steps/engine", "ui/quiet"}, other: []string{"github.com/charmbracelet/", "github.com/mattn/go-isatty", "github.com/mattn/go-runewidth", "github.com/muesli/termenv", "github.com/rivo/uniseg"}},
		// Initialised before everything else, so it needs next to nothing.
		"ui/quiet":          {},
		"ui/internal/stage": {ours: []string{"steps/engine"}},
		"ui/internal/smoke": {ours: []string{"ui", "ui/internal/stage"}},

		"demo": {ours: []string{"pgops", "pgops/pgdisk"}, other: []string{docker, pgx}},
		".": {ours: []string{"ui", "playbooks", "steps", "steps/engine", "steps/journal", "agent", "dockerops", "pgops", "pgops/pgdisk", "pgops/catalog", "pgops/unload", "inspect", "demo"},
			other: []string{"github.com/spf13/cobra", "github.com/mattn/go-isatty", docker + "docker/client"}},

		// Tests and tools, which nothing imports.
		"internal/truth":          {},
		"e2e":                     {},
		"e2e/drop":                {},
		"e2e/formats":             {},
		"hack/testsum":            {},
		"dockerops/testdata/tool": {},
	}
}

// imports reads what the module's Go files import, by directory; tests are left out.
func imports(t *testing.T, tests bool) map[string]map[string][]string {
	t.Helper()
	found := map[string]map[string][]string{} // directory, import path, files
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "vendor" || len(d.Name()) > 1 && strings.HasPrefix(d.Name(), ".")):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(name) != ".go":
			return nil
		}
		dir := filepath.ToSlash(filepath.Dir(name))
		if found[dir] == nil {
			found[dir] = map[string][]string{}
		}
		if strings.HasSuffix(name, "_test.go") != tests {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			p, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			found[dir][p] = append(found[dir][p], name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestLayers: who may import whom. Nothing imports ui but main; ui knows no step, no
// PostgreSQL and no Docker; pgops and dockerops do not know each other.
func TestLayers(t *testing.T) {
	table := layers()
	found := imports(t, false)
	for _, dir := range slices.Sorted(maps.Keys(found)) {
		row, ok := table[dir]
		if !ok {
			t.Errorf("package %s has no row in layers(): say where it belongs", dir)
			continue
		}
		for p, files := range found[dir] {
			if !row.allows(p) {
				t.Errorf("%s must not import %s", strings.Join(files, ", "), p)
			}
		}
	}
	for dir := range table {
		if _, ok := found[dir]; !ok {
			t.Errorf("layers() has a row for %s, which is gone", dir)
		}
	}
}

func (l layer) allows(p string) bool {
	if ours, ok := strings.CutPrefix(p, module+"/"); ok {
		return slices.Contains(l.ours, ours)
	}
	if first, _, _ := strings.Cut(p, "/"); !strings.Contains(first, ".") {
		return p != "C" // the standard library
	}
	return slices.ContainsFunc(l.other, func(prefix string) bool {
		return p == prefix || strings.HasPrefix(p, prefix+"/") || strings.HasSuffix(prefix, "/") && strings.HasPrefix(p, prefix)
	})
}

// TestLayersHaveNoCircle: the table itself is a direction, not a net.
func TestLayersHaveNoCircle(t *testing.T) {
	table := layers()
	var visit func(dir string, way []string)
	visit = func(dir string, way []string) {
		if slices.Contains(way, dir) {
			t.Fatalf("circle: %s", strings.Join(append(way, dir), " -> "))
		}
		row, ok := table[dir]
		if !ok {
			t.Errorf("layers(): %s has no row, but %s may import it", dir, way[len(way)-1])
		}
		for _, next := range row.ours {
			visit(next, append(slices.Clone(way), dir))
		}
	}
	for dir := range table {
		visit(dir, nil)
	}
}

// TestUIImportsNothingInTests: the tests of ui see no step and no Docker either.
func TestUIImportsNothingInTests(t *testing.T) {
	for dir, list := range imports(t, true) {
		if dir != "ui" && !strings.HasPrefix(dir, "ui/") {
			continue
		}
		for p, files := range list {
			ours, ok := strings.CutPrefix(p, module+"/")
			if ok && ours != "steps/engine" && path.Dir(ours) != "ui/internal" && ours != "ui" && ours != "ui/quiet" {
				t.Errorf("%v import %s", files, p)
			}
		}
	}
}
