package agent

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sort"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

const openNoFollow = unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC

// mediaErrors are what the kernel returns when the medium or a file system's own
// checksums fail (block/blk-core.c blk_errors, fs/xfs, fs/ext4): the bytes are gone, the
// rest of the file may not be.
func mediaErrors() [6]unix.Errno {
	return [...]unix.Errno{unix.EIO, unix.EBADMSG, unix.EUCLEAN, unix.ENODATA, unix.EREMOTEIO, unix.EILSEQ}
}

func statOf(fi os.FileInfo) (stat, error) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return stat{}, fmt.Errorf("stat %s: no system information", fi.Name())
	}
	s := stat{mode: st.Mode & 0o7777, uid: st.Uid, gid: st.Gid, size: st.Size, alloc: st.Blocks * 512,
		mtimeNS: st.Mtim.Nano(), ctimeNS: st.Ctim.Nano(), ino: st.Ino, dev: uint64(st.Dev), nlink: uint64(st.Nlink)}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		s.typ = TypeDir
	case unix.S_IFREG:
		s.typ = TypeFile
	case unix.S_IFLNK:
		s.typ = TypeLink
	case unix.S_IFSOCK:
		s.typ = TypeSocket
	case unix.S_IFIFO:
		s.typ = TypeFIFO
	default:
		s.typ = TypeDevice
	}
	return s, nil
}

// nextData returns the next range of f that is not a hole, at or after off.
// ok is false when only a hole is left.
func nextData(f *os.File, off, size int64) (ext Extent, ok bool, err error) {
	start, err := unix.Seek(int(f.Fd()), off, unix.SEEK_DATA)
	if errors.Is(err, unix.ENXIO) {
		return ext, false, nil
	}
	if err != nil {
		// The file system cannot tell: all of it is data.
		return Extent{off, size - off}, off < size, nil
	}
	end, err := unix.Seek(int(f.Fd()), start, unix.SEEK_HOLE)
	if err != nil {
		end = size
	}
	end = min(end, size)
	if start >= end {
		return ext, false, nil
	}
	return Extent{start, end - start}, true, nil
}

// cloneFile makes dst share all blocks of src (FICLONE). It fails with EOPNOTSUPP,
// EXDEV, EINVAL or ENOTTY where that is not possible.
func cloneFile(dst, src *os.File) error {
	return unix.IoctlFileClone(int(dst.Fd()), int(src.Fd()))
}

// cloneImpossible reports whether a failed cloneFile says that no file can be cloned.
func cloneImpossible(err error) bool {
	for _, e := range [...]error{unix.EOPNOTSUPP, unix.EXDEV, unix.EINVAL, unix.ENOTTY, unix.ENOSYS, unix.EPERM, unix.EBADF} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// syncFS writes out the file system that f lies on and reports write errors that
// happened since f was opened (Linux 5.8 and later report them).
func syncFS(f *os.File) error { return unix.Syncfs(int(f.Fd())) }

// openForReadBack opens name so that reading it reads the medium: with O_DIRECT, or
// with its cached pages dropped. direct tells which.
func openForReadBack(root *os.Root, name string) (f *os.File, direct bool, err error) {
	f, err = root.OpenFile(name, os.O_RDONLY|openNoFollow|unix.O_DIRECT, 0)
	if err == nil {
		return f, true, nil
	}
	if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EOPNOTSUPP) {
		return nil, false, err
	}
	f, err = root.OpenFile(name, os.O_RDONLY|openNoFollow, 0)
	if err != nil {
		return nil, false, err
	}
	// A failure leaves the pages cached: the read-back then proves less, not nothing.
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
	return f, false, nil
}

// adviseSequential asks for read-ahead.
func adviseSequential(f *os.File) {
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_SEQUENTIAL)
}

// alignedBuffer returns memory that O_DIRECT accepts. It is given back to the kernel by free.
func alignedBuffer(n int) (buf []byte, free func(), err error) {
	buf, err = unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, nil, fmt.Errorf("map %d bytes: %w", n, err)
	}
	return buf, func() { _ = unix.Munmap(buf) }, nil
}

// setTimes sets the modification time of name in dir, links not followed. The access
// time becomes the same.
func setTimes(dir *os.File, name string, mtimeNS int64) error {
	ts := unix.NsecToTimespec(mtimeNS)
	return unix.UtimesNanoAt(int(dir.Fd()), name, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW)
}

// setMode sets permission bits including setuid, setgid and sticky on an open file.
func setMode(f *os.File, mode uint32) error { return unix.Fchmod(int(f.Fd()), mode) }

// procPath names an entry of an open directory for calls that have no "at" form. For the
// directory itself name is ".": the calls do not follow a link that a path ends in, and
// without the dot the path would end in one.
func procPath(dir *os.File, name string) string {
	return "/proc/self/fd/" + strconv.Itoa(int(dir.Fd())) + "/" + name
}

const maxXattrs = 1 << 20 // bytes of names or of one value; the kernel's own limit is 64 KiB

// listXattrs reads all extended attributes of name in dir, sorted by name. A file
// system without them has none.
func listXattrs(dir *os.File, name string) ([]Xattr, error) {
	p := procPath(dir, name)
	get := func(b []byte) (int, error) { return unix.Llistxattr(p, b) }
	names, err := growing(get)
	if errors.Is(err, unix.EOPNOTSUPP) || (err == nil && len(names) == 0) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list extended attributes of %s: %w", name, err)
	}
	var out []Xattr
	for _, raw := range bytes.Split(bytes.TrimSuffix(names, []byte{0}), []byte{0}) {
		attr := string(raw)
		value, err := growing(func(b []byte) (int, error) { return unix.Lgetxattr(p, attr, b) })
		if errors.Is(err, unix.ENODATA) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read extended attribute %s of %s: %w", attr, name, err)
		}
		out = append(out, Xattr{Path(attr), value})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, nil
}

// growing calls a function that reports its needed size when given no buffer.
func growing(get func([]byte) (int, error)) ([]byte, error) {
	for {
		n, err := get(nil)
		if err != nil || n == 0 {
			return nil, err
		}
		if n > maxXattrs {
			return nil, fmt.Errorf("extended attributes of %d bytes", n)
		}
		b := make([]byte, n)
		n, err = get(b)
		if errors.Is(err, unix.ERANGE) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return b[:n], nil
	}
}

func setXattr(dir *os.File, name string, x Xattr) error {
	return unix.Lsetxattr(procPath(dir, name), string(x.Name), x.Value, 0)
}

func removeXattr(dir *os.File, name string, attr Path) error {
	return unix.Lremovexattr(procPath(dir, name), string(attr))
}

// fsTypes names the magic numbers of linux/magic.h and of out-of-tree file systems.
var fsTypes = map[int64]string{
	0xef53: "ext4", 0x58465342: "xfs", 0x9123683e: "btrfs", 0x2fc12fc1: "zfs", 0xca451a4e: "bcachefs",
	0x794c7630: "overlay", 0x01021994: "tmpfs", 0x6969: "nfs", 0xff534d42: "cifs", 0xfe534d42: "smb2",
	0x65735546: "fuse", 0x01021997: "9p", 0xf2f52010: "f2fs", 0x6a656a63: "virtiofs", 0x73717368: "squashfs",
}

func statFS(path string) (Space, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return Space{}, fmt.Errorf("statfs %s: %w", path, err)
	}
	var dev unix.Stat_t
	if err := unix.Stat(path, &dev); err != nil {
		return Space{}, fmt.Errorf("stat %s: %w", path, err)
	}
	name, ok := fsTypes[int64(st.Type)&0xffffffff]
	if !ok {
		name = fmt.Sprintf("0x%x", int64(st.Type)&0xffffffff)
	}
	bs := int64(st.Frsize)
	if bs == 0 {
		bs = int64(st.Bsize)
	}
	return Space{FSType: name, Device: uint64(dev.Dev), FreeBytes: int64(st.Bavail) * bs, TotalBytes: int64(st.Blocks) * bs,
		FreeInodes: int64(st.Ffree), TotalInodes: int64(st.Files), ReadOnly: st.Flags&unix.ST_RDONLY != 0}, nil
}

// waitHangup blocks until the other end of f is closed for writing, even while unread
// bytes are left, or until done is closed.
func waitHangup(f *os.File, done <-chan struct{}) bool {
	raw, err := f.SyscallConn()
	if err != nil {
		return false
	}
	for {
		select {
		case <-done:
			return false
		default:
		}
		var n int
		var fds [1]unix.PollFd
		if raw.Control(func(fd uintptr) {
			fds[0] = unix.PollFd{Fd: int32(fd), Events: unix.POLLRDHUP}
			n, _ = unix.Poll(fds[:], 200)
		}) != nil {
			return false
		}
		if n > 0 && fds[0].Revents&(unix.POLLHUP|unix.POLLRDHUP|unix.POLLERR|unix.POLLNVAL) != 0 {
			return true
		}
	}
}
