package agent

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// savedLine is a line of a save file: changes that undo, then the end. A file without
// its end was cut while nothing was written yet.
type savedLine struct {
	Undo *Change   `json:"undo,omitempty"`
	End  *savedEnd `json:"end,omitempty"`
}

type savedEnd struct {
	Changes int    `json:"changes"`
	SHA256  string `json:"sha256"` // of all lines before
}

// save puts what undoes the patch into the save directory, durably, and streams it. A
// save file that an earlier attempt completed is kept: only it has the bytes that were
// there before the first of its writes.
func (p *patcher) save() error {
	if p.req.DryRun {
		return p.streamInverse()
	}
	dir, err := os.OpenRoot(p.req.Save)
	if err != nil {
		return fmt.Errorf("directory for saved bytes: %w", err)
	}
	defer dir.Close()
	name := "patch-" + p.res.Digest[:16] + ".jsonl"
	p.res.Saved = name
	undo, err := readSaved(dir, name)
	switch {
	case err == nil:
		p.inverse = undo
	case errors.Is(err, fs.ErrNotExist):
		if err := writeSaved(dir, name, p.inverse); err != nil {
			return fmt.Errorf("save what will be overwritten: %w", err)
		}
	default:
		return fmt.Errorf("saved bytes of an earlier attempt, %s: %w", name, err)
	}
	return p.streamInverse()
}

func (p *patcher) streamInverse() error {
	for _, c := range p.inverse {
		if err := p.s.Record(c); err != nil {
			return fmt.Errorf("hand over the saved bytes: %w", err)
		}
	}
	return nil
}

// ReadSaved reads a save file of Patch: what undoes the patch, in the order of the
// patch. See Inverse.
func ReadSaved(r io.Reader) ([]Change, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	h := sha256.New()
	var out []Change
	for {
		b, err := readLine(in, maxLine)
		if err != nil {
			return nil, fmt.Errorf("save file has no end: %w", err)
		}
		var l savedLine
		if err := decodeStrict(b, &l); err != nil {
			return nil, fmt.Errorf("save file line %d: %w", len(out)+1, err)
		}
		if l.End != nil {
			if l.End.Changes != len(out) || l.End.SHA256 != hex.EncodeToString(h.Sum(nil)) {
				return nil, errors.New("save file is damaged: its end does not match its content")
			}
			return out, nil
		}
		if l.Undo == nil || len(out) > 2*maxChanges {
			return nil, fmt.Errorf("save file line %d makes no sense", len(out)+1)
		}
		out = append(out, *l.Undo)
		h.Write(append(b, '\n'))
	}
}

func readSaved(dir *os.Root, name string) ([]Change, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadSaved(f)
}

func writeSaved(dir *os.Root, name string, undo []Change) error {
	return writeDurably(dir, name, 0o600, func(w io.Writer) error {
		buf, h := bufio.NewWriter(w), sha256.New()
		for _, c := range undo {
			b, err := encodeLine(savedLine{Undo: &c})
			if err != nil {
				return err
			}
			h.Write(b)
			if _, err := buf.Write(b); err != nil {
				return err
			}
		}
		b, err := encodeLine(savedLine{End: &savedEnd{len(undo), hex.EncodeToString(h.Sum(nil))}})
		if err != nil {
			return err
		}
		if _, err := buf.Write(b); err != nil {
			return err
		}
		return buf.Flush()
	})
}

// writeDurably makes a file under a temporary name, syncs it, renames it and syncs the
// directory: afterwards it is there whole, before not at all.
func writeDurably(dir *os.Root, name string, mode os.FileMode, content func(io.Writer) error) error {
	tmp := name + partialSuffix
	if err := dir.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := dir.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	err = content(f)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = dir.Rename(tmp, name)
	}
	if err != nil {
		_ = dir.Remove(tmp) // the first error is the one to tell
		return err
	}
	return syncDir(dir, ".")
}

const partialSuffix = ".pgrescue-partial"

func syncDir(root *os.Root, path string) error {
	d, err := root.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
