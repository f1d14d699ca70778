package main

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// plainFS is what os.Root.FS is, but opens regular files and directories alone. Opening a named
// pipe that lies where a file should be would wait for a writer for ever.
type plainFS struct {
	fs.FS // of root
	root  *os.Root
}

var (
	_ fs.ReadDirFS  = plainFS{}
	_ fs.StatFS     = plainFS{}
	_ fs.ReadLinkFS = plainFS{}
)

// errNotPlain says what a file is not.
var errNotPlain = errors.New("neither a regular file nor a directory")

func newPlainFS(root *os.Root) plainFS { return plainFS{root.FS(), root} }

func (p plainFS) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	return openPlain(p.root, name)
}

// openPlain opens without waiting and refuses what is neither a regular file nor a directory.
func openPlain(root *os.Root, name string) (*os.File, error) {
	f, err := root.OpenFile(filepath.FromSlash(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		err = &fs.PathError{Op: "open", Path: name, Err: errNotPlain}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (p plainFS) ReadDir(name string) ([]fs.DirEntry, error) {
	f, err := p.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.(*os.File).ReadDir(-1)
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return entries, err
}

func (p plainFS) Stat(name string) (fs.FileInfo, error)  { return fs.Stat(p.FS, name) }
func (p plainFS) Lstat(name string) (fs.FileInfo, error) { return fs.Lstat(p.FS, name) }
func (p plainFS) ReadLink(name string) (string, error)   { return fs.ReadLink(p.FS, name) }
