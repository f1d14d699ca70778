package pgops

import (
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// defaultSegSize is what pg_resetwal assumes when it has to guess (DEFAULT_XLOG_SEG_SIZE, pg_config_manual.h).
const defaultSegSize = 16 << 20

// segSize decides --wal-segsize, which every later value of WAL depends on.
func (r *resetting) segSize() error {
	p := Param{Switch: switchSegSize, Name: "size of WAL segments in MB", Confidence: Firm, Formula: "as it was", Margin: "none",
		IfWrong: "The new WAL would reuse file names that an archive already holds, and without -l it would start before the old one."}
	size := r.ev.WAL.SegSize
	if size != 0 {
		p.Evidence = append(p.Evidence, fmt.Sprintf("pg_wal: the segments' first page headers say %d bytes", size))
	}
	switch {
	case r.control != nil:
		size = r.control.WALSegmentSize
		p.Evidence = append([]string{fmt.Sprintf("pg_control: %d bytes", size)}, p.Evidence...)
		p.Why = "not passed: pg_resetwal keeps pg_control's value"
	case size == 0:
		size, p.Confidence = defaultSegSize, Weak
		p.Evidence = []string{"no WAL segment is readable: the default of 16 MB is assumed; an archive's file size would tell"}
		p.Why = "not passed: pg_resetwal assumes 16 MB too"
	case size == defaultSegSize && r.ev.Control.State != ControlSuspect:
		p.Why = "not passed: pg_resetwal assumes 16 MB"
	default:
		p.Given, p.Why = true, "pg_resetwal would not take it from a pg_control that cannot be believed"
	}
	if !pgdisk.ValidWALSegSize(size) {
		return fmt.Errorf("WAL segment size: %d bytes is not possible", size)
	}
	p.Value = fmt.Sprint(size >> 20)
	r.plan.Outcome.SegSize = size
	r.add(p)
	return nil
}

// walStart decides -l: the first segment behind everything that was ever written. It is always
// passed, since pg_resetwal only lets it raise its own choice.
func (r *resetting) walStart() error {
	p := Param{Switch: switchWAL, Name: "first new WAL segment", Given: true, Confidence: Firm,
		Why:     "pg_resetwal looks at file names only, not at the LSNs of pages, and only ever raises its own choice to this one",
		Formula: "highest segment of all the above, plus one; highest timeline of all",
		Margin:  "the rest of a segment",
		IfWrong: "Too low: pages carry LSNs from the future, and reading them fails with \"xlog flush request ... is not satisfied\"."}
	size := uint64(r.plan.Outcome.SegSize)
	var number uint64
	timeline := pgdisk.TimelineID(1)
	saw := func(segment uint64, format string, args ...any) {
		number = max(number, segment+1)
		p.Evidence = append(p.Evidence, fmt.Sprintf(format, args...))
	}
	if c := r.control; c != nil {
		timeline = max(timeline, c.CheckpointCopy.ThisTimeLineID)
		saw(uint64(c.CheckpointCopy.Redo)/size, "pg_control: redo at %s on timeline %d", c.CheckpointCopy.Redo, c.CheckpointCopy.ThisTimeLineID)
	}
	if w := r.ev.WAL; w.Files > 0 {
		timeline = max(timeline, w.Timeline)
		saw(r.highestName(), "pg_wal: %d files, the highest is %s; highest timeline %d", w.Files, w.LastFile, w.Timeline)
	}
	if w := r.ev.WAL; w.Scanned {
		saw(uint64(w.End)/size, "pg_wal: the last valid record ends at %s", w.End)
	}
	if m := r.ev.Pages.MaxLSN; m != 0 {
		saw(uint64(m)/size, "pages: highest LSN of %d pages is %s", r.ev.Pages.Pages, m)
	}
	if number == 0 {
		p.Confidence = Weak
		p.Evidence = []string{"neither pg_control, pg_wal nor a page tells anything"}
		number = 1
	}
	p.Value = pgdisk.WALSegment{Timeline: timeline, Number: number}.Name(r.plan.Outcome.SegSize)
	r.plan.Outcome.FirstSegment, r.plan.Outcome.Timeline = p.Value, timeline
	if r.control == nil {
		r.warn("the timeline %d is the highest that pg_wal shows: an archive may hold a higher one, which the new WAL must not repeat", timeline)
	}
	r.add(p)
	return nil
}

// highestName is the highest segment by name, as pg_resetwal will read it: with 16 MB segments when
// it has to guess, which with smaller ones lands far ahead.
func (r *resetting) highestName() uint64 {
	w := r.ev.WAL
	if r.control != nil || r.plan.Outcome.SegSize >= defaultSegSize || r.ev.Control.State == ControlSuspect {
		return w.LastSegment
	}
	s, err := pgdisk.ParseWALSegment(w.LastFile, r.plan.Outcome.SegSize)
	if err != nil {
		return w.LastSegment
	}
	per := uint64(circle) / uint64(r.plan.Outcome.SegSize)
	guessed := s.Number/per*(circle/defaultSegSize) + s.Number%per
	return max(w.LastSegment, guessed*(defaultSegSize/uint64(r.plan.Outcome.SegSize)))
}
