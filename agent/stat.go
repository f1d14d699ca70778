package agent

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// stat is what the file system says about an entry, links not followed.
type stat struct {
	typ              Type
	mode             uint32 // 07777
	uid, gid         uint32
	size, alloc      int64
	mtimeNS, ctimeNS int64
	ino, dev, nlink  uint64
}

// digest tells cheaply whether an entry changed: not by content, but by everything
// that changes with content unless somebody takes care that it does not.
func (s stat) digest() uint64 {
	b := make([]byte, 0, 64)
	for _, v := range [...]uint64{uint64(s.size), uint64(s.mtimeNS), uint64(s.ctimeNS), s.ino,
		uint64(s.mode)<<32 | uint64(s.uid), uint64(s.gid)} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	sum := sha256.Sum256(append(b, s.typ...))
	return binary.LittleEndian.Uint64(sum[:])
}

// record starts the record of an entry.
func (s stat) record(piece, path string) Record {
	r := Record{Piece: piece, Path: Path(path), Type: s.typ, Mode: s.mode, UID: s.uid, GID: s.gid,
		MtimeNS: s.mtimeNS, CtimeNS: s.ctimeNS, Inode: s.ino}
	if s.typ == TypeFile {
		r.Size, r.Alloc, r.Nlink = s.size, s.alloc, s.nlink
	}
	return r
}

// sameSource reports whether an earlier record still describes the entry.
func (s stat) sameSource(r *Record) bool {
	if r.Type != s.typ || r.Inode != s.ino || r.CtimeNS != s.ctimeNS || r.MtimeNS != s.mtimeNS {
		return false
	}
	return s.typ != TypeFile || r.Size == s.size
}

// diff names the first thing that differs between two looks at the same entry, "" if none.
func (s stat) diff(now stat) string {
	switch {
	case s.typ != now.typ:
		return fmt.Sprintf("it was a %s and is a %s", s.typ, now.typ)
	case s.ino != now.ino || s.dev != now.dev:
		return "it was replaced by another file"
	case s.size != now.size && s.typ == TypeFile:
		return fmt.Sprintf("its size went from %d to %d bytes", s.size, now.size)
	case s.mtimeNS != now.mtimeNS:
		return "it was written to"
	case s.ctimeNS != now.ctimeNS:
		return "its owner, mode or links changed, or it was written to"
	}
	return ""
}
