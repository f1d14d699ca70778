package steps

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"github.com/pgrescue/pgrescue/pgops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// batch is how many edits are carried out in one go.
const batch = 5000

// eachBatch reads the edits back and hands them out, having made sure that they are the ones
// that were consented to.
func eachBatch(path string, want multiPayload, do func([]pgops.Edit) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("edits of the plan: %w", err)
	}
	defer f.Close()
	sum, lines := sha256.New(), lineCounter(0)
	if _, err := io.Copy(io.MultiWriter(sum, &lines), f); err != nil {
		return fmt.Errorf("edits of the plan: %w", err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != want.SHA256 || int(lines) != want.Count {
		return engine.Errorf(engine.Stale, "start the incident again", "%s is not what was planned", path)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("edits of the plan: %w", err)
	}
	in := json.NewDecoder(bufio.NewReader(f))
	for left := want.Count; left > 0; {
		edits := make([]pgops.Edit, min(left, batch))
		for i := range edits {
			if err := in.Decode(&edits[i]); err != nil {
				return fmt.Errorf("edits of the plan: %w", err)
			}
		}
		left -= len(edits)
		if err := do(edits); err != nil {
			return err
		}
	}
	return nil
}

// lineCounter counts the lines written to it: one for each edit.
type lineCounter int

func (n *lineCounter) Write(b []byte) (int, error) {
	*n += lineCounter(bytes.Count(b, []byte{'\n'}))
	return len(b), nil
}

// editFile keeps edits as they stream in.
type editFile struct {
	path  string
	file  *os.File
	out   *bufio.Writer
	sum   hash.Hash
	shown []pgops.Edit
}

func (f *editFile) create() error {
	file, err := os.OpenFile(f.path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("edits of the plan: %w", err)
	}
	f.file, f.sum = file, sha256.New()
	f.out = bufio.NewWriter(io.MultiWriter(file, f.sum))
	return nil
}

func (f *editFile) add(e pgops.Edit) error {
	if len(f.shown) < shownEdits {
		f.shown = append(f.shown, e)
	}
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = f.out.Write(append(b, '\n'))
	return err
}

// keep makes the file durable under the name of the plan's digest.
func (f *editFile) keep(path string) error {
	if err := errors.Join(f.out.Flush(), f.file.Sync(), os.Rename(f.path, path)); err != nil {
		return fmt.Errorf("edits of the plan: %w", err)
	}
	return nil
}

func (f *editFile) close() { f.file.Close() }
