package agent

import (
	"errors"
	"fmt"
	"io"
)

// measure walks the source once, checks that the destination is free for it and large
// enough, and learns what page checks need.
func (c *copier) measure() error {
	c.s.Progress(Progress{Phase: "measure"})
	m, err := measure(c.ctx, c.src)
	if err != nil {
		return err
	}
	c.usage, c.res.Fingerprint = m, m.fingerprint()
	c.facts = readClusterFacts(c.src)
	c.res.ControlKnown, c.res.Checksums = c.facts.known, c.facts.checksums
	have := map[string]*measurement{}
	for _, t := range c.dst {
		if !c.req.Resume {
			if err := mustBeEmpty(t); err != nil {
				return err
			}
		}
		if have[t.Name], err = measure(c.ctx, []*tree{t}); err != nil {
			return fmt.Errorf("destination: %w", err)
		}
	}
	return c.checkSpace(have)
}

// mustBeEmpty refuses a destination that holds anything but what mkfs puts there.
func mustBeEmpty(t *tree) error {
	f, err := t.root.Open(".")
	if err != nil {
		return err
	}
	defer f.Close()
	names, err := f.Readdirnames(3)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for _, n := range names {
		if n != lostFound {
			return refuse(KindNotEmpty, n, fmt.Sprintf("the destination of piece %s holds %q already", t.Name, n),
				"give an empty destination, or resume the attempt that filled it")
		}
	}
	return nil
}

const lostFound = "lost+found"

// need is what the pieces on one file system ask of it.
type need struct {
	space         Space
	bytes, inodes int64
	names         string
}

// cloneCost is what an entry that shares its blocks takes: an inode and its extent list,
// with room to spare.
const cloneCost = 4096

// checkSpace compares allocated bytes and entries with what is free, per file system. It
// also finds out which pieces can share blocks and so need next to none.
func (c *copier) checkSpace(have map[string]*measurement) error {
	needs := map[uint64]*need{}
	for i, t := range c.dst {
		space, err := statFS(t.Path)
		if err != nil {
			return err
		}
		n := needs[space.Device]
		if n == nil {
			n = &need{space: space, bytes: c.req.Headroom, inodes: c.req.HeadroomInodes}
			needs[space.Device] = n
		}
		if c.clone[t.Name] = c.clone[t.Name] && canClone(c.ctx, c.src[i], t); c.clone[t.Name] {
			n.bytes += c.usage.count[t.Name] * cloneCost
		} else {
			n.bytes += c.usage.alloc[t.Name] - min(have[t.Name].Alloc, c.usage.alloc[t.Name])
		}
		n.inodes += c.usage.count[t.Name] - min(have[t.Name].Entries, c.usage.count[t.Name])
		n.names += " " + t.Name
	}
	for _, n := range needs {
		if n.bytes > n.space.FreeBytes {
			return refuse(KindNoSpace, "", fmt.Sprintf("the copy of%s needs %d bytes with headroom and %d are free (%s)",
				n.names, n.bytes, n.space.FreeBytes, n.space.FSType),
				"free space there or name another destination; nothing was copied")
		}
		if n.space.TotalInodes > 0 && n.inodes > n.space.FreeInodes {
			return refuse(KindNoInodes, "", fmt.Sprintf("the copy of%s needs %d inodes with headroom and %d are free (%s)",
				n.names, n.inodes, n.space.FreeInodes, n.space.FSType),
				"remove small files there or name another destination; nothing was copied")
		}
	}
	return nil
}
