package agent

import (
	"encoding/hex"
)

// Type says what a directory entry is.
type Type string

// The types of entries. Only directories, files and links are copied.
const (
	TypeDir    Type = "dir"
	TypeFile   Type = "file"
	TypeLink   Type = "link"
	TypeSocket Type = "socket" // skipped: a socket has no content
	TypeFIFO   Type = "fifo"   // refused: reading one may wait for ever
	TypeDevice Type = "device" // refused: no part of a cluster
)

// Bounds on the lists inside one record, so that a record stays one line of moderate
// length whatever the damage. The counts beside the lists are always exact.
const (
	maxHoles    = 1000
	maxBad      = 10000
	maxBadPages = 10000
)

// Record describes one directory entry as it was when it was copied. Together the
// records say everything about a snapshot; they are streamed in the order of the walk,
// which is the same for the same tree.
type Record struct {
	Piece   string `json:"piece"`
	Path    Path   `json:"path"`
	Type    Type   `json:"type"`
	Size    int64  `json:"size,omitempty"`
	Alloc   int64  `json:"alloc,omitempty"` // bytes allocated on the source
	Mode    uint32 `json:"mode"`            // permission, setuid, setgid and sticky bits
	UID     uint32 `json:"uid"`
	GID     uint32 `json:"gid"`
	MtimeNS int64  `json:"mtime_ns"`
	CtimeNS int64  `json:"ctime_ns"` // of the source: tells later whether it was touched
	Inode   uint64 `json:"inode"`    // of the source
	Nlink   uint64 `json:"nlink,omitempty"`
	LinkOf  Path   `json:"link_of,omitempty"` // an earlier path of the piece with the same inode
	Target  Path   `json:"target,omitempty"`  // of a symbolic link, verbatim
	SHA256  string `json:"sha256,omitempty"`  // of a file's content; bad ranges count as zeros

	Xattrs []Xattr `json:"xattrs,omitempty"`

	Holes     []Extent `json:"holes,omitempty"`
	HoleCount int64    `json:"hole_count,omitempty"`

	Bad      []Extent `json:"bad,omitempty"` // could not be read, zeros in the copy
	BadBytes int64    `json:"bad_bytes,omitempty"`

	Pages        int64     `json:"pages,omitempty"` // pages looked at
	BadPages     []BadPage `json:"bad_pages,omitempty"`
	BadPageCount int64     `json:"bad_page_count,omitempty"`
	TornTail     int64     `json:"torn_tail,omitempty"` // bytes after the last whole page

	Cloned  bool   `json:"cloned,omitempty"`  // shares its blocks with the source (reflink)
	Problem string `json:"problem,omitempty"` // why the entry is not in the copy, or not whole
}

// Extent is a byte range of a file.
type Extent struct {
	Off int64 `json:"off"`
	Len int64 `json:"len"`
}

// Xattr is one extended attribute, access control lists included.
type Xattr struct {
	Name  Path   `json:"name"`
	Value []byte `json:"value"`
}

// key identifies a record in indexes.
func (r *Record) key() uint64 { return pathKey(r.Piece, string(r.Path)) }

// sum decodes SHA256; ok is false when it is absent or no such hash.
func (r *Record) sum() (sum [32]byte, ok bool) {
	if len(r.SHA256) != 64 {
		return sum, false
	}
	n, err := hex.Decode(sum[:], []byte(r.SHA256))
	return sum, err == nil && n == len(sum)
}

// addBad notes an unreadable range, joined to the last one where they touch.
func (r *Record) addBad(off, n int64) {
	r.BadBytes += n
	if l := len(r.Bad); l > 0 && r.Bad[l-1].Off+r.Bad[l-1].Len == off {
		r.Bad[l-1].Len += n
		return
	}
	if len(r.Bad) < maxBad {
		r.Bad = append(r.Bad, Extent{off, n})
	}
}

// addHole notes a hole.
func (r *Record) addHole(off, n int64) {
	r.HoleCount++
	if len(r.Holes) < maxHoles {
		r.Holes = append(r.Holes, Extent{off, n})
	}
}
