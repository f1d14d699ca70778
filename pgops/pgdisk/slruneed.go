package pgdisk

// SLRUNeed is a run of ids whose pages the server has to find in an SLRU directory.
type SLRUNeed struct {
	Geometry    Geometry
	First, Last uint64 // both included; Last is before First where the run passes the end of the circle
	From        string // where the ends come from, in pg_control's names
	Unknown     string // why the run cannot be told; First and Last are then meaningless
}

// Lacking returns the pages of the run that the files do not hold.
func (n SLRUNeed) Lacking(segments []Segment) []Hole {
	if n.Unknown != "" {
		return nil
	}
	g := n.Geometry
	return Holes(g, segments, g.Locate(n.First).Page, g.Locate(n.Last).Page)
}

// SLRUNeeds tells by pg_control which ids the durable SLRU directories must hold: of pg_xact
// oldestXid up to nextXid, of the offsets oldestMulti up to nextMulti, of the members from the
// first member of oldestMulti up to nextMultiOffset, of pg_commit_ts what was tracked. A
// directory of which nothing is needed is not in the list.
//
// After a crash the ids are those of the last checkpoint: replay can have more ends to find,
// and files before a new oldest id can have been removed since. pages gives the first member's
// position; with nil, or where it cannot be read, that need is unknown.
func SLRUNeeds(c *Control, pages SLRUPages) []SLRUNeed {
	p := c.CheckpointCopy
	var needs []SLRUNeed
	if p.OldestXID.Normal() && p.NextXID.XID() != p.OldestXID {
		needs = append(needs, SLRUNeed{Geometry: XactGeometry(), First: uint64(p.OldestXID),
			Last: uint64(p.NextXID.XID() - 1), From: "oldestXID up to NextXID"})
	}
	if p.OldestMulti != 0 && p.NextMulti != p.OldestMulti {
		last := p.NextMulti - 1
		if last == 0 {
			last-- // 0 is no multixact
		}
		needs = append(needs,
			SLRUNeed{Geometry: OffsetsGeometry(), First: uint64(p.OldestMulti), Last: uint64(last), From: "oldestMultiXid up to NextMultiXactId"},
			needOfMembers(p, pages))
	}
	if p.OldestCommitTsXID.Normal() && p.NewestCommitTsXID.Normal() {
		needs = append(needs, SLRUNeed{Geometry: CommitTsGeometry(), First: uint64(p.OldestCommitTsXID),
			Last: uint64(p.NewestCommitTsXID), From: "oldestCommitTsXid to newestCommitTsXid"})
	}
	return needs
}

func needOfMembers(p CheckpointRecord, pages SLRUPages) SLRUNeed {
	n := SLRUNeed{Geometry: MembersGeometry(), Last: uint64(p.NextMultiOffset - 1), From: "the first member of oldestMultiXid up to NextMultiOffset"}
	if pages == nil {
		n.Unknown = "the offset of oldestMultiXid was not read"
		return n
	}
	first, err := readOffset(pages, p.OldestMulti, p.OldestMulti, OffsetFileMissing)
	if err != nil {
		n.Unknown = err.Error()
		return n
	}
	if first == p.NextMultiOffset {
		n.Unknown = "oldestMultiXid starts at NextMultiOffset: it has no members"
	}
	n.First = uint64(first)
	return n
}
