package agent

import "os"

// dataMap walks the data of a sparse file from its start to its end.
type dataMap struct {
	f     *os.File
	size  int64
	ext   Extent // the current or next range of data
	end   bool   // no data after ext
	prev  int64  // end of the range before ext
	holes func(off, n int64)
}

// newDataMap reports every hole it passes to holes. A file without holes, as its
// allocation tells, is one range.
func newDataMap(f *os.File, st stat, holes func(off, n int64)) (*dataMap, error) {
	m := &dataMap{f: f, size: st.size, holes: holes}
	if st.alloc >= st.size {
		m.ext, m.end = Extent{0, st.size}, true
		return m, nil
	}
	return m, m.advance(0)
}

func (m *dataMap) advance(off int64) error {
	m.prev = off
	ext, ok, err := nextData(m.f, off, m.size)
	if err != nil {
		return err
	}
	if !ok {
		ext, m.end = Extent{m.size, 0}, true
	}
	if ext.Off > off {
		m.holes(off, ext.Off-off)
	}
	m.ext = ext
	return nil
}

// within calls fn for every range of data in [off, off+n), which must not lie before an
// earlier call's. It reports whether there was any.
func (m *dataMap) within(off, n int64, fn func(Extent)) (any bool, err error) {
	for {
		lo, hi := max(m.ext.Off, off), min(m.ext.Off+m.ext.Len, off+n)
		if lo < hi {
			any = true
			fn(Extent{lo, hi - lo})
		}
		if m.end || m.ext.Off+m.ext.Len > off+n || m.ext.Off >= off+n {
			return any, nil
		}
		if err := m.advance(m.ext.Off + m.ext.Len); err != nil {
			return any, err
		}
	}
}
