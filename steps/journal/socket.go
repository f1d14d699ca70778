package journal

import (
	"fmt"
	"os"
)

// maxSocketPath is what fits into sockaddr_un with its terminating zero, on every
// system this runs on.
const maxSocketPath = 103

// SocketPath is a path to the named socket in the incident directory that is short enough
// for the kernel. A deep directory is reached through its open descriptor; done closes
// it and must be called after dialling or listening.
func (d Dir) SocketPath(name string) (path string, done func(), err error) {
	path = d.Path(name)
	if len(path) <= maxSocketPath {
		return path, func() {}, nil
	}
	f, err := os.Open(string(d))
	if err != nil {
		return "", nil, fmt.Errorf("socket: %w", err)
	}
	short := fmt.Sprintf("/proc/self/fd/%d/%s", f.Fd(), name)
	return short, func() { f.Close() }, nil
}
