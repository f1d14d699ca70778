package pgdisk

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
)

// walMaxHistorySize bounds a timeline history file in bytes. A line is some 60 bytes and
// a cluster that was promoted a thousand times is not known.
const walMaxHistorySize = 1 << 20

// WALSwitch says that a timeline was left at Until for the next one (TimeLineHistoryEntry,
// access/timeline.h).
type WALSwitch struct {
	Timeline TimelineID
	Until    LSN
}

// ParseWALHistory reads the history file of a timeline: its ancestors, oldest first
// (readTimeLineHistory, timeline.c). tli is the timeline that the file is named for.
func ParseWALHistory(b []byte, tli TimelineID) ([]WALSwitch, error) {
	var switches []WALSwitch
	lines := bufio.NewScanner(bytes.NewReader(b))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Fields(line)
		if len(fields) < 2 {
			return nil, fmt.Errorf("timeline history line %d: want a timeline and an LSN, found %q", n, line)
		}
		id, err := strconv.ParseUint(fields[0], 10, 32)
		if err != nil {
			return nil, fmt.Errorf("timeline history line %d: timeline: %w", n, err)
		}
		until, err := ParseLSN(fields[1])
		if err != nil {
			return nil, fmt.Errorf("timeline history line %d: %w", n, err)
		}
		if k := len(switches); k > 0 && TimelineID(id) <= switches[k-1].Timeline {
			return nil, fmt.Errorf("timeline history line %d: timeline %d does not follow %d", n, id, switches[k-1].Timeline)
		}
		if TimelineID(id) >= tli {
			return nil, fmt.Errorf("timeline history line %d: timeline %d is not older than %d", n, id, tli)
		}
		switches = append(switches, WALSwitch{TimelineID(id), until})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("timeline history: %w", err)
	}
	return switches, nil
}

// ReadWALHistory reads the history of a timeline from the root of fsys. Timeline 1 has
// none, and a later one whose file is not there is taken to have none: then only its
// own segments are followed.
func ReadWALHistory(fsys fs.FS, tli TimelineID) ([]WALSwitch, error) {
	if tli <= 1 {
		return nil, nil
	}
	name := fmt.Sprintf("%08X.history", uint32(tli))
	file, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open timeline history: %w", err)
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, walMaxHistorySize))
	if err != nil {
		return nil, fmt.Errorf("read timeline history %s: %w", name, err)
	}
	switches, err := ParseWALHistory(b, tli)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return switches, nil
}
