package dockerops

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
)

// Process is one process of a running container.
type Process struct {
	PID  int    // in the daemon's process id space
	Name string // executable name as the kernel has it, at most 15 bytes
	Args string // whole command line; PostgreSQL rewrites its own
}

// Processes lists the processes of a container, none if it does not run. The
// container needs no ps: the daemon's host runs its own.
func (c *Client) Processes(ctx context.Context, id string) ([]Process, error) {
	call, cancel := short(ctx)
	defer cancel()
	top, err := c.api.ContainerTop(call, id, []string{"-o", "pid,comm,args"})
	if err != nil {
		if isConflict(err) || strings.Contains(err.Error(), "is not running") {
			return nil, nil
		}
		return nil, wrap(ctx, err, "listing the processes of container %s", id)
	}
	return processesOf(top)
}

// processesOf reads the table that the daemon made of ps's output.
func processesOf(top container.TopResponse) ([]Process, error) {
	pid, comm, args := slices.Index(top.Titles, "PID"), slices.Index(top.Titles, "COMMAND"), len(top.Titles)-1
	if pid < 0 || comm < 0 || comm == args {
		return nil, fmt.Errorf("listing processes: columns %v, want PID, COMMAND, COMMAND", top.Titles)
	}
	var out []Process
	for _, row := range top.Processes {
		if len(row) != len(top.Titles) {
			continue
		}
		p := Process{Name: row[comm], Args: row[args]}
		if _, err := fmt.Sscan(row[pid], &p.PID); err != nil {
			return nil, fmt.Errorf("listing processes: process id %q: %w", row[pid], err)
		}
		out = append(out, p)
	}
	return out, nil
}
