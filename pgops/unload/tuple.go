package unload

import (
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// row decides where the tuple at hand goes. size is that of the whole tuple.
func (w *worker) row(size int, why string) {
	verdict := w.judge()
	if verdict.Doubtful {
		w.end.counts.Doubtful++
		n := w.noteAt(NoteDoubt)
		n.Reason = fmt.Sprintf("taken as %s: %s", verdict.Fate, verdict.Why)
		w.part.notes = n.append(w.part.notes)
	}
	switch verdict.Fate {
	case pgdisk.FateDeleted:
		w.end.counts.Deleted++
	case pgdisk.FateNotInserted:
		w.end.counts.NotInserted++
	}
	if verdict.Fate != pgdisk.FateVisible {
		w.dead(verdict, size, why)
		return
	}
	err := w.deform(size)
	if err != nil || why != "" {
		w.damaged(why, err)
		return
	}
	var bad *valueError
	if w.part.rows, bad = w.rows.row(w.part.rows, w.vals); bad != nil {
		w.damaged(w.reason(bad), nil)
		return
	}
	w.end.counts.Rows++
	if w.part.size() >= partSize {
		w.flush()
	}
}

// reason says why a row could not be printed.
func (w *worker) reason(bad *valueError) string {
	if bad.column < 0 {
		return bad.err.Error()
	}
	return w.table.database.charset.string(w.rows.columns[bad.column].name) + ": " + bad.err.Error()
}

// deform takes the tuple apart. One whose columns do not end where it ends was taken apart
// wrongly: a length in it is not what it was.
func (w *worker) deform(size int) error {
	if err := w.table.deformer.Deform(w.tuple, w.vals); err != nil {
		return err
	}
	end, err := columnsEnd(w.tuple, w.table.columns, w.vals)
	if err != nil {
		return err
	}
	if end += int(w.tuple.Hoff); end != size {
		return fmt.Errorf("the columns end at byte %d of the tuple's %d", end, size)
	}
	return nil
}

// dead writes a row that is not visible, if that is wanted.
func (w *worker) dead(verdict pgdisk.Verdict, size int, why string) {
	if !w.opt.Dead {
		return
	}
	if err := w.deform(size); err != nil || why != "" {
		if err != nil {
			why = err.Error()
		}
		w.broken(fmt.Sprintf("a row that is %s: %s", verdict.Fate, why), rawTuple(w.tuple))
		return
	}
	w.end.counts.Dead++
	w.part.dead = w.rows.deadRow(w.part.dead, w.tid, w.tuple.TupleHeader, verdict.Fate.String(), w.vals, func(column string, v []byte, err error) {
		n := w.noteAt(NoteDeadValue)
		n.Column, n.Reason, n.Hex = w.table.database.charset.string(column), err.Error(), string(appendHex(nil, v))
		w.part.notes = n.append(w.part.notes)
	})
	if w.part.size() >= partSize {
		w.flush()
	}
}
