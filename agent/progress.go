package agent

import (
	"sync/atomic"
	"time"
)

// Progress says how far a job is. Rates and remaining time are the receiver's to compute.
type Progress struct {
	Phase      string `json:"phase"` // "measure", "copy", "sync", "read back", ...
	Path       Path   `json:"path,omitempty"`
	Bytes      int64  `json:"bytes"`
	BytesTotal int64  `json:"bytes_total,omitempty"`
	Files      int64  `json:"files"`
	FilesTotal int64  `json:"files_total,omitempty"`
}

// progressEvery bounds how often progress is sent.
const progressEvery = 200 * time.Millisecond

// meter counts work done by several goroutines and reports it now and then.
type meter struct {
	phase                  string
	bytesTotal, filesTotal int64
	send                   func(Progress)

	bytes, files atomic.Int64
	last         atomic.Int64 // UnixNano of the last report
}

func newMeter(phase string, bytesTotal, filesTotal int64, send func(Progress)) *meter {
	m := &meter{phase: phase, bytesTotal: bytesTotal, filesTotal: filesTotal, send: send}
	m.report("")
	return m
}

func (m *meter) add(bytes, files int64, path string) {
	m.bytes.Add(bytes)
	m.files.Add(files)
	now, last := time.Now().UnixNano(), m.last.Load()
	if now-last >= int64(progressEvery) && m.last.CompareAndSwap(last, now) {
		m.report(path)
	}
}

// report sends the state of things now.
func (m *meter) report(path string) {
	m.last.Store(time.Now().UnixNano())
	m.send(Progress{Phase: m.phase, Path: Path(path), Bytes: m.bytes.Load(), BytesTotal: m.bytesTotal,
		Files: m.files.Load(), FilesTotal: m.filesTotal})
}
