package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// maxLine bounds one event. A plan with thousands of changes is some megabytes.
const maxLine = 256 << 20

// Replay is what a journal holds.
type Replay struct {
	Events []engine.Event
	Head   string // hash of the last complete line
	Size   int64  // bytes of complete lines
	Torn   []byte // what follows them without a newline
}

// Read replays a journal file without locking it. Every line must follow the one before.
func Read(path string) (Replay, error) {
	f, err := os.Open(path)
	if err != nil {
		return Replay{}, fmt.Errorf("journal: %w", err)
	}
	defer f.Close()
	return replay(f)
}

// Read replays the incident's journal without locking it.
func (d Dir) Read() (Replay, error) { return Read(d.Path(journalName)) }

func replay(r io.Reader) (Replay, error) {
	var rep Replay
	in := bufio.NewReaderSize(r, 1<<20)
	for n := 1; ; n++ {
		line, err := readLine(in)
		if err == io.EOF {
			rep.Torn = line
			return rep, nil
		}
		if err != nil {
			return rep, fmt.Errorf("journal line %d: %w", n, err)
		}
		var e engine.Event
		if err := json.Unmarshal(line, &e); err != nil {
			return rep, fmt.Errorf("journal line %d is damaged: %w", n, err)
		}
		if e.Prev != rep.Head {
			return rep, fmt.Errorf("journal line %d does not follow the line before it: want prev %q, found %q", n, rep.Head, e.Prev)
		}
		if e.Seq != int64(n) {
			return rep, fmt.Errorf("journal line %d holds event %d", n, e.Seq)
		}
		rep.Events = append(rep.Events, e)
		rep.Head = hash(line)
		rep.Size += int64(len(line))
	}
}

// readLine returns a line with its newline, or what is left with io.EOF.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxLine {
			return nil, fmt.Errorf("line is longer than %d bytes", maxLine)
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		if err != nil {
			return bytes.Clone(line), err
		}
		return line, nil
	}
}
