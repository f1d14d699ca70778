package agent

import (
	"context"
	"encoding/json"
	"fmt"
)

// Job is one thing the agent can do.
type Job struct {
	Name string
	raw  bool // after its result line the connection carries bytes, not lines
	run  func(ctx context.Context, req json.RawMessage, s *Stream) (any, error)
}

// Names of the jobs, as Call takes them.
const (
	JobLook        = "look"
	JobCopy        = "copy"
	JobCompare     = "compare"
	JobArchive     = "archive"
	JobPatch       = "patch"
	JobRestore     = "restore"
	JobRead        = "read"
	JobPrepare     = "prepare"
	JobFingerprint = "fingerprint"
	JobTunnel      = "tunnel"

	JobScanParams    = "scan-params"
	JobScanMultiXact = "scan-multixact"
)

// Jobs lists every job. To add one, write its function and give it a line here.
func Jobs() []Job {
	return []Job{
		newJob(JobLook, Look),
		newJob(JobCopy, Copy),
		newJob(JobCompare, Compare),
		newJob(JobArchive, Archive),
		newJob(JobPatch, Patch),
		newJob(JobRestore, Restore),
		newJob(JobRead, Read),
		newJob(JobPrepare, Prepare),
		newJob(JobFingerprint, Fingerprint),
		newRawJob(JobTunnel, tunnel),
		newJob(JobScanParams, ScanParams),
		newJob(JobScanMultiXact, ScanMultiXact),
	}
}

// newJob makes a job of a function: the request is decoded strictly, the result encoded.
func newJob[Req, Res any](name string, f func(context.Context, Req, *Stream) (Res, error)) Job {
	return Job{Name: name, run: func(ctx context.Context, raw json.RawMessage, s *Stream) (any, error) {
		var req Req
		if len(raw) == 0 {
			raw = json.RawMessage(`{}`)
		}
		if err := decodeStrict(raw, &req); err != nil {
			return nil, &Error{Kind: KindBadRequest, Message: fmt.Sprintf("request of job %s: %v", name, err), cause: err,
				Hint: "the two ends may be of different versions of pgrescue"}
		}
		return f(ctx, req, s)
	}}
}

func newRawJob[Req any](name string, f func(context.Context, Req, *Stream) error) Job {
	j := newJob(name, func(ctx context.Context, req Req, s *Stream) (struct{}, error) {
		return struct{}{}, f(ctx, req, s)
	})
	j.raw = true
	return j
}
