package dockerops

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestHelperImage(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	in, err := b.api.ImageInspect(b.ctx, b.image)
	b.must(err)
	if !slices.Equal(in.Config.Entrypoint, []string{HelperBinary}) || in.Config.Labels[LabelRole] != string(RoleHelper) {
		t.Errorf("config: %+v", in.Config)
	}
	if len(in.RootFS.Layers) != 1 {
		t.Errorf("layers: %v", in.RootFS.Layers)
	}
	refs, err := b.HelperImages(b.ctx)
	if err != nil || !slices.Contains(refs, b.image) {
		t.Errorf("helper images: %v, %v", refs, err)
	}
}

func TestHelperImageIsReused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	bin := testBinary(t, "reused")
	first, err := b.EnsureHelperImage(b.ctx, bin)
	b.must(err)
	t.Cleanup(func() {
		if err := b.RemoveHelperImage(context.Background(), first); err != nil {
			t.Error(err)
		}
	})
	before, err := b.api.ImageInspect(b.ctx, first)
	b.must(err)
	second, err := b.EnsureHelperImage(b.ctx, bin)
	b.must(err)
	after, err := b.api.ImageInspect(b.ctx, second)
	b.must(err)
	if first != second || before.ID != after.ID || before.Created != after.Created {
		t.Errorf("made again: %s %s, %s %s", first, before.ID, second, after.ID)
	}
	b.must(b.RemoveHelperImage(b.ctx, first))
	b.must(b.RemoveHelperImage(b.ctx, first))
	if ok, err := b.HasImage(b.ctx, first); ok || err != nil {
		t.Errorf("still there: %v, %v", ok, err)
	}
}

func TestHelperImageRefuses(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	script := filepath.Join(t.TempDir(), "script")
	b.must(os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755))
	for path, want := range map[string]string{
		script:          "not a Linux program",
		"/bin/ls":       "CGO_ENABLED=0",
		"/no/such/file": "no such file",
	} {
		if _, err := b.EnsureHelperImage(b.ctx, path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
	if err := b.RemoveHelperImage(b.ctx, "postgres:15"); err == nil || !strings.Contains(err.Error(), "kept") {
		t.Errorf("removing another image: %v", err)
	}
}

// testBinary is a static program that differs from all others: an ELF file
// header and some text are enough for importing it.
func testBinary(t *testing.T, text string) string {
	t.Helper()
	header := make([]byte, 64)
	copy(header, "\x7fELF\x02\x01\x01")
	header[16], header[18], header[20], header[52] = 2, 62, 1, 64
	path := filepath.Join(t.TempDir(), "bin")
	if err := os.WriteFile(path, append(header, t.Name()+text+t.TempDir()...), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}
