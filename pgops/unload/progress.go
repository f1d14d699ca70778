package unload

import (
	"sync"
	"time"
)

// Progress is how far a run is.
type Progress struct {
	Table       string  `json:"table,omitempty"` // the last one finished
	TablesDone  int     `json:"tables_done"`
	Tables      int     `json:"tables"`
	BytesDone   int64   `json:"bytes_done"` // of the tables' files
	Bytes       int64   `json:"bytes"`
	BytesPerSec int64   `json:"bytes_per_second"`
	SecondsLeft float64 `json:"seconds_left"` // 0 when not known yet
	Counts      Counts  `json:"counts"`
}

// meter counts what was done, for whoever asks.
type meter struct {
	mu      sync.Mutex
	p       Progress
	started time.Time
	before  int64 // bytes that an earlier run read
	report  func(Progress)
	every   time.Duration
	last    time.Time
}

func newMeter(opt *Options, p *plan, s *state) *meter {
	m := &meter{started: time.Now(), before: s.Bytes, report: opt.Progress, every: opt.ProgressEvery, last: time.Now()}
	m.p = Progress{Tables: len(p.tables), TablesDone: s.Done, Bytes: p.bytes, BytesDone: s.Bytes, Counts: s.Totals}
	if s.Current != nil {
		m.p.Counts.Add(s.Current.Counts)
	}
	return m
}

func (m *meter) read(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.p.BytesDone += n
	m.tell()
}

func (m *meter) wrote(c Counts) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.p.Counts.Add(c)
}

func (m *meter) table(r *TableReport) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.p.TablesDone++
	m.p.Table = r.Schema + "." + r.Name
}

func (m *meter) bytesRead() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.p.BytesDone
}

// tell reports if it is time to.
func (m *meter) tell() {
	now := time.Now()
	if m.report == nil || now.Sub(m.last) < m.every {
		return
	}
	m.last = now
	p := m.p
	if spent := now.Sub(m.started).Seconds(); spent > 0 {
		rate := float64(p.BytesDone-m.before) / spent
		p.BytesPerSec = int64(rate)
		if rate > 0 {
			p.SecondsLeft = float64(p.Bytes-p.BytesDone) / rate
		}
	}
	m.report(p)
}
