package agent

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// sealed is a snapshot of the fixture whose tablespace link leads to the copy.
func sealed(t *testing.T) (f fixture, dst []Piece, manifest string) {
	t.Helper()
	f = cluster(t)
	dst = emptyLike(t, f.source())
	_, records := mustCopy(t, CopyRequest{Source: f.source(), Dest: dst})
	link := filepath.Join(dst[0].Path, "pg_tblspc", f.oid)
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dst[1].Path, link); err != nil {
		t.Fatal(err)
	}
	manifest = filepath.Join(t.TempDir(), "backup_manifest")
	writeManifestFile(t, manifest, ManifestInfo{Major: f.major, Pieces: f.source(), SystemIdentifier: systemID(t, f.data),
		WAL: []WALRange{{Timeline: 1, Start: 0x1000028, End: 0x1000100}}}, records)
	return f, dst, manifest
}

func writeManifestFile(t *testing.T, path string, info ManifestInfo, records []Record) ManifestReport {
	t.Helper()
	var b bytes.Buffer
	report, err := WriteManifest(&b, info, RecordsOf(records))
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, b.Bytes())
	return report
}

func systemID(t *testing.T, data string) uint64 {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(data, pgdisk.ControlFilePath))
	if err != nil {
		t.Fatal(err)
	}
	c, err := pgdisk.DecodeControl(raw)
	if err != nil {
		t.Fatal(err)
	}
	return c.SystemIdentifier
}

func TestManifestIsAcceptedByPgVerifybackup(t *testing.T) {
	f, dst, manifest := sealed(t)
	verify := func() (string, error) {
		out, err := exec.Command(filepath.Join(f.bin, "pg_verifybackup"), "-n", "-m", manifest, dst[0].Path).CombinedOutput()
		return string(out), err
	}
	if out, err := verify(); err != nil || !strings.Contains(out, "backup successfully verified") {
		t.Fatalf("%v: %s", err, out)
	}
	for name, damage := range map[string]func() (undo func()){
		"flipped byte in the data directory": func() func() { return flip(t, filepath.Join(dst[0].Path, "global", "1260")) },
		"flipped byte in the tablespace":     func() func() { return flip(t, someFile(t, dst[1].Path)) },
		"extra file": func() func() {
			p := filepath.Join(dst[0].Path, "base", "extra")
			write(t, p, nil)
			return func() { os.Remove(p) }
		},
		"missing file": func() func() {
			p := filepath.Join(dst[0].Path, "pg_xact", "0000")
			if err := os.Rename(p, p+".away"); err != nil {
				t.Fatal(err)
			}
			return func() { os.Rename(p+".away", p) }
		},
		"manifest changed": func() func() {
			b, _ := os.ReadFile(manifest)
			write(t, manifest, bytes.Replace(b, []byte(`"Size": 8192`), []byte(`"Size": 8193`), 1))
			return func() { write(t, manifest, b) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			undo := damage()
			out, err := verify()
			if err == nil {
				t.Errorf("passed: %s", out)
			}
			undo()
		})
	}
	if out, err := verify(); err != nil {
		t.Fatalf("damage was not undone: %v %s", err, out)
	}
}

func flip(t *testing.T, path string) (undo func()) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(b)
	damaged[len(b)/2] ^= 0x40
	write(t, path, damaged)
	return func() { write(t, path, b) }
}

func someFile(t *testing.T, dir string) string {
	t.Helper()
	m, _ := filepath.Glob(dir + "/PG_*/*/[0-9]*")
	for _, p := range m {
		if fi, err := os.Stat(p); err == nil && fi.Size() > 0 {
			return p
		}
	}
	t.Fatal("no file in " + dir)
	return ""
}

func TestManifestFormat(t *testing.T) {
	sum := strings.Repeat("ab", 32)
	pieces := []Piece{
		{Name: "vol", Path: "/v", Parts: []Part{{Role: RoleData, Sub: "18/docker"}, {Role: "ts-700", Sub: "spaces/a"}}},
		{Name: "wal", Path: "/w"},
	}
	file := func(piece, path string) Record {
		return Record{Piece: piece, Path: Path(path), Type: TypeFile, Size: 3, MtimeNS: 1700000000999999999, SHA256: sum}
	}
	records := []Record{
		{Piece: "vol", Path: ".", Type: TypeDir},
		file("vol", "18/docker/PG_VERSION"),
		file("vol", "18/docker/pg_wal/000000010000000000000001"),
		file("vol", "18/docker/quote\"\\\n"),
		file("vol", "18/docker/\xffbin"),
		file("vol", "18/docker/backup_manifest"),
		file("vol", "spaces/a/PG_18_202506291/5/16384"),
		file("vol", "outside"),
		file("wal", "000000010000000000000002"),
		{Piece: "vol", Path: "18/docker/postgresql.conf", Type: TypeLink, Target: "/etc/x"},
		{Piece: "vol", Path: "18/docker/pg_tblspc/700", Type: TypeLink, Target: "/spaces/a"},
		{Piece: "vol", Path: "18/docker/pg_wal", Type: TypeLink, Target: "/w"},
	}
	var b bytes.Buffer
	report, err := WriteManifest(&b, ManifestInfo{Major: 18, SystemIdentifier: 7320280665284567118, Pieces: pieces,
		WAL: []WALRange{{1, 0x2000028, 0x2000100}, {2, 0x2000100, 0x3000000}}}, RecordsOf(records))
	if err != nil {
		t.Fatal(err)
	}
	line := func(path string) string {
		return fmt.Sprintf("{ %s, \"Size\": 3, \"Last-Modified\": \"2023-11-14 22:13:20 GMT\", \"Checksum-Algorithm\": \"SHA256\", \"Checksum\": \"%s\" }", path, sum)
	}
	want := "{ \"PostgreSQL-Backup-Manifest-Version\": 2,\n\"System-Identifier\": 7320280665284567118,\n\"Files\": [\n" +
		line(`"Path": "PG_VERSION"`) + ",\n" + line(`"Path": "quote\"\\\n"`) + ",\n" + line(`"Encoded-Path": "ff62696e"`) + ",\n" +
		line(`"Path": "pg_tblspc/700/PG_18_202506291/5/16384"`) + "\n],\n\"WAL-Ranges\": [\n" +
		"{ \"Timeline\": 1, \"Start-LSN\": \"0/2000028\", \"End-LSN\": \"0/2000100\" },\n" +
		"{ \"Timeline\": 2, \"Start-LSN\": \"0/2000100\", \"End-LSN\": \"0/3000000\" }\n],\n"
	h := sha256.Sum256([]byte(want))
	want += "\"Manifest-Checksum\": \"" + hex.EncodeToString(h[:]) + "\"}\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	if report.Files != 4 || report.Bytes != 12 || len(report.Ignore) != 1 || report.Ignore[0] != "postgresql.conf" {
		t.Errorf("report %+v", report)
	}
}

func TestManifestRefuses(t *testing.T) {
	for name, r := range map[string]Record{
		"no hash":       {Piece: "data", Path: "a", Type: TypeFile},
		"unknown piece": {Piece: "other", Path: "a", Type: TypeFile},
	} {
		var b bytes.Buffer
		if _, err := WriteManifest(&b, ManifestInfo{Major: 15, Pieces: []Piece{{Name: "data", Path: "/d"}}}, RecordsOf([]Record{r})); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// The manifest of any names is JSON, and its checksum covers what is before it.
func FuzzManifest(f *testing.F) {
	f.Add("base/1/2", int64(5), int64(0), 15)
	f.Add("\xff\"\\\u2028\x7f", int64(-1), int64(-1), 18)
	f.Fuzz(func(t *testing.T, path string, size, mtime int64, major int) {
		var b bytes.Buffer
		r := Record{Piece: "data", Path: Path(path), Type: TypeFile, Size: size, MtimeNS: mtime, SHA256: strings.Repeat("00", 32)}
		report, err := WriteManifest(&b, ManifestInfo{Major: major, Pieces: []Piece{{Name: "data", Path: "/d"}}}, RecordsOf([]Record{r}))
		if err != nil {
			t.Fatal(err)
		}
		var m struct {
			Files []struct {
				Path, Sum   string
				EncodedPath string `json:"Encoded-Path"`
				Size        int64
			}
			Checksum string `json:"Manifest-Checksum"`
		}
		if err := json.Unmarshal(b.Bytes(), &m); err != nil {
			t.Fatalf("%v: %s", err, b.String())
		}
		i := bytes.LastIndex(b.Bytes(), []byte(`"Manifest-Checksum"`))
		if h := sha256.Sum256(b.Bytes()[:i]); m.Checksum != hex.EncodeToString(h[:]) {
			t.Fatal("checksum does not match")
		}
		if int64(len(m.Files)) != report.Files {
			t.Fatalf("%d files, report says %d", len(m.Files), report.Files)
		}
		for _, f := range m.Files {
			raw, err := hex.DecodeString(f.EncodedPath)
			if err != nil || (f.Path != path && string(raw) != path) || f.Size != size {
				t.Fatalf("%+v from %q", f, path)
			}
		}
	})
}
