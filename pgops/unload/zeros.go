package unload

import "github.com/pgrescue/pgrescue/pgops/pgdisk"

// forkMaps are those of the table at hand.
func (w *writer) forkMaps() *forkMaps {
	if w.maps == nil {
		w.maps = newForkMaps(w.src, w.table)
	}
	return w.maps
}

func (w *writer) closeMaps() {
	if w.maps != nil {
		w.maps.close()
	}
	w.maps = nil
}

// zeros decides about pages of zeroes once another page has come after them; those at the end
// wait until it is the table's end.
func (w *writer) zeros(end *chunkEnd) (notes []byte) {
	for _, z := range end.zeros {
		if n := len(w.cur.Zeros); n > 0 && w.cur.Zeros[n-1].First+pgdisk.BlockNumber(w.cur.Zeros[n-1].Count) == z.First {
			w.cur.Zeros[n-1].Count += z.Count
		} else {
			w.cur.Zeros = append(w.cur.Zeros, z)
		}
	}
	rest := w.cur.Zeros[:0]
	for _, z := range w.cur.Zeros {
		if !end.written || z.First > end.lastWritten {
			rest = append(rest, z)
			continue
		}
		notes = w.zeroRun(notes, z, uint64(z.First)+uint64(z.Count))
	}
	w.cur.Zeros = rest
	return notes
}

// zeroRun counts pages of zeroes by what the maps say of them, run by run. Of those before
// the block doubtful nobody can say that they are new if no map does.
func (w *writer) zeroRun(notes []byte, z span, doubtful uint64) []byte {
	for at, left := z.First, z.Count; left > 0; {
		fate, n := w.zeroFate(at, doubtful), uint32(1)
		for n < left && w.zeroFate(at+pgdisk.BlockNumber(n), doubtful) == fate {
			n++
		}
		if fate == zeroNew {
			w.cur.Counts.NewPages += int64(n)
		} else {
			w.cur.Counts.LostBlocks += int64(n)
			notes = w.addBad(notes, BadPage{span{at, n}, fate.why()})
		}
		at, left = at+pgdisk.BlockNumber(n), left-n
	}
	return notes
}

func (w *writer) zeroFate(blk pgdisk.BlockNumber, doubtful uint64) zeroFate {
	fate := w.forkMaps().zero(blk)
	if fate == zeroMaybe && uint64(blk) >= doubtful {
		return zeroNew
	}
	return fate
}
