package pgops

import (
	"errors"
	"io"
	"io/fs"
	"strconv"
	"strings"
)

// PostmasterPath is the lock file of a running server under the data directory (DIRECTORY_LOCK_FILE, miscinit.c).
const PostmasterPath = "postmaster.pid"

// Postmaster is the content of postmaster.pid (LOCK_FILE_LINE_*, utils/pidfile.h). Its
// existence does not mean that a server runs: a crash leaves it. But pg_resetwal refuses as
// long as it is there.
type Postmaster struct {
	PID     int    // 0 when the line does not hold a number
	DataDir string // as the server saw it, inside its container
	Started int64  // Unix seconds, 0 when unknown
	Port    int
	Status  string // "ready", "starting", "stopping", "standby"; empty when not written yet
}

func readPostmaster(fsys fs.FS) (*Postmaster, error) {
	b, err := readSmall(fsys, PostmasterPath, 4096)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	lines := strings.Split(string(b), "\n")
	line := func(n int) string {
		if n >= len(lines) {
			return ""
		}
		return strings.TrimSpace(lines[n])
	}
	number := func(n int) int {
		v, _ := strconv.Atoi(line(n)) // a damaged line reads as 0, which the type documents
		return v
	}
	return &Postmaster{PID: number(0), DataDir: line(1), Started: int64(number(2)), Port: number(3), Status: line(7)}, nil
}

// readUpTo reads at most limit bytes.
func readUpTo(r io.Reader, limit int64) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, limit))
}
