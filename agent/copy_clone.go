package agent

import "os"

// tryClone lets the copy share the blocks of the source where the file system can. The
// content is still read once, for its hash. A refusal that holds for every file ends the
// trying for the piece.
func (w *fileCopier) tryClone(t *task, src, dst *os.File) bool {
	w.cloneMu.Lock()
	try := w.clone[t.tree.Name]
	w.cloneMu.Unlock()
	if !try || t.stat.size == 0 {
		return false
	}
	err := cloneFile(dst, src)
	if err == nil {
		t.rec.Cloned = true
		return true
	}
	if cloneImpossible(err) {
		w.cloneMu.Lock()
		w.clone[t.tree.Name] = false
		w.cloneMu.Unlock()
	}
	// Whatever the reason, a partly cloned file must not remain.
	_ = dst.Truncate(0)
	return false
}
