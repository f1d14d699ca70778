package agent

import (
	"fmt"
	"io"
	"os"
)

// openFile opens a regular file of a tree for reading, never through a link.
func openFile(root *os.Root, name string) (*os.File, stat, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|openNoFollow, 0)
	if err != nil {
		return nil, stat{}, err
	}
	fi, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, stat{}, err
	}
	st, err := statOf(fi)
	if err == nil && st.typ != TypeFile {
		err = fmt.Errorf("%s is a %s, not a file", name, st.typ)
	}
	if err != nil {
		f.Close()
		return nil, stat{}, err
	}
	return f, st, nil
}

// readSmall reads a file of at most limit bytes; of a longer one the first limit bytes.
func readSmall(root *os.Root, name string, limit int64) ([]byte, error) {
	f, _, err := openFile(root, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}
