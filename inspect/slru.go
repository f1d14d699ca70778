package inspect

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// SLRUSource is where SLRU directories are read from: a data directory, or a part of one that is
// presented under the names it has there.
type SLRUSource struct {
	FS         fs.FS                 // names as under a data directory
	Layout     pgdisk.Layout         // of the major, or one whose SLRUs have the same names
	Control    *pgdisk.Control       // nil when only a part is given, or when it cannot be decoded
	ControlErr error                 // why Control is nil or suspect; nil when only a part is given
	Dirs       []pgdisk.Geometry     // what to look at
	Seen       func(dir string) bool // whether a directory is part of what was given at all; nil for all
}

// SLRUKinds are the short names of the SLRU directories, in the order of pgdisk.Geometries.
func SLRUKinds() []string {
	return []string{"xact", "offsets", "members", "commit_ts", "subtrans", "serial", "notify"}
}

// SLRUGeometry returns the geometry of a short name, or of the directory's own name.
func SLRUGeometry(l pgdisk.Layout, kind string) (pgdisk.Geometry, bool) {
	for i, g := range pgdisk.Geometries(l) {
		if kind == g.Dir || kind == SLRUKinds()[i] || kind == "pg_"+SLRUKinds()[i] {
			return g, true
		}
	}
	return pgdisk.Geometry{}, false
}

// control returns pg_control where it can be believed, else nil.
func (s SLRUSource) control() *pgdisk.Control {
	if s.ControlErr != nil {
		return nil
	}
	return s.Control
}

// clean reports whether the server was stopped in order, so that pg_control's ids are final
// and nothing is left to replay. A standby stopped in order does not count: its pg_control is
// that of an older checkpoint.
func (s SLRUSource) clean() bool {
	c := s.control()
	return c != nil && c.State == pgdisk.ShutDown
}

// has reports whether a directory is part of what was given.
func (s SLRUSource) has(dir string) bool { return s.Seen == nil || s.Seen(dir) }

// SLRUQuestionError says that a question does not fit what it is asked of.
type SLRUQuestionError struct{ Reason string }

func (e *SLRUQuestionError) Error() string { return e.Reason }

// only returns the one directory that a question is about.
func (s SLRUSource) only() (pgdisk.Geometry, error) {
	if len(s.Dirs) != 1 {
		return pgdisk.Geometry{}, &SLRUQuestionError{fmt.Sprintf("%d SLRU directories are given, and this is asked of one", len(s.Dirs))}
	}
	return s.Dirs[0], nil
}

// slruPrinter writes answers: a line of JSON each, or text.
type slruPrinter struct {
	w    io.Writer
	json *json.Encoder // nil for text
	err  error         // the first one; what follows is not written
}

func newSLRUPrinter(w io.Writer, asJSON bool) *slruPrinter {
	p := &slruPrinter{w: w}
	if asJSON {
		p.json = json.NewEncoder(w)
	}
	return p
}

func (p *slruPrinter) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *slruPrinter) object(v any) {
	if p.err == nil {
		p.err = p.json.Encode(v)
	}
}

// slruMaxListed bounds what is listed of one kind; the number of the rest is said.
const slruMaxListed = 50

func slruListed(list []string) []string {
	if len(list) <= slruMaxListed {
		return list
	}
	return append(list[:slruMaxListed:slruMaxListed], fmt.Sprintf("and %d more", len(list)-slruMaxListed))
}

// slruCount puts a number before a noun.
func slruCount[T int | uint64](n T, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
