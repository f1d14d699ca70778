package unload

import (
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// outDir is the output directory. Names are relative to it; files are 0600, directories 0700.
type outDir struct {
	path string
	root *os.Root
	lock *os.File          // the directory itself, locked
	dirs map[string]bool   // directories made or written to since the last sync
	open map[*outFile]bool // files that are open
}

// ErrLocked says that another run is writing to the output directory.
var ErrLocked = errors.New("another run of unload is writing there")

// openOutDir makes the directory if need be, and locks it until close.
func openOutDir(name string) (*outDir, error) {
	if err := os.MkdirAll(name, 0o700); err != nil {
		return nil, fmt.Errorf("make the output directory: %w", err)
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, fmt.Errorf("open the output directory: %w", err)
	}
	lock, err := root.Open(".")
	if err == nil {
		if err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
			err = ErrLocked
		}
		if err != nil {
			lock.Close()
		}
	}
	if err != nil {
		root.Close()
		return nil, fmt.Errorf("lock the output directory %s: %w", name, err)
	}
	return &outDir{path: name, root: root, lock: lock, dirs: map[string]bool{}, open: map[*outFile]bool{}}, nil
}

// close lets go of the directory. Files that are open are closed as they are.
func (d *outDir) close() error {
	for f := range d.open {
		f.f.Close()
	}
	return errors.Join(d.lock.Close(), d.root.Close())
}

// outFile is a file that grows.
type outFile struct {
	dir   *outDir
	name  string
	f     *os.File
	pos   filePos
	hash  hash.Hash
	dirty bool // it was written to since the last sync
	done  bool // nothing more will be written: close it at the next sync
}

// filePos is how far a file has been written, and what it takes to go on from there.
type filePos struct {
	Bytes int64  `json:"bytes"`
	Hash  []byte `json:"hash,omitempty"` // state of the SHA-256 so far
}

// create starts a file anew.
func (d *outDir) create(name string) (*outFile, error) { return d.openFile(name, filePos{}) }

// openFile opens a file to be written from a position on; what it has beyond is cut off.
func (d *outDir) openFile(name string, pos filePos) (*outFile, error) {
	if dir := path.Dir(name); dir != "." {
		if err := d.root.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("make %s: %w", d.full(dir), err)
		}
		d.dirs["."] = true
	}
	f, err := d.root.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", d.full(name), err)
	}
	out := &outFile{dir: d, name: name, f: f, pos: filePos{Bytes: pos.Bytes}, hash: sha256.New(), dirty: true}
	if err := out.resume(pos); err != nil {
		f.Close()
		return nil, fmt.Errorf("go on with %s: %w", d.full(name), err)
	}
	d.dirs[path.Dir(name)], d.open[out] = true, true
	return out, nil
}

func (f *outFile) resume(pos filePos) error {
	info, err := f.f.Stat()
	if err != nil {
		return err
	}
	if info.Size() < pos.Bytes {
		return fmt.Errorf("it has %d bytes, and %d were written: start again in an empty directory", info.Size(), pos.Bytes)
	}
	if len(pos.Hash) > 0 {
		if err := f.hash.(encoding.BinaryUnmarshaler).UnmarshalBinary(pos.Hash); err != nil {
			return fmt.Errorf("its recorded SHA-256: %w", err)
		}
	}
	if err := f.f.Truncate(pos.Bytes); err != nil {
		return err
	}
	_, err = f.f.Seek(pos.Bytes, io.SeekStart)
	return err
}

// full is the path for messages.
func (d *outDir) full(name string) string { return path.Join(d.path, name) }

// write appends.
func (f *outFile) write(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	n, err := f.f.Write(b)
	f.hash.Write(b[:n])
	f.pos.Bytes += int64(n)
	if err != nil {
		return fmt.Errorf("write %s: %w", f.dir.full(f.name), err)
	}
	f.dirty = true
	return nil
}

// position is what the state keeps of the file.
func (f *outFile) position() (filePos, error) {
	if f == nil {
		return filePos{}, nil
	}
	state, err := f.hash.(encoding.BinaryMarshaler).MarshalBinary()
	return filePos{Bytes: f.pos.Bytes, Hash: state}, err
}

// finish marks the file complete and describes it.
func (f *outFile) finish() *FileReport {
	f.done = true
	return &FileReport{Name: f.name, Bytes: f.pos.Bytes, SHA256: hex.EncodeToString(f.hash.Sum(nil))}
}

// sync makes everything durable that was written: first the files, then their names.
func (d *outDir) sync() error {
	for f := range d.open {
		if f.dirty {
			if err := f.f.Sync(); err != nil {
				return fmt.Errorf("write %s: %w", d.full(f.name), err)
			}
			f.dirty = false
		}
		if f.done {
			delete(d.open, f)
			if err := f.f.Close(); err != nil {
				return fmt.Errorf("write %s: %w", d.full(f.name), err)
			}
		}
	}
	for name := range d.dirs {
		if err := d.syncDir(name); err != nil {
			return err
		}
		delete(d.dirs, name)
	}
	return nil
}

func (d *outDir) syncDir(name string) error {
	dir, err := d.root.Open(name)
	if err != nil {
		return fmt.Errorf("sync %s: %w", d.full(name), err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// replace puts a whole file in place at once: after a crash it is the old one or the new one.
func (d *outDir) replace(name string, content []byte) error {
	temp := name + ".tmp"
	f, err := d.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", d.full(name), err)
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = d.root.Rename(temp, name)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", d.full(name), errors.Join(err, d.root.Remove(temp)))
	}
	return d.syncDir(path.Dir(name))
}

// spillName begins the names of temporary files.
const spillName = ".chunks-"

// spill opens a temporary file that is gone when it is closed.
func (d *outDir) spill(name string) (*os.File, error) {
	f, err := d.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	if err := d.root.Remove(name); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
