package steps

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// toolSpec is a container that runs one of the image's own programs on the place's data, as
// the owner of the data, without anything the image's entry point would do.
func (p *Place) toolSpec(mounts []dockerops.Mount, argv ...string) dockerops.Spec {
	return dockerops.Spec{
		Tag: p.ws.tag(dockerops.RoleSandbox), Image: p.site.ImageID, User: p.site.user(),
		Entrypoint: argv[:1], Cmd: argv[1:], Mounts: mounts, StopSignal: "SIGINT",
		Env: []string{"LC_ALL=C", "PGDATA=" + p.site.PGData, "PGOPTIONS=", "PGUSER=", "PGHOST="},
	}
}

// tool runs a program on the data mounted read-only, and journals it.
func (p *Place) tool(ctx context.Context, pass *engine.Pass, argv ...string) (engine.Output, error) {
	return p.runTool(ctx, pass, readOnly(p.data), nil, argv...)
}

// toolWriting runs a program on the data as the place has it: writable where the place is.
func (p *Place) toolWriting(ctx context.Context, pass *engine.Pass, argv ...string) (engine.Output, error) {
	if !p.writable {
		return engine.Output{}, fmt.Errorf("%s is not writable", p.name)
	}
	return p.runTool(ctx, pass, p.data, nil, argv...)
}

func (p *Place) runTool(ctx context.Context, pass *engine.Pass, mounts, extra []dockerops.Mount, argv ...string) (engine.Output, error) {
	return p.runToolAs(ctx, pass, p.site.user(), mounts, extra, argv...)
}

// runToolAs runs a program as another user than the owner of the data, which only looking
// at files of ours beside the data may need.
func (p *Place) runToolAs(ctx context.Context, pass *engine.Pass, user string, mounts, extra []dockerops.Mount, argv ...string) (engine.Output, error) {
	c, err := p.ws.docker(ctx)
	if err != nil {
		return engine.Output{}, err
	}
	var out engine.Output
	err = pass.Do(ctx, filepath.Base(argv[0])+" on "+p.name, argv, func(ctx context.Context) (engine.Output, error) {
		var err error
		spec := p.toolSpec(append(mounts, extra...), argv...)
		spec.User = user
		if user == "0:0" {
			spec.CapAdd = []string{"DAC_READ_SEARCH"}
		}
		out.Stdout, out.Stderr, out.Exit, err = c.RunOnce(ctx, spec, nil)
		return out, p.ws.daemonGone(err)
	})
	return out, err
}

// toolFailed turns a non-zero exit into an error with the program's own words.
func toolFailed(argv0 string, out engine.Output) error {
	if out.Exit == 0 {
		return nil
	}
	said := strings.TrimSpace(string(out.Stderr))
	if said == "" {
		said = strings.TrimSpace(string(out.Stdout))
	}
	return fmt.Errorf("%s ended with exit status %d: %s", argv0, out.Exit, said)
}
