package steps

import (
	"github.com/pgrescue/pgrescue/agent"
	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/pgops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// The facts that steps exchange. A fact made in the rehearsal is made anew in the
// performance.
var (
	FactSite     = engine.NewFact[Site]("site")
	FactHeadline = engine.NewFact[Headline]("headline") // for the front ends' header
	FactSnapshot = engine.NewFact[Snapshot]("snapshot")
	FactControl  = engine.NewFact[ControlBytes]("control")
	FactReset    = engine.NewFact[*pgops.ResetPlan]("reset-plan")
	FactStopped  = engine.NewFact[[]dockerops.Supervision]("stopped")
	// FactUnreachable says what pages hold that no server can see; absent when there is nothing.
	FactUnreachable = engine.NewFact[string]("unreachable")
	FactTables      = engine.NewFact[TableSummary]("tables")
)

// Headline is what front ends show at the top, in words.
type Headline struct {
	Target   string `json:"target"`
	Image    string `json:"image"`
	Volume   string `json:"volume"`
	Size     string `json:"size"`
	SystemID string `json:"system_id"`
	Host     string `json:"host"`
	Version  string `json:"version"`
}

// Snapshot is the sealed copy.
type Snapshot struct {
	Volumes map[string]string `json:"volumes"` // piece to volume
	Records string            `json:"records"` // file in the incident directory
	Result  agent.CopyResult  `json:"result"`
	Ignore  []agent.Path      `json:"ignore,omitempty"` // for pg_verifybackup -i
}

// TableSummary counts verdicts.
type TableSummary struct {
	Tables  int   `json:"tables"`
	Passed  int   `json:"passed"`
	Failed  int   `json:"failed"`
	Unknown int   `json:"could_not_check"`
	Rows    int64 `json:"rows"`

	Users     string   `json:"users"`               // tables, rows and damage without the catalogs, to compare the acts by
	Damaged   []string `json:"damaged,omitempty"`   // not catalogs, at most maxNamed
	Unchecked []string `json:"unchecked,omitempty"` // likewise

	users struct {
		tables, failed int
		rows           int64
	}
}

// maxNamed bounds the tables that a summary names.
const maxNamed = 20
