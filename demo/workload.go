package demo

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// cleanIDs is the number of parent rows, from the first on, that never get a
// multixact: the blocks they fill are the ones that may be wiped. Judging such
// a row sets no hint bit and so, with checksums on, writes no page image that
// would bring a wiped page back.
const cleanIDs = 1000

// schemaSQL makes the tables. The first VACUUM also sets every hint bit.
const schemaSQL = `
ALTER SYSTEM SET full_page_writes = %[2]s;
SELECT pg_reload_conf();
CREATE TABLE parent (id int PRIMARY KEY, name text NOT NULL, balance bigint NOT NULL, note text);
CREATE TABLE child (id bigint PRIMARY KEY, parent_id int NOT NULL REFERENCES parent (id), amount int NOT NULL, memo text);
CREATE INDEX child_parent ON child (parent_id);
CREATE TABLE document (id int PRIMARY KEY, parent_id int NOT NULL REFERENCES parent (id), body text NOT NULL);
INSERT INTO parent SELECT i, 'name ' || i, i * 10, md5(i::text) FROM generate_series(1, %[1]d) i;
INSERT INTO child SELECT i, 1 + i %% %[1]d, i %% 1000, md5(i::text) FROM generate_series(1, 4 * %[1]d) i;
INSERT INTO document SELECT i, i, (SELECT string_agg(md5(i || '-' || j), '') FROM generate_series(1, 120) j) FROM generate_series(1, 200) i;
VACUUM ANALYZE`

// shareSQL locks rows FOR SHARE, each in a subtransaction of its own. As
// another session holds the same rows FOR KEY SHARE, and no two subtransactions
// are the same member, every row gets a multixact of its own.
const shareSQL = `DO $$
DECLARE i int;
BEGIN
	FOR i IN %d..%d LOOP
		CONTINUE WHEN i %% 5 = 0;
		BEGIN
			PERFORM 1 FROM parent WHERE id = i FOR SHARE;
		EXCEPTION WHEN division_by_zero THEN NULL;
		END;
	END LOOP;
END $$`

// updateSQL updates every tenth row, likewise: the old version's xmax becomes a
// multixact with an updater in it.
const updateSQL = `DO $$
DECLARE i int;
BEGIN
	FOR i IN %d..%d LOOP
		CONTINUE WHEN i %% 10 <> %d;
		BEGIN
			UPDATE parent SET balance = balance + 1 WHERE id = i;
		EXCEPTION WHEN division_by_zero THEN NULL;
		END;
	END LOOP;
END $$`

// afterSQL is the work after the checkpoint that is in no data file yet.
const afterSQL = `
UPDATE parent SET balance = balance + 5 WHERE id <= %[2]d AND id %% 7 = 0;
UPDATE child SET amount = amount + 1 WHERE id %% 9 = 0;
DELETE FROM child WHERE id %% 50 = 0;
INSERT INTO child SELECT i, 1 + i %% %[1]d, 7, 'after the checkpoint' FROM generate_series(4 * %[1]d + 101, 5 * %[1]d) i;
CREATE TABLE late (id int PRIMARY KEY, parent_id int NOT NULL REFERENCES parent (id), made text NOT NULL);
INSERT INTO late SELECT i, i, 'late ' || i FROM generate_series(1, 1000) i`

// sessions are the connections that the workload plays against each other.
type sessions struct{ keeper, sharer, updater *session }

func (l *lab) openSessions(ctx context.Context) (*sessions, error) {
	var s sessions
	for _, p := range []**session{&s.keeper, &s.sharer, &s.updater} {
		var err error
		if *p, err = openSession(ctx, l.cli, setupContainer(l.Name), database); err != nil {
			s.close()
			return nil, err
		}
	}
	return &s, nil
}

func (s *sessions) close() {
	for _, p := range []*session{s.keeper, s.sharer, s.updater} {
		if p != nil {
			p.close()
		}
	}
}

// heap is what must be known of the cluster once its server is gone.
type heap struct {
	parentFile string // path of table parent below the data directory
	checksums  bool
	blocks     []int // blocks of parent that may be wiped, in the order to try them
}

// work fills the cluster, checkpoints, and goes on working. It returns with a
// transaction still open: the server is to be stopped while that is so.
func (l *lab) work(ctx context.Context, s *sessions) (heap, error) {
	fpw := "off"
	if l.FullPageWrites {
		fpw = "on"
	}
	for _, statement := range strings.Split(fmt.Sprintf(schemaSQL, l.Rows, fpw), ";\n") {
		if _, err := s.keeper.do(ctx, statement); err != nil {
			return heap{}, fmt.Errorf("fill the cluster: %w", err)
		}
	}
	h, err := l.lookAtHeap(ctx, s.keeper)
	if err != nil {
		return h, err
	}
	half := cleanIDs + (l.Rows-cleanIDs)*3/4
	if err := s.lockRows(ctx, cleanIDs+1, half); err != nil {
		return h, fmt.Errorf("lock rows before the checkpoint: %w", err)
	}
	if _, err := s.keeper.do(ctx, "CHECKPOINT"); err != nil {
		return h, fmt.Errorf("checkpoint: %w", err)
	}
	if err := l.touchBlocks(ctx, s.keeper, h.blocks); err != nil {
		return h, err
	}
	if _, err := s.keeper.do(ctx, fmt.Sprintf(afterSQL, l.Rows, cleanIDs)); err != nil {
		return h, fmt.Errorf("work after the checkpoint: %w", err)
	}
	if err := s.lockRows(ctx, half+1, l.Rows); err != nil {
		return h, fmt.Errorf("lock rows after the checkpoint: %w", err)
	}
	return h, s.leaveOpen(ctx, l.Rows)
}

// lookAtHeap asks where table parent is and which of its blocks are candidates.
func (l *lab) lookAtHeap(ctx context.Context, s *session) (heap, error) {
	rows, err := s.do(ctx, fmt.Sprintf(`SELECT pg_relation_filepath('parent'), current_setting('data_checksums'),
		(SELECT max((ctid::text::point)[0])::int FROM parent WHERE id <= %d)`, cleanIDs))
	if err != nil {
		return heap{}, fmt.Errorf("find the file of table parent: %w", err)
	}
	f := strings.Split(strings.Join(rows, ""), "|")
	if len(f) != 3 {
		return heap{}, fmt.Errorf("find the file of table parent: the server said %q", rows)
	}
	last, err := strconv.Atoi(f[2])
	if err != nil {
		return heap{}, fmt.Errorf("find the blocks of table parent: %w", err)
	}
	h := heap{parentFile: f[0], checksums: f[1] == "on"}
	for _, block := range []int{3, 1, 5, 2} {
		if block < last { // the last one may hold rows past cleanIDs
			h.blocks = append(h.blocks, block)
		}
	}
	return h, nil
}

// touchBlocks inserts children whose foreign keys lock parents on each block:
// the first records after the checkpoint that need those blocks' line pointers,
// and ahead of any that needs pg_multixact.
func (l *lab) touchBlocks(ctx context.Context, s *session, blocks []int) error {
	next := 4*l.Rows + 1
	for _, block := range blocks {
		rows, err := s.do(ctx, fmt.Sprintf(`INSERT INTO child
			SELECT %d + row_number() OVER (), id, 1, 'locks its parent' FROM
				(SELECT id FROM parent WHERE (ctid::text::point)[0]::int = %d ORDER BY id LIMIT 5) p
			RETURNING id`, next, block))
		if err != nil {
			return fmt.Errorf("insert children of block %d: %w", block, err)
		}
		if len(rows) == 0 {
			return fmt.Errorf("insert children of block %d: it holds no parent", block)
		}
		next += len(rows)
	}
	return nil
}

// lockRows makes multixacts on the parents from one id to another: of two
// lockers, of a locker and an updater that commits, and of one that does not.
func (s *sessions) lockRows(ctx context.Context, from, to int) error {
	keep := fmt.Sprintf("SELECT count(*) FROM (SELECT 1 FROM parent WHERE id BETWEEN %d AND %d FOR KEY SHARE) s", from, to)
	script := []struct {
		who *session
		sql string
	}{
		{s.keeper, "BEGIN"},
		{s.keeper, keep},
		{s.sharer, "BEGIN"},
		{s.sharer, fmt.Sprintf(shareSQL, from, to)},
		{s.updater, "BEGIN"},
		{s.updater, fmt.Sprintf(updateSQL, from, to, 5)},
		{s.updater, "ROLLBACK"},
		{s.updater, "BEGIN"},
		{s.updater, fmt.Sprintf(updateSQL, from, to, 0)},
		{s.updater, "COMMIT"},
		{s.sharer, "COMMIT"},
		{s.keeper, "COMMIT"},
	}
	for _, line := range script {
		if _, err := line.who.do(ctx, line.sql); err != nil {
			return err
		}
	}
	return nil
}

// leaveOpen starts a transaction that will never commit and then commits
// another, which flushes the first one's records too.
func (s *sessions) leaveOpen(ctx context.Context, rows int) error {
	if _, err := s.updater.do(ctx, "BEGIN"); err != nil {
		return err
	}
	open := fmt.Sprintf("INSERT INTO child SELECT i, 1, 0, 'never committed' FROM generate_series(%d, %d) i", 5*rows+1, 5*rows+100)
	if _, err := s.updater.do(ctx, open); err != nil {
		return fmt.Errorf("leave a transaction open: %w", err)
	}
	if _, err := s.keeper.do(ctx, "UPDATE late SET made = made || '!' WHERE id = 1"); err != nil {
		return fmt.Errorf("flush the log: %w", err)
	}
	return nil
}
