package journal

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"
)

// bundle writes all that a post-mortem wants into one zstd-compressed tar archive. The
// saved bytes under before/ are listed but not packed: they are rows of the database.
// MANIFEST.sha256 comes last and is what sha256sum -c reads.
func (s *story) bundle(w io.Writer) error {
	packed, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		return err
	}
	b := &bundler{tar: tar.NewWriter(packed), root: s.dir.ID(), at: s.view.Last.UTC()}
	if err := s.pack(b); err != nil {
		packed.Close()
		return err
	}
	return errors.Join(b.tar.Close(), packed.Close())
}

func (s *story) pack(b *bundler) error {
	// The journal goes in as it was read: a running engine may be adding to it.
	if err := b.file(journalName, s.dir.Path(journalName), s.replay.Size); err != nil {
		return err
	}
	for _, made := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{reportName, func(w io.Writer) error { return flush(w, s.transcript) }},
		{postmortemName, func(w io.Writer) error { return flush(w, s.postmortem) }},
		{"events.json", s.neutral},
		{"session.cast", s.cast},
		{"before/INDEX.json", s.savedIndex},
	} {
		var content bytes.Buffer
		if err := made.write(&content); err != nil {
			return err
		}
		if err := b.bytes(made.name, content.Bytes()); err != nil {
			return err
		}
	}
	for _, name := range []string{"snapshot.sidecar.jsonl", "backup_manifest"} {
		if err := b.file(name, s.dir.Path(name), -1); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := b.dir("commands", s.dir.Path("commands")); err != nil {
		return err
	}
	return b.bytes("MANIFEST.sha256", slices.Clone(b.manifest.Bytes()))
}

// savedFile describes a file of saved bytes.
type savedFile struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
	Hash  string `json:"sha256"`
}

func (s *story) savedIndex(w io.Writer) error {
	list := []savedFile{}
	entries, err := os.ReadDir(s.dir.Path("before"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		f, err := os.Open(s.dir.Path("before", e.Name()))
		if err != nil {
			return err
		}
		sum := sha256.New()
		n, err := io.Copy(sum, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
		list = append(list, savedFile{path.Join("before", e.Name()), n, hex.EncodeToString(sum.Sum(nil))})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(list)
}

// bundler packs files and notes their hashes.
type bundler struct {
	tar      *tar.Writer
	root     string
	at       time.Time
	manifest bytes.Buffer
}

func (b *bundler) bytes(name string, content []byte) error {
	return b.add(name, bytes.NewReader(content), int64(len(content)))
}

// file packs the first size bytes of a regular file, or all of it for -1.
func (b *bundler) file(name, from string, size int64) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", from)
	}
	if size < 0 {
		size = info.Size()
	}
	return b.add(name, f, size)
}

// dir packs the regular files of one directory; one that is not there is empty.
func (b *bundler) dir(name, from string) error {
	entries, err := os.ReadDir(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		if err := b.file(path.Join(name, e.Name()), filepath.Join(from, e.Name()), -1); err != nil {
			return err
		}
	}
	return nil
}

func (b *bundler) add(name string, content io.Reader, size int64) error {
	h := &tar.Header{Name: path.Join(b.root, name), Mode: 0o600, Size: size, ModTime: b.at, Format: tar.FormatPAX}
	if err := b.tar.WriteHeader(h); err != nil {
		return err
	}
	sum := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(b.tar, sum), content, size); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	fmt.Fprintf(&b.manifest, "%x  %s\n", sum.Sum(nil), name)
	return nil
}
