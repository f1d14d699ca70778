package agent

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// sumIndex remembers, in 32 bytes per file, what was read and what the file looked
// like. Half a SHA-256 is kept: it tells accidents, and 16 bytes of 10 million files
// are what memory allows.
type sumIndex struct {
	entries []sumEntry
	sorted  bool
}

type sumEntry struct {
	key  uint64 // pathKey
	stat uint64 // stat.digest
	sum  [16]byte
}

// pathKey hashes a path. Two of a million paths collide with a chance of 1 in 37 million.
func pathKey(piece, path string) uint64 {
	b := make([]byte, 0, 256)
	b = append(b, piece...)
	b = append(b, 0)
	b = append(b, path...)
	sum := sha256.Sum256(b)
	return binary.LittleEndian.Uint64(sum[:])
}

func (x *sumIndex) add(key, stat uint64, sum [32]byte) {
	x.entries = append(x.entries, sumEntry{key, stat, [16]byte(sum[:16])})
	x.sorted = false
}

// find looks an entry up. It sorts at the first call after an add.
func (x *sumIndex) find(key uint64) (sumEntry, bool) {
	if !x.sorted {
		slices.SortFunc(x.entries, func(a, b sumEntry) int { return cmp.Compare(a.key, b.key) })
		x.sorted = true
	}
	i, ok := slices.BinarySearchFunc(x.entries, key, func(e sumEntry, k uint64) int { return cmp.Compare(e.key, k) })
	if !ok {
		return sumEntry{}, false
	}
	return x.entries[i], true
}

func (e sumEntry) same(sum [32]byte) bool { return e.sum == [16]byte(sum[:16]) }
