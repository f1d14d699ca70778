package pgops

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// waits is what a server process was seen to wait for (pg_stat_activity).
type waits struct {
	seen     bool
	kind     string // wait_event_type: Lock, LWLock, IPC, BufferPin, IO, ...
	event    string
	blockers string // pg_blocking_pids, 0 being a prepared transaction
	prepared string // prepared transactions there are
}

func (w waits) String() string {
	switch {
	case !w.seen:
		return "what it waited on could not be seen"
	case w.kind == "":
		return "was running, waiting on nothing the server names"
	}
	s := "waited on " + w.kind + "/" + w.event
	if strings.Trim(w.blockers, "{}") != "" {
		s += ", blocked by process " + strings.Trim(w.blockers, "{}")
		if w.prepared != "" {
			s += " (0 is a prepared transaction; there is " + w.prepared + ")"
		}
	}
	return s
}

// blocked reports whether the process waited for something that reading does not wait for. IO
// and plain running may just be slow.
func (w waits) blocked() bool { return w.seen && w.kind != "" && w.kind != "IO" && w.kind != "Lock" }

// monitor looks at other processes through a connection of its own.
type monitor struct {
	o        CheckOptions
	mu       sync.Mutex
	database string
	conn     *pgx.Conn
}

func (m *monitor) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drop()
}

func (m *monitor) drop() {
	if m.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = m.conn.Close(ctx) // nothing is lost with it
	m.conn = nil
}

// use says which database to connect to; the one that is being checked can be opened.
func (m *monitor) use(database string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if database != m.database {
		m.drop()
		m.database = database
	}
}

// ask runs one statement, or gives nothing: the monitor must never be the reason to fail.
func (m *monitor) ask(ctx context.Context, sql string) [][]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if m.conn == nil || m.conn.IsClosed() {
		conn, err := connectWith(ctx, m.o, m.database, checkSettings())
		if err != nil {
			return nil
		}
		m.conn = conn
	}
	rows, err := simple(ctx, m.conn.PgConn(), sql)
	if err != nil {
		m.drop()
		return nil
	}
	return rows
}

// watch looks at a process again and again until the returned function is called, which says
// what was seen last.
func (m *monitor) watch(ctx context.Context, pid uint32, limit time.Duration) func() waits {
	ctx, cancel := context.WithCancel(ctx)
	var (
		mu   sync.Mutex
		last waits
		done = make(chan struct{})
	)
	pause := min(limit, checkLockTimeout) * 2 / 5
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
			if w := m.look(ctx, pid); w.seen {
				mu.Lock()
				last = w
				mu.Unlock()
			}
		}
	}()
	return func() waits {
		cancel()
		<-done
		mu.Lock()
		defer mu.Unlock()
		return last
	}
}

func (m *monitor) look(ctx context.Context, pid uint32) waits {
	rows := m.ask(ctx, fmt.Sprintf("SELECT coalesce(wait_event_type, ''), coalesce(wait_event, ''), pg_blocking_pids(pid)::text,"+
		" (SELECT coalesce(string_agg(quote_literal(gid), ', '), '') FROM (SELECT gid FROM pg_prepared_xacts ORDER BY prepared LIMIT 3) p)"+
		" FROM pg_stat_activity WHERE pid = %d AND state = 'active'", pid))
	if len(rows) != 1 {
		return waits{}
	}
	return waits{seen: true, kind: rows[0][0], event: rows[0][1], blockers: rows[0][2], prepared: rows[0][3]}
}

// end tries to end a process that does not stop by itself, and reports whether it is still there.
func (m *monitor) end(ctx context.Context, pid uint32, last *waits) (stubborn bool) {
	if w := m.look(ctx, pid); w.seen {
		*last = w
	}
	for range 6 {
		rows := m.ask(ctx, fmt.Sprintf("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %d", pid))
		if rows != nil && len(rows) == 0 {
			return false
		}
		select {
		case <-ctx.Done():
			return true
		case <-time.After(500 * time.Millisecond):
		}
	}
	return true
}
