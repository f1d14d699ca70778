package ui

import (
	"bufio"
	"errors"
	"io"
	"strings"
)

// maxInput bounds a line typed or piped in.
const maxInput = 1 << 20

// lineReader reads lines; one that is too long is an error, not a smaller line.
type lineReader struct{ in *bufio.Reader }

func newLineReader(in io.Reader) *lineReader { return &lineReader{bufio.NewReader(in)} }

// next returns the next line without its end. A last line without one counts.
func (l *lineReader) next() (string, error) {
	var b strings.Builder
	for {
		part, err := l.in.ReadSlice('\n')
		b.Write(part)
		switch {
		case b.Len() > maxInput:
			return "", errors.New("line too long")
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && b.Len() == 0:
			return "", err
		}
		return strings.TrimRight(b.String(), "\r\n"), nil
	}
}
