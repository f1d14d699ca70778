#!/usr/bin/env bash
# Makes sure that a Docker engine answers. Uses the one that does; else
# installs Debian's docker.io and starts dockerd in the background.
# May be run any number of times. Log: ~/.cache/pgrescue/dockerd.log
cd "$(dirname "$0")" && . ./lib.sh

wait_seconds="${DOCKER_WAIT:-90}"
log="$(cache_dir)/dockerd.log"

# wait_engine waits until the engine answers or the daemon with this pid is gone.
wait_engine() {
	local pid=$1 until=$((SECONDS + wait_seconds))
	while [ $SECONDS -lt $until ]; do
		if engine_answers; then return 0; fi
		kill -0 "$pid" 2>/dev/null || return 1
		sleep 0.3
	done
	return 1
}

# mount_cgroups gives the engine a cgroup tree where no init system did.
mount_cgroups() {
	if mountpoint -q /sys/fs/cgroup; then return 0; fi
	mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null ||
		loud "could not mount cgroups on /sys/fs/cgroup; containers will probably not start"
}

# forget_dead removes the pid file of a daemon that is gone, lest the new one
# take another process of that number for it.
forget_dead() {
	local file=/var/run/docker.pid pid
	pid=$(cat "$file" 2>/dev/null || true)
	[ -n "$pid" ] || return 0
	[ "$(cat "/proc/$pid/comm" 2>/dev/null || true)" = dockerd ] || rm -f "$file"
}

# start runs dockerd in its own session, so that it outlives this script and its terminal.
start() {
	forget_dead
	say "starting dockerd $*"
	printf '\n--- %s dockerd %s\n' "$(date -u +%FT%TZ)" "$*" >>"$log"
	setsid dockerd "$@" >>"$log" 2>&1 </dev/null 9>&- &
	wait_engine $!
}

# use_legacy_iptables is true if it changed something.
use_legacy_iptables() {
	[ -x /usr/sbin/iptables-legacy ] || return 1
	[ "$(readlink -f /usr/sbin/iptables)" != "$(readlink -f /usr/sbin/iptables-legacy)" ] || return 1
	update-alternatives --set iptables /usr/sbin/iptables-legacy >>"$log" 2>&1
}

# start_somehow tries again with what the daemon's last words call for.
start_somehow() {
	local args=() why
	for _ in 1 2 3 4; do
		if start "${args[@]}"; then return 0; fi
		why=$(awk '/^--- / {why = ""} /^failed to start daemon|level=fatal/ {why = $0} END {print why}' "$log")
		say "dockerd: ${why:-gave no reason}"
		if grep -qiE 'iptables|nf_tables|network controller' <<<"$why" && use_legacy_iptables; then
			loud "nf_tables does not work here; switched iptables to its legacy form"
		elif grep -qiE 'iptables|bridge|network controller' <<<"$why" && [[ " ${args[*]} " != *--bridge=none* ]]; then
			loud "no packet filter works here; containers get no network (nothing in this repository needs one)"
			args+=(--iptables=false --ip6tables=false --bridge=none)
		elif grep -qiE 'overlay|graphdriver|storage-driver' <<<"$why" && [[ " ${args[*]} " != *vfs* ]]; then
			loud "overlay2 does not work here; falling back to vfs, which copies whole images: slow and large"
			args+=(--storage-driver=vfs)
		else
			return 1
		fi
	done
	return 1
}

report() {
	local driver
	driver=$(docker info -f '{{.Driver}}')
	case "$driver" in
	overlay2 | overlayfs | btrfs | zfs) ;;
	*) loud "the engine uses the storage driver $driver; every container is a whole copy of its image" ;;
	esac
	say "engine $(docker version -f '{{.Server.Version}}') answers, storage driver $driver"
}

up() {
	if engine_answers; then return 0; fi
	[ -z "${DOCKER_HOST:-}" ] || die "DOCKER_HOST=$DOCKER_HOST does not answer; start that engine, or unset DOCKER_HOST"
	[ "$(id -u)" = 0 ] || die "no Docker engine answers, and starting one needs root"
	have dockerd || apt_install docker.io iptables ca-certificates
	have docker || apt_install docker-cli
	if engine_answers; then return 0; fi
	if [ -d /run/systemd/system ]; then
		systemctl start docker || true
		wait_engine $$ && return 0
	fi
	mount_cgroups
	start_somehow || { tail -n 30 "$log" >&2; die "could not start a Docker engine; the log is $log"; }
}

(flock 9 && up) 9>"$(cache_dir)/docker-up.lock"
report
