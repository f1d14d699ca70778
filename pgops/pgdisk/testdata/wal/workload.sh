# Makes WAL of as many kinds as a server can be talked into, then lets pg_waldump say
# what is in it. Runs as the user postgres with the server's programs in the path,
# PGDATA, PGHOST and PGUSER set, and MAJOR. Leaves in /tmp/out:
#   start      the LSN to read from
#   one/       pg_wal after an immediate stop, timeline 1
#   one.dump   what pg_waldump prints of it, one.err how it ended
#   two/       what a promotion to timeline 2 added to pg_wal
#   two.dump, two.err
#   pages      file number, block and bytes of index pages, whose images the log has too
#   images     SHA-256 of every page image that pg_waldump 16 and later restore
set -e
export TZ=UTC PGTZ=UTC
mkdir -p /tmp/out /tmp/ts
q() { psql --no-psqlrc --quiet --output=/dev/null --set=ON_ERROR_STOP=1 "$@"; }
try() { psql --no-psqlrc --quiet --output=/dev/null "$@" 2>/dev/null || true; }
wait_up() { until pg_isready --quiet; do sleep 0.1; done; }

initdb --no-sync --wal-segsize=1 --auth=trust --username=postgres >/dev/null
# Ids just before the end of a segment of pg_xact and of a page of pg_multixact: the next
# page is soon zeroed, and the segment before it can go once everything is frozen.
truncate --size=262144 "$PGDATA/pg_xact/0000"
pg_resetwal --pgdata="$PGDATA" --next-transaction-id=1048500 --multixact-ids=2045,1 --multixact-offset=1630 >/dev/null
pg_controldata | sed -n 's/^Latest checkpoint.s REDO location: *//p' >/tmp/out/start
cat >>"$PGDATA/postgresql.conf" <<CONF
fsync = off
listen_addresses = ''
unix_socket_directories = '/tmp'
wal_level = logical
wal_keep_size = '1GB'
max_wal_size = '2GB'
checkpoint_timeout = '1h'
max_prepared_transactions = 10
track_commit_timestamp = on
autovacuum = off
bgwriter_delay = '10s'
log_min_messages = fatal
restore_command = 'false'
timezone = 'UTC'
log_timezone = 'UTC'
CONF
pg_ctl --silent --wait start >/dev/null

# Rows, locks, subtransactions.
q <<'SQL'
CREATE TABLE heap (id int PRIMARY KEY, grp int, val text);
INSERT INTO heap SELECT i, i % 10, repeat('v', i % 50) FROM generate_series(1, 800) i;
CREATE TABLE ref (id serial PRIMARY KEY, heap_id int REFERENCES heap);
UPDATE heap SET val = 'hot' WHERE id < 20;
UPDATE heap SET id = id + 100000 WHERE id BETWEEN 500 AND 550;
DELETE FROM heap WHERE id BETWEEN 300 AND 400;
BEGIN; SELECT * FROM heap WHERE id < 30 FOR UPDATE; COMMIT;
BEGIN; SELECT * FROM heap WHERE id < 30 FOR SHARE; SAVEPOINT s; UPDATE heap SET val = 'sub' WHERE id < 10; COMMIT;
BEGIN; UPDATE heap SET val = 'gone' WHERE id < 5; SAVEPOINT a; DELETE FROM heap WHERE id = 6; ROLLBACK TO a; ROLLBACK;
INSERT INTO heap VALUES (1, 1, 'c') ON CONFLICT (id) DO UPDATE SET val = 'conflict';
INSERT INTO heap VALUES (900001, 1, 'c') ON CONFLICT (id) DO NOTHING;
INSERT INTO ref (heap_id) SELECT 1 FROM generate_series(1, 50);
BEGIN;
DO $$ BEGIN FOR i IN 1..150 LOOP BEGIN INSERT INTO heap VALUES (800000 + i, 0, 'x'); EXCEPTION WHEN others THEN NULL; END; END LOOP; END $$;
COMMIT;
BEGIN; CREATE TABLE prep (a int); INSERT INTO prep VALUES (1); SAVEPOINT p; INSERT INTO prep VALUES (2); PREPARE TRANSACTION 'first one';
BEGIN; CREATE TABLE prep2 (a int); INSERT INTO heap VALUES (700000, 1, 'p'); PREPARE TRANSACTION 'second';
COMMIT PREPARED 'first one';
ROLLBACK PREPARED 'second';
SQL
seq 1 1500 | sed 's/.*/&\t&\tcopied text &/' | sed 's/^/1/' >/tmp/copy.txt
q -c "CREATE TABLE copied (a int, b int, c text)" -c "COPY copied FROM '/tmp/copy.txt'" -c "DELETE FROM copied WHERE b % 3 = 0" -c "VACUUM copied"

# Several sessions hold the same rows: multixacts, and locks on updated versions.
q -c "BEGIN; UPDATE heap SET val = 'slow' WHERE id < 40; SELECT pg_sleep(1.2); COMMIT" &
(sleep 0.3; q -c "BEGIN; SELECT * FROM heap WHERE id < 60 FOR KEY SHARE; SELECT pg_sleep(1.2); COMMIT") &
(sleep 0.6; q -c "BEGIN; INSERT INTO ref (heap_id) SELECT i FROM generate_series(1, 20) i; SELECT pg_sleep(0.4); COMMIT") &
q -c "BEGIN; SELECT * FROM heap WHERE id BETWEEN 100 AND 140 FOR SHARE; SELECT pg_sleep(0.6); COMMIT" &
q -c "BEGIN; SELECT * FROM heap WHERE id BETWEEN 100 AND 140 FOR SHARE; SELECT pg_sleep(0.8); COMMIT" &
wait

# Index methods: build, grow until pages split, delete, vacuum, reuse.
q <<'SQL'
CREATE EXTENSION bloom;
CREATE TABLE idx (id int, r int, t text, a int[], p point, d int);
CREATE INDEX ON idx USING btree (r);
CREATE INDEX ON idx USING btree (d);
CREATE INDEX ON idx USING hash (t);
CREATE INDEX ON idx USING gin (a);
CREATE INDEX ON idx USING gist (p);
CREATE INDEX ON idx USING spgist (t);
CREATE INDEX ON idx USING spgist (p);
CREATE INDEX brinx ON idx USING brin (id) WITH (pages_per_range = 2, autosummarize = off);
CREATE INDEX ON idx USING bloom (id, d);
INSERT INTO idx SELECT i, (i * 7919) % 10007, 'text ' || md5(i::text), ARRAY[i % 3, i % 50, i], point(i % 97, i % 89), i % 5 FROM generate_series(1, 1000) i;
SELECT brin_summarize_new_values('brinx');
UPDATE idx SET id = -id WHERE id % 100 = 0;
SELECT brin_desummarize_range('brinx', 2);
SELECT brin_summarize_new_values('brinx');
DELETE FROM idx WHERE r BETWEEN 1000 AND 6000;
VACUUM idx;
SELECT txid_current();
INSERT INTO idx SELECT i, i, 'again ' || i, ARRAY[i], point(i, i), 1 FROM generate_series(1, 700) i;
DELETE FROM idx;
VACUUM idx;
VACUUM idx;
INSERT INTO idx SELECT i, i, 'third ' || i % 7, ARRAY[i % 2], point(1, 1), 1 FROM generate_series(1, 400) i;
CREATE INDEX late ON idx USING gin (a);
REINDEX TABLE idx;
CREATE TABLE post (a int[], t text);
CREATE INDEX ON post USING gin (a) WITH (fastupdate = off);
CREATE INDEX brint ON post USING brin (t) WITH (pages_per_range = 1);
INSERT INTO post SELECT ARRAY[1], repeat('b', 10 + i / 100) FROM generate_series(1, 2500) i;
SELECT brin_summarize_new_values('brint');
UPDATE post SET t = repeat('z', 900) WHERE ctid < '(4,1)';
DELETE FROM post WHERE ctid > '(3,1)';
VACUUM post;
CREATE TABLE cold AS SELECT generate_series(1, 500) a;
VACUUM FREEZE cold;
CREATE TABLE reuse (a int);
CREATE INDEX ON reuse (a);
INSERT INTO reuse SELECT generate_series(1, 3000);
DELETE FROM reuse;
VACUUM reuse;
SELECT txid_current();
VACUUM reuse;
INSERT INTO reuse SELECT generate_series(1, 3000);
SQL

# Whole pages in the log, compressed in every way that the major has, and as they are.
q -c "CREATE EXTENSION pageinspect" -c "CREATE TABLE built AS SELECT i a, repeat('b', i % 90) b FROM generate_series(1, 900) i"
for method in off on lz4 zstd; do
	try -c "SET wal_compression = '$method'" -c "CREATE INDEX built_$method ON built (b, a)"
done
psql --no-psqlrc --tuples-only --no-align --field-separator=' ' --output=/tmp/out/pages -c "
	SELECT pg_relation_filenode(c.oid), b, encode(get_raw_page(c.relname, b), 'hex')
	FROM pg_class c, generate_series(1, (pg_relation_size(c.oid) / 8192 - 1)::int) b WHERE c.relname LIKE 'built\\_%'"

# Files, databases, settings, everything else.
q -c "CREATE DATABASE other"
try -c "CREATE DATABASE copied_files STRATEGY file_copy"
q -d other -c "CREATE TABLE o AS SELECT generate_series(1, 100) a"
q -c "DROP DATABASE other" -c "CREATE TABLESPACE ts LOCATION '/tmp/ts'" -c "CREATE TABLE intbl (a int) TABLESPACE ts" -c "DROP TABLE intbl" -c "DROP TABLESPACE ts"
q <<'SQL'
CREATE SEQUENCE sq; SELECT nextval('sq') FROM generate_series(1, 100);
TRUNCATE copied; DROP TABLE copied;
BEGIN; CREATE TABLE t3 (a int); TRUNCATE ref; ROLLBACK;
SELECT pg_create_logical_replication_slot('slot', 'test_decoding');
VACUUM FULL pg_class; VACUUM FULL heap; CLUSTER idx USING idx_r_idx; VACUUM FREEZE heap; ANALYZE;
CREATE TABLE toasted (a text); ALTER TABLE toasted ALTER a SET STORAGE EXTERNAL; INSERT INTO toasted SELECT repeat('t', 20000) FROM generate_series(1, 20);
SELECT pg_logical_emit_message(true, 'prefix', 'in a transaction');
SELECT pg_logical_emit_message(false, 'prefix', repeat('long', 700000));
SELECT pg_replication_origin_create('org'); SELECT pg_replication_origin_advance('org', '0/12345');
SELECT pg_replication_origin_session_setup('org');
BEGIN; INSERT INTO heap VALUES (600000, 1, 'o'); SELECT pg_replication_origin_xact_setup('0/99', now()); COMMIT;
SELECT pg_replication_origin_session_reset(); SELECT pg_replication_origin_drop('org');
SELECT pg_drop_replication_slot('slot');
SELECT pg_create_restore_point('a restore point');
SELECT pg_switch_wal();
ALTER SYSTEM SET full_page_writes = off; SELECT pg_reload_conf();
SQL
sleep 0.2
q -c "CHECKPOINT" -c "UPDATE heap SET val = 'no image' WHERE id < 200" -c "ALTER SYSTEM SET full_page_writes = on" -c "SELECT pg_reload_conf()"
sleep 0.2
if [ "$MAJOR" -ge 15 ]; then
	q -c "SELECT pg_backup_start('b', true)" -c "SELECT pg_backup_stop(false)"
else
	q -c "SELECT pg_start_backup('b', true, false)" -c "SELECT pg_stop_backup(false, false)"
fi
for method in on lz4 zstd; do
	try -c "CHECKPOINT" -c "SET wal_compression = '$method'" -c "UPDATE heap SET val = val || 'z' WHERE id < 150" -c "UPDATE idx SET d = d + 1 WHERE id < 50"
done
seq 2000 2020 | sed 's/.*/&\t&\tchecked/' >/tmp/checked.txt
q -c "SET wal_consistency_checking = 'all'" -c "CREATE TABLE checked (a int, b int, c text)" -c "COPY checked FROM '/tmp/checked.txt'" \
	-c "ANALYZE heap" -c "ANALYZE heap" -c "SELECT nextval('sq'), setval('sq', 77)" -c "DELETE FROM heap WHERE id BETWEEN 150 AND 250" -c "VACUUM FREEZE heap" -c "UPDATE heap SET val = 'checked' WHERE id < 100" -c "INSERT INTO idx SELECT i, i, 'c' || i, ARRAY[i], point(i, i), 2 FROM generate_series(1, 50) i"

# Old multixacts go away once no database has them.
q -c "ALTER DATABASE template0 ALLOW_CONNECTIONS true"
vacuumdb --all --freeze --quiet

# A restart with other settings, then a crash and its recovery, then the last words.
echo "max_connections = 90" >>"$PGDATA/postgresql.conf"
echo "wal_log_hints = on" >>"$PGDATA/postgresql.conf"
pg_ctl --silent --wait --mode=fast restart >/dev/null
q -c "CHECKPOINT" -c "SELECT count(*) FROM heap" -c "INSERT INTO ref (heap_id) VALUES (1)"
pg_ctl --silent --mode=immediate stop
pg_ctl --silent --wait start >/dev/null
q -c "CREATE TABLE last_words AS SELECT generate_series(1, 100) a" -c "CHECKPOINT" -c "SELECT pg_switch_wal()" -c "INSERT INTO last_words VALUES (1)"
# A record that goes on over three segments, of which a crash leaves only the first.
segment=$(psql -Atc "SELECT pg_walfile_name(pg_current_wal_insert_lsn())")
q -c "SELECT pg_logical_emit_message(false, 'prefix', repeat('lost', 600000))"
pg_ctl --silent --mode=immediate stop
for f in "$PGDATA"/pg_wal/0000000100*; do
	if [ "${f##*/}" \> "$segment" ]; then rm "$f"; fi
done
pg_ctl --silent --wait start >/dev/null
q -c "INSERT INTO last_words VALUES (2)" -c "INSERT INTO last_words VALUES (3)"
pg_ctl --silent --mode=immediate stop
cp -r "$PGDATA/pg_wal" /tmp/out/one
start=$(cat /tmp/out/start)
pg_waldump --path=/tmp/out/one --start="$start" >/tmp/out/one.dump 2>/tmp/out/one.err || true
if [ "$MAJOR" -ge 16 ]; then
	pg_waldump --path=/tmp/out/one --start="$start" --quiet --save-fullpage=/tmp/images 2>/dev/null || true
	(cd /tmp/images && find . -type f -print0 | xargs -0 sha256sum) >/tmp/out/images
fi

touch "$PGDATA/standby.signal"
pg_ctl --silent --wait start >/dev/null
wait_up
pg_ctl --silent --wait promote
q -c "INSERT INTO last_words SELECT generate_series(1, 500)"
pg_ctl --silent --mode=immediate stop
mkdir /tmp/out/two
cp "$PGDATA"/pg_wal/00000002* /tmp/out/two
switch=$(sed -n 's/^1[[:space:]]*\([0-9A-F/]*\).*/\1/p' /tmp/out/two/00000002.history)
pg_waldump --path="$PGDATA/pg_wal" --timeline=2 --start="$switch" >/tmp/out/two.dump 2>/tmp/out/two.err || true
