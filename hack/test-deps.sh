#!/usr/bin/env bash
# Installs what the tests use beside Docker: a terminal multiplexer to drive the
# screen, an SSH server on loopback to drop the line of, zstd to compare with,
# and a C compiler for the race detector.
cd "$(dirname "$0")" && . ./lib.sh

apt_install tmux openssh-server openssh-client zstd tar procps git ca-certificates gcc libc6-dev
# sshd wants its separation directory, which only an init system would make.
if [ "$(id -u)" = 0 ]; then install -d -m 0755 /run/sshd; fi
