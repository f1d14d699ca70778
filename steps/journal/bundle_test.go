package journal

import (
	"archive/tar"
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/pgrescue/pgrescue/steps/engine"
)

func TestCast(t *testing.T) {
	d := incident(t)
	in := bufio.NewScanner(strings.NewReader(export(t, d, "cast")))
	in.Scan()
	var header struct {
		Version   int
		Timestamp int64
		Term      struct{ Cols, Rows int }
	}
	if err := json.Unmarshal(in.Bytes(), &header); err != nil || header.Version != 3 || header.Term.Cols == 0 || header.Timestamp == 0 {
		t.Fatalf("header %s: %v", in.Text(), err)
	}
	codes, sum, line := map[string]int{}, 0.0, 1
	for in.Scan() {
		line++
		if strings.HasPrefix(in.Text(), "#") {
			continue
		}
		var e []any
		if err := json.Unmarshal(in.Bytes(), &e); err != nil || len(e) != 3 {
			t.Fatalf("line %d: %s: %v", line, in.Text(), err)
		}
		interval, code, text := e[0].(float64), e[1].(string), e[2].(string)
		if interval < 0 {
			t.Errorf("line %d: negative interval", line)
		}
		sum += interval
		codes[code]++
		if control(strings.TrimSuffix(text, "\r\n")) {
			t.Errorf("line %d: %q", line, text)
		}
	}
	starts := 0
	rep := mustRead(t, d)
	for _, e := range rep.Events {
		if e.Kind == engine.KindStarted || e.Kind == engine.KindAct {
			starts++
		}
	}
	span := rep.Events[len(rep.Events)-1].At.Sub(rep.Events[0].At).Seconds()
	if codes["m"] != starts || codes["x"] != 1 || codes["i"] != 0 || codes["o"] < 50 || sum < span-0.01 || sum > span+0.01 {
		t.Errorf("codes %v, %d starts; %.3f s of %.3f s", codes, starts, sum, span)
	}
}

func TestBundle(t *testing.T) {
	d := incident(t)
	packed, err := zstd.NewReader(strings.NewReader(export(t, d, "bundle")))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	files := map[string][]byte{}
	for r := tar.NewReader(packed); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		root, name, _ := strings.Cut(h.Name, "/")
		if root != d.ID() || path.Clean(h.Name) != h.Name || h.Mode != 0o600 {
			t.Errorf("entry %s, mode %o", h.Name, h.Mode)
		}
		if files[name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{journalName, reportName, postmortemName, "events.json", "session.cast", "before/INDEX.json", "backup_manifest", "snapshot.sidecar.jsonl", "MANIFEST.sha256"} {
		if len(files[name]) == 0 {
			t.Errorf("%s is missing", name)
		}
	}
	if _, ok := files["before/patch-1.jsonl"]; ok || !bytes.Contains(files["before/INDEX.json"], []byte(`"before/patch-1.jsonl"`)) {
		t.Error("saved bytes are to be listed, not packed")
	}
	manifest := string(files["MANIFEST.sha256"])
	delete(files, "MANIFEST.sha256")
	if n := strings.Count(manifest, "\n"); n != len(files) {
		t.Errorf("the manifest lists %d of %d files", n, len(files))
	}
	for name, content := range files {
		if !strings.Contains(manifest, fmt.Sprintf("%x  %s\n", sha256.Sum256(content), name)) {
			t.Errorf("%s: hash is not in the manifest", name)
		}
	}
	if rep, err := replay(bytes.NewReader(files[journalName])); err != nil || rep.Head != mustRead(t, d).Head {
		t.Errorf("the journal in the bundle: %v", err)
	}
}
