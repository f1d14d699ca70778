package pgops

import (
	"fmt"
	"slices"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// Confidence says how firmly evidence carries a value.
type Confidence string

// The levels.
const (
	Firm    Confidence = "firm"    // independent sources agree, or pg_control is good and nothing contradicts it
	Derived Confidence = "derived" // computed from files with a margin
	Weak    Confidence = "weak"    // one weak source, or none: the operator should know better
)

// Param is one value that pg_resetwal gets, or deliberately does not get.
type Param struct {
	Switch     string // as on the command line: -x, --wal-segsize
	Name       string // in words
	Value      string // as on the command line; what will hold after the reset when not given
	Given      bool   // passed to pg_resetwal
	Why        string // why it is passed, or why not
	Evidence   []string
	Formula    string
	Margin     string
	IfWrong    string
	Confidence Confidence
}

// Outcome is what pg_control will hold after the reset, as far as it was decided.
type Outcome struct {
	SystemID        uint64 // 0 when pg_resetwal will invent one
	Timeline        pgdisk.TimelineID
	FirstSegment    string // file name of the first new segment
	SegSize         uint32
	NextXID         pgdisk.FullXID
	OldestXID       pgdisk.XID
	NextMulti       pgdisk.MultiXactID
	OldestMulti     pgdisk.MultiXactID
	NextOffset      pgdisk.MultiXactOffset
	NextOID         pgdisk.OID
	ChecksumVersion uint32
	CharSigned      bool // 18 and later
}

// Marker is what is known of the end of the last multixact, before nextMulti is advanced past it:
// the offsets entry of Multi, the first id never given out, must hold Offset.
type Marker struct {
	Multi  pgdisk.MultiXactID
	Offset pgdisk.MultiXactOffset
	From   string // what told it
}

// ResetPlan is what pg_resetwal is to be told, and why. It contains no times and nothing that
// varies between two looks at the same files.
type ResetPlan struct {
	Major    int
	Guessed  bool // pg_resetwal will mark its values as guessed, so it needs --force for that alone
	Params   []Param
	Outcome  Outcome
	Marker   *Marker  // nil when nextMulti is not advanced, or the end of the last multixact is unknown
	Makes    []string // directories that must exist before, mode 0700
	Edits    []Edit   // to be made before pg_resetwal runs: pages that its values need
	Warnings []string
	Overrode []ContradictionKind // contradictions that the operator accepted
}

// ResetOptions carries what only the operator can know or decide.
type ResetOptions struct {
	Tool ResetTool // what the image's pg_resetwal can do

	// Accept names contradictions that the operator has seen and goes on in spite of. The
	// values then satisfy both sides: the highest next id, the lowest oldest id.
	Accept []ContradictionKind

	Epoch    *uint32 // known epoch of the transaction ids, where no file tells it
	CommitTs bool    // pass -c as well, so that old commit timestamps stay readable
}

// Switches of pg_resetwal, in the order in which they are passed.
const (
	switchSegSize = "--wal-segsize"
	switchWAL     = "-l"
	switchOldest  = "-u"
	switchXID     = "-x"
	switchEpoch   = "-e"
	switchMulti   = "-m"
	switchOffset  = "-O"
	switchOID     = "-o"
	switchCommit  = "-c"
	switchChar    = "--char-signedness"
)

// PlanReset computes every value from the evidence. It returns a *ContradictionError when sources
// cannot all be right, an error that names what is missing when nothing carries a value.
//
// A good pg_control wins where nothing newer was found: pg_resetwal keeps its values by itself,
// and a value that is not passed cannot be wrong. Ids that were given out since the last
// checkpoint are found in WAL, in SLRU files and in tuples; then the value is rounded up to
// the next page, because the server erases the rest of the page that it starts on.
func PlanReset(ev Evidence, opt ResetOptions) (*ResetPlan, error) {
	if ev.Major == 0 {
		return nil, fmt.Errorf("plan WAL reset: neither PG_VERSION nor pg_control tells the PostgreSQL major; write PG_VERSION back first")
	}
	r := newResetting(&ev, opt)
	if err := r.contradictions(); err != nil {
		return nil, err
	}
	for _, f := range []func() error{
		r.segSize, r.walStart, r.oldestXID, r.nextXID, r.multi, r.offset, r.oid, r.commitTs, r.charSignedness, r.identity,
	} {
		if err := f(); err != nil {
			return nil, fmt.Errorf("plan WAL reset: %w", err)
		}
	}
	r.surroundings()
	r.blankXact()
	return r.plan, nil
}

// resetting is the state of one PlanReset.
type resetting struct {
	ev      *Evidence
	opt     ResetOptions
	plan    *ResetPlan
	control *pgdisk.Control // nil unless good
}

func newResetting(ev *Evidence, opt ResetOptions) *resetting {
	r := &resetting{ev: ev, opt: opt, plan: &ResetPlan{Major: ev.Major}}
	if ev.Control.State == ControlGood {
		r.control = ev.Control.Values
	}
	r.plan.Guessed = r.control == nil
	return r
}

func (r *resetting) add(p Param) { r.plan.Params = append(r.plan.Params, p) }

func (r *resetting) warn(format string, args ...any) {
	r.plan.Warnings = append(r.plan.Warnings, fmt.Sprintf(format, args...))
}

// surroundings lists what pg_resetwal needs around it. It deletes all WAL before it misses the
// directories, and exits with the cluster in pieces.
func (r *resetting) surroundings() {
	r.plan.Makes = []string{"pg_wal/archive_status"}
	if r.ev.Major >= 17 {
		r.plan.Makes = append(r.plan.Makes, "pg_wal/summaries")
	}
	if r.ev.Lock {
		r.warn("postmaster.pid is there: pg_resetwal refuses as long as it is. Make sure that no server runs on these files, then remove it.")
	}
	if r.ev.Control.State == ControlMissing {
		r.warn("global/pg_control is missing: pg_resetwal wants the file to exist; an empty one makes it invent all values.")
	}
}

// Param returns the value of one switch.
func (p *ResetPlan) Param(name string) (Param, bool) {
	i := slices.IndexFunc(p.Params, func(q Param) bool { return q.Switch == name })
	if i < 0 {
		return Param{}, false
	}
	return p.Params[i], true
}

// Argv is the command line for the image's pg_resetwal. Force is always given: a cluster
// that crashed, and one whose pg_control is guessed, are refused without it.
func (p *ResetPlan) Argv(dataDir string) []string {
	return append(p.argv("--force"), dataDir)
}

// DryRunArgv is the same command with --dry-run, which changes nothing and ends with exit status 0.
func (p *ResetPlan) DryRunArgv(dataDir string) []string {
	return append(p.argv("--dry-run", "--force"), dataDir)
}

func (p *ResetPlan) argv(flags ...string) []string {
	argv := append([]string{"pg_resetwal"}, flags...)
	for _, q := range p.Params {
		switch {
		case !q.Given:
		case len(q.Switch) > 2:
			argv = append(argv, q.Switch+"="+q.Value)
		default:
			argv = append(argv, q.Switch, q.Value)
		}
	}
	return argv
}
