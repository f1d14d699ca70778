package agent

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// ManifestInfo is what a backup manifest says beside the files.
type ManifestInfo struct {
	Major            int    // PostgreSQL's; 17 and later get version 2 of the format
	SystemIdentifier uint64 // written in version 2, where pg_verifybackup compares it with pg_control
	WAL              []WALRange
	Pieces           []Piece // of the snapshot, with their parts
}

// WALRange is the WAL that the backup needs to become consistent.
type WALRange struct {
	Timeline   pgdisk.TimelineID
	Start, End pgdisk.LSN
}

// ManifestReport says what a manifest covers.
type ManifestReport struct {
	Files, Bytes int64
	// Ignore lists paths that pg_verifybackup will meet and the manifest cannot name:
	// links to files, which it follows. Pass each with -i.
	Ignore []Path
}

// WriteManifest writes PostgreSQL's own backup_manifest (backup/backup_manifest.c,
// common/parse_manifest.c) from the records of a snapshot, so that the stock
// pg_verifybackup of the same major checks it: `pg_verifybackup -n -m MANIFEST PGDATA`.
// It works for a cluster that was not shut down, too.
//
// Like the server's own, it leaves out the content of pg_wal, directories, owners and
// modes; the sidecar has those. Files outside the data directory and the tablespaces are
// left out as well.
func WriteManifest(w io.Writer, info ManifestInfo, records iter.Seq2[Record, error]) (ManifestReport, error) {
	var report ManifestReport
	pieces := map[string]Piece{}
	for _, p := range info.Pieces {
		pieces[p.Name] = p
	}
	hash := sha256.New()
	buf := bufio.NewWriterSize(io.MultiWriter(w, hash), 64<<10)
	m := &manifestWriter{w: buf}
	m.head(info)
	for r, err := range records {
		if err != nil {
			return report, fmt.Errorf("manifest: %w", err)
		}
		p, ok := pieces[r.Piece]
		if !ok {
			return report, fmt.Errorf("manifest: record of %s is of the unknown piece %q", r.Path, r.Piece)
		}
		path, ok := manifestPath(p, string(r.Path))
		if !ok {
			continue
		}
		switch {
		case r.Type == TypeFile:
			m.file(path, &r)
			report.Files++
			report.Bytes += r.Size
		case r.Type == TypeLink && !linkToDirectory(p, string(r.Path)):
			report.Ignore = append(report.Ignore, Path(path))
		}
	}
	m.tail(info)
	if err := buf.Flush(); err != nil {
		return report, fmt.Errorf("manifest: %w", err)
	}
	if m.err != nil {
		return report, m.err
	}
	// The checksum covers all before it, up to the newline of the line above.
	_, err := fmt.Fprintf(w, "\"Manifest-Checksum\": \"%s\"}\n", hex.EncodeToString(hash.Sum(nil)))
	return report, err
}

type manifestWriter struct {
	w    *bufio.Writer
	some bool
	err  error
}

func (m *manifestWriter) print(s string) {
	if _, err := m.w.WriteString(s); err != nil && m.err == nil {
		m.err = fmt.Errorf("manifest: %w", err)
	}
}

func (m *manifestWriter) head(info ManifestInfo) {
	if info.Major >= 17 {
		m.print("{ \"PostgreSQL-Backup-Manifest-Version\": 2,\n\"System-Identifier\": " +
			strconv.FormatUint(info.SystemIdentifier, 10) + ",\n\"Files\": [")
		return
	}
	m.print("{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [")
}

func (m *manifestWriter) file(path string, r *Record) {
	if m.some {
		m.print(",")
	}
	m.some = true
	if utf8.ValidString(path) {
		m.print("\n{ \"Path\": " + jsonString(path))
	} else {
		m.print("\n{ \"Encoded-Path\": \"" + hex.EncodeToString([]byte(path)) + "\"")
	}
	m.print(", \"Size\": " + strconv.FormatInt(r.Size, 10))
	m.print(", \"Last-Modified\": \"" + time.Unix(0, r.MtimeNS).UTC().Format("2006-01-02 15:04:05 GMT") + "\"")
	sum, ok := r.sum()
	if !ok && m.err == nil {
		m.err = fmt.Errorf("manifest: record of %s has no SHA-256", r.Path)
	}
	m.print(", \"Checksum-Algorithm\": \"SHA256\", \"Checksum\": \"" + hex.EncodeToString(sum[:]) + "\" }")
}

func (m *manifestWriter) tail(info ManifestInfo) {
	m.print("\n],\n\"WAL-Ranges\": [")
	for i, r := range info.WAL {
		if i > 0 {
			m.print(",")
		}
		m.print(fmt.Sprintf("\n{ \"Timeline\": %d, \"Start-LSN\": \"%s\", \"End-LSN\": \"%s\" }", r.Timeline, r.Start, r.End))
	}
	m.print("\n],\n")
}

// jsonString quotes a valid UTF-8 string.
func jsonString(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""` // a string always encodes
	}
	return string(b)
}

// manifestPath translates a path of a piece to where the server sees it under PGDATA.
// ok is false for what a manifest does not name.
func manifestPath(p Piece, path string) (string, bool) {
	part, rel, ok := p.partOf(path)
	if !ok || rel == "." {
		return "", false
	}
	if oid, ok := part.tablespaceOID(); ok {
		return "pg_tblspc/" + oid + "/" + rel, true
	}
	if part.Role != RoleData {
		return "", false
	}
	// A backup_manifest from the base backup that the cluster came from is passed over
	// by pg_verifybackup as well.
	if _, wal := within(rel, "pg_wal"); wal || rel == "backup_manifest" {
		return "", false
	}
	return rel, true
}

// linkToDirectory reports whether a link is one that pg_verifybackup follows into a
// directory: those in pg_tblspc, whose content is named through their own piece.
func linkToDirectory(p Piece, path string) bool {
	part, rel, ok := p.partOf(path)
	if !ok || part.Role != RoleData {
		return false
	}
	dir, name := split(rel)
	return dir == "pg_tblspc" && digits(name)
}
