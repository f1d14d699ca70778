package agent

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

func sidecarOf(t testing.TB, records []Record) (file []byte, seal string) {
	t.Helper()
	var b bytes.Buffer
	w, err := NewSidecarWriter(&b, SidecarHeader{Tool: "pgrescue test", Made: "2025-01-02T03:04:05Z", Pieces: []Piece{{Name: "data", Path: "/d"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if seal, err = w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), seal
}

func readSidecar(file []byte) (records []Record, seal string, err error) {
	s, err := OpenSidecar(bytes.NewReader(file))
	if err != nil {
		return nil, "", err
	}
	for r, err := range s.Records() {
		if err != nil {
			return records, "", err
		}
		records = append(records, r)
	}
	return records, s.Seal, nil
}

func someRecords() []Record {
	return []Record{
		{Piece: "data", Path: ".", Type: TypeDir, Mode: 0o700, UID: 999},
		{Piece: "data", Path: "a\xff", Type: TypeFile, Size: 8192, SHA256: strings.Repeat("0", 64), Holes: []Extent{{0, 4096}}, HoleCount: 1,
			BadPages: []BadPage{{Block: 3, Kind: BadChecksum, LSN: "0/1"}}, BadPageCount: 1, Xattrs: []Xattr{{"user.x", []byte{0, 255}}}},
		{Piece: "data", Path: "link", Type: TypeLink, Target: "/x"},
	}
}

func TestSidecarRoundTrip(t *testing.T) {
	file, seal := sidecarOf(t, someRecords())
	got, readSeal, err := readSidecar(file)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, someRecords()) {
		t.Errorf("got %+v", got)
	}
	if seal == "" || seal != readSeal {
		t.Errorf("seals %q and %q", seal, readSeal)
	}
}

func TestSidecarNoticesTampering(t *testing.T) {
	file, seal := sidecarOf(t, someRecords())
	lines := bytes.SplitAfter(file, []byte("\n"))
	lines = lines[:len(lines)-1]
	joined := func(order ...int) []byte {
		var b []byte
		for _, i := range order {
			b = append(b, lines[i]...)
		}
		return b
	}
	for name, damaged := range map[string][]byte{
		"record lost":    joined(0, 1, 3, 4),
		"records moved":  joined(0, 2, 1, 3, 4),
		"end lost":       joined(0, 1, 2, 3),
		"cut":            file[:len(file)-5],
		"last newline":   file[:len(file)-1],
		"appended":       append(bytes.Clone(file), "{}\n"...),
		"record changed": bytes.Replace(file, []byte(`"size":8192`), []byte(`"size":8193`), 1),
		"header changed": bytes.Replace(file, []byte(`pgrescue test`), []byte(`pgrescue tesT`), 1),
		"empty":          nil,
		"other format":   []byte(`{"header":{"format":"x","version":1,"tool":"","made":"","pieces":null}}` + "\n"),
		"other version":  []byte(`{"header":{"format":"pgrescue-sidecar","version":2,"tool":"","made":"","pieces":null}}` + "\n"),
	} {
		if _, _, err := readSidecar(damaged); err == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
	// A change of the last line alone cannot break the chain: the seal tells.
	other := bytes.Replace(file, []byte(`"end":{`), []byte(`"end": {`), 1)
	if _, s, err := readSidecar(other); err == nil && s == seal {
		t.Error("the end line was changed and the seal is the same")
	}
}

func FuzzSidecar(f *testing.F) {
	file, _ := sidecarOf(f, someRecords())
	f.Add(file)
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		records, seal, err := readSidecar(b)
		if err == nil && seal == "" {
			t.Fatal("ended well without a seal")
		}
		if err == nil && len(records) > bytes.Count(b, []byte("\n")) {
			t.Fatal("more records than lines")
		}
	})
}
