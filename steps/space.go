package steps

import (
	"context"

	"golang.org/x/sys/unix"

	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// Magic numbers of file systems on which a copy can share its blocks (linux/magic.h). Whether
// it does is found out by the copy itself.
const (
	xfsMagic   = 0x58465342
	btrfsMagic = 0x9123683e
	zfsMagic   = 0x2fc12fc1
)

// requireSpace refuses before anything is stopped if the snapshot cannot fit where Docker keeps
// its volumes. The copy measures again, where it writes.
func requireSpace(ctx context.Context, c *dockerops.Client, site Site) error {
	host, err := c.Host(ctx)
	if err != nil {
		return err
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(host.RootDir, &fs); err != nil {
		return nil // the daemon is on another machine: the copy will tell
	}
	switch uint32(fs.Type) {
	case xfsMagic, btrfsMagic, zfsMagic:
		return nil
	}
	free := int64(fs.Bavail) * int64(fs.Bsize)
	if need := site.Alloc + headroom; free < need {
		return engine.Errorf(engine.Precondition, "free space there, or mount a larger disk at it; nothing was stopped or changed",
			"the snapshot needs %d bytes (%s), and under %s only %d bytes (%s) are free", need, humanBytes(need), host.RootDir, free, humanBytes(free))
	}
	if fs.Files > 0 && int64(fs.Ffree) < site.Entries+1000 {
		return engine.Errorf(engine.Precondition, "free inodes there; nothing was stopped or changed",
			"the snapshot needs %d inodes, and under %s only %d are free", site.Entries+1000, host.RootDir, fs.Ffree)
	}
	return nil
}
