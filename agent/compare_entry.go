package agent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"
)

// compareEntry lists how an entry differs from its record. Only trouble that is not the
// entry's own, such as cancellation, is an error.
func compareEntry(ctx context.Context, dirs *dirCache, t *tree, r *Record, opt CompareRequest, buf []byte, progress func(int64)) ([]Difference, error) {
	parent, name := split(string(r.Path))
	d, err := dirs.open(t, parent)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return []Difference{{What: "missing", Want: string(r.Type)}}, nil
	}
	if err != nil {
		return []Difference{{What: "unreadable", Got: err.Error()}}, nil
	}
	fi, err := d.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return []Difference{{What: "missing", Want: string(r.Type)}}, nil
	}
	if err != nil {
		return []Difference{{What: "unreadable", Got: err.Error()}}, nil
	}
	st, err := statOf(fi)
	if err != nil {
		return nil, err
	}
	if st.typ != r.Type {
		return []Difference{{What: "type", Want: string(r.Type), Got: string(st.typ)}}, nil
	}
	out := compareMetadata(r, st, opt)
	if !opt.IgnoreXattrs {
		out = append(out, compareXattrs(d, name, r)...)
	}
	switch r.Type {
	case TypeLink:
		if target, err := d.root.Readlink(name); err != nil || Path(target) != r.Target {
			out = append(out, Difference{What: "link", Want: string(r.Target), Got: target})
		}
	case TypeFile:
		if st.size != r.Size {
			return append(out, Difference{What: "size", Want: fmt.Sprint(r.Size), Got: fmt.Sprint(st.size)}), nil
		}
		diff, err := compareContent(ctx, d, name, r, buf, progress)
		return append(out, diff...), err
	}
	return out, nil
}

func compareMetadata(r *Record, st stat, opt CompareRequest) (out []Difference) {
	if r.Type != TypeLink && st.mode != r.Mode {
		out = append(out, Difference{What: "mode", Want: fmt.Sprintf("%04o", r.Mode), Got: fmt.Sprintf("%04o", st.mode)})
	}
	if st.uid != r.UID || st.gid != r.GID {
		out = append(out, Difference{What: "owner", Want: fmt.Sprintf("%d:%d", r.UID, r.GID), Got: fmt.Sprintf("%d:%d", st.uid, st.gid)})
	}
	if !opt.IgnoreMtime && st.mtimeNS != r.MtimeNS {
		out = append(out, Difference{What: "mtime", Want: fmt.Sprint(r.MtimeNS), Got: fmt.Sprint(st.mtimeNS)})
	}
	return out
}

func compareXattrs(d *dir, name string, r *Record) []Difference {
	got, err := listXattrs(d.file, name)
	if err != nil {
		return []Difference{{What: "unreadable", Got: err.Error()}}
	}
	same := slices.EqualFunc(got, r.Xattrs, func(a, b Xattr) bool { return a.Name == b.Name && bytes.Equal(a.Value, b.Value) })
	if same {
		return nil
	}
	return []Difference{{What: "xattrs", Want: xattrNames(r.Xattrs), Got: xattrNames(got)}}
}

func xattrNames(xs []Xattr) string {
	var b []byte
	for _, x := range xs {
		b = fmt.Appendf(b, "%s(%d) ", x.Name, len(x.Value))
	}
	return string(bytes.TrimSpace(b))
}

// compareContent compares hashes. Ranges that could not be read when the record was made
// count as zeros, as they did then.
func compareContent(ctx context.Context, d *dir, name string, r *Record, buf []byte, progress func(int64)) ([]Difference, error) {
	sum, err := hashFile(ctx, d.root, name, buf, progress)
	if (err != nil || hexSum(sum) != r.SHA256) && len(r.Bad) > 0 {
		sum, err = hashMasked(ctx, d.root, name, r.Bad, buf)
	}
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return []Difference{{What: "unreadable", Got: err.Error()}}, nil
	case hexSum(sum) != r.SHA256:
		return []Difference{{What: "content", Want: r.SHA256, Got: hexSum(sum)}}, nil
	}
	return nil, nil
}

// hashMasked hashes a file with ranges of it taken as zeros and not read.
func hashMasked(ctx context.Context, root *os.Root, name string, mask []Extent, buf []byte) ([32]byte, error) {
	f, st, err := openFile(root, name)
	if err != nil {
		return [32]byte{}, err
	}
	defer f.Close()
	h := sha256.New()
	for off := int64(0); off < st.size; {
		if ctx.Err() != nil {
			return [32]byte{}, context.Cause(ctx)
		}
		for len(mask) > 0 && mask[0].Off+mask[0].Len <= off {
			mask = mask[1:]
		}
		part := buf[:min(int64(len(buf)), st.size-off)]
		switch {
		case len(mask) > 0 && mask[0].Off <= off:
			part = part[:min(int64(len(part)), mask[0].Off+mask[0].Len-off)]
			clear(part)
		default:
			if len(mask) > 0 {
				part = part[:min(int64(len(part)), mask[0].Off-off)]
			}
			if _, err := f.ReadAt(part, off); err != nil {
				return [32]byte{}, err
			}
		}
		h.Write(part)
		off += int64(len(part))
	}
	return [32]byte(h.Sum(nil)), nil
}
