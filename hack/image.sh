#!/usr/bin/env bash
# Makes sure that the image postgres:MAJOR exists in the local Docker engine.
# Usage: hack/image.sh MAJOR...
#
# In this order: an image that is there, one that a registry gives within
# PULL_SECONDS, one built here from Debian's own packages. The built image
# behaves like the official one (see image/entrypoint.sh).
#
# IMAGE_SOURCE=auto|pull|build   choose the way instead (build replaces an image that is there)
# PULL_SECONDS=N                 how long a registry may take to answer at all (default 20)
cd "$(dirname "$0")" && . ./lib.sh

pull_seconds="${PULL_SECONDS:-20}"
source_wanted="${IMAGE_SOURCE:-auto}"

# suite_of prints the Debian suite that ships a PostgreSQL major.
suite_of() {
	case "$1" in
	13) echo bullseye ;;
	15) echo bookworm ;;
	17) echo trixie ;;
	18) echo forky ;;
	*) return 1 ;;
	esac
}

# pgdata_of prints the official image's PGDATA for a major: 18 moved it.
pgdata_of() { if [ "$1" -ge 18 ]; then echo "/var/lib/postgresql/$1/docker"; else echo /var/lib/postgresql/data; fi; }

# volume_of prints the official image's declared volume for a major.
volume_of() { if [ "$1" -ge 18 ]; then echo /var/lib/postgresql; else echo /var/lib/postgresql/data; fi; }

# pull tries the registry, through the engine, which knows its mirrors and proxies.
# Without a way out it fails at name resolution, in well under a second; where
# packets vanish it is cut off unless the registry has answered in pull_seconds.
pull() {
	local image=$1 log pid until=$((SECONDS + pull_seconds)) status=0
	log=$(mktemp)
	timeout 900 docker pull "$image" >"$log" 2>&1 &
	pid=$!
	while kill -0 "$pid" 2>/dev/null && ! grep -q 'Pulling from' "$log"; do
		if [ $SECONDS -ge $until ]; then
			say "no registry answered in $pull_seconds s"
			kill "$pid" 2>/dev/null || true
		fi
		sleep 0.2
	done
	wait "$pid" || status=$?
	[ $status = 0 ] || say "$(tail -n 1 "$log")"
	rm -f "$log"
	return $status
}

# apt_uris prints the archive addresses in the machine's own apt configuration,
# one a line, those that look like the main archive first.
apt_uris() {
	{
		cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
			sed -n 's/^[[:space:]]*deb[[:space:]]\+\(\[[^]]*\][[:space:]]*\)\?\([^[:space:]]\+\).*/\2/p' || true
		cat /etc/apt/sources.list.d/*.sources 2>/dev/null |
			sed -n 's/^URIs:[[:space:]]*//Ip' | tr -s '[:space:]' '\n' || true
		# An address in a mirror+file: source stands in the file that it names.
		cat /etc/apt/mirrors/*.list 2>/dev/null | cut -f1 || true
	} | sed -n 's#/*$##; /^https\?:/p' | awk '!seen[$0]++' |
		awk '/\/debian$/ {print; next} {rest = rest $0 "\n"} END {printf "%s", rest}'
}

# mirror_for prints the first of them that serves the suite.
mirror_for() {
	local suite=$1 uri
	while read -r uri; do
		if wget -q -T 15 -t 2 --spider "$uri/dists/$suite/InRelease"; then
			printf '%s\n' "$uri"
			return 0
		fi
	done < <(apt_uris)
	return 1
}

# use_apt_proxy makes wget (and so debootstrap) go where apt goes.
use_apt_proxy() {
	local proxy=
	eval "$(apt-config shell proxy Acquire::http::Proxy)"
	[ -z "$proxy" ] || [ "$proxy" = DIRECT ] || export http_proxy="$proxy" https_proxy="$proxy"
}

# script_of prints the debootstrap recipe of a suite. A suite newer than this
# machine's debootstrap is built by sid's recipe.
script_of() {
	local dir=/usr/share/debootstrap/scripts
	if [ -e "$dir/$1" ]; then echo "$dir/$1"; else echo "$dir/sid"; fi
}

# bootstrap fills a directory with a minimal system that has PostgreSQL.
bootstrap() {
	local major=$1 root=$2 log=$3 suite mirror
	suite=$(suite_of "$major")
	mirror=$(mirror_for "$suite") || die "no apt source of this machine serves $suite, which has PostgreSQL $major; add one to /etc/apt and run again"
	local args=(--variant=minbase "--include=postgresql-$major,netbase" "$suite" "$root" "$mirror" "$(script_of "$suite")")
	if debootstrap "${args[@]}" >"$log" 2>&1; then return 0; fi
	if grep -qiE 'signed by unknown key|invalid release signature|release signature' "$log"; then
		loud "this machine's keyring does not know the key that signs $suite; building postgres:$major WITHOUT checking the archive's signature"
		rm -rf "$root"
		if debootstrap --no-check-gpg "${args[@]}" >"$log" 2>&1; then return 0; fi
	fi
	tail -n 30 "$log" "$root/debootstrap/debootstrap.log" >&2 2>/dev/null || true
	die "debootstrap of $suite failed; its last lines are above"
}

# trim removes what a database container never reads.
trim() {
	local major=$1 root=$2
	# The package made a cluster of its own; the entrypoint makes the one that is wanted.
	rm -rf "$root/var/lib/postgresql/$major" "$root/etc/postgresql/$major" "$root"/var/log/postgresql/*
	rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/*.log "$root"/var/log/apt
	rm -rf "$root"/usr/share/{doc,man,info,locale,i18n,lintian,bug} "$root"/usr/share/postgresql/"$major"/man
	# JIT is half the size of the image; without its library the server just does without.
	rm -rf "$root/usr/lib/postgresql/$major/lib/bitcode" "$root/usr/lib/postgresql/$major/lib"/llvmjit*
	rm -f "$root"/usr/lib/*/libLLVM* "$root"/usr/lib/*/libz3.so*
	rm -rf "$root"/usr/lib/llvm-*
}

# dress gives the bare system the official image's habits.
dress() {
	local major=$1 root=$2 data volume
	data=$(pgdata_of "$major") volume=$(volume_of "$major")
	renumber "$root" 999
	install -m 0755 image/entrypoint.sh "$root/usr/local/bin/docker-entrypoint.sh"
	mkdir -p "$root/docker-entrypoint-initdb.d"
	# Inside the root only: its /var/run is a link to an absolute path.
	chroot "$root" chown postgres:postgres /var/lib/postgresql /var/log/postgresql
	chroot "$root" install -d -o postgres -g postgres -m 3775 /run/postgresql
	chroot "$root" install -d -o postgres -g postgres -m 1777 "$volume"
	[ "$data" = "$volume" ] || chroot "$root" install -d -o postgres -g postgres "${data%/*}"
	sed -ri "s/^#?(listen_addresses)\s*=\s*\S+.*/\1 = '*'/" "$root/usr/share/postgresql/$major/postgresql.conf.sample"
}

# renumber gives postgres the official image's user and group id. A bare group
# that has the number (lpadmin in newer suites) owns no file yet and moves away.
renumber() {
	local root=$1 id=$2
	sed -ri "/^postgres:/! s/^([^:]*:[^:]*):$id:/\\1:$((id - 90)):/" "$root/etc/group"
	if cut -d: -f3 "$root/etc/passwd" "$root/etc/group" | grep -qx "$id"; then return 0; fi
	sed -ri "s/^postgres:([^:]*):[0-9]+:[0-9]+:/postgres:\1:$id:$id:/" "$root/etc/passwd"
	sed -ri "s/^postgres:([^:]*):[0-9]+:/postgres:\1:$id:/" "$root/etc/group"
}

# import makes the image. docker import cannot set every property on older
# engines (STOPSIGNAL), so a Dockerfile without RUN adds them.
import() {
	local major=$1 root=$2 image=$3 version base="pgrescue-import:$1"
	version=$(chroot "$root" dpkg-query -W -f '${Version}' "postgresql-$major")
	tar -C "$root" --numeric-owner --exclude=./dev/* --exclude=./proc/* --exclude=./sys/* -c . |
		docker import - "$base" >/dev/null
	docker build -q -t "$image" - >/dev/null 2>"$root/build.log" <<-DOCKERFILE || { cat "$root/build.log" >&2; die "could not build $image"; }
		FROM $base
		ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/$major/bin
		ENV LANG=C.UTF-8 PG_MAJOR=$major PG_VERSION=$version PGDATA=$(pgdata_of "$major")
		VOLUME $(volume_of "$major")
		ENTRYPOINT ["docker-entrypoint.sh"]
		STOPSIGNAL SIGINT
		EXPOSE 5432
		CMD ["postgres"]
	DOCKERFILE
	docker rmi "$base" >/dev/null
}

# build makes the image from Debian's packages, in a directory that goes away.
build() {
	local major=$1 image=$2 work
	[ "$(id -u)" = 0 ] || die "building $image needs root (debootstrap); run as root, or give the engine an image $image"
	apt_install debootstrap wget ca-certificates gpgv debian-archive-keyring
	use_apt_proxy
	work=$(mktemp -d "${TMPDIR:-/var/tmp}/pgrescue-image-$major.XXXXXX")
	# shellcheck disable=SC2064 # the directory of now is meant
	trap "rm -rf --one-file-system '$work'" EXIT
	bootstrap "$major" "$work/root" "$work/log"
	umount "$work/root/proc" "$work/root/sys" 2>/dev/null || true
	trim "$major" "$work/root"
	dress "$major" "$work/root"
	import "$major" "$work/root" "$image"
}

ensure() {
	local major=$1 image="postgres:$1" began=$SECONDS
	suite_of "$major" >/dev/null || die "PostgreSQL $major is not one of 13 15 17 18"
	if [ "$source_wanted" != build ]; then
		if docker image inspect "$image" >/dev/null 2>&1; then say "$image is here"; return 0; fi
		say "pulling $image"
		if pull "$image"; then say "$image pulled in $((SECONDS - began)) s"; return 0; fi
		[ "$source_wanted" != pull ] || die "no registry gave $image"
	fi
	say "building $image from Debian $(suite_of "$major")"
	build "$major" "$image"
	say "$image built in $((SECONDS - began)) s"
}

[ $# -gt 0 ] || die "usage: hack/image.sh MAJOR..."
engine_answers || die "no Docker engine answers; run hack/docker-up.sh first"
for major in "$@"; do
	# One build of a major at a time; a second caller then finds the image.
	(flock 8 && ensure "$major") 8>"$(cache_dir)/image-$major.lock"
done
