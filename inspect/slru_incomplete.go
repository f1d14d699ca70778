package inspect

import "github.com/pgrescue/pgrescue/pgops/pgdisk"

// slruFinding is a line of a listing that says what the listing lacks.
type slruFinding struct {
	Finding string `json:"finding"`
}

// incomplete prints what is wrong with a directory whose entries were listed, so that a listing
// from which a file is missing does not pass for a whole one. It returns how many lines that were.
func (p *slruPrinter) incomplete(src SLRUSource, s *pgdisk.SLRUSurvey) int {
	var need *pgdisk.SLRUNeed
	if c := src.control(); c != nil {
		for _, n := range pgdisk.SLRUNeeds(c, pgdisk.NewSLRUFiles(src.FS)) {
			if n.Geometry.Dir == s.Geometry.Dir {
				need = &n
			}
		}
	}
	r := &slruReport{Dir: s.Geometry.Dir}
	r.judgeFiles(s)
	for _, stray := range s.Strays {
		if _, ok := s.Geometry.ParseName(stray.Name); ok {
			r.finding("%s: %s", stray.Name, stray.Why)
		}
	}
	r.judgeGaps(src, s, need)
	if need != nil {
		r.judgeNeed(src, s, *need)
	}
	for _, f := range slruListed(r.Findings) {
		if p.json != nil {
			p.object(&slruFinding{f})
		} else {
			p.line("FINDING %s", f)
		}
	}
	return len(r.Findings)
}
