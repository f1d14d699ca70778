package demo

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/client"
)

// engine connects to Docker and requires the image.
func engine(t *testing.T, image string) *client.Client {
	t.Helper()
	cli, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cli.Close() })
	if _, err := cli.Ping(t.Context()); err != nil {
		t.Skipf("SKIP-REASON: no Docker engine answers (%v); run hack/docker-up.sh", err)
	}
	if _, err := cli.ImageInspect(t.Context(), image); err != nil {
		t.Skipf("SKIP-REASON: no image %s (%v); run hack/image.sh", image, err)
	}
	return cli
}

// TestBreak breaks a cluster of every major in every way and looks whether it is
// broken as promised.
func TestBreak(t *testing.T) {
	slots := make(chan struct{}, 2)
	for _, opt := range []Options{
		{Major: 13, Cut: CutMembers},
		{Major: 15, Checksums: true, Twin: true},
		{Major: 17, Cut: CutNone},
		{Major: 18},
	} {
		t.Run(fmt.Sprint(opt.Major), func(t *testing.T) {
			t.Parallel()
			slots <- struct{}{}
			defer func() { <-slots }()
			testBreak(t, opt)
		})
	}
}

func testBreak(t *testing.T, opt Options) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	opt.Name = fmt.Sprintf("demotest-%d-%d", os.Getpid(), opt.Major)
	opt.Rows = MinRows
	opt.Progress = func(s string) { t.Log(s) }
	cli := engine(t, fmt.Sprintf("postgres:%d", opt.Major))
	t.Cleanup(func() {
		if err := Remove(context.Background(), cli, opt.Name); err != nil {
			t.Error(err)
		}
	})
	b, err := Break(ctx, cli, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("damage %q, truth %+v", b.Damage, b.Truth)
	checkLoop(t, cli, b)
	checkTruth(t, b.Truth)
	checkNothingElse(t, cli, b, opt)
}

// checkLoop looks at the container from outside, as an operator would.
func checkLoop(t *testing.T, cli *client.Client, b *Broken) {
	t.Helper()
	c, err := cli.ContainerInspect(t.Context(), b.Container)
	if err != nil {
		t.Fatal(err)
	}
	if c.RestartCount < 2 {
		t.Errorf("restarted %d times, want a loop", c.RestartCount)
	}
	text, err := logs(t.Context(), cli, b.Container)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"PANIC:  invalid lp", "signal 6: Aborted", "Heap/LOCK"} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "invalid page in block") {
		t.Errorf("the page's checksum is wrong:\n%s", text)
	}
}

// checkTruth compares with what the workload is known to leave.
func checkTruth(t *testing.T, truth []TableCount) {
	t.Helper()
	const n = MinRows
	// child: 4n at first, 5 for each of 4 blocks, n-100 more; less every 50th of
	// those that were there at the deletion.
	want := map[string]int64{"parent": n, "child": 5*n - 80 - (4*n+20)/50, "document": 200, "late": 1000}
	if len(truth) != len(want) {
		t.Errorf("truth has %d tables, want %d", len(truth), len(want))
	}
	for _, c := range truth {
		if c.Schema != "public" || c.Rows != want[c.Table] {
			t.Errorf("%s.%s has %d rows, want %d", c.Schema, c.Table, c.Rows, want[c.Table])
		}
		if c.Sum == "" || c.Sum == "0" {
			t.Errorf("%s.%s has no content sum", c.Schema, c.Table)
		}
	}
}

// checkNothingElse looks for leftovers of the making.
func checkNothingElse(t *testing.T, cli *client.Client, b *Broken, opt Options) {
	t.Helper()
	for _, name := range []string{setupContainer(opt.Name), handsContainer(opt.Name), twinContainer(opt.Name)} {
		if _, err := cli.ContainerInspect(t.Context(), name); err == nil {
			t.Errorf("container %s was left behind", name)
		}
	}
	_, err := cli.VolumeInspect(t.Context(), twinVolume(opt.Name))
	if kept := err == nil; kept != opt.Twin || (b.Twin != "") != opt.Twin {
		t.Errorf("twin kept: %v, named %q; asked for %v", kept, b.Twin, opt.Twin)
	}
}
