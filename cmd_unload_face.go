package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/pgrescue/pgrescue/pgops/catalog"
	"github.com/pgrescue/pgrescue/pgops/unload"
)

// How often progress is told: on a terminal in place, else as a line.
const (
	unloadTick = 500 * time.Millisecond
	unloadLog  = 5 * time.Second
)

// unloadFace says how an unload goes: to people on standard error, with --json to programs on
// standard output.
type unloadFace struct {
	cmd      *cobra.Command
	json     bool
	terminal bool
	drawn    int // width of the line on the terminal
}

func newUnloadFace(cmd *cobra.Command) *unloadFace {
	f := &unloadFace{cmd: cmd}
	f.json, _ = cmd.Flags().GetBool("json")
	if file, ok := cmd.ErrOrStderr().(*os.File); ok {
		f.terminal = isatty.IsTerminal(file.Fd()) && os.Getenv("TERM") != "dumb"
	}
	return f
}

// begin warns of what holds for all that follows.
func (f *unloadFace) begin(fsys fs.FS, cluster *catalog.Cluster, opt *unload.Options) {
	opt.Progress, opt.ProgressEvery = f.progress, unloadLog
	if f.terminal && !f.json {
		opt.ProgressEvery = unloadTick
	}
	if serverRuns(fsys) {
		f.warn("there is a postmaster.pid: if a server runs on these files, what is read is torn and old")
	}
	for _, w := range unload.Warnings(cluster, opt) {
		f.warn(w)
	}
}

func (f *unloadFace) warn(text string) {
	fmt.Fprintf(f.cmd.ErrOrStderr(), "warning: %s\n", text)
	if f.json {
		printLine(f.cmd, unloadLine{Type: "warning", Warning: text})
	}
}

func (f *unloadFace) progress(p unload.Progress) {
	if f.json {
		printLine(f.cmd, unloadLine{Type: "progress", Progress: &p})
		return
	}
	line := fmt.Sprintf("%d of %d tables  %s of %s  %s/s", p.TablesDone, p.Tables, amountOf(p.BytesDone), amountOf(p.Bytes), amountOf(p.BytesPerSec))
	if p.SecondsLeft > 0 {
		line += "  " + (time.Duration(p.SecondsLeft+1) * time.Second).String() + " left"
	}
	if !f.terminal {
		fmt.Fprintln(f.cmd.ErrOrStderr(), line)
		return
	}
	fmt.Fprintf(f.cmd.ErrOrStderr(), "\r%s%s", line, strings.Repeat(" ", max(0, f.drawn-len(line))))
	f.drawn = len(line)
}

// end clears the line of progress.
func (f *unloadFace) end() {
	if f.drawn > 0 {
		fmt.Fprintf(f.cmd.ErrOrStderr(), "\r%s\r", strings.Repeat(" ", f.drawn))
	}
}

// summary is the result: a line for the whole, and one for each table that is not sound.
func (f *unloadFace) summary(m *unload.Manifest, dir string, took time.Duration) error {
	manifest := filepath.Join(dir, unload.ManifestName)
	if f.json {
		return printLine(f.cmd, unloadLine{Type: "summary", Summary: &unloadSummary{Manifest: manifest, Clean: m.Clean(),
			Tables: len(m.Tables), Skipped: len(m.Skipped), Totals: m.Totals, Problems: m.Problems, Seconds: took.Seconds()}})
	}
	var bytes int64
	for _, t := range m.Tables {
		bytes += t.RowsFile.Bytes
	}
	out := f.cmd.OutOrStdout()
	if _, err := fmt.Fprintf(out, "%d tables, %d rows, %s: %s\n", len(m.Tables), m.Totals.Rows, amountOf(bytes), manifest); err != nil {
		return err
	}
	return f.unsound(out, m)
}

// maxUnsound bounds the list of tables that are not sound.
const maxUnsound = 40

func (f *unloadFace) unsound(out io.Writer, m *unload.Manifest) error {
	listed := 0
	for _, t := range m.Tables {
		trouble := countsTrouble(t.Counts)
		for _, c := range t.Columns {
			if c.Hex != "" {
				trouble = append(trouble, fmt.Sprintf("column %s as hex", c.Name))
			}
		}
		if len(trouble) == 0 {
			continue
		}
		if listed++; listed > maxUnsound {
			continue
		}
		if _, err := fmt.Fprintf(out, "%s %s.%s: %d rows; %s\n", t.Database, t.Schema, t.Name, t.Counts.Rows, strings.Join(trouble, ", ")); err != nil {
			return err
		}
	}
	if listed > maxUnsound {
		_, err := fmt.Fprintf(out, "and %d more tables\n", listed-maxUnsound)
		return err
	}
	return nil
}

// unloadTrouble sums up what was not sound.
func unloadTrouble(m *unload.Manifest) string {
	trouble := countsTrouble(m.Totals)
	if m.Problems > 0 {
		trouble = append(trouble, fmt.Sprintf("%d problems of dictionaries and sequences", m.Problems))
	}
	if len(trouble) == 0 {
		return "columns of types that are not known here are hex"
	}
	return strings.Join(trouble, ", ")
}

func countsTrouble(c unload.Counts) []string {
	var trouble []string
	for _, k := range []struct {
		n    int64
		what string
	}{
		{c.Doubtful, "doubtful rows"}, {c.Damaged, "damaged rows set apart"}, {c.Broken, "broken tuples"},
		{c.BadPages, "bad pages"}, {c.LostBlocks, "lost blocks"}, {c.BadValues, "values kept as hex"},
	} {
		if k.n > 0 {
			trouble = append(trouble, fmt.Sprintf("%d %s", k.n, k.what))
		}
	}
	return trouble
}

// amountOf writes a number of bytes in SI units.
func amountOf(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB", "PB"}
	v, u := float64(n), 0
	for v >= 999.95 && u < len(units)-1 {
		v /= 1000
		u++
	}
	if u == 0 || v >= 99.95 {
		return fmt.Sprintf("%.0f %s", v, units[u])
	}
	return fmt.Sprintf("%.1f %s", v, units[u])
}
