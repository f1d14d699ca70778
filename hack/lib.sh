# shellcheck shell=bash
# Sourced by the scripts beside it. Sets strict mode and the few words they share.
set -euo pipefail

# say prints one line about what is going on; stdout stays free for data.
say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# loud is for the notes a person must not overlook in a long log.
loud() { printf '\n!!! %s: %s\n\n' "${0##*/}" "$*" >&2; }

die() { say "$*"; exit 1; }

have() { command -v "$1" >/dev/null 2>&1; }

# cache_dir holds logs and small stamps, never anything big.
cache_dir() {
	local dir="${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/pgrescue"
	mkdir -p "$dir"
	printf '%s\n' "$dir"
}

# engine_answers is true when a Docker engine serves requests.
engine_answers() { have docker && timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# apt_install installs the packages that are missing. Usage: apt_install PACKAGE...
# One apt at a time: a lock keeps scripts that run side by side apart.
apt_install() {
	local missing=() p
	for p in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || true)" = installed ] || missing+=("$p")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	have apt-get || die "needs ${missing[*]}, and there is no apt-get here to install them; install them and run again"
	[ "$(id -u)" = 0 ] || die "needs ${missing[*]}; run as root, or install them and run again"
	say "installing ${missing[*]}"
	local log
	log="$(cache_dir)/apt.log"
	(
		flock 9
		export DEBIAN_FRONTEND=noninteractive
		# A server that a package would start on installation is not wanted: the tests start their own.
		local opts=(-y -q --no-install-recommends -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120)
		if ! apt-get "${opts[@]}" install "${missing[@]}" >>"$log" 2>&1; then
			apt-get -q update >>"$log" 2>&1 || say "apt-get update complained; going on with what it has"
			apt-get "${opts[@]}" install "${missing[@]}" >>"$log" 2>&1
		fi
	) 9>"$(cache_dir)/apt.lock" || { tail -n 30 "$log" >&2; die "could not install ${missing[*]}; the log is $log"; }
}
