#!/usr/bin/env bash
# Small mixed blocks: system, the peers, and HAKMEM with its tiny heap on and off.
set -euo pipefail

usage() { echo "usage: [ROUNDS=5] $0 [cycles ws seed]" >&2; exit 2; }
(($# == 0 || $# == 3)) || usage
for word in "$@" "${ROUNDS:=5}"; do [[ $word =~ ^[1-9][0-9]*$ ]] || usage; done
(($#)) || set -- 10000000 256 42

exec "$(dirname "$0")/bench_compare.py" --rounds "$ROUNDS" -- bench_random_mixed "$@"
