package inspect

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// slruReport is what is said of one directory.
type slruReport struct {
	Dir       string     `json:"dir"`
	Segments  int        `json:"segments"`
	Bytes     int64      `json:"bytes"`
	Files     []slruRun  `json:"files"`
	Oldest    string     `json:"oldest,omitempty"`
	Newest    string     `json:"newest,omitempty"`
	Wrapped   bool       `json:"wrapped"`
	Ambiguous bool       `json:"ambiguous"`
	FirstID   uint64     `json:"first_id"`
	EndID     uint64     `json:"end_id"` // one beyond the last that the files have room for
	LastUsed  *uint64    `json:"last_used,omitempty"`
	Needed    *slruNeed  `json:"needed,omitempty"`
	Gaps      []slruHole `json:"gaps,omitempty"`
	Lacking   []slruHole `json:"lacking,omitempty"`
	Findings  []string   `json:"findings,omitempty"`
	Notes     []string   `json:"notes,omitempty"`
}

// slruRun is a run of files whose numbers follow each other.
type slruRun struct {
	First string `json:"first"`
	Last  string `json:"last"`
	Count int    `json:"count"`
}

type slruNeed struct {
	First   uint64 `json:"first"`
	Last    uint64 `json:"last"`
	From    string `json:"from"`
	Unknown string `json:"unknown,omitempty"`
}

type slruHole struct {
	File    string `json:"file"`
	Kind    string `json:"kind"`
	First   uint64 `json:"first_page"`
	Last    uint64 `json:"last_page"`
	FirstID uint64 `json:"first_id"`
	LastID  uint64 `json:"last_id"`
}

func (h slruHole) String() string {
	return fmt.Sprintf("%s: %s: pages %d to %d, ids %d to %d", h.File, h.Kind, h.First, h.Last, h.FirstID, h.LastID)
}

// SLRU looks through SLRU directories and compares them with pg_control's ids. It returns the
// number of findings: what the server needs and does not find, or would misread.
func SLRU(ctx context.Context, src SLRUSource, asJSON bool, w io.Writer) (findings int, err error) {
	p := newSLRUPrinter(w, asJSON)
	needs := make(map[string]pgdisk.SLRUNeed)
	if c := src.control(); c != nil {
		for _, n := range pgdisk.SLRUNeeds(c, pgdisk.NewSLRUFiles(src.FS)) {
			needs[n.Geometry.Dir] = n
		}
	}
	if src.ControlErr != nil {
		r := &slruReport{Dir: pgdisk.ControlFilePath, Files: []slruRun{}, Findings: []string{src.ControlErr.Error() + ": the ids are not compared"}}
		findings++
		if asJSON {
			p.object(r)
		} else {
			p.line("%s", r.Dir)
			p.line("  FINDING %s", r.Findings[0])
		}
	}
	for _, g := range src.Dirs {
		survey, err := pgdisk.SurveySLRU(ctx, src.FS, g)
		if err != nil {
			return findings, err
		}
		var need *pgdisk.SLRUNeed
		if n, ok := needs[g.Dir]; ok {
			need = &n
		}
		r := slruReportOf(src, survey, need)
		findings += len(r.Findings)
		if asJSON {
			p.object(r)
		} else {
			r.print(p, survey)
		}
	}
	return findings, p.err
}

// slruReportOf judges a survey. need is nil where pg_control asks for nothing, or is not known.
func slruReportOf(src SLRUSource, s *pgdisk.SLRUSurvey, need *pgdisk.SLRUNeed) *slruReport {
	r := &slruReport{Dir: s.Geometry.Dir, Segments: len(s.Segments), Files: slruRuns(s)}
	for _, f := range s.Segments {
		r.Bytes += f.Size
	}
	if len(s.Segments) > 0 {
		r.Oldest, r.Newest = s.Span.Oldest.Name, s.Span.Newest.Name
		r.Wrapped, r.Ambiguous = s.Span.Wrapped(), s.Span.Ambiguous()
		r.FirstID, r.EndID = s.Geometry.FirstID(s.First), min(s.Geometry.FirstID(s.End), s.Geometry.Entries)
	}
	if s.Used {
		r.LastUsed = &s.LastUsed
	}
	r.judgeFiles(s)
	r.judgeGaps(src, s, need)
	if need != nil {
		r.judgeNeed(src, s, *need)
	}
	r.judgeUsed(src, s)
	r.Findings, r.Notes = slruListed(r.Findings), slruListed(r.Notes)
	return r
}

func (r *slruReport) finding(format string, args ...any) {
	r.Findings = append(r.Findings, fmt.Sprintf(format, args...))
}

func (r *slruReport) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// judgeFiles looks at names and sizes.
func (r *slruReport) judgeFiles(s *pgdisk.SLRUSurvey) {
	g := s.Geometry
	switch {
	case s.Absent:
		r.finding("the directory is missing: the server does not start, or fails at the first %s", g.What)
	case len(s.Segments) == 0 && g.Durable && g.Dir != pgdisk.CommitTsGeometry().Dir:
		r.finding("no files: every cluster has one here from the beginning")
	}
	for _, f := range s.Odd {
		say := r.note
		if g.Durable {
			say = r.finding
		}
		say("%s has %d bytes: want whole pages of %d, at most %d of them", f.Name, f.Size, pgdisk.BlockSize, g.PagesIn(f.Number))
	}
	for _, stray := range s.Strays {
		r.note("%s: %s", stray.Name, stray.Why)
	}
	if r.Ambiguous && len(s.Segments) > 1 {
		r.note("the files alone do not tell where the circle begins")
	}
}

// judgeGaps looks at what is missing between the oldest and the newest file. Where pg_control says
// what is needed, judgeNeed finds what matters.
func (r *slruReport) judgeGaps(src SLRUSource, s *pgdisk.SLRUSurvey, need *pgdisk.SLRUNeed) {
	r.Gaps = slruHoles(s.Geometry, s.Gaps)
	for _, h := range r.Gaps {
		known := src.control() != nil && (need == nil || need.Unknown == "")
		switch {
		case !s.Geometry.Durable:
			r.note("%s (the server makes these files anew)", h)
		case known:
			r.note("a gap among the files: %s", h)
		default:
			r.finding("a gap among the files: %s", h)
		}
	}
}

// judgeNeed compares with what pg_control says there has to be.
func (r *slruReport) judgeNeed(src SLRUSource, s *pgdisk.SLRUSurvey, need pgdisk.SLRUNeed) {
	r.Needed = &slruNeed{First: need.First, Last: need.Last, From: need.From, Unknown: need.Unknown}
	lacking := need.Lacking(s.Segments)
	r.Lacking = slruHoles(s.Geometry, lacking)
	first := s.Geometry.Locate(need.First).Page
	last := s.Geometry.Locate(need.Last).Page
	for i, h := range r.Lacking {
		removed := !src.clean() && lacking[i].First == first && lacking[i].Last != last && lacking[i].Kind == pgdisk.HoleMissing
		if removed && len(lacking) == 1 {
			r.note("needed by pg_control's ids of the last checkpoint, but may have been removed since: %s", h)
			continue
		}
		r.finding("needed and not there: %s", h)
	}
}

// judgeUsed compares the last entry in use with the next id to be given out.
func (r *slruReport) judgeUsed(src SLRUSource, s *pgdisk.SLRUSurvey) {
	if !s.Used || src.control() == nil {
		return
	}
	c := src.Control.CheckpointCopy
	var next uint32 // the first id that no entry may have
	var name string
	switch s.Geometry.Dir {
	case pgdisk.XactGeometry().Dir:
		next, name = uint32(c.NextXID.XID()), fmt.Sprintf("NextXID %d", c.NextXID.XID())
	case pgdisk.OffsetsGeometry().Dir:
		// Minor versions since the end of 2025 write the entry of the next multixact ahead.
		next, name = uint32(c.NextMulti)+1, fmt.Sprintf("NextMultiXactId %d", c.NextMulti)
	case pgdisk.MembersGeometry().Dir:
		next, name = uint32(c.NextMultiOffset), fmt.Sprintf("NextMultiOffset %d", c.NextMultiOffset)
	default:
		return
	}
	if int32(uint32(s.LastUsed)-next) < 0 {
		return
	}
	if src.clean() {
		r.finding("entry %d is in use, but pg_control has %s and was written by an orderly stop: pg_control is older than these files", s.LastUsed, name)
		return
	}
	r.note("entry %d is in use, beyond %s of the last checkpoint: replay goes there", s.LastUsed, name)
}

// slruRuns joins files whose numbers follow each other.
func slruRuns(s *pgdisk.SLRUSurvey) []slruRun {
	runs := []slruRun{}
	for i, f := range s.Segments {
		if n := len(runs); i > 0 && f.Number == s.Segments[i-1].Number+1 {
			runs[n-1].Last = f.Name
			runs[n-1].Count++
			continue
		}
		runs = append(runs, slruRun{First: f.Name, Last: f.Name, Count: 1})
	}
	return runs
}

func slruHoles(g pgdisk.Geometry, holes []pgdisk.Hole) []slruHole {
	var all []slruHole
	for _, h := range holes {
		all = append(all, slruHole{File: h.Name, Kind: h.Kind.String(), First: uint64(h.First), Last: uint64(h.Last),
			FirstID: g.FirstID(h.First), LastID: min(g.FirstID(h.Last+1), g.Entries) - 1})
	}
	return all
}

func (r *slruReport) print(p *slruPrinter, s *pgdisk.SLRUSurvey) {
	switch {
	case s.Absent:
		p.line("%s", r.Dir)
	case len(s.Segments) == 0:
		p.line("%s: empty", r.Dir)
	default:
		p.line("%s: %s, %d bytes, oldest %s, newest %s%s", r.Dir, slruCount(r.Segments, "file"), r.Bytes, r.Oldest, r.Newest, slruIf(r.Wrapped, ", around the end of the circle"))
		p.line("  room for %ss %d to %d", s.Geometry.What, r.FirstID, (r.EndID+s.Geometry.Entries-1)%s.Geometry.Entries)
	}
	if len(r.Files) > 1 {
		p.line("  files: %s", strings.Join(slruListed(slruRunTexts(r.Files)), ", "))
	}
	if r.LastUsed != nil {
		p.line("  last in use: %d", *r.LastUsed)
	}
	if n := r.Needed; n != nil && n.Unknown == "" {
		p.line("  needed: %d to %d (%s)", n.First, n.Last, n.From)
	} else if n != nil {
		p.line("  needed: %s: %s", n.From, n.Unknown)
	}
	for _, f := range r.Findings {
		p.line("  FINDING %s", f)
	}
	for _, n := range r.Notes {
		p.line("  note %s", n)
	}
}

func slruRunTexts(runs []slruRun) []string {
	texts := make([]string, 0, len(runs))
	for _, run := range runs {
		if run.Count == 1 {
			texts = append(texts, run.First)
		} else {
			texts = append(texts, run.First+" to "+run.Last)
		}
	}
	return texts
}

func slruIf(condition bool, text string) string {
	if condition {
		return text
	}
	return ""
}
