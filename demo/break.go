package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"
)

// Break makes a cluster and breaks it. It returns when the broken server has
// been seen dying and restarting. On failure it leaves nothing behind. The
// image must be there; names that are taken are an error.
func Break(ctx context.Context, cli *client.Client, opt Options) (*Broken, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return nil, err
	}
	l, err := openLab(ctx, cli, opt)
	if err != nil {
		return nil, err
	}
	if err := l.refuseTakenNames(ctx); err != nil {
		return nil, err
	}
	b, err := l.makeBroken(ctx)
	if err != nil {
		cleanCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		return nil, errors.Join(err, Remove(cleanCtx, cli, opt.Name))
	}
	return b, nil
}

// refuseTakenNames keeps Break from ever touching, or cleaning up, what it did not make.
func (l *lab) refuseTakenNames(ctx context.Context) error {
	for _, name := range []string{l.Name, setupContainer(l.Name), handsContainer(l.Name), twinContainer(l.Name)} {
		if _, err := l.cli.ContainerInspect(ctx, name); err == nil {
			return fmt.Errorf("there is a container %s already; remove it or choose another name", name)
		}
	}
	for _, name := range []string{dataVolume(l.Name), twinVolume(l.Name)} {
		if _, err := l.cli.VolumeInspect(ctx, name); err == nil {
			return fmt.Errorf("there is a volume %s already; remove it or choose another name", name)
		}
	}
	return nil
}

func (l *lab) makeBroken(ctx context.Context) (*Broken, error) {
	for _, name := range []string{dataVolume(l.Name), twinVolume(l.Name)} {
		if _, err := l.cli.VolumeCreate(ctx, volume.CreateOptions{Name: name, Labels: map[string]string{Label: l.Name}}); err != nil {
			return nil, fmt.Errorf("create volume %s: %w", name, err)
		}
	}
	b := &Broken{Container: l.Name, Volume: dataVolume(l.Name), Image: l.Image, Database: database, cli: l.cli}
	h, err := l.makeCrashed(ctx)
	if err != nil {
		return nil, err
	}
	if err := l.startHands(ctx); err != nil {
		return nil, err
	}
	l.Progress("copy the volume for an undamaged twin")
	if err := l.keepPristine(ctx); err != nil {
		return nil, err
	}
	if b.Damage, err = l.breakUntilItDies(ctx, h); err != nil {
		return nil, err
	}
	if err := l.removeContainer(ctx, handsContainer(l.Name)); err != nil {
		return nil, err
	}
	if b.Truth, err = l.measureTwin(ctx); err != nil {
		return nil, err
	}
	if l.Twin {
		b.Twin = twinVolume(l.Name)
		return b, nil
	}
	return b, l.cli.VolumeRemove(ctx, twinVolume(l.Name), true)
}

// makeCrashed makes the cluster, works on it and stops it hard.
func (l *lab) makeCrashed(ctx context.Context) (heap, error) {
	l.Progress(fmt.Sprintf("start PostgreSQL %d on a new volume", l.Major))
	setup := setupContainer(l.Name)
	err := l.run(ctx, spec{
		name:    setup,
		volumes: map[string]string{dataVolume(l.Name): l.mount},
		// Only the one checkpoint, and no page written after it: what is in the
		// data files must be from before, what came after only in the log.
		cmd: []string{"postgres", "-c", "checkpoint_timeout=1h", "-c", "max_wal_size=8GB", "-c", "autovacuum=off",
			"-c", "bgwriter_lru_maxpages=0", "-c", "shared_buffers=256MB"},
		network: "none",
	})
	if err != nil {
		return heap{}, err
	}
	if err := l.waitServer(ctx, setup, time.Minute); err != nil {
		return heap{}, err
	}
	s, err := l.openSessions(ctx)
	if err != nil {
		return heap{}, err
	}
	defer s.close()
	l.Progress("fill tables, lock rows from several sessions, checkpoint, work on")
	h, err := l.work(ctx, s)
	if err != nil {
		return heap{}, err
	}
	l.Progress("stop it in the middle of its work")
	return h, l.stopHard(ctx, setup)
}

// breakUntilItDies damages one block after another, each on an undamaged
// volume, until the server dies of it.
func (l *lab) breakUntilItDies(ctx context.Context, h heap) ([]string, error) {
	var last error
	for i, block := range h.blocks {
		if i > 0 {
			if err := errors.Join(l.removeContainer(ctx, l.Name), l.restorePristine(ctx)); err != nil {
				return nil, err
			}
		}
		l.Progress(fmt.Sprintf("damage block %d", block))
		damage, err := l.damage(ctx, h, block)
		if err != nil {
			return nil, err
		}
		err = l.run(ctx, spec{
			name: l.Name, volumes: map[string]string{dataVolume(l.Name): l.mount}, restart: container.RestartPolicyAlways,
		})
		if err != nil {
			return nil, err
		}
		if l.FullPageWrites {
			return damage, nil
		}
		l.Progress("wait for it to die and start again")
		if last = l.watchItDie(ctx); last == nil {
			return damage, nil
		}
	}
	return nil, fmt.Errorf("the server will not die of a wiped page: %w", last)
}

// watchItDie waits for the PANIC and for a second restart.
func (l *lab) watchItDie(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		text, err := logs(ctx, l.cli, l.Name)
		if err != nil {
			return err
		}
		if strings.Contains(text, "ready to accept connections") {
			return fmt.Errorf("it came up; its log:\n%s", lastBytes(text, 2000))
		}
		c, err := l.cli.ContainerInspect(ctx, l.Name)
		if err != nil {
			return fmt.Errorf("look at container %s: %w", l.Name, err)
		}
		died := strings.Contains(text, "PANIC:  invalid lp")
		switch {
		case died && c.RestartCount >= 2:
			return nil
		case !died && c.RestartCount >= 4:
			return fmt.Errorf("it dies of something else; its log:\n%s", lastBytes(text, 2000))
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return fmt.Errorf("no PANIC and second restart in time; its log:\n%s", lastBytes(text, 2000))
		}
	}
}

// measureTwin lets the undamaged copy recover, counts it and stops it cleanly.
func (l *lab) measureTwin(ctx context.Context) ([]TableCount, error) {
	l.Progress("count what an undamaged twin has")
	twin := twinContainer(l.Name)
	err := l.run(ctx, spec{name: twin, volumes: map[string]string{twinVolume(l.Name): l.mount}, network: "none"})
	if err != nil {
		return nil, err
	}
	if err := l.waitServer(ctx, twin, time.Minute); err != nil {
		return nil, err
	}
	truth, err := Measure(ctx, l.cli, twin, database)
	if err != nil {
		return nil, err
	}
	if err := l.cli.ContainerStop(ctx, twin, container.StopOptions{}); err != nil {
		return nil, fmt.Errorf("stop the twin: %w", err)
	}
	return truth, l.removeContainer(ctx, twin)
}

func (l *lab) removeContainer(ctx context.Context, name string) error {
	if err := l.cli.ContainerRemove(ctx, name, container.RemoveOptions{Force: true}); err != nil {
		return fmt.Errorf("remove container %s: %w", name, err)
	}
	return nil
}
