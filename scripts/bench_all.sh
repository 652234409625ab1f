#!/usr/bin/env bash
# Everything against everybody: see bench_all.py --help.
exec "$(dirname "$0")/bench_all.py" "$@"
