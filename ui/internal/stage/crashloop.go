package stage

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// Challenge is what must be typed to let the made-up incident rewrite the original.
const Challenge = "db1/4821"

func info(name, title, doc string, part engine.Part, writes bool) engine.StepInfo {
	return engine.StepInfo{Name: name, Title: title, Doc: doc, Part: part, Writes: writes}
}

func steps() []engine.StepInfo {
	return []engine.StepInfo{
		info("triage", "Triage", docTriage, engine.Opening, false),
		info("stop-writers", "Stop writers", "Stops whatever could write to the data.\n\nWhat has to be started again is journaled first.", engine.Opening, true),
		info("snapshot", "Snapshot", "Copies the cluster in one pass that also hashes it and checks every page's checksum.", engine.Opening, true),
		info("sandbox", "Sandbox", "Starts an isolated container on a clone: no network, no archive_command.", engine.Twice, false),
		info("read-control", "Read pg_control", "Reads `global/pg_control` with our own reader and compares it with the image's pg_controldata.", engine.Twice, false),
		info("reset-params", "Compute parameters", "Computes every value that pg_resetwal takes, with its evidence.", engine.Twice, false),
		info("multixact", "Repair multixacts", docMultixact, engine.Twice, true),
		info("reset-wal", "Reset WAL", docResetWAL, engine.Twice, true),
		info("check-tables", "Check tables", "Starts the clone and reads every column of every table.", engine.Twice, true),
		info("give-back", "Give back", "Starts the service as it was.", engine.Final, true),
		info("report", "Report", "Writes the transcript.", engine.Final, false),
	}
}

const docTriage = `# What is wrong

Looks at the container, its last log lines and pg_control, **without writing anything**.

- state, restart count and exit codes
- who else mounts the volume, and whether a postmaster is alive in any container that shares it
- disk and inode space

## What it cannot know

A log says where the server *died*, not where the damage began. The page that made it die may be one of many.
`

const docMultixact = "# Repair multixact files\n\nFills missing pages of `pg_multixact/offsets` and `pg_multixact/members` in whole pages.\n\n" +
	"Zero-filled members silently duplicate rows: affected tuples are counted and treated first.\n"

const docResetWAL = `# Reset WAL

Throws the write-ahead log away and lets the server begin a new one. Everything that was only in the log is **gone**, and the cluster may be inconsistent afterwards: dump and reload it.

1. the image's own pg_resetwal runs with ` + "`-n`" + ` first
2. its output is shown beside our values
3. only then it runs for real

| option | from |
|---|---|
| -l | highest segment name + 1 |
| -x | pg_xact, rounded up |
`

// CrashLoop plays the whole walk to a healed end.
func CrashLoop(p *Play) {
	p.open(false)
	p.prepare()
	p.act(engine.Rehearsal, 1)
	plans := p.twice(engine.Rehearsal)
	p.Emit("", "", engine.KindRehearsed, engine.Rehearsed{Digest: overall, Plans: plans, Attempt: 1})
	p.act(engine.Performance, 1)
	p.twice(engine.Performance)
	p.act(engine.Closing, 1)
	p.giveBack()
	p.Emit("", "", engine.KindClosed, engine.Closed{Outcome: "healed", Summary: "the same plans that worked on a copy were carried out on the original, and the checks passed",
		Next: []string{"dump and reload into a fresh cluster", "take a backup"}})
}

// RehearseOnly plays the dry run.
func RehearseOnly(p *Play) {
	p.open(true)
	p.prepare()
	p.act(engine.Rehearsal, 1)
	plans := p.twice(engine.Rehearsal)
	p.Emit("", "", engine.KindRehearsed, engine.Rehearsed{Digest: overall, Plans: plans, Attempt: 1})
	p.Emit("", "", engine.KindClosed, engine.Closed{Outcome: "rehearsed", Exit: engine.ExitPending,
		Summary: "the rehearsal passed on a copy; the original is untouched and waits for consent",
		Next:    []string{"to perform it step by step: pgrescue resume 20260314T021407Z-db"}})
}

// Busy plays a snapshot that goes on for a minute, then falls silent.
func Busy(p *Play) {
	p.open(true)
	p.Emit(engine.Prepare, "snapshot", engine.KindStarted, nil)
	const total = 371_000_000_000
	start := p.now()
	for i := range int64(600) {
		p.Progress(engine.Prepare, "snapshot", "copy and hash", total*i/1000, total, "bytes", p.now().Sub(start))
	}
	p.Await()
}

// Panic plays until the front end, reading on, falls over.
func Panic(p *Play) {
	p.open(true)
	p.mu.Lock()
	p.panics = true
	p.mu.Unlock()
	p.changed.Broadcast()
	p.Await()
}

const overall = "5d0c2c3e1f6b4a7f9d8e7c6b5a493827160f5e4d3c2b1a09f8e7d6c5b4a39281"

func (p *Play) open(rehearseOnly bool) {
	p.Emit("", "", engine.KindOpened, engine.Opened{Incident: "20260314T021407Z-db", Playbook: "crash-loop", Title: "Heal a server that crashes in a loop",
		Target: "container:db", Host: "db1", Actor: "alice@bastion", Version: "1.0.0", Options: engine.Options{RehearseOnly: rehearseOnly}, Steps: steps()})
	p.act(engine.Prepare, 1)
}

func (p *Play) act(a engine.Act, attempt int) {
	p.Emit("", "", engine.KindAct, engine.ActData{Act: a, Attempt: attempt})
}

func (p *Play) fact(act engine.Act, step, name string, value any) {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	p.Emit(act, step, engine.KindFact, engine.FactData{Name: name, Value: raw})
}

// Command plays an intent and its outcome.
func (p *Play) Command(act engine.Act, step, what string, argv []string, exit, lines int) {
	id := fmt.Sprintf("%04d", p.View().Seq+1)
	p.Emit(act, step, engine.KindIntent, engine.Intent{ID: id, What: what, Argv: argv})
	o := engine.Outcome{ID: id, Exit: exit, Millis: 412, Lines: lines}
	if lines > 0 {
		o.LogFile = "commands/" + id + ".stdout"
		o.Output = "pg_control version number:            1300\n"
	}
	p.Emit(act, step, engine.KindOutcome, o)
}

// gate plans, proposes and waits for consent, then applies.
func (p *Play) gate(act engine.Act, step string, danger engine.Danger, plan engine.Plan) string {
	digest, err := plan.Digest()
	if err != nil {
		panic(err)
	}
	p.Emit(act, step, engine.KindPlanned, engine.Planned{Plan: plan, Digest: digest})
	g := engine.Gate{Danger: danger, Prompt: plan.Summary, Digest: digest}
	if danger == engine.Original {
		g.Challenge = Challenge
	}
	p.Emit(act, step, engine.KindProposed, g)
	p.Await()
	p.Emit(act, step, engine.KindApplying, nil)
	return digest
}

func (p *Play) prepare() {
	const act = engine.Prepare
	p.Emit(act, "triage", engine.KindStarted, nil)
	p.Emit(act, "triage", engine.KindSaid, engine.Said{Text: "container db has been restarted 41 times; its last exit was signal 6"})
	p.fact(act, "triage", "headline", map[string]string{"target": "container:db", "image": "postgres:15.18", "volume": "db-data",
		"size": "371 MB", "system_id": "7345120945127844821", "host": "db1", "version": "15.18"})
	p.Command(act, "triage", "read the last log lines", []string{"docker", "logs", "--tail", "200", "db"}, 0, 200)
	p.Emit(act, "triage", engine.KindFinding, engine.Finding{Severity: engine.Damaged, Title: "PANIC: invalid lp",
		Detail:   "Crash recovery stops at a WAL record whose heap page does not have the line pointer the record names.",
		Evidence: []string{"log: PANIC:  invalid lp", "WAL 0/258DB28: Heap/LOCK, public.parent block 3 line pointer 1"},
		Next:     "rehearse on a copy; do not start the server again on the original"})
	p.Emit(act, "triage", engine.KindExhibit, engine.Exhibit{Title: "Who mounts the volume", Columns: []string{"container", "state", "mount", "writes"},
		Rows: [][]string{{"db", "restarting", "/var/lib/postgresql/data", "yes"}, {"backup-agent", "running", "/backup", "no"}}})
	p.Emit(act, "triage", engine.KindDone, nil)

	p.Emit(act, "stop-writers", engine.KindStarted, nil)
	p.Emit(act, "stop-writers", engine.KindObligation, engine.Obligation{ID: "container-db", What: "start container db, restart policy always", Record: json.RawMessage(`{"container":"db"}`)})
	p.gate(act, "stop-writers", engine.Reversible, engine.Plan{Summary: "stop container db and set its restart policy to no",
		Changes: []engine.Change{{Argv: []string{"docker", "update", "--restart=no", "db"}, Before: "restart policy always", After: "restart policy no", Why: "it would be started again in the middle of the copy"},
			{Argv: []string{"docker", "stop", "db"}, Before: "restarting", After: "stopped"}}})
	p.Command(act, "stop-writers", "stop container db", []string{"docker", "stop", "db"}, 0, 1)
	p.Emit(act, "stop-writers", engine.KindDone, nil)

	p.Emit(act, "snapshot", engine.KindAsked, engine.Question{Name: "archive", Prompt: "Where should a second, compressed copy go?",
		Help: "A zstd archive on another disk survives the loss of this one.", Choices: []string{"none", "/var/backups", "/mnt/nas"}, Default: "none"})
	p.Await()
	p.Emit(act, "snapshot", engine.KindStarted, nil)
	p.gate(act, "snapshot", engine.OnCopy, engine.Plan{Summary: "copy 371 MB to volume pgrescue-20260314-snap",
		Changes: []engine.Change{{Path: "pgrescue-20260314-snap", Before: "does not exist", After: "1 214 files, 371 MB, sealed"}}})
	for i := range int64(4) {
		p.Progress(act, "snapshot", "copy and hash", 371_000_000*(i+1)/5, 371_000_000, "bytes", time.Duration(i+1)*time.Second)
	}
	p.Emit(act, "snapshot", engine.KindSaid, engine.Said{Text: "1 214 files read once, hashed, written and read back; no page checksum failed"})
	p.Emit(act, "snapshot", engine.KindDone, nil)
}

func (p *Play) twice(act engine.Act) map[string]string {
	danger := engine.OnCopy
	if act == engine.Performance {
		danger = engine.Original
	}
	plans := map[string]string{}
	p.look(act)
	p.Emit(act, "multixact", engine.KindStarted, nil)
	plans["multixact"] = p.gate(act, "multixact", danger, engine.Plan{Summary: "extend pg_multixact/offsets by 2 pages and clear 185 lock-only xmax values",
		Changes: []engine.Change{
			{Path: "pg_multixact/offsets/0000", Before: "8 192 bytes", After: "24 576 bytes, the new pages zeroed", Why: "NextMultiXactOffset lies on page 2"},
			{Path: "base/16384/16402", Before: "185 tuples locked by lost multixacts", After: "xmax cleared", Why: "lock-only: no row version depends on it"}}})
	p.Emit(act, "multixact", engine.KindDone, nil)

	p.Emit(act, "reset-wal", engine.KindStarted, nil)
	p.Command(act, "reset-wal", "dry run of pg_resetwal", []string{"pg_resetwal", "-n", "-D", "/data"}, 0, 214)
	plans["reset-wal"] = p.gate(act, "reset-wal", danger, engine.Plan{Summary: "reset the write-ahead log to 000000010000000000000003",
		Changes: []engine.Change{{Path: "global/pg_control", Argv: []string{"pg_resetwal", "-f", "-l", "000000010000000000000003", "-x", "1048576", "-m", "3,1", "-D", "/data"},
			Before: "in crash recovery, redo at 0/2514A08", After: "shut down, next WAL at 0/3000028", Why: "replay cannot get past 0/258DB28"},
			{Path: "pg_wal", Before: "2 segments", After: "1 empty segment", Loses: "all changes after 0/2514A08 that were not on disk"}},
		Loses: []string{"185 rows of public.parent (block 3)", "15 000 rows of public.late, written after the last checkpoint, 02:01 to 02:09 UTC"}})
	p.Command(act, "reset-wal", "reset WAL", []string{"pg_resetwal", "-f", "-l", "000000010000000000000003", "-D", "/data"}, 0, 1)
	p.Emit(act, "reset-wal", engine.KindDone, nil)
	plans["check-tables"] = p.check(act, danger)
	return plans
}

func (p *Play) look(act engine.Act) {
	p.Emit(act, "sandbox", engine.KindStarted, nil)
	p.Emit(act, "sandbox", engine.KindSaid, engine.Said{Text: "network none, archive_command disabled, no subscription starts"})
	p.Emit(act, "sandbox", engine.KindDone, nil)
	p.Emit(act, "read-control", engine.KindStarted, nil)
	p.Emit(act, "read-control", engine.KindExhibit, engine.Exhibit{Title: "pg_control", Columns: []string{"field", "ours", "pg_controldata"},
		Rows: [][]string{{"Database system identifier", "7345120945127844821", "7345120945127844821"}, {"Latest checkpoint's REDO location", "0/2514A08", "0/2514A08"},
			{"Latest checkpoint's NextMultiXactId", "4098", "4098"}, {"Data page checksum version", "1", "1"}}})
	p.Emit(act, "read-control", engine.KindDone, nil)
	p.Emit(act, "reset-params", engine.KindStarted, nil)
	p.Emit(act, "reset-params", engine.KindExhibit, engine.Exhibit{Title: "pg_resetwal values", Columns: []string{"option", "value", "evidence", "if wrong"},
		Rows: [][]string{{"-l", "000000010000000000000003", "pg_wal ends at 000000010000000000000002", "old segments could be replayed"},
			{"-x", "1048576", "pg_xact/0000 is 1 page; page LSNs agree", "rows become invisible or come back"},
			{"-m", "3,1", "pg_multixact/offsets 0000", "row locks are misread"}}})
	p.Emit(act, "reset-params", engine.KindDone, nil)
}

func (p *Play) check(act engine.Act, danger engine.Danger) string {
	p.Emit(act, "check-tables", engine.KindStarted, nil)
	digest := p.gate(act, "check-tables", danger, engine.Plan{Summary: "start PostgreSQL 15 and read every table",
		Changes: []engine.Change{{Argv: []string{"postgres", "-c", "archive_mode=off"}, Before: "stopped", After: "running"}}})
	p.Progress(act, "check-tables", "read tables", 3, 6, "tables", 12*time.Second)
	for _, v := range []engine.Verdict{
		{Subject: "shop.public.child", Result: engine.Passed, Detail: "94 815 rows, every column read", Evidence: []string{"seq scan", "unique keys", "amcheck"}},
		{Subject: "shop.public.parent", Result: engine.Passed, Detail: "79 815 rows", Evidence: []string{"seq scan", "unique keys", "amcheck"}},
		{Subject: "shop.public.late", Result: engine.CouldNotCheck, Detail: "statement timeout after 30 s", Evidence: []string{"seq scan"}},
	} {
		p.Emit(act, "check-tables", engine.KindVerdict, v)
	}
	p.Emit(act, "check-tables", engine.KindDone, nil)
	return digest
}

func (p *Play) giveBack() {
	const act = engine.Closing
	p.Emit(act, "give-back", engine.KindStarted, nil)
	p.gate(act, "give-back", engine.Reversible, engine.Plan{Summary: "start container db with its restart policy always",
		Changes: []engine.Change{{Argv: []string{"docker", "start", "db"}, Before: "stopped", After: "running"}}})
	p.Emit(act, "give-back", engine.KindSettled, engine.Settled{ID: "container-db"})
	p.Emit(act, "give-back", engine.KindDone, nil)
	p.Emit(act, "report", engine.KindStarted, nil)
	p.Emit(act, "report", engine.KindSaid, engine.Said{Text: "report.md has been written"})
	p.Emit(act, "report", engine.KindDone, nil)
}
