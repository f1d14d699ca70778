#!/usr/bin/env bash
# Runs every fuzz test of the repository for a while, one after the other.
# Usage: hack/fuzz.sh [DURATION]   (default 20s each)
cd "$(dirname "$0")/.." && . hack/lib.sh

duration="${1:-20s}" ran=0 failed=0
while read -r pkg; do
	while read -r name; do
		say "$pkg $name for $duration"
		ran=$((ran + 1))
		go test -run '^$' -fuzz "^$name\$" -fuzztime "$duration" -fuzzminimizetime 10x "$pkg" || { failed=$((failed + 1)); loud "$pkg $name failed"; }
	done < <(go test -list '^Fuzz' "$pkg" | grep '^Fuzz' || true)
done < <(go list ./...)
say "$ran fuzz tests ran, $failed failed"
[ "$failed" = 0 ] && [ "$ran" -gt 0 ]
