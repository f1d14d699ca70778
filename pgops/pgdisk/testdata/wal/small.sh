# Makes the small WAL files of majors for which there is no image to start: pgN.wal.gz is one
# segment up to where it was written, and of 16, which has pg_walinspect, pg16.desc.gz is what
# the server says of each record. Runs as an ordinary user with the server's programs and
# psql in the path; writes to the directory given as first argument, major as second.
set -e
out=$1 major=$2
work=$(mktemp -d)
export PGDATA=$work/d PGHOST=$work PGUSER=postgres PGDATABASE=postgres TZ=UTC LC_ALL=C
q() { psql --no-psqlrc --quiet --output=/dev/null --set=ON_ERROR_STOP=1 "$@"; }
value() { psql --no-psqlrc --tuples-only --no-align "$@"; }
initdb --no-sync --wal-segsize=1 --auth=trust --username=postgres >/dev/null
cat >>"$PGDATA/postgresql.conf" <<CONF
fsync = off
listen_addresses = ''
unix_socket_directories = '$work'
wal_level = logical
wal_keep_size = '1GB'
max_prepared_transactions = 10
autovacuum = off
bgwriter_delay = '10s'
timezone = 'UTC'
CONF
pg_ctl --silent --wait --log="$work/log" start >/dev/null
q <<'SQL'
CREATE TABLE heap (id int PRIMARY KEY, grp int, val text);
CREATE INDEX heap_grp ON heap (grp);
INSERT INTO heap SELECT i, i % 3, 'v' || i FROM generate_series(1, 40) i;
CREATE SEQUENCE sq;
SQL
if [ "$major" = 16 ]; then q -c "CREATE EXTENSION pg_walinspect"; fi
# Page images only where they are asked for: they take the most room.
q -c "ALTER SYSTEM SET full_page_writes = off" -c "SELECT pg_reload_conf()"
sleep 0.3
q -c "CHECKPOINT" -c "SELECT pg_switch_wal()"
start=$(value -c "SELECT pg_current_wal_insert_lsn()")
q <<'SQL'
SET wal_compression = on;
SET wal_consistency_checking = 'heap,heap2,sequence';
INSERT INTO heap VALUES (901, 1, 'one'), (902, 2, 'two');
UPDATE heap SET val = 'hot' WHERE id < 4;
UPDATE heap SET id = id + 1000 WHERE id IN (5, 6);
DELETE FROM heap WHERE id BETWEEN 20 AND 21;
BEGIN; SELECT * FROM heap WHERE id < 3 FOR SHARE; SAVEPOINT s; UPDATE heap SET val = 'sub' WHERE id = 2; COMMIT;
INSERT INTO heap VALUES (1, 1, 'c') ON CONFLICT (id) DO UPDATE SET val = 'conflict';
INSERT INTO heap VALUES (903, 1, 'c') ON CONFLICT (id) DO NOTHING;
SELECT nextval('sq'), setval('sq', 77);
SET wal_consistency_checking = '';
BEGIN; SELECT * FROM heap WHERE id < 9 FOR UPDATE; COMMIT;
BEGIN; INSERT INTO heap VALUES (950); SAVEPOINT p; INSERT INTO heap VALUES (951); PREPARE TRANSACTION 'first one';
COMMIT PREPARED 'first one';
BEGIN; CREATE TABLE prep2 (a int); PREPARE TRANSACTION 'second';
ROLLBACK PREPARED 'second';
SET wal_consistency_checking = 'heap2';
VACUUM heap;
UPDATE heap SET val = val || '!' WHERE grp = 1;
SELECT count(*) FROM heap;
VACUUM FREEZE heap;
SET wal_consistency_checking = '';
CREATE TABLE btree (a int);
CREATE INDEX ON btree (a);
INSERT INTO btree SELECT i % 3 FROM generate_series(1, 420) i;
SET wal_consistency_checking = 'btree';
INSERT INTO btree VALUES (4);
SET wal_consistency_checking = '';
DELETE FROM btree WHERE a < 2 AND ctid < '(0,150)';
VACUUM btree;
DROP TABLE btree;
TRUNCATE heap;
SQL
printf '1\t1\tcopied\n2\t2\tcopied\n3\t2\tcopied\n' |
	q -c "SET wal_compression = on" -c "SET wal_consistency_checking = 'heap2'" -c "COPY heap FROM stdin"
q -c "ANALYZE heap (id)" -c "SET wal_compression = on" -c "SET wal_consistency_checking = 'heap'" -c "ANALYZE heap (id)"
end=$(value -c "SELECT pg_current_wal_insert_lsn()")
q -c "SELECT pg_switch_wal()"
file=$(value -c "SELECT file_name FROM pg_walfile_name_offset('$end')")
size=$(value -c "SELECT file_offset FROM pg_walfile_name_offset('$end')")
if [ "$major" = 16 ]; then
	value --field-separator='	' -c "SELECT start_lsn, resource_manager || '/' || record_type, description FROM pg_get_wal_records_info('$start', '$end')" |
		gzip -9n >"$out/pg$major.desc.gz"
fi
pg_ctl --silent --mode=immediate stop
head --bytes="$size" "$PGDATA/pg_wal/$file" | gzip -9n >"$out/pg$major.wal.gz"
echo "pg$major.wal.gz is $file, start at $start, end at $end"
rm -r "$work"
