#!/usr/bin/env bash
# One run of larson on one allocator (hakmem), for a look or a profiler rather than a comparison.
set -euo pipefail

allocator=hakmem
if (($#)) && [[ $1 =~ ^[a-z] ]]; then
    allocator=$1
    shift
fi
ROUNDS=1 ONLY=$allocator exec "$(dirname "$0")/bench_larson.sh" "$@"
