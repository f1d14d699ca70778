package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
)

// FingerprintRequest names the pieces to fingerprint.
type FingerprintRequest struct {
	Pieces []Piece `json:"pieces"`
}

// FingerprintResult is the state of a tree as its metadata tells it.
type FingerprintResult struct {
	Fingerprint string `json:"fingerprint"`
	Usage       Usage  `json:"usage"`
}

// Usage counts what pieces hold.
type Usage struct {
	Entries int64 `json:"entries"` // directories, files, links and others
	Dirs    int64 `json:"dirs"`
	Files   int64 `json:"files"`
	Bytes   int64 `json:"bytes"`  // sum of sizes, a file with several links once
	Alloc   int64 `json:"alloc"`  // sum of allocated bytes, likewise
	Linked  int64 `json:"linked"` // files with more than one link
}

// Fingerprint hashes path, type, size, times, inode, mode and owner of every entry. It
// reads no content and takes seconds for a million files. Equal fingerprints mean that
// nobody wrote to the tree by the usual means; it is no proof against those who set the
// clock. Fingerprints of a copy differ from the original's: inodes do.
func Fingerprint(ctx context.Context, req FingerprintRequest, _ *Stream) (FingerprintResult, error) {
	trees, err := openTrees(req.Pieces)
	if err != nil {
		return FingerprintResult{}, err
	}
	defer closeTrees(trees)
	m, err := measure(ctx, trees)
	if err != nil {
		return FingerprintResult{}, fmt.Errorf("fingerprint: %w", err)
	}
	return FingerprintResult{m.fingerprint(), m.Usage}, nil
}

// measurement is one walk's sums.
type measurement struct {
	Usage
	hash  hash.Hash
	alloc map[string]int64 // by piece
	count map[string]int64
	inode map[[2]uint64]bool // files with several links that were counted
}

func (m *measurement) fingerprint() string { return hex.EncodeToString(m.hash.Sum(nil)) }

// measure walks trees once, by metadata alone.
func measure(ctx context.Context, trees []*tree) (*measurement, error) {
	return measureBy(ctx, trees, walkTrees)
}

// measureLive measures what a server may be changing: the sums are of a moment that never
// quite was, and the fingerprint is good for nothing.
func measureLive(ctx context.Context, trees []*tree) (*measurement, error) {
	return measureBy(ctx, trees, walkLive)
}

func measureBy(ctx context.Context, trees []*tree, walk func(context.Context, []*tree, []start, func(entry) error) error) (*measurement, error) {
	m := &measurement{hash: sha256.New(), alloc: map[string]int64{}, count: map[string]int64{}, inode: map[[2]uint64]bool{}}
	err := walk(ctx, trees, nil, func(e entry) error {
		m.add(e)
		return nil
	})
	return m, err
}

func (m *measurement) add(e entry) {
	fmt.Fprintf(m.hash, "%s\x00%s\x00%x", e.tree.Name, e.path, e.stat.digest())
	m.hash.Write([]byte{0})
	m.Entries++
	m.count[e.tree.Name]++
	switch e.stat.typ {
	case TypeDir:
		m.Dirs++
	case TypeFile:
		m.Files++
		if e.stat.nlink > 1 {
			m.Linked++
			id := [2]uint64{e.stat.dev, e.stat.ino}
			if m.inode[id] {
				return
			}
			m.inode[id] = true
		}
		m.Bytes += e.stat.size
	}
	m.Alloc += e.stat.alloc
	m.alloc[e.tree.Name] += e.stat.alloc
}
