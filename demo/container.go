package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/stdcopy"
)

// lab is one demo in the making: the engine, the options, and where the image
// keeps its data.
type lab struct {
	Options
	cli    *client.Client
	pgdata string // absolute path in the container
	mount  string // volume's mount point: pgdata or a parent of it
}

// password is of no value: the server listens to nobody outside its container.
const password = "practice"

// database is where the tables are.
const database = "app"

// openLab reads the image's habits.
func openLab(ctx context.Context, cli *client.Client, opt Options) (*lab, error) {
	img, err := cli.ImageInspect(ctx, opt.Image)
	if err != nil {
		return nil, fmt.Errorf("look at image %s: %w; get it with `make images` or docker pull", opt.Image, err)
	}
	l := &lab{Options: opt, cli: cli, pgdata: "/var/lib/postgresql/data"}
	if img.Config == nil {
		return nil, fmt.Errorf("image %s has no configuration; it is no PostgreSQL image", opt.Image)
	}
	for _, kv := range img.Config.Env {
		if v, ok := strings.CutPrefix(kv, "PGDATA="); ok {
			l.pgdata = path.Clean(v)
		}
	}
	l.mount = l.pgdata
	for v := range img.Config.Volumes {
		if v = path.Clean(v); strings.HasPrefix(l.pgdata+"/", v+"/") {
			l.mount = v
		}
	}
	return l, nil
}

// inData is a path below the data directory.
func (l *lab) inData(rel string) string { return path.Join(l.pgdata, rel) }

// spec is what differs between the containers of a demo.
type spec struct {
	name       string
	volumes    map[string]string // volume to mount point
	entrypoint []string          // nil: the image's
	cmd        []string
	restart    container.RestartPolicyMode
	network    container.NetworkMode // empty: the engine's default
}

// run creates and starts a container.
func (l *lab) run(ctx context.Context, s spec) error {
	env := []string{"POSTGRES_PASSWORD=" + password, "POSTGRES_DB=" + database}
	if l.Checksums && l.Major < 18 {
		env = append(env, "POSTGRES_INITDB_ARGS=--data-checksums")
	}
	cfg := &container.Config{Image: l.Image, Env: env, Entrypoint: s.entrypoint, Cmd: s.cmd, Labels: map[string]string{Label: l.Name}}
	host := &container.HostConfig{
		NetworkMode:   s.network,
		RestartPolicy: container.RestartPolicy{Name: s.restart},
		// A server that aborts every few seconds must not fill the data directory with cores.
		Resources: container.Resources{Ulimits: []*container.Ulimit{{Name: "core"}}},
	}
	for v, target := range s.volumes {
		host.Mounts = append(host.Mounts, mount.Mount{Type: mount.TypeVolume, Source: v, Target: target})
	}
	if _, err := l.cli.ContainerCreate(ctx, cfg, host, nil, nil, s.name); err != nil {
		return fmt.Errorf("create container %s: %w", s.name, err)
	}
	if err := l.cli.ContainerStart(ctx, s.name, container.StartOptions{}); err != nil {
		return fmt.Errorf("start container %s: %w", s.name, err)
	}
	return nil
}

// exec runs a command in a container with stdin and returns its stdout. A
// status other than 0 is an error with the command's stderr in it.
func exec(ctx context.Context, cli *client.Client, name string, stdin []byte, argv ...string) ([]byte, error) {
	id, conn, err := attach(ctx, cli, name, argv)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, conn.Close)()
	go func() {
		// A command that does not read its input ends the copy with an error that means nothing here.
		_, _ = conn.Conn.Write(stdin)
		_ = conn.CloseWrite()
	}()
	var stdout, stderr bytes.Buffer
	if _, err := stdcopy.StdCopy(&stdout, &stderr, conn.Reader); err != nil {
		return nil, fmt.Errorf("read output of %s in %s: %w", argv[0], name, err)
	}
	state, err := cli.ContainerExecInspect(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("ask how %s in %s ended: %w", argv[0], name, err)
	}
	if state.ExitCode != 0 {
		return nil, fmt.Errorf("%s in %s ended with status %d: %s", argv[0], name, state.ExitCode, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.Bytes(), nil
}

// waitServer waits until the server in a container takes connections over TCP.
// The image's first start has a passing server that listens on the socket only.
func (l *lab) waitServer(ctx context.Context, name string, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		_, err := exec(ctx, l.cli, name, nil, "pg_isready", "-q", "-h", "127.0.0.1")
		if err == nil {
			return nil
		}
		if pauseErr := pause(ctx, 200*time.Millisecond); pauseErr != nil {
			tail, _ := logs(context.WithoutCancel(ctx), l.cli, name)
			return fmt.Errorf("server in %s is not ready after %s: %w; its log ends:\n%s", name, patience, err, lastBytes(tail, 2000))
		}
	}
}

// logs returns everything the container has written.
func logs(ctx context.Context, cli *client.Client, name string) (string, error) {
	r, err := cli.ContainerLogs(ctx, name, container.LogsOptions{ShowStdout: true, ShowStderr: true})
	if err != nil {
		return "", fmt.Errorf("read log of %s: %w", name, err)
	}
	defer r.Close()
	var b bytes.Buffer
	if _, err := stdcopy.StdCopy(&b, &b, io.LimitReader(r, 16<<20)); err != nil {
		return "", fmt.Errorf("read log of %s: %w", name, err)
	}
	return b.String(), nil
}

func lastBytes(s string, n int) string {
	if len(s) > n {
		return s[len(s)-n:]
	}
	return s
}

// pause sleeps unless the context ends first.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
