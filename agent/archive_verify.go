package agent

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// verify reads the archive back from the medium: the file's own hash, then every
// member's, in the order of writing.
func (a *archiver) verify(tmp string) error {
	f, _, err := openForReadBack(a.dir, tmp)
	if err != nil {
		return err
	}
	defer f.Close()
	buf, free, err := alignedBuffer(4 * chunkSize)
	if err != nil {
		return err
	}
	defer free()
	a.meter = newMeter("verify archive", a.res.Bytes, int64(len(a.sums)), a.s.Progress)
	file := sha256.New()
	raw := &alignedReader{f: f, size: a.res.Size, buf: buf}
	z, err := zstd.NewReader(io.TeeReader(raw, file), zstd.WithDecoderMaxWindow(8<<20), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return err
	}
	defer z.Close()
	if err := a.verifyMembers(tar.NewReader(z)); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, z); err != nil { // the tar's padding
		return a.damaged(err)
	}
	if hexSum([32]byte(file.Sum(nil))) != a.res.SHA256 {
		return a.damaged(errors.New("the file is not what was written"))
	}
	return nil
}

func (a *archiver) verifyMembers(r *tar.Reader) error {
	var members int64
	files := a.sums
	buf := make([]byte, chunkSize)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return a.damaged(err)
		}
		if a.ctx.Err() != nil {
			return context.Cause(a.ctx)
		}
		members++
		if h.Typeflag != tar.TypeReg {
			continue
		}
		sum := sha256.New()
		n, err := io.CopyBuffer(sum, struct{ io.Reader }{r}, buf)
		if err != nil {
			return a.damaged(err)
		}
		if len(files) == 0 || files[0] != [16]byte(sum.Sum(nil)[:16]) {
			return a.whoseFault(h.Name)
		}
		files = files[1:]
		a.meter.add(n, 1, h.Name)
	}
	if members != a.res.Members || len(files) != 0 {
		return a.damaged(fmt.Errorf("%d of %d members can be read", members, a.res.Members))
	}
	return nil
}

// whoseFault tells, after a member was not what its record says, whether the snapshot
// already was not or the archive alone is bad.
func (a *archiver) whoseFault(member string) error {
	piece, path, _ := strings.Cut(member, "/")
	if t := byName(a.trees, piece); t != nil {
		sum, err := hashFile(a.ctx, t.root, path, make([]byte, chunkSize), nil)
		if err == nil && !slices.Contains(a.sums, [16]byte(sum[:16])) {
			return a.notAsRecorded(Path(path))
		}
	}
	return a.damaged(fmt.Errorf("%s reads back different from its record", member))
}

func (a *archiver) damaged(err error) error {
	return &Error{Kind: KindMismatch, Message: fmt.Sprintf("read back: %v", err), cause: err,
		Hint: "the destination or this machine's memory is faulty: use another destination"}
}

// alignedReader reads a file in whole aligned buffers, as O_DIRECT asks, whatever is
// asked of it.
type alignedReader struct {
	f         interface{ Read([]byte) (int, error) }
	size, off int64
	buf, left []byte
}

func (r *alignedReader) Read(b []byte) (int, error) {
	if len(r.left) == 0 {
		if r.off >= r.size {
			return 0, io.EOF
		}
		n, err := r.f.Read(r.buf)
		if err != nil {
			return 0, err
		}
		r.left = r.buf[:n]
		r.off += int64(n)
	}
	n := copy(b, r.left)
	r.left = r.left[n:]
	return n, nil
}
