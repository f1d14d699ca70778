package dockerops

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestVolume(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	name := b.volume("v", RoleScratch)
	v, err := b.Volume(b.ctx, name)
	b.must(err)
	if p, ok := v.Path(); !ok || p != v.Mountpoint || v.Tag != (Tag{b.incident, RoleScratch}) || v.CreatedAt.IsZero() {
		t.Errorf("volume: %+v", v)
	}
	if _, err := b.CreateVolume(b.ctx, name, Tag{b.incident, RoleScratch}, nil); err == nil || !strings.Contains(err.Error(), "already there") {
		t.Errorf("a second one of that name: %v", err)
	}
	if _, err := b.CreateVolume(b.ctx, b.name("x"), Tag{Role: RoleScratch}, nil); err == nil {
		t.Error("a volume without incident was made")
	}
	b.tool([]Mount{vol(name, "/v", false)}, "put", "/v/f", strings.Repeat("x", 10000))
	if n, err := b.Usage(b.ctx, name); err != nil || n < 10000 || n > 100000 {
		t.Errorf("usage %d, %v", n, err)
	}
	b.must(b.RemoveVolume(b.ctx, name))
	b.must(b.RemoveVolume(b.ctx, name))
	if _, err := b.Volume(b.ctx, name); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if _, err := b.Usage(b.ctx, name); !errors.Is(err, ErrNotFound) {
		t.Errorf("usage of nothing: %v", err)
	}
}

func TestRemoveVolumeInUse(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	name := b.volume("v", RoleScratch)
	b.idle(vol(name, "/v", false))
	if err := b.RemoveVolume(b.ctx, name); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("got %v", err)
	}
}

func TestVolumeBacking(t *testing.T) {
	tests := []struct {
		name    string
		v       Volume
		path    string
		backing []string
	}{
		{"plain", Volume{Driver: "local", Mountpoint: "/m"}, "/m", []string{"/m"}},
		{"bind", Volume{Driver: "local", Mountpoint: "/m", Options: map[string]string{"type": "none", "o": "rw,bind", "device": "/srv/db/"}},
			"/srv/db", []string{"/m", "/srv/db"}},
		{"nfs", Volume{Driver: "local", Mountpoint: "/m", Options: map[string]string{"type": "nfs", "o": "addr=x", "device": ":/x"}},
			"", []string{"/m"}},
		{"other driver", Volume{Driver: "rexray", Mountpoint: "/m"}, "", []string{"/m"}},
		{"overlay", Volume{Driver: "local", Mountpoint: "/m", Options: map[string]string{
			"type": "overlay", "device": "overlay", "o": "lowerdir=/l1:/l2,upperdir=/u,workdir=/w"}},
			"", []string{"/m", "/l1", "/l2", "/u", "/w"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if p, ok := tt.v.Path(); p != tt.path || ok != (tt.path != "") {
				t.Errorf("path %q %v, want %q", p, ok, tt.path)
			}
			if got := tt.v.Backing(); !slices.Equal(got, tt.backing) {
				t.Errorf("backing %q, want %q", got, tt.backing)
			}
		})
	}
}
