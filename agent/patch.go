package agent

import (
	"context"
	"fmt"
)

// PatchRequest is a list of exact changes to files. It is applied all or not at all as
// far as checking goes: nothing is written before every change was found applicable, and
// nothing before all bytes that it overwrites are saved.
type PatchRequest struct {
	Pieces  []Piece  `json:"pieces"`
	Save    string   `json:"save"` // directory for the saved bytes, absolute, outside the pieces
	Changes []Change `json:"changes"`
	DryRun  bool     `json:"dry_run"` // check and stream what would be saved, write nothing
}

// Change is one change of one file or directory.
type Change struct {
	Piece string `json:"piece"`
	Path  Path   `json:"path"`
	Op    Op     `json:"op"`

	// OpWrite: After replaces Before at Off.
	Off    int64  `json:"off,omitempty"`
	Before []byte `json:"before,omitempty"` // what must be there; shorter than After only at the end of the file
	After  []byte `json:"after,omitempty"`
	Extend bool   `json:"extend,omitempty"` // After may reach past the end of the file

	// BeforeSHA256 stands for Before where the caller has only its hash; BeforeLen is
	// its length. A write that was torn by a power cut cannot be recognised then.
	BeforeSHA256 string `json:"before_sha256,omitempty"`
	BeforeLen    int64  `json:"before_len,omitempty"`

	// OpTruncate: the file is OldSize long and becomes NewSize, which is not more.
	OldSize int64 `json:"old_size,omitempty"`
	NewSize int64 `json:"new_size,omitempty"`

	// OpCreate and OpMkdir: owner and mode of what is made; After is the content. For
	// OpRemove and OpRmdir they are what undoing gives back, filled in when saved.
	UID     uint32 `json:"uid,omitempty"`
	GID     uint32 `json:"gid,omitempty"`
	Mode    uint32 `json:"mode,omitempty"`
	MtimeNS int64  `json:"mtime_ns,omitempty"`
}

// Op is what a Change does.
type Op string

// The operations, each with its inverse among them.
const (
	OpWrite    Op = "write"
	OpTruncate Op = "truncate" // undone by writes that extend
	OpCreate   Op = "create"   // a file that does not exist, with After as content
	OpRemove   Op = "remove"   // a file whose whole content is Before
	OpMkdir    Op = "mkdir"
	OpRmdir    Op = "rmdir" // an empty directory
)

// Bounds of one request.
const (
	maxChanges    = 100000
	maxPatchBytes = 16 << 20
)

// PatchResult says what was done.
type PatchResult struct {
	Written int    `json:"written"` // changes made now
	Already int    `json:"already"` // changes that were in place before
	Bytes   int64  `json:"bytes"`
	Saved   string `json:"saved"` // file with the saved bytes, "" in a dry run
	Digest  string `json:"digest"`
}

// Patch applies changes to the pieces. Each must find the bytes it expects or those it
// would write; anything else refuses the whole request. So it can be repeated after an
// interruption. What is overwritten goes first to a file in Save, synced, and to the
// caller as records of type Change: applying those in reverse order undoes the patch
// (see Inverse).
//
// It writes to the target's data. The caller has the operator's consent.
func Patch(ctx context.Context, req PatchRequest, s *Stream) (PatchResult, error) {
	if err := req.check(); err != nil {
		return PatchResult{}, err
	}
	trees, err := openTrees(req.Pieces)
	if err != nil {
		return PatchResult{}, err
	}
	defer closeTrees(trees)
	p := &patcher{ctx: ctx, req: req, trees: trees, s: s}
	p.res.Digest = req.digest()
	for _, step := range []func() error{p.inspect, p.save, p.write} {
		if err := step(); err != nil {
			return p.res, fmt.Errorf("patch: %w", err)
		}
	}
	return p.res, nil
}

// check bounds a request before anything is looked at.
func (r PatchRequest) check() error {
	bad := func(path Path, format string, args ...any) error {
		return refuse(KindBadRequest, string(path), fmt.Sprintf(format, args...), "nothing was written")
	}
	if len(r.Changes) == 0 || len(r.Changes) > maxChanges {
		return bad("", "a patch of %d changes", len(r.Changes))
	}
	if r.Save == "" && !r.DryRun {
		return bad("", "no directory to save the overwritten bytes in")
	}
	var total int64
	for i, c := range r.Changes {
		total += int64(len(c.After) + len(c.Before))
		switch {
		case !c.Path.Local() || c.Path == ".":
			return bad(c.Path, "change %d: path %q is not inside the piece", i, c.Path)
		case total > maxPatchBytes:
			return bad(c.Path, "the patch has more than %d bytes; split it", maxPatchBytes)
		case c.Off < 0 || c.OldSize < 0 || c.NewSize < 0 || c.NewSize > c.OldSize:
			return bad(c.Path, "change %d of %s: sizes or offset make no sense", i, c.Path)
		case c.Op == OpWrite && len(c.After) == 0:
			return bad(c.Path, "change %d of %s writes nothing", i, c.Path)
		case c.Op == OpWrite && c.BeforeSHA256 == "" && len(c.Before) > len(c.After),
			c.Op == OpWrite && c.BeforeSHA256 != "" && (c.Before != nil || c.BeforeLen < 0 || c.BeforeLen > int64(len(c.After))):
			return bad(c.Path, "change %d of %s: before and after do not fit together", i, c.Path)
		}
		switch c.Op {
		case OpWrite, OpTruncate, OpCreate, OpRemove, OpMkdir, OpRmdir:
		default:
			return bad(c.Path, "change %d of %s: unknown operation %q", i, c.Path, c.Op)
		}
	}
	return nil
}

// Inverse turns what a patch saved, in the order it was streamed, into the request that
// undoes it.
func Inverse(pieces []Piece, save string, saved []Change) PatchRequest {
	req := PatchRequest{Pieces: pieces, Save: save}
	for i := len(saved) - 1; i >= 0; i-- {
		req.Changes = append(req.Changes, saved[i])
	}
	return req
}
