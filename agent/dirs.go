package agent

import (
	"os"
)

// dir is an opened directory: by root to open what it holds, by file for calls that
// want a descriptor.
type dir struct {
	root *os.Root
	file *os.File
}

func openIn(root *os.Root, path string) (*dir, error) {
	sub, err := root.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	f, err := sub.Open(".")
	if err != nil {
		sub.Close()
		return nil, err
	}
	return &dir{sub, f}, nil
}

func (d *dir) close() {
	d.file.Close()
	d.root.Close()
}

// dirCache keeps the directory that was used last open: a walk asks for the same one
// again and again, and opening by path costs a call per component.
type dirCache struct {
	tree *tree
	path string
	dir  *dir
}

func (c *dirCache) open(t *tree, path string) (*dir, error) {
	if c.dir != nil && c.tree == t && c.path == path {
		return c.dir, nil
	}
	c.close()
	d, err := openIn(t.root, path)
	if err != nil {
		return nil, err
	}
	c.tree, c.path, c.dir = t, path, d
	return d, nil
}

func (c *dirCache) close() {
	if c.dir != nil {
		c.dir.close()
		c.dir = nil
	}
}
