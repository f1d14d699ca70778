package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// Names of the reports in the incident directory.
const (
	reportName     = "report.md"
	postmortemName = "postmortem.md"
)

// WriteReports writes report.md and postmortem.md into the incident directory. A reader
// finds the report before or the one after, never half of one.
func (d Dir) WriteReports() error {
	s, err := d.story()
	if err != nil {
		return err
	}
	var report, postmortem bytes.Buffer
	s.transcript(&report)
	s.postmortem(&postmortem)
	if err := errors.Join(replaceFile(d, reportName, report.Bytes()), replaceFile(d, postmortemName, postmortem.Bytes())); err != nil {
		return fmt.Errorf("reports: %w", err)
	}
	return nil
}

// Export writes the incident in one of the formats md, postmortem, json, cast and bundle.
// All but the bundle are made from the journal alone; none holds row contents that the
// steps did not show on the screen.
func (d Dir) Export(w io.Writer, format string) error {
	write := map[string]func(*story, io.Writer) error{
		"md":         func(s *story, w io.Writer) error { return flush(w, s.transcript) },
		"postmortem": func(s *story, w io.Writer) error { return flush(w, s.postmortem) },
		"json":       (*story).neutral,
		"cast":       (*story).cast,
		"bundle":     (*story).bundle,
	}[format]
	if write == nil {
		return engine.Errorf(engine.Usage, "give md, postmortem, json, cast or bundle", "format %q is not known", format)
	}
	s, err := d.story()
	if err != nil {
		return err
	}
	if err := write(s, w); err != nil {
		return fmt.Errorf("export of %s as %s: %w", d.ID(), format, err)
	}
	return nil
}

// flush renders into memory, where writing cannot fail, and then writes once.
func flush(w io.Writer, render func(*bytes.Buffer)) error {
	var b bytes.Buffer
	render(&b)
	_, err := w.Write(b.Bytes())
	return err
}

// replaceFile puts a file of mode 0600 in the place of the one with that name, durably.
func replaceFile(d Dir, name string, content []byte) error {
	f, err := os.CreateTemp(string(d), "."+name+"-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), d.Path(name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(string(d))
}
