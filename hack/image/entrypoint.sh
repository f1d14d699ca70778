#!/usr/bin/env bash
# Entrypoint of the locally built PostgreSQL image. It honours the environment
# of the official image: PGDATA, POSTGRES_PASSWORD, POSTGRES_PASSWORD_FILE,
# POSTGRES_USER, POSTGRES_DB, POSTGRES_INITDB_ARGS, POSTGRES_INITDB_WALDIR,
# POSTGRES_HOST_AUTH_METHOD and /docker-entrypoint-initdb.d/*.{sh,sql,sql.gz}.
set -Eeuo pipefail

# own makes the directories and gives them to postgres. Like the official
# image it walks the whole data directory at every start as root.
own() {
	mkdir -p "$PGDATA" /var/run/postgresql
	chmod 0700 "$PGDATA" || true
	chmod 3775 /var/run/postgresql || true
	find "$PGDATA" /var/run/postgresql \! -user postgres -exec chown postgres '{}' +
	if [ -n "${POSTGRES_INITDB_WALDIR:-}" ]; then
		mkdir -p "$POSTGRES_INITDB_WALDIR"
		find "$POSTGRES_INITDB_WALDIR" \! -user postgres -exec chown postgres '{}' +
	fi
}

# secrets reads what may come from a file instead of the environment.
secrets() {
	if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
		if [ -n "${POSTGRES_PASSWORD:-}" ]; then
			echo >&2 'error: both POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE are set'
			exit 1
		fi
		POSTGRES_PASSWORD=$(<"$POSTGRES_PASSWORD_FILE")
	fi
	: "${POSTGRES_PASSWORD:=}" "${POSTGRES_USER:=postgres}" "${POSTGRES_INITDB_ARGS:=}" "${POSTGRES_HOST_AUTH_METHOD:=}"
	: "${POSTGRES_DB:=$POSTGRES_USER}"
	if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
		echo >&2 'error: the database is new and POSTGRES_PASSWORD is empty; set it, or POSTGRES_HOST_AUTH_METHOD=trust'
		exit 1
	fi
}

create() {
	local args=(--username="$POSTGRES_USER")
	[ -z "${POSTGRES_INITDB_WALDIR:-}" ] || args+=(--waldir "$POSTGRES_INITDB_WALDIR")
	# shellcheck disable=SC2206 # the arguments are meant to be split
	args+=($POSTGRES_INITDB_ARGS)
	initdb "${args[@]}" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD")
	local method=$POSTGRES_HOST_AUTH_METHOD
	[ -n "$method" ] || method=$(postgres -C password_encryption 2>/dev/null || echo md5)
	printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
}

sql() { PGPASSWORD="$POSTGRES_PASSWORD" psql -v ON_ERROR_STOP=1 --no-psqlrc -U "$POSTGRES_USER" --no-password "$@"; }

# populate makes the database and runs the scripts, on a server nobody else can reach.
populate() {
	pg_ctl -D "$PGDATA" -o "$(printf '%q ' "$@" -c listen_addresses= -p 5432)" -w start
	if [ "$POSTGRES_DB" != postgres ]; then
		sql -d postgres -v db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
	fi
	local f
	for f in /docker-entrypoint-initdb.d/*; do
		case "$f" in
		*.sh) if [ -x "$f" ]; then "$f"; else . "$f"; fi ;;
		*.sql) sql -d "$POSTGRES_DB" -f "$f" ;;
		*.sql.gz) gunzip -c "$f" | sql -d "$POSTGRES_DB" ;;
		esac
	done
	pg_ctl -D "$PGDATA" -m fast -w stop
}

if [ "${1:0:1}" = - ]; then set -- postgres "$@"; fi

if [ "$1" = postgres ]; then
	if [ "$(id -u)" = 0 ]; then
		own
		exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$0" "$@"
	fi
	if [ ! -s "$PGDATA/PG_VERSION" ]; then
		secrets
		create
		shift
		populate "$@"
		set -- postgres "$@"
		unset PGPASSWORD
		echo 'PostgreSQL init process complete; ready for start up.'
	fi
fi
exec "$@"
