package unload

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"
)

// Files in the output directory beside those of the tables.
const (
	StateName     = "state.json"    // how far the run is
	tablesName    = "tables.jsonl"  // reports of the tables that are done, until the manifest has them
	NotesName     = "notes.jsonl"   // everything that was not as it should be, a Note a line
	ManifestName  = "manifest.json" // a Manifest, when the run is done
	SequencesName = "sequences.jsonl"
)

// stateVersion changes when a run of another version could not go on with a directory.
const stateVersion = 1

// state is what a run needs to go on where another was stopped.
type state struct {
	Version  int         `json:"version"`
	Cluster  ClusterID   `json:"cluster"`
	Options  OptionsID   `json:"options"`
	Plan     string      `json:"plan"` // digest of the list of tables, their columns and files
	Started  time.Time   `json:"started"`
	Finished bool        `json:"finished"` // the manifest is written
	Done     int         `json:"done"`     // tables finished, in order of the plan
	Current  *tableState `json:"current,omitempty"`
	Tables   filePos     `json:"tables"`
	Notes    filePos     `json:"notes"`
	Totals   Counts      `json:"totals"` // of the finished tables
	Bytes    int64       `json:"bytes"`  // of the cluster, read in all
}

// tableState is how far the table is that is being written.
type tableState struct {
	Chunks  int       `json:"chunks"` // finished
	Counts  Counts    `json:"counts"`
	Bad     []BadPage `json:"bad,omitempty"`
	BadMore int       `json:"bad_more,omitempty"`
	Zeros   []span    `json:"zeros,omitempty"` // pages of zeroes with nothing else after them so far
	Rows    filePos   `json:"rows"`
	Dead    *filePos  `json:"dead,omitempty"`
	Damaged *filePos  `json:"damaged,omitempty"`
}

// ErrNotEmpty says that the output directory holds something that is no state of a run.
var ErrNotEmpty = errors.New("the directory is not empty, and no run of unload left it")

// ErrOtherRun says that the output directory belongs to a run of another cluster, or with
// other options.
var ErrOtherRun = errors.New("the directory belongs to another run of unload")

// loadState reads the state of an earlier run, nil if the directory is empty.
func (d *outDir) loadState() (*state, error) {
	f, err := d.root.Open(StateName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, d.requireEmpty()
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", d.full(StateName), err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", d.full(StateName), err)
	}
	var s state
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, fmt.Errorf("read %s: %w; start again in an empty directory", d.full(StateName), err)
	}
	if s.Version != stateVersion {
		return nil, fmt.Errorf("%w: its state has version %d, this program writes version %d", ErrOtherRun, s.Version, stateVersion)
	}
	return &s, nil
}

// requireEmpty passes over what a run can leave that was killed before its first state.
func (d *outDir) requireEmpty() error {
	entries, err := fs.ReadDir(d.root.FS(), ".")
	if err != nil {
		return fmt.Errorf("list %s: %w", d.path, err)
	}
	for _, e := range entries {
		if e.Name() != StateName+".tmp" {
			return fmt.Errorf("%s holds %q: %w", d.path, e.Name(), ErrNotEmpty)
		}
	}
	return nil
}

// removeSpills removes temporary files of a run that was killed.
func (d *outDir) removeSpills() error {
	entries, err := fs.ReadDir(d.root.FS(), ".")
	if err != nil {
		return fmt.Errorf("list %s: %w", d.path, err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), spillName) {
			if err := d.root.Remove(e.Name()); err != nil {
				return fmt.Errorf("remove %s: %w", d.full(e.Name()), err)
			}
		}
	}
	return nil
}

func (d *outDir) saveState(s *state) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return d.replace(StateName, append(b, '\n'))
}

// fits reports what keeps a run from going on with the state of another.
func (s *state) fits(want *state) error {
	switch {
	case s.Cluster.SystemIdentifier != want.Cluster.SystemIdentifier:
		return fmt.Errorf("%w: of the cluster %s, this is %s", ErrOtherRun, s.Cluster.SystemIdentifier, want.Cluster.SystemIdentifier)
	case s.Cluster != want.Cluster:
		return fmt.Errorf("%w: the cluster has changed since: its checkpoint was %s, and is %s", ErrOtherRun, s.Cluster.Checkpoint, want.Cluster.Checkpoint)
	case s.Options.String() != want.Options.String():
		return fmt.Errorf("%w: its options were %s", ErrOtherRun, s.Options)
	case s.Plan != want.Plan:
		return fmt.Errorf("%w: the cluster's files have changed since", ErrOtherRun)
	}
	return nil
}
