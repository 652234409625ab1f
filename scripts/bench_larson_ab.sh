#!/usr/bin/env bash
# What HAKMEM's tiny heap is worth on larson: HAKMEM_TINY_HEAP_V2=1 against 0. Arguments as bench_larson.sh.
set -euo pipefail

ONLY=hakmem,hakmem_v2off exec "$(dirname "$0")/bench_larson.sh" "$@"
