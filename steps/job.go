package steps

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/pgrescue/pgrescue/agent"
	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// job is one call of the agent.
type job[Req any] struct {
	name     string
	req      Req
	input    iter.Seq2[agent.Record, error]
	onRecord func(json.RawMessage) error
	what     string // for the progress line
}

// inspectWith runs a job that only reads, in the place's resident helper.
func inspectWith[Req, Res any](ctx context.Context, at *Place, p *engine.Pass, j job[Req]) (Res, error) {
	var none Res
	id, err := at.look(ctx)
	if err != nil {
		return none, err
	}
	c, err := at.ws.docker(ctx)
	if err != nil {
		return none, err
	}
	conn, err := c.ExecStream(ctx, id, dockerops.HelperBinary, "agent")
	if err != nil {
		return none, err
	}
	defer conn.Close()
	res, err := agent.CallWithInput[Req, Res](ctx, conn, j.name, j.req, j.input, j.progress(p), j.onRecord)
	return res, at.ws.askDaemon(ctx, c, id, jobError(err))
}

// changeWith runs a job that writes, in a container that exists for this job alone: when
// this process dies, the job loses its input, ends, and the writable mount is gone.
func changeWith[Req, Res any](ctx context.Context, at *Place, mounts []dockerops.Mount, p *engine.Pass, j job[Req]) (res Res, err error) {
	c, err := at.ws.docker(ctx)
	if err != nil {
		return res, err
	}
	spec, err := at.helperSpec(ctx, mounts)
	if err != nil {
		return res, err
	}
	spec.OpenStdin = true
	id, err := c.Create(ctx, spec)
	if err != nil {
		return res, err
	}
	defer func() { err = at.ws.daemonGone(errors.Join(err, c.Remove(context.WithoutCancel(ctx), id))) }()
	conn, err := c.StartAttached(ctx, id)
	if err != nil {
		return res, err
	}
	defer conn.Close()
	res, err = agent.CallWithInput[Req, Res](ctx, conn, j.name, j.req, j.input, j.progress(p), j.onRecord)
	return res, jobError(err)
}

// progress translates the agent's progress into the engine's.
func (j job[Req]) progress(p *engine.Pass) func(agent.Progress) {
	began := time.Now()
	phase := ""
	return func(a agent.Progress) {
		if a.Phase != phase {
			phase, began = a.Phase, time.Now()
		}
		what := a.Phase
		if j.what != "" {
			what = j.what + ": " + a.Phase
		}
		p.Progress(engine.Progress{What: what, Done: a.Bytes, Total: a.BytesTotal, Unit: "bytes", Since: began})
	}
}

func randomSuffix() string {
	b := make([]byte, 4)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}

// humanBytes writes a size as people do, in powers of 1000.
func humanBytes(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB", "PB"}
	f := float64(n)
	i := 0
	for ; f >= 1000 && i < len(units)-1; i++ {
		f /= 1000
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.*f %s", precision(f), f, units[i])
}

func precision(f float64) int {
	if f < 10 {
		return 1
	}
	return 0
}
