package dockerops

import (
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
)

func TestListPutsCrashLoopsFirst(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.stranger("c-created", containerCmd("idle"), container.HostConfig{}, false)
	b.stranger("b-running", containerCmd("idle"), withVolume(b.strangeVolume("used")), true)
	b.stranger("z-looping", containerCmd("fail", "1"), restarting(container.HostConfig{}, "always", 0), true)
	b.stranger("d-exited", containerCmd("fail", "1"), container.HostConfig{}, true)
	b.strangeVolume("v-unused")
	b.idle()
	b.eventually("crash loop", func() bool {
		ct, err := b.Container(b.ctx, b.name("z-looping"))
		return err == nil && ct.Looping()
	})
	list, err := b.List(b.ctx)
	b.must(err)
	var got []string
	for _, x := range list {
		if name, ok := strings.CutPrefix(x.Name, b.incident+"-"); ok {
			got = append(got, string(x.Kind)+" "+name)
		}
	}
	want := []string{"container z-looping", "container d-exited", "container b-running", "container c-created", "volume v-unused"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, x := range list {
		if strings.Contains(x.Name, "z-looping") && (x.State.ExitCode != 1 && x.State.RestartCount == 0) {
			t.Errorf("state of the crash loop: %+v", x.State)
		}
	}
}
