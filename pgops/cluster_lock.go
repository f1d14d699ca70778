package pgops

import (
	"errors"
	"io"
	"io/fs"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// readLock reads postmaster.pid: nil when it is not there. One that is damaged counts as there, since
// pg_resetwal refuses on its mere existence.
func readLock(fsys fs.FS) (*pgdisk.PIDFile, error) {
	b, err := readSmall(fsys, pgdisk.PIDFileName, 8192)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	f, err := pgdisk.ParsePIDFile(b)
	if err != nil {
		return &pgdisk.PIDFile{}, nil
	}
	return f, nil
}

// readUpTo reads at most limit bytes.
func readUpTo(r io.Reader, limit int64) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, limit))
}
