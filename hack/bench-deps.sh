#!/usr/bin/env bash
# Installs what the benchmarks run beside us and the tests do not need.
cd "$(dirname "$0")" && . ./lib.sh

apt_install zstd tar postgresql-filedump
