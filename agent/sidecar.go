package agent

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
)

// SidecarHeader is the first line of a sidecar.
type SidecarHeader struct {
	Format           string  `json:"format"`  // SidecarFormat
	Version          int     `json:"version"` // SidecarVersion
	Tool             string  `json:"tool"`    // program and version that made the snapshot
	Made             string  `json:"made"`    // when, RFC 3339
	SystemIdentifier string  `json:"system_identifier,omitempty"`
	Pieces           []Piece `json:"pieces"`
}

// The sidecar's format. Readers refuse a version they do not know.
const (
	SidecarFormat  = "pgrescue-sidecar"
	SidecarVersion = 1
)

// sidecarLine is one line: the header, then records, then the end. Prev is the SHA-256
// of the previous line's bytes without its newline, so that a line cannot be changed,
// lost or moved without all that follow.
type sidecarLine struct {
	Prev   string         `json:"prev,omitempty"` // empty on the first line alone
	Header *SidecarHeader `json:"header,omitempty"`
	Record *Record        `json:"record,omitempty"`
	End    *sidecarEnd    `json:"end,omitempty"`
}

type sidecarEnd struct {
	Records int64 `json:"records"`
}

// SidecarWriter writes everything about a snapshot that a backup manifest has no place
// for: WAL, modes, owners, links, attributes, directories, holes, bad ranges and pages.
type SidecarWriter struct {
	w    *bufio.Writer
	prev string
	n    int64
}

// NewSidecarWriter writes the header. Format and Version are filled in.
func NewSidecarWriter(w io.Writer, h SidecarHeader) (*SidecarWriter, error) {
	h.Format, h.Version = SidecarFormat, SidecarVersion
	s := &SidecarWriter{w: bufio.NewWriterSize(w, 64<<10)}
	return s, s.line(sidecarLine{Header: &h})
}

// Write adds a record.
func (s *SidecarWriter) Write(r Record) error {
	s.n++
	return s.line(sidecarLine{Record: &r})
}

// Close writes the end line and flushes. It returns the SHA-256 of the end line, which
// stands for the whole file: keep it in the journal. The underlying writer stays open.
func (s *SidecarWriter) Close() (seal string, err error) {
	if err := s.line(sidecarLine{End: &sidecarEnd{Records: s.n}}); err != nil {
		return "", err
	}
	return s.prev, s.w.Flush()
}

func (s *SidecarWriter) line(l sidecarLine) error {
	l.Prev = s.prev
	b, err := encodeLine(l)
	if err != nil {
		return fmt.Errorf("sidecar: %w", err)
	}
	s.prev = lineSum(b[:len(b)-1])
	if _, err := s.w.Write(b); err != nil {
		return fmt.Errorf("sidecar: %w", err)
	}
	return nil
}

func lineSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Sidecar is an opened sidecar file.
type Sidecar struct {
	Header SidecarHeader
	Seal   string // after Records ended well: the SHA-256 of the end line

	in   *bufio.Reader
	prev string
	line int
}

// OpenSidecar reads the header.
func OpenSidecar(r io.Reader) (*Sidecar, error) {
	s := &Sidecar{in: bufio.NewReaderSize(r, 64<<10)}
	l, err := s.next()
	if err != nil {
		return nil, err
	}
	if l.Header == nil || l.Header.Format != SidecarFormat {
		return nil, s.errorf("is no header of a %s", SidecarFormat)
	}
	if l.Header.Version != SidecarVersion {
		return nil, s.errorf("has format version %d, this program reads %d", l.Header.Version, SidecarVersion)
	}
	s.Header = *l.Header
	return s, nil
}

// Records yields the records in order and checks the chain on the way. It ends with an
// error where the chain breaks or the end line is missing. It may be ranged over once.
func (s *Sidecar) Records() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for n := int64(0); ; n++ {
			l, err := s.next()
			switch {
			case err != nil:
				yield(Record{}, err)
				return
			case l.End != nil:
				if err := s.finish(l.End, n); err != nil {
					yield(Record{}, err)
				}
				return
			case l.Record == nil:
				yield(Record{}, s.errorf("is neither a record nor the end"))
				return
			}
			if !yield(*l.Record, nil) {
				return
			}
		}
	}
}

func (s *Sidecar) finish(end *sidecarEnd, n int64) error {
	if end.Records != n {
		return s.errorf("counts %d records, %d were read", end.Records, n)
	}
	if _, err := s.in.ReadByte(); !errors.Is(err, io.EOF) {
		return s.errorf("is the end, but bytes follow")
	}
	s.Seal = s.prev
	return nil
}

func (s *Sidecar) next() (sidecarLine, error) {
	var l sidecarLine
	s.line++
	b, err := readLine(s.in, maxLine)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return l, s.errorf("is cut or missing: the file has no end line")
	}
	if err != nil {
		return l, fmt.Errorf("sidecar line %d: %w", s.line, err)
	}
	if err := decodeStrict(b, &l); err != nil {
		return l, fmt.Errorf("sidecar line %d: %w", s.line, err)
	}
	if l.Prev != s.prev {
		return l, s.errorf("does not follow the line before it: a line was changed, lost or moved")
	}
	s.prev = lineSum(b)
	return l, nil
}

func (s *Sidecar) errorf(format string, args ...any) error {
	return fmt.Errorf("sidecar line %d %s", s.line, fmt.Sprintf(format, args...))
}
