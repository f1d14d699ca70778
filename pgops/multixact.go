package pgops

import (
	"context"
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// MultiXactReport says what is missing from pg_multixact and who depends on it.
type MultiXactReport struct {
	Oldest     pgdisk.MultiXactID // the oldest multixact in use
	Next       pgdisk.MultiXactID // the first that was never given out, by all evidence
	End        pgdisk.MultiXactOffset
	EndKnown   bool          // End is where the members of the last multixact end
	Offsets    []SLRUDamage  // pages of pg_multixact/offsets that are needed and not on disk
	Members    []SLRUDamage  // the same of pg_multixact/members
	Relations  []MultiTuples // relations with tuples that refer to multixacts, by path
	Total      MultiTuples   // the sum of them
	Restorable RestoredMultis
	Wiped      []WipedPage // at most 1000
	WipedCount uint64
	WipedRows  uint64 // estimate
	Fills      []FillEffect
	Unreadable []string // files that gave read errors, at most 20
	BadPages   uint64   // heap pages that do not hold together: what is on them is not counted
}

// SLRUDamage is a run of pages that should be there.
type SLRUDamage struct {
	Dir         string
	File        string // the first one concerned
	Why         string // in words: file missing, file too short
	First, Last pgdisk.PageNo
	FirstID     uint64 // multixacts or member offsets that lie there
	LastID      uint64
}

// MultiTuples counts the tuples of one relation whose xmax is a multixact that counts.
type MultiTuples struct {
	Path     string // main fork, first file
	Tuples   uint64
	Readable uint64 // its members can be read
	FromWAL  uint64 // only with what WAL restores; part of Readable
	Locked   uint64 // lost, and only locked the row: clearing it loses nothing
	Updated  uint64 // lost, and the row has a newer version
	Deleted  uint64 // lost, and the row was deleted, moved to another partition, or both unknown
	Examples []string
}

// Lost is the number of tuples whose multixact cannot be read any more.
func (m MultiTuples) Lost() uint64 { return m.Locked + m.Updated + m.Deleted }

func (m *MultiTuples) add(n MultiTuples) {
	m.Tuples += n.Tuples
	m.Readable += n.Readable
	m.FromWAL += n.FromWAL
	m.Locked += n.Locked
	m.Updated += n.Updated
	m.Deleted += n.Deleted
}

// RestoredMultis counts the multixacts whose creation is still in WAL and that are not, or not so, on disk.
type RestoredMultis struct {
	Seen     uint64 // creations in WAL from Oldest on
	Restored uint64 // differ from what is on disk
	Pages    int    // pages they lie on
	Skipped  uint64 // left out because they lie on too many pages
}

// FillEffect says what filling the missing pages in one way would do.
type FillEffect struct {
	Fill    string
	Effect  string
	Tuples  uint64 // that it would hit
	Advised bool
}

// ScanMultiXact finds out what is missing between the oldest and the next multixact, which of it WAL can
// restore exactly, and which tuples of which relations refer to the rest. It reads every heap page once and
// changes nothing. The evidence tells the bounds; it must be of the same files.
func ScanMultiXact(ctx context.Context, pieces Pieces, ev *Evidence, report Report) (*MultiXactReport, error) {
	c, err := OpenCluster(pieces)
	if err != nil {
		return nil, err
	}
	m, err := openMultiXacts(ctx, c, ev)
	if err != nil {
		return nil, err
	}
	rep := m.report()
	scan := newMultiScan(c, ev, m, rep, report)
	if err := scan.run(ctx); err != nil {
		return nil, fmt.Errorf("scan for multixacts: %w", err)
	}
	rep.Fills = fillEffects(rep)
	return rep, nil
}

// fillEffects explains the choices with the counts that decide between them.
func fillEffects(rep *MultiXactReport) []FillEffect {
	if len(rep.Offsets) == 0 && len(rep.Members) == 0 && rep.Total.Lost() == 0 {
		return nil
	}
	changed := rep.Total.Updated + rep.Total.Deleted
	return []FillEffect{
		{Fill: "offsets with zeros", Tuples: rep.Total.Lost(),
			Effect: "Reading one of these rows ends in an error, or with minor releases from before February 2026 waits for ever; a later vacuum can take the zero for the start of the members and delete files that are in use."},
		{Fill: "members with zeros", Tuples: changed,
			Effect: "Rows that were updated or deleted come back beside their newer versions: duplicates, without any error."},
		{Fill: "leave them missing", Tuples: rep.Total.Lost(),
			Effect: "Reading one of these rows ends in an error, and the server does not start at all when the page of the next multixact is among them."},
		{Fill: "restore from WAL what is there, treat the tuples that refer to the rest, then fill", Tuples: rep.Total.Lost(), Advised: true,
			Effect: "Rows that were only locked lose a lock that nobody holds. For updated rows the newer version decides. Rows whose fate nothing tells are kept and listed."},
	}
}
