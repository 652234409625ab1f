#!/usr/bin/env bash
# Threads that hand their blocks on: system, the peers, and HAKMEM with its tiny heap on and off.
# ONLY=a,b names the allocators, as --only of bench_compare.py does.
set -euo pipefail

usage() { echo "usage: [ROUNDS=5] [ONLY=a,b] $0 [seconds min max chunks rounds seed threads]" >&2; exit 2; }
(($# == 0 || $# == 7)) || usage
for word in "${@:2}" "${ROUNDS:=5}"; do [[ $word =~ ^[1-9][0-9]*$ ]] || usage; done
[[ ${1-1} =~ ^[0-9]+([.][0-9]+)?$ ]] || usage
(($#)) || set -- 2 8 128 1024 1 12345 "$(nproc)"

exec "$(dirname "$0")/bench_compare.py" --rounds "$ROUNDS" ${ONLY:+--only "$ONLY"} -- larson "$@"
