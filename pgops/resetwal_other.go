package pgops

import (
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// Numbers of object ids (access/transam.h).
const (
	firstNormalOID = 16384 // FirstNormalObjectId
	oidPrefetch    = 8192  // VAR_OID_PREFETCH, access/transam/varsup.c
)

// oid decides -o.
func (r *resetting) oid() error {
	p := Param{Switch: switchOID, Name: "next object id", Confidence: Firm, Margin: "none needed",
		IfWrong: "Too low: new tables can hit the files of tables that the reset forgot, and CREATE reports duplicate ids until the counter has passed them. Too high costs nothing."}
	var highest uint64
	saw := func(next uint64, format string, args ...any) {
		highest = max(highest, next)
		p.Evidence = append(p.Evidence, fmt.Sprintf(format, args...))
	}
	var kept uint64
	if r.control != nil {
		kept = uint64(r.control.CheckpointCopy.NextOID)
		saw(kept, "pg_control: NextOID %d at the last checkpoint", kept)
	}
	if n := r.ev.WAL.NextOID; n != 0 {
		saw(uint64(n), "pg_wal: ids up to %d are reserved", n)
	}
	if f := r.ev.Files; f.MaxFileNumber != 0 {
		saw(uint64(f.MaxFileNumber)+1, "files: the highest relation file number is %d (%s)", f.MaxFileNumber, f.MaxFilePath)
	}
	if r.control != nil && highest <= kept {
		p.Why, p.Formula = "not passed: pg_resetwal keeps pg_control's value, and nothing higher was found", "as in pg_control"
		highest = kept
	} else {
		p.Given, p.Why = true, "objects were made after the last checkpoint, which pg_control does not know"
		if r.control == nil {
			p.Why, p.Confidence = "pg_control does not tell it", Derived
		}
		rounded := (max(highest, firstNormalOID) + 2*oidPrefetch - 1) / oidPrefetch * oidPrefetch
		p.Formula = fmt.Sprintf("highest of the above, up to a multiple of %d at least as far ahead, and never below %d", oidPrefetch, firstNormalOID)
		p.Margin = fmt.Sprintf("%d ids", rounded-highest)
		if rounded >= circle {
			rounded = firstNormalOID
			p.Formula += fmt.Sprintf("; that passes 4294967295, so the counter starts again at %d as the server does", firstNormalOID)
		}
		highest = rounded
	}
	p.Value = fmt.Sprint(highest)
	r.plan.Outcome.NextOID = pgdisk.OID(highest)
	r.add(p)
	return nil
}

// commitTs decides -c, which by default is not passed.
func (r *resetting) commitTs() error {
	p := Param{Switch: switchCommit, Name: "oldest and newest transaction with a commit timestamp", Value: "0,0", Confidence: Firm, Margin: "none",
		Why:     "not passed: with track_commit_timestamp on, the server starts a fresh range at its next transaction when it has none",
		Formula: fmt.Sprintf("file number * %d (32 pages of 819 entries)", commitTsSegment),
		IfWrong: "pg_xact_commit_timestamp() fails for transactions whose page is not there. Rows are not affected."}
	if c := r.control; c != nil {
		p.Value = fmt.Sprintf("%d,%d", c.CheckpointCopy.OldestCommitTsXID, c.CheckpointCopy.NewestCommitTsXID)
		p.Evidence = append(p.Evidence, "pg_control: "+p.Value)
		p.Why = "not passed: pg_resetwal keeps pg_control's values"
	}
	ts := r.ev.CommitTs
	p.Evidence = append(p.Evidence, ts.span())
	if r.opt.CommitTs && r.control == nil && ts.Files > 0 && ts.Used {
		oldest := max(pgdisk.XID(ts.FirstID), pgdisk.FirstNormalXID)
		p.Given, p.Why, p.Confidence = true, "asked for", Derived
		p.Value = fmt.Sprintf("%d,%d", uint32(oldest), uint32(max(pgdisk.XID(ts.LastUsed), pgdisk.FirstNormalXID)))
	}
	r.add(p)
	return nil
}

// commitTsSegment is the number of transactions in a pg_commit_ts file. The manual gives the bare
// file number, without a factor.
const commitTsSegment = pgdisk.BlockSize / 10 * pgdisk.SLRUPagesPerSegment

// charSignedness decides --char-signedness, which exists from 18 on.
func (r *resetting) charSignedness() error {
	if r.ev.Major < 18 {
		return nil
	}
	word := func(signed bool) string {
		if signed {
			return "signed"
		}
		return "unsigned"
	}
	p := Param{Switch: switchChar, Name: "default signedness of char", Confidence: Firm, Margin: "none",
		Formula: "as it was; initdb takes that of the machine",
		IfWrong: "GIN and GiST indexes of pg_trgm give wrong answers."}
	signed := r.ev.Machine.CharSigned
	p.Evidence = []string{fmt.Sprintf("machine: %s, char is %s", r.ev.Machine.Arch, word(signed))}
	switch {
	case r.control != nil:
		signed = r.control.DefaultCharSignedness
		p.Evidence = append([]string{"pg_control: " + word(signed)}, p.Evidence...)
		p.Why = "not passed: pg_resetwal keeps pg_control's value"
	case r.opt.Tool.known() && !r.opt.Tool.Signed:
		p.Why, p.Confidence = fmt.Sprintf("not passed: pg_resetwal %s has no such switch", r.opt.Tool.Version), Weak
	default:
		p.Given, p.Confidence = true, Derived
		p.Why = "pg_resetwal would guess unsigned; a cluster that was brought from another machine by pg_upgrade may differ from this one"
	}
	p.Value = word(signed)
	r.plan.Outcome.CharSigned = signed
	r.add(p)
	return nil
}

// identity settles what no switch can set: pg_resetwal keeps it from a good pg_control and invents it otherwise.
func (r *resetting) identity() error {
	on, known := r.ev.Pages.ChecksumsOn()
	if c := r.control; c != nil {
		r.plan.Outcome.SystemID, r.plan.Outcome.ChecksumVersion = c.SystemIdentifier, c.DataChecksumVersion
		if known && on != (c.DataChecksumVersion != 0) {
			r.warn("pg_control says data checksums are %s, but of the sampled pages %d carry a matching one and %d carry none", onOff(c.DataChecksumVersion != 0), r.ev.Pages.Checksummed, r.ev.Pages.Unchecked)
		}
		return nil
	}
	if known && on {
		r.plan.Outcome.ChecksumVersion = 1
		r.warn("data checksums were on (%d pages carry a matching one), but no switch sets them: after a guessed reset they are off. Rebuild pg_control from WAL instead, or write the flag into it afterwards; never turn them on with pg_checksums before the tables were checked, it blesses damaged pages.", r.ev.Pages.Checksummed)
	}
	switch len(r.ev.WAL.Systems) {
	case 0:
		r.warn("no switch sets the system identifier: pg_resetwal invents one. Archives, replicas and backups of this cluster no longer match it.")
	default:
		r.warn("no switch sets the system identifier (WAL says %s): pg_resetwal invents one unless pg_control is rebuilt from WAL first. Archives, replicas and backups of this cluster no longer match it.", r.systems())
	}
	return nil
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}
