#!/usr/bin/env bash
# The measurements of TINY_HEAP_V2_EVALUATION.md: see evaluate.py --help.
exec "$(dirname "$0")/evaluate.py" "$@"
