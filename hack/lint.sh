#!/usr/bin/env bash
# Checks that need no running test: format, vet, staticcheck, module files, shell syntax.
# Every check runs; the exit status says whether all of them passed.
cd "$(dirname "$0")/.." && . hack/lib.sh

# The version is pinned, so that a newer check does not break an old commit.
staticcheck_version=v0.8.2
failed=0

# check runs a command and keeps on after a failure.
check() {
	local name=$1
	shift
	if "$@"; then say "$name ok"; else loud "$name FAILED"; failed=1; fi
}

formatted() {
	local bad
	bad=$(gofmt -l . | grep -v '^vendor/' || true)
	[ -z "$bad" ] || { printf 'not gofmt-ed: %s\n' $bad >&2; return 1; }
}

# staticcheck_bin prints the pinned staticcheck, fetched into the cache directory if it is not there.
staticcheck_bin() {
	local dir
	dir="$(cache_dir)/bin"
	if ! go version -m "$dir/staticcheck" 2>/dev/null | grep -q "honnef.co/go/tools[[:space:]]*$staticcheck_version"; then
		say "installing staticcheck $staticcheck_version"
		GOBIN="$dir" GOFLAGS='' go install "honnef.co/go/tools/cmd/staticcheck@$staticcheck_version" >&2 || return 1
	fi
	printf '%s\n' "$dir/staticcheck"
}

static() {
	local bin
	bin=$(staticcheck_bin) || return 1
	"$bin" ./...
}

shell_syntax() {
	local f bad=0
	for f in hack/*.sh hack/*/*.sh .ci/run; do bash -n "$f" || bad=1; done
	if have shellcheck; then shellcheck -x -S warning hack/*.sh hack/*/*.sh .ci/run || bad=1; fi
	return $bad
}

check gofmt formatted
check 'go vet' go vet ./...
check staticcheck static
check 'go mod tidy' go mod tidy -diff
check 'shell scripts' shell_syntax
exit $failed
