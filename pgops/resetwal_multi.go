package pgops

import (
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// Cutting of pg_multixact: ids on a page and in a file, members on a page and in a file.
const (
	offsetsPage    = pgdisk.BlockSize / 4
	offsetsSegment = offsetsPage * pgdisk.SLRUPagesPerSegment
	membersPage    = pgdisk.BlockSize / 20 * 4
	membersSegment = membersPage * pgdisk.SLRUPagesPerSegment
	circle         = 1 << 32
)

// multiClaims collects what every source says about the next multixact. The last entry in use in
// pg_multixact/offsets can itself be the mark that newer minors set for the next id.
func (r *resetting) multiClaims() []claim[pgdisk.MultiXactID] {
	var claims []claim[pgdisk.MultiXactID]
	say := func(next pgdisk.MultiXactID, format string, args ...any) {
		claims = append(claims, claim[pgdisk.MultiXactID]{next, fmt.Sprintf(format, args...)})
	}
	ev := r.ev
	if r.control != nil {
		say(r.control.CheckpointCopy.NextMulti, "pg_control: NextMultiXactId %d at the last checkpoint", r.control.CheckpointCopy.NextMulti)
	}
	if ev.WAL.NextMulti != 0 {
		say(ev.WAL.NextMulti, "pg_wal: %d multixacts created, the next is %d", ev.WAL.MultisCreated, ev.WAL.NextMulti)
	}
	if ev.Offsets.Used {
		say(pgdisk.MultiXactID(ev.Offsets.LastUsed), "pg_multixact/offsets: last entry that is not zero is %d", ev.Offsets.LastUsed)
	}
	if ev.Pages.MaxMulti != 0 {
		say(ev.Pages.MaxMulti.Next(), "tuples: highest multixact is %d (%s)", ev.Pages.MaxMulti, ev.Pages.MaxMultiAt)
	}
	return claims
}

// multi decides -m.
func (r *resetting) multi() error {
	p := Param{Switch: switchMulti, Name: "next and oldest multixact", Confidence: Firm,
		IfWrong: "Next too low: the server erases the offsets of newer multixacts at its next start, and rows locked or updated by them turn unreadable or double. On a page that does not exist: the server does not start. Oldest too high: vacuum removes files that rows still need."}
	truth, texts := r.multiTruth()
	formula := "highest of the above"
	p.Evidence = texts
	if len(p.Evidence) == 0 {
		p.Evidence, p.Confidence = []string{r.ev.Offsets.span()}, Weak
	}
	next := truth
	if r.control != nil && truth == r.control.CheckpointCopy.NextMulti && (truth%offsetsPage == 0 || r.ev.Offsets.holds(uint64(truth))) && r.keepsOffset() {
		p.Why = "not passed: pg_resetwal keeps pg_control's values, and nothing newer was found"
		p.Formula, p.Margin = "as in pg_control", "none needed"
	} else {
		next = r.roundMulti(&p, truth, formula)
	}
	oldest := r.oldestMulti(&p, next)
	p.Value = fmt.Sprintf("%d,%d", uint32(next), uint32(oldest))
	r.plan.Outcome.NextMulti, r.plan.Outcome.OldestMulti = next, oldest
	if next != truth && oldest != truth {
		r.mark(truth)
	}
	r.add(p)
	return nil
}

// multiTruth is the lowest id that no source says is in use.
func (r *resetting) multiTruth() (pgdisk.MultiXactID, []string) {
	truth := pgdisk.FirstMultiXactID
	var texts []string
	for i, c := range r.multiClaims() {
		texts = append(texts, c.text)
		if i == 0 || int32(c.next-truth) > 0 {
			truth = c.next
		}
	}
	return truth, texts
}

// roundMulti moves the id to the start of a page behind everything allocated, so that no page has
// to be there for it.
func (r *resetting) roundMulti(p *Param, truth pgdisk.MultiXactID, formula string) pgdisk.MultiXactID {
	p.Given = true
	p.Why = "multixacts were made after the last checkpoint, which pg_control does not know"
	if r.control != nil && truth == r.control.CheckpointCopy.NextMulti {
		p.Why = "the offsets page of pg_control's value is missing, and the server does not start without it"
		if !r.keepsOffset() {
			p.Why = "the next member offset moves on, and the server would take it for the end of the last multixact"
		}
	}
	unit := uint64(offsetsPage)
	if !r.walVouches() {
		p.Why = "pg_control or WAL does not tell where the multixacts end"
		unit, p.Confidence = offsetsSegment, Derived
	}
	floor := uint64(truth)
	if r.ev.Offsets.Files > 0 {
		floor = ahead(floor, r.ev.Offsets.AllocatedEnd)
	}
	next := (floor + unit - 1) / unit * unit
	if next == uint64(truth) {
		next += unit // the mark of the last multixact stands at the truth itself
	}
	p.Formula = fmt.Sprintf("%s and of the end of the newest offsets file, up to the next multiple of %d", formula, unit)
	p.Margin = fmt.Sprintf("%d ids", next-uint64(truth))
	if next%circle == 0 {
		next = uint64(pgdisk.FirstMultiXactID)
		p.Formula += "; that wraps around to 0, which is invalid, so 1"
		r.createPage(pgdisk.OffsetsGeometry(), r.ev.Offsets, "the first offsets page must exist, because 1 is not the start of a page")
	}
	return pgdisk.MultiXactID(next)
}

// ahead returns whichever of two places on the circle of 2^32 is further on; b can be 2^32
// itself. The result is not reduced, so that it can pass the end.
func ahead(a, b uint64) uint64 {
	if d := int32(uint32(b) - uint32(a)); d > 0 {
		return a + uint64(d)
	}
	return a
}

// oldestMulti never gives 0, which pg_resetwal rejects.
func (r *resetting) oldestMulti(p *Param, next pgdisk.MultiXactID) pgdisk.MultiXactID {
	ev := r.ev
	if r.control != nil {
		p.Evidence = append(p.Evidence, fmt.Sprintf("pg_control: oldestMultiXid %d", r.control.CheckpointCopy.OldestMulti))
		return max(r.control.CheckpointCopy.OldestMulti, pgdisk.FirstMultiXactID)
	}
	if ev.Databases.MinMulti != 0 {
		p.Evidence = append(p.Evidence, fmt.Sprintf("pg_database: oldest datminmxid is %d (%s)", ev.Databases.MinMulti, ev.Databases.MinMultiOf))
		p.Formula += "; oldest: the oldest datminmxid"
		return ev.Databases.MinMulti
	}
	if ev.Offsets.Files > 0 {
		p.Evidence = append(p.Evidence, fmt.Sprintf("pg_multixact/offsets: oldest file %s starts at %d", ev.Offsets.Oldest, ev.Offsets.FirstID))
		p.Formula += fmt.Sprintf("; oldest: oldest file * %#x, but at least 1", offsetsSegment)
		return max(pgdisk.MultiXactID(ev.Offsets.FirstID), pgdisk.FirstMultiXactID)
	}
	if ev.WAL.OldestMulti != 0 {
		return ev.WAL.OldestMulti
	}
	p.Confidence = Weak
	return next
}

// mark remembers where the members of the last multixact end. Old servers keep no such mark: once
// the next id has moved on, they wait for ever for the entry behind the last one to be filled.
func (r *resetting) mark(truth pgdisk.MultiXactID) {
	switch {
	case r.ev.WAL.NextMulti == truth:
		r.plan.Marker = &Marker{Multi: truth, Offset: r.ev.WAL.NextOffset, From: "pg_wal"}
	case r.control != nil && r.control.CheckpointCopy.NextMulti == truth:
		r.plan.Marker = &Marker{Multi: truth, Offset: r.control.CheckpointCopy.NextMultiOffset, From: "pg_control"}
	case truth == pgdisk.FirstMultiXactID:
	default:
		r.warn("where the members of the last multixact %d end is not known: rows that refer to it have to be treated", truth-1)
		return
	}
	if m := r.plan.Marker; m != nil && m.Offset == 0 {
		r.plan.Marker = nil // nothing was ever stored
	}
}

// offsetClaims collects what every source says about the next member offset.
func (r *resetting) offsetClaims() []claim[pgdisk.MultiXactOffset] {
	var claims []claim[pgdisk.MultiXactOffset]
	say := func(next pgdisk.MultiXactOffset, format string, args ...any) {
		claims = append(claims, claim[pgdisk.MultiXactOffset]{next, fmt.Sprintf(format, args...)})
	}
	ev := r.ev
	if r.control != nil {
		say(r.control.CheckpointCopy.NextMultiOffset, "pg_control: NextMultiOffset %d at the last checkpoint", r.control.CheckpointCopy.NextMultiOffset)
	}
	if ev.WAL.NextMulti != 0 {
		say(ev.WAL.NextOffset, "pg_wal: members end at %d", ev.WAL.NextOffset)
	}
	if ev.Offsets.Used {
		say(pgdisk.MultiXactOffset(ev.Offsets.LastValue), "pg_multixact/offsets: the last entry is %d", ev.Offsets.LastValue)
	}
	if ev.Members.Used {
		say(pgdisk.MultiXactOffset(ev.Members.LastUsed)+1, "pg_multixact/members: last member that is not zero is %d", ev.Members.LastUsed)
	}
	return claims
}

// offset decides -O.
func (r *resetting) offset() error {
	p := Param{Switch: switchOffset, Name: "next multixact member offset", Confidence: Firm,
		IfWrong: "Too low: the server erases the rest of that members page at its next start, and new multixacts overwrite old members: rows come out double or locked by strangers."}
	truth, texts := r.offsetTruth()
	p.Evidence = texts
	if len(p.Evidence) == 0 {
		p.Evidence, p.Confidence = []string{r.ev.Members.span()}, Weak
	}
	next := uint64(truth)
	if r.keepsOffset() {
		p.Why = "not passed: pg_resetwal keeps pg_control's value, and nothing newer was found"
		p.Formula, p.Margin = "as in pg_control", "none needed"
	} else {
		next = r.roundOffset(&p, truth)
	}
	p.Value = fmt.Sprint(next)
	r.plan.Outcome.NextOffset = pgdisk.MultiXactOffset(next)
	r.add(p)
	return nil
}

// offsetTruth is the lowest offset that no source says is in use.
func (r *resetting) offsetTruth() (truth pgdisk.MultiXactOffset, texts []string) {
	for i, c := range r.offsetClaims() {
		texts = append(texts, c.text)
		if i == 0 || int32(c.next-truth) > 0 {
			truth = c.next
		}
	}
	return truth, texts
}

// keepsOffset reports that nothing newer than pg_control's member offset was found, and that its page is there.
func (r *resetting) keepsOffset() bool {
	truth, _ := r.offsetTruth()
	return r.control != nil && truth == r.control.CheckpointCopy.NextMultiOffset && (truth%membersPage == 0 || r.ev.Members.holds(uint64(truth)))
}

// roundOffset moves the offset to the start of a page behind everything allocated. The last page of
// the circle is short: behind it comes 0.
func (r *resetting) roundOffset(p *Param, truth pgdisk.MultiXactOffset) uint64 {
	p.Given = true
	p.Why = "members were stored after the last checkpoint, which pg_control does not know"
	if r.control != nil && truth == r.control.CheckpointCopy.NextMultiOffset {
		p.Why = "the members page of pg_control's value is missing, and the server does not start without it"
	}
	unit := uint64(membersPage)
	if !r.walVouches() {
		p.Why = "pg_control or WAL does not tell where the members end"
		unit, p.Confidence = membersSegment, Derived
	}
	floor := uint64(truth)
	if r.ev.Members.Files > 0 {
		floor = ahead(floor, r.ev.Members.AllocatedEnd)
	}
	next := (floor + unit - 1) / unit * unit
	p.Formula = fmt.Sprintf("highest of the above and of the end of the newest members file, up to the next multiple of %d", unit)
	p.Margin = fmt.Sprintf("%d members", min(next, circle)-uint64(truth))
	if next >= circle {
		p.Formula += "; that passes 4294967295, so 0"
		return 0
	}
	return next
}
