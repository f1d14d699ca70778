package inspect

import (
	"context"
	"errors"
	"runtime"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// walStretchSize is how much WAL is decoded in one piece, bytes. Its output waits in memory for
// its turn.
const walStretchSize = 2 << 20

// walJob is one stretch on its way.
type walJob struct {
	from, to pgdisk.LSN
	part     *walPart
	got      pgdisk.WALStretch
	err      error
	done     chan struct{}
}

// readParallel decodes stretches of WAL side by side and takes them in, in order, as long as
// they fit together. It leaves the reader at the first record that it did not take in:
// whatever is not plain valid WAL is read in order from there. It returns the number of valid
// records read.
func (r *walRun) readParallel(ctx context.Context) (uint64, error) {
	workers := runtime.GOMAXPROCS(0)
	if workers < 2 || r.opt.Limit > 0 || r.opt.SaveImage != nil {
		return 0, nil // these need every record in its turn
	}
	until, err := r.contiguous()
	if err != nil || until-r.reader.Position() < 2*walStretchSize {
		return 0, err
	}
	readers := make(chan *pgdisk.WALReader, workers)
	for range workers {
		reader, err := pgdisk.NewWALReader(r.src, 0)
		if err != nil {
			return 0, err
		}
		defer reader.Close()
		readers <- reader
	}
	ctx, cancel := context.WithCancel(ctx)
	q := walQueue{run: r, readers: readers, next: r.reader.Position(), until: until}
	err = q.drain(ctx)
	cancel()
	for _, job := range q.jobs {
		<-job.done
	}
	if err != nil {
		return 0, err
	}
	r.reader.Continue(q.sum)
	if q.sum.Records > 0 {
		r.last = q.sum.Next
	}
	return q.sum.Records, nil
}

// contiguous finds the end of the run of segment files that begins at the reader's position,
// or the end that was asked for.
func (r *walRun) contiguous() (pgdisk.LSN, error) {
	at := r.reader.Position()
	numbers, err := r.reader.Segments(at)
	if err != nil {
		return 0, err
	}
	size := uint64(r.src.SegSize)
	next := uint64(at) / size
	for _, n := range numbers {
		if n != next {
			break
		}
		next++
	}
	until := pgdisk.LSN(next * size)
	if r.end != 0 {
		until = min(until, r.end)
	}
	return max(until, at), nil
}

// walQueue holds the stretches that are being read, oldest first.
type walQueue struct {
	run     *walRun
	readers chan *pgdisk.WALReader
	next    pgdisk.LSN
	until   pgdisk.LSN
	jobs    []*walJob
	spare   []*walPart
	sum     pgdisk.WALStretch // all that was taken in
}

// drain starts and takes in stretches until one does not end well.
func (q *walQueue) drain(ctx context.Context) error {
	q.sum = pgdisk.WALStretch{From: q.next, To: q.next, Next: q.next}
	for first := true; ; first = false {
		for q.next < q.until && len(q.jobs) < 2*cap(q.readers) {
			q.start(ctx)
		}
		if len(q.jobs) == 0 {
			return nil
		}
		job := q.jobs[0]
		<-job.done
		q.jobs = q.jobs[1:]
		if job.err != nil && !errors.Is(job.err, errWALEnough) {
			return job.err
		}
		if first {
			q.sum = job.got
		} else if !q.sum.Join(job.got) {
			return nil
		}
		if err := q.run.merge(job.part); err != nil {
			return err
		}
		if !q.sum.Whole() {
			return nil
		}
		q.spare = append(q.spare, job.part)
	}
}

// start hands the next stretch to whichever reader is free.
func (q *walQueue) start(ctx context.Context) {
	job := &walJob{from: q.next, to: (q.next + walStretchSize) &^ (walStretchSize - 1), part: new(walPart), done: make(chan struct{})}
	job.to = min(job.to, q.until)
	if n := len(q.spare); n > 0 {
		job.part, q.spare = q.spare[n-1], q.spare[:n-1]
	}
	q.next = job.to
	q.jobs = append(q.jobs, job)
	go func() {
		defer close(job.done)
		reader := <-q.readers
		defer func() { q.readers <- reader }()
		job.got, job.err = reader.Stretch(ctx, job.from, job.to, func(rec *pgdisk.WALRecord) error {
			if q.run.past(rec) {
				return errWALEnough
			}
			return q.run.add(job.part, rec)
		})
	}()
}
