package steps

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pgrescue/pgrescue/agent"
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// ControlBytes is pg_control as it was read; nil when it is missing.
type ControlBytes struct {
	Raw []byte `json:"raw"`
}

// ReadControl reads pg_control with our own reader and with the image's pg_controldata, and
// compares them field by field.
func ReadControl() *engine.Step {
	return &engine.Step{
		Name: "read-control", Title: "Read pg_control", Doc: doc("read_control"), Part: engine.Twice,
		Needs: []engine.AnyFact{FactSite}, Makes: []engine.AnyFact{FactControl}, Observe: observeControl,
	}
}

func observeControl(ctx context.Context, p *engine.Pass) error {
	at := here(p)
	raw, err := readFile(ctx, at, p, pgdisk.ControlFilePath, pgdisk.ControlFileSize)
	if err != nil {
		return err
	}
	if err := FactControl.Put(p, ControlBytes{Raw: raw}); err != nil {
		return err
	}
	control, err := pgdisk.DecodeControl(raw)
	var badCRC *pgdisk.ControlCRCError
	switch {
	case errors.As(err, &badCRC):
		if err := p.Report(engine.Finding{Severity: engine.Damaged, Title: "pg_control does not pass its own checksum", Detail: err.Error(),
			Next: "its values are shown and marked as suspect; the next step weighs them against the other files"}); err != nil {
			return err
		}
	case err != nil:
		return p.Report(engine.Finding{Severity: engine.Damaged, Title: "pg_control is missing or damaged", Detail: err.Error(),
			Next: "the values of the reset are taken from the other files alone"})
	}
	return compareControl(ctx, at, p, control)
}

// compareControl holds our reading against the official tool's.
func compareControl(ctx context.Context, at *Place, p *engine.Pass, control *pgdisk.Control) error {
	out, err := at.tool(ctx, p, "pg_controldata", at.site.PGData)
	if err != nil {
		return err
	}
	if err := toolFailed("pg_controldata", out); err != nil {
		return p.Report(engine.Finding{Severity: engine.Warning, Title: "pg_controldata of the image cannot read pg_control", Detail: err.Error()})
	}
	ours := control.Fields(time.UTC)
	theirs := pgdisk.ParseControldata(string(out.Stdout))
	var rows [][]string
	for _, f := range ours {
		rows = append(rows, []string{f.Label, f.Value})
	}
	if err := p.Show(engine.Exhibit{Title: "pg_control", Columns: []string{"field", "value"}, Rows: rows}); err != nil {
		return err
	}
	differences := pgdisk.DiffControlFields(ours, theirs)
	if len(differences) == 0 {
		return p.Judge(engine.Verdict{Subject: "pg_control", Result: engine.Passed,
			Evidence: []string{fmt.Sprintf("%d fields read by pgrescue and by pg_controldata of the image agree", len(ours))}})
	}
	var lines []string
	for _, d := range differences {
		lines = append(lines, d.String())
	}
	return engine.Errorf(engine.Failure, "do not go on: report this with both outputs", "pgrescue and pg_controldata read pg_control differently: %s", strings.Join(lines, "; "))
}

// readFile reads a small file of the data directory; nil without error when it is missing.
func readFile(ctx context.Context, at *Place, p *engine.Pass, name string, limit int64) ([]byte, error) {
	res, err := inspectWith[agent.ReadRequest, agent.ReadResult](ctx, at, p, job[agent.ReadRequest]{name: agent.JobRead, req: agent.ReadRequest{
		Pieces: at.pieces, Items: []agent.ReadItem{{Piece: agent.RoleData, Path: agent.Path(name), What: agent.ReadRange, Len: limit}},
	}})
	if err != nil {
		return nil, err
	}
	if len(res.Items) != 1 {
		return nil, fmt.Errorf("reading %s: %d answers to one question", name, len(res.Items))
	}
	if e := res.Items[0].Err; e != nil {
		if e.Kind == agent.KindNotFound {
			return nil, nil
		}
		return nil, fmt.Errorf("reading %s: %w", name, e)
	}
	return res.Items[0].Data, nil
}
