package pgdisk

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// PIDFileName is the lock file of a running server, left behind by a crash (DIRECTORY_LOCK_FILE).
const PIDFileName = "postmaster.pid"

// pidFileMax bounds what is looked at; a socket directory and data directory are paths of
// at most 1024 bytes.
const pidFileMax = 8192

// PIDFile is postmaster.pid (utils/pidfile.h). Only PID is sure to be there: the file is
// written in steps, and a crash can come between any two.
type PIDFile struct {
	PID        int       // process id, as the server's own PID namespace has it
	Standalone bool      // written by a single-user server, which gives its PID as a negative number
	DataDir    string    // as the server sees it: a path inside the container
	Started    time.Time // zero when missing
	Port       int
	SocketDir  string
	Listen     string // first listen address, may be empty
	ShmemKey   uint64
	ShmemID    uint64
	Status     string // starting, stopping, ready or standby; empty before 10 or when missing
}

// ParsePIDFile reads a postmaster.pid. It refuses a file whose first line is no process id;
// later lines that are missing or damaged stay at their zero values.
//
// In a container the id is mostly 1, so it says nothing about processes of the host.
func ParsePIDFile(b []byte) (*PIDFile, error) {
	lines := strings.Split(string(b[:min(len(b), pidFileMax)]), "\n")
	pid, err := strconv.ParseInt(strings.TrimSpace(lines[0]), 10, 32)
	if err != nil || pid == 0 {
		return nil, &FormatError{File: PIDFileName, Field: "line 1", Want: "a process id", Got: fmt.Sprintf("%.40q", lines[0])}
	}
	line := func(n int) string { // as LOCK_FILE_LINE_* count: from 1
		if n > len(lines) {
			return ""
		}
		return strings.TrimRight(lines[n-1], " \r")
	}
	f := &PIDFile{PID: int(max(pid, -pid)), Standalone: pid < 0, DataDir: line(2), SocketDir: line(5), Listen: line(6), Status: line(8)}
	if unix, err := strconv.ParseInt(line(3), 10, 64); err == nil {
		f.Started = time.Unix(unix, 0).UTC()
	}
	if port, err := strconv.ParseUint(line(4), 10, 16); err == nil {
		f.Port = int(port)
	}
	if ids := strings.Fields(line(7)); len(ids) == 2 {
		f.ShmemKey, _ = strconv.ParseUint(ids[0], 10, 64) // a damaged one stays 0
		f.ShmemID, _ = strconv.ParseUint(ids[1], 10, 64)
	}
	return f, nil
}
