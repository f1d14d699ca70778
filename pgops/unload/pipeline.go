package unload

import (
	"context"
	"sync"
)

// partsAhead is how many parts of a chunk may wait for the writer.
const partsAhead = 2

// partPool gives out parts and takes them back. It keeps as many as can be under way.
type partPool chan *part

func newPartPool(jobs int) partPool { return make(partPool, (partsAhead+2)*jobs) }

func (p partPool) get() *part {
	select {
	case v := <-p:
		return v
	default:
		return &part{rows: make([]byte, 0, partSize+partSize/4)}
	}
}

func (p partPool) put(v *part) {
	if !v.keep() {
		return
	}
	v.reset()
	select {
	case p <- v:
	default:
	}
}

// pipeline prints all chunks that are left: one goroutine hands them out, several print
// them, and the caller's writes them in the order in which they were handed out.
//
// No more than a few chunks for each worker are under way, and each has a bounded number of
// parts: memory does not grow with the tables. A worker whose chunk is ahead of its turn
// waits with its parts full; the chunk whose turn it is was handed out before, so some
// worker has it, and the writer takes what it prints.
func pipeline(ctx context.Context, src *source, opt *Options, p *plan, pool partPool, w *writer) error {
	ctx, cancel := context.WithCancel(ctx)
	var workers sync.WaitGroup
	defer workers.Wait()
	defer cancel()

	jobs := opt.jobs()
	work, queue := make(chan *chunk), make(chan *chunk, 2*jobs)
	for range jobs {
		workers.Go(func() { newWorker(ctx, src, opt, pool).run(work) })
	}
	workers.Go(func() {
		defer close(work)
		defer close(queue)
		hand(ctx, p, w.state, work, queue)
	})
	if err := w.run(ctx, queue); err != nil {
		return err
	}
	return ctx.Err()
}

// hand gives each chunk that is left to the writer's queue and to a worker, in that order.
func hand(ctx context.Context, p *plan, s *state, work, queue chan<- *chunk) {
	done, skip := s.Done, 0
	if s.Current != nil {
		skip = s.Current.Chunks
	}
	for _, t := range p.tables[done:] {
		for c := range t.chunks() {
			if c.index < skip {
				continue
			}
			for _, to := range []chan<- *chunk{queue, work} {
				select {
				case to <- c:
				case <-ctx.Done():
					return
				}
			}
		}
		skip = 0
	}
}

// chunks are the pieces of a table; one without blocks has one piece, so that its file is
// written all the same.
func (t *table) chunks() func(yield func(*chunk) bool) {
	return func(yield func(*chunk) bool) {
		next := &chunk{table: t, parts: make(chan *part, partsAhead)}
		for s := range t.files.chunks() {
			if next.Count > 0 {
				if !yield(next) {
					return
				}
				next = &chunk{table: t, index: next.index + 1, parts: make(chan *part, partsAhead)}
			}
			next.span = s
		}
		next.last = true
		yield(next)
	}
}
