package pgops

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// verdictWindow bounds how many verdicts wait for an earlier, slower table.
	verdictWindow = 256
	// restartLimit is how long a server may take to come back after one of its processes died.
	restartLimit = 5 * time.Minute
	// deathsPerTable bounds how often one table may take the server down.
	deathsPerTable = 5
	// runningConnect is the check that is being made before there is a session.
	runningConnect = "connect"
)

// checker is one run of CheckTables.
type checker struct {
	o        CheckOptions
	verdict  func(TableVerdict) error
	progress func(CheckProgress)
	monitor  *monitor
	crashes  atomic.Int64 // how often all connections were lost at once

	// alone is held for reading while a table is checked, and for writing while the table
	// that may have killed the server is checked again with nobody else there.
	alone sync.RWMutex

	mu          sync.Mutex // progress
	done, total int64
}

func newChecker(o CheckOptions, verdict func(TableVerdict) error, progress func(CheckProgress)) *checker {
	if o.Workers < 1 {
		o.Workers = 1
	}
	if o.StatementTimeout <= 0 {
		o.StatementTimeout = 10 * time.Minute
	}
	if progress == nil {
		progress = func(CheckProgress) {}
	}
	return &checker{o: o, verdict: verdict, progress: progress, monitor: &monitor{o: o}}
}

// report tells the progress.
func (c *checker) report(what string, done int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done += done
	c.total = max(c.total, c.done)
	c.progress(CheckProgress{What: what, Done: c.done, Total: c.total})
}

// slot is the place of one table in the order of verdicts.
type slot struct {
	relation relation
	verdict  TableVerdict
	done     chan struct{}
}

// checkAll checks the tables that list yields with some workers and hands the verdicts out in
// the order of the list.
func (c *checker) checkAll(ctx context.Context, database string, workers int, list func(context.Context, func(relation) error) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	jobs, order := make(chan *slot), make(chan *slot, verdictWindow)
	var group sync.WaitGroup
	fail := func(err error) {
		if err != nil {
			cancel(err)
		}
	}
	group.Go(func() {
		defer close(jobs)
		defer close(order)
		fail(list(ctx, func(r relation) error { return offer(ctx, &slot{relation: r, done: make(chan struct{})}, order, jobs) }))
	})
	for range workers {
		group.Go(func() { fail(c.work(ctx, database, jobs)) })
	}
	group.Go(func() { fail(c.handOut(ctx, order)) })
	group.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// offer puts a table in line, and then before the workers.
func offer(ctx context.Context, s *slot, queues ...chan<- *slot) error {
	for _, q := range queues {
		select {
		case q <- s:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (c *checker) handOut(ctx context.Context, order <-chan *slot) error {
	for s := range order {
		select {
		case <-s.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := c.verdict(s.verdict); err != nil {
			return err
		}
		c.report(s.verdict.Subject(), 1)
	}
	return nil
}

// work is one worker: it keeps a session for as long as that is usable.
func (c *checker) work(ctx context.Context, database string, jobs <-chan *slot) error {
	var s *session
	defer func() { s.close() }()
	for j := range jobs {
		v, err := c.checkOne(ctx, database, &s, j.relation)
		if err != nil {
			return err
		}
		j.verdict = v
		close(j.done)
	}
	return nil
}

// checkOne checks one table. A catalog that does not pass is checked again without the indexes
// of the catalogs: one that is damaged lets others look damaged, until it has been rebuilt.
func (c *checker) checkOne(ctx context.Context, database string, s **session, r relation) (TableVerdict, error) {
	v, err := c.checkFirm(ctx, database, s, r)
	if err != nil || !r.catalog || v.Result == checkPassed {
		return v, err
	}
	(*s).close()
	wary, err := c.openSession(ctx, database, true)
	if err != nil {
		return v, ctx.Err() // the first verdict stands
	}
	defer func() { wary.close() }()
	return c.checkFirm(ctx, database, &wary, r)
}

// checkFirm checks one table, and once more with nobody else there if the server died.
func (c *checker) checkFirm(ctx context.Context, database string, s **session, r relation) (TableVerdict, error) {
	c.alone.RLock()
	t, err := c.attempt(ctx, database, s, r)
	c.alone.RUnlock()
	if !errors.Is(err, errLost) {
		return t.settle(), err
	}
	c.alone.Lock()
	defer c.alone.Unlock()
	first, deaths := t.running, map[string]int{t.running: 1}
	for died := 1; ; died++ {
		if err := c.awaitServer(ctx, database); err != nil {
			return t.settle(), fmt.Errorf("%s: %s: %w", t.verdict.Subject(), first, err)
		}
		t, err = c.attempt(ctx, database, s, r)
		switch {
		case err == nil:
			t.note("the server died once during %q while other tables were read too, and not again with this one alone", first)
			return t.settle(), nil
		case !errors.Is(err, errLost):
			return t.settle(), err
		}
		// A new connection can still fall to the end of the old ones: only dying of the same
		// check twice is proof, and so is dying all the time.
		deaths[t.running]++
		if deaths[t.running] < 2 || t.running == runningConnect {
			if died < deathsPerTable {
				continue
			}
		}
		t.add(CheckResult{Name: t.running, Result: checkFailed, Detail: "the server process died while doing this, again with no other connection"})
		t.add(CheckResult{Name: "the remaining checks", Result: checkUnknown, Detail: "not made after the server had died"})
		return t.settle(), c.awaitServer(ctx, database)
	}
}

// attempt opens a session if there is none and checks the table.
func (c *checker) attempt(ctx context.Context, database string, s **session, r relation) (*tableCheck, error) {
	t := newTableCheck(c, database, r)
	if !(*s).usable() {
		wary := *s != nil && (*s).wary
		(*s).close()
		opened, err := c.openSession(ctx, database, wary)
		if ctx.Err() != nil {
			return t, ctx.Err()
		}
		if err != nil {
			if startingUp(err) {
				t.running = runningConnect
				return t, errLost
			}
			t.judge(runningConnect, err)
			return t, nil
		}
		*s = opened
	}
	t.s = *s
	return t, t.all(ctx)
}

// awaitServer waits until a server that lost a process answers again.
func (c *checker) awaitServer(ctx context.Context, database string) error {
	c.crashes.Add(1)
	deadline := time.Now().Add(restartLimit)
	for {
		// First a pause: for a moment after a death the server still takes connections, only to
		// end them with all others.
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(300 * time.Millisecond):
		}
		conn, err := connectWith(ctx, c.o, database, nil)
		if err == nil {
			_ = conn.Close(ctx) // it answers; the sessions open their own
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !startingUp(err) {
			return nil // it answers, with an error that the next session meets too
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the server died and did not come back in %v: %w", restartLimit, err)
		}
	}
}
