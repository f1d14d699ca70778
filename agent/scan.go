package agent

import (
	"context"
	"io/fs"

	"github.com/pgrescue/pgrescue/pgops"
)

// ScanRequest asks for a scan of a whole cluster. Nothing is written.
type ScanRequest struct {
	Pieces []Piece `json:"pieces"`
}

// ScanParams collects the evidence for pg_resetwal's values (pgops.ScanParams).
func ScanParams(ctx context.Context, req ScanRequest, s *Stream) (*pgops.Evidence, error) {
	trees, err := openTrees(req.Pieces)
	if err != nil {
		return nil, err
	}
	defer closeTrees(trees)
	pieces, err := clusterPieces(trees)
	if err != nil {
		return nil, err
	}
	return pgops.ScanParams(ctx, pieces, scanReport(s))
}

// clusterPieces joins the trees to a data directory with what its links lead to.
func clusterPieces(trees []*tree) (pgops.Pieces, error) {
	out := pgops.Pieces{}
	links := map[string]*tree{}
	for _, t := range trees {
		part := t.parts()[0]
		switch oid, isTablespace := part.tablespaceOID(); {
		case part.Role == RoleData:
			out.Data = t.root.FS()
		case part.Role == RoleWAL:
			links["pg_wal"] = t
		case isTablespace:
			links["pg_tblspc/"+oid] = t
		}
	}
	if out.Data == nil {
		return out, refuse(KindBadRequest, "", "the request names no data directory", "name the piece data")
	}
	for name, t := range links {
		if out.Links == nil {
			out.Links = map[string]fs.FS{}
		}
		out.Links[name] = t.root.FS()
	}
	return out, nil
}

// scanReport passes a scan's progress on.
func scanReport(s *Stream) pgops.Report {
	return func(p pgops.Progress) {
		s.Progress(Progress{Phase: p.What, Bytes: p.Done, BytesTotal: p.Total})
	}
}

// MultiXactRequest asks what is missing from pg_multixact, and how to mend it. Evidence and
// Reset come from scans of the same files.
type MultiXactRequest struct {
	Pieces   []Piece          `json:"pieces"`
	Evidence *pgops.Evidence  `json:"evidence"`
	Reset    *pgops.ResetPlan `json:"reset"`
}

// MultiXactResult is what was found and what the plan does about it. The edits of the plan
// are the records, in the order in which they are to be made.
type MultiXactResult struct {
	Report *pgops.MultiXactReport `json:"report"`
	Plan   *pgops.MultiXactPlan   `json:"plan"`
}

// ScanMultiXact plans the repair of the multixact files (pgops.ScanMultiXact and
// pgops.StreamMultiXactRepair). Nothing is written.
func ScanMultiXact(ctx context.Context, req MultiXactRequest, s *Stream) (MultiXactResult, error) {
	var res MultiXactResult
	trees, err := openTrees(req.Pieces)
	if err != nil {
		return res, err
	}
	defer closeTrees(trees)
	pieces, err := clusterPieces(trees)
	if err != nil {
		return res, err
	}
	if res.Report, err = pgops.ScanMultiXact(ctx, pieces, req.Evidence, scanReport(s)); err != nil {
		return res, err
	}
	res.Plan, err = pgops.StreamMultiXactRepair(ctx, pieces, req.Evidence, req.Reset, scanReport(s), func(e pgops.Edit) error {
		return s.Record(e)
	})
	return res, err
}
