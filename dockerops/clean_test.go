package dockerops

import (
	"strings"
	"testing"
)

func TestCleanRemovesOursAndNothingElse(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	strange := b.strangeVolume("data")
	other := b.stranger("other", containerCmd("idle"), withVolume(strange), true)
	snap := b.volume("snap", RoleSnapshot)
	_, err := b.CreateVolume(b.ctx, b.name("second-incident"), Tag{b.incident + "-2", RoleScratch}, nil)
	b.must(err)
	cl, err := b.OverlayClone(b.ctx, CloneSpec{Name: b.name("a-clone"), Incident: b.incident, Lower: snap, Image: b.image})
	b.must(err)
	b.idle(vol(cl.Volume, "/c", false))
	own, err := b.Owned(b.ctx, b.incident)
	b.must(err)
	var roles []string
	for _, o := range own {
		roles = append(roles, string(o.Kind)+"/"+string(o.Tag.Role))
	}
	if got := strings.Join(roles, " "); got != "container/helper volume/clone volume/scratch volume/snapshot" {
		t.Errorf("order: %s", got)
	}

	removed, err := b.Clean(b.ctx, b.incident, false)
	if err != nil || len(removed) != 3 {
		t.Errorf("removed %+v, %v", removed, err)
	}
	if own, err = b.Owned(b.ctx, b.incident); err != nil || len(own) != 1 || own[0].ID != snap {
		t.Errorf("left %+v, %v: want the snapshot", own, err)
	}
	if removed, err = b.Clean(b.ctx, b.incident, true); err != nil || len(removed) != 1 {
		t.Errorf("removed %+v, %v", removed, err)
	}
	if ct, err := b.Container(b.ctx, other); err != nil || !ct.State.Running {
		t.Errorf("stranger: %v, %v", ct.State, err)
	}
	if removed, err = b.Clean(b.ctx, b.incident+"-2", false); err != nil || len(removed) != 1 {
		t.Errorf("second incident: %+v, %v", removed, err)
	}
	if _, err := b.Clean(b.ctx, "", true); err == nil {
		t.Error("cleaning without an incident was not refused")
	}
}
