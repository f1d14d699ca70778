package agent

import (
	"bytes"
	"fmt"
)

func (p *patcher) inspectCreate(t *tree, c *Change, f *simulated) (bool, error) {
	if err := p.parentIsDir(t, c); err != nil {
		return false, err
	}
	switch f.typ {
	case "":
	case TypeFile:
		now, err := p.whole(t, c, f)
		if err != nil {
			return false, err
		}
		if !bytes.Equal(now, c.After) {
			return false, refused(c, "to be made, but exists with other content")
		}
		return true, nil
	default:
		return false, refused(c, "to be made, but is a %s", f.typ)
	}
	p.inverse = append(p.inverse, Change{Piece: c.Piece, Path: c.Path, Op: OpRemove, Before: c.After})
	f.typ, f.size = TypeFile, int64(len(c.After))
	return false, nil
}

func (p *patcher) inspectRemove(t *tree, c *Change, f *simulated) (bool, error) {
	if f.typ == "" {
		return true, nil
	}
	if f.typ != TypeFile {
		return false, refused(c, "to be removed as a file, but is a %s", f.typ)
	}
	now, err := p.whole(t, c, f)
	if err != nil {
		return false, err
	}
	if !bytes.Equal(now, c.Before) {
		return false, refused(c, "to be removed, but its content is not what the plan expects")
	}
	p.inverse = append(p.inverse, Change{Piece: c.Piece, Path: c.Path, Op: OpCreate, After: now,
		UID: f.stat.uid, GID: f.stat.gid, Mode: f.stat.mode, MtimeNS: f.stat.mtimeNS})
	f.typ = ""
	return false, nil
}

func (p *patcher) inspectMkdir(t *tree, c *Change, f *simulated) (bool, error) {
	if err := p.parentIsDir(t, c); err != nil {
		return false, err
	}
	switch f.typ {
	case TypeDir:
		return true, nil
	case "":
		p.inverse = append(p.inverse, Change{Piece: c.Piece, Path: c.Path, Op: OpRmdir})
		f.typ = TypeDir
		return false, nil
	}
	return false, refused(c, "to be made a directory, but is a %s", f.typ)
}

func (p *patcher) inspectRmdir(t *tree, c *Change, f *simulated) (bool, error) {
	if f.typ == "" {
		return true, nil
	}
	if f.typ != TypeDir {
		return false, refused(c, "to be removed as a directory, but is a %s", f.typ)
	}
	sub, names, err := openDir(t.root, string(c.Path))
	if err != nil {
		return false, err
	}
	sub.Close()
	for _, n := range names {
		in, err := p.state(t, join(string(c.Path), n))
		if err != nil {
			return false, err
		}
		if in.typ != "" {
			return false, refused(c, "to be removed, but it holds %s", n)
		}
	}
	p.inverse = append(p.inverse, Change{Piece: c.Piece, Path: c.Path, Op: OpMkdir,
		UID: f.stat.uid, GID: f.stat.gid, Mode: f.stat.mode, MtimeNS: f.stat.mtimeNS})
	f.typ = ""
	return false, nil
}

// parentIsDir refuses to make something where there is no directory to make it in.
func (p *patcher) parentIsDir(t *tree, c *Change) error {
	parent, _ := split(string(c.Path))
	d, err := p.state(t, parent)
	if err != nil {
		return err
	}
	if d.typ != TypeDir {
		return refused(c, "%s", fmt.Sprintf("the directory to make it in is %s", orMissing(d.typ)))
	}
	return nil
}
