#!/usr/bin/env bash
# scripts/check_docs.sh notices: each line below breaks one thing in a copy of the tree, and the check must fail and say so.
# FILE  SED EXPRESSION  WHAT IS SAID, separated by tabs
set -euo pipefail
cd "$(dirname "$0")/../.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
git ls-files -co --exclude-standard -z | xargs -0 cp --parents -t "$tmp" 2>/dev/null || true # deleted ones are listed too
cd "$tmp"
scripts/check_docs.sh >log || { cat log; echo "0 passed, 1 failed"; exit 1; }
passed=0 failed=0
while IFS=$'\t' read -r file change said; do
    cp "$file" kept
    sed -i -E "$change" "$file"
    status=0
    scripts/check_docs.sh >log 2>&1 || status=$?
    if cmp -s "$file" kept; then
        failed=$((failed + 1)) && echo "FAILED $file: nothing to break by $change"
    elif [ $status = 0 ]; then
        failed=$((failed + 1)) && echo "FAILED $file: not noticed: $change"
    elif ! grep -qF -- "$said" log; then
        failed=$((failed + 1)) && echo "FAILED $file: $change: not said: $said" && sed 's/^/    /' log
    else
        passed=$((passed + 1))
    fi
    cp kept "$file"
done <<'TABLE'
README.md	s/\(docs\/MEMORY\.md\)/(docs\/MEMORIES.md)/	there is no docs/MEMORIES.md
README.md	s/#a-compiler/#a-compilation/	there is no heading docs/BENCHMARKS.md#a-compilation
docs/BENCHMARKS.md	s/^## A compiler/## Compilers/	there is no heading docs/BENCHMARKS.md#a-compiler
docs/USING.md	s/#known-programs/#known/	there is no heading #known
docs/USING.md	s/examples\/c\/who\.c/examples\/c\/whom.c/	there is no examples/c/whom.c
docs/RELIABILITY.md	s/traps\/seccomp_strict/traps\/seccomp_loose/	there is no tests/c/traps/seccomp_loose
docs/MEMORY.md	s/^For operators/To operators/	does not say for whom
docs/MEMORY.md	s/^Memory counts as short/A magazine counts as short/	magazine is a word of
docs/man/hakmem.3.in	s/^Linking/As by invariant W1, linking/	W1 is a word of
docs/HARDENING.md	s/pointer into a block, not to its start/pointer to the inside of a block/	no such message
docs/HARDENING.md	s/access: use after free/access: used after free/	no such message
docs/BENCHMARKS.md	s/bench_prodcons 50000/bench_producer 50000/	there is no bench_c/bench_producer.c
docs/BENCHMARKS.md	s/scripts\/bench_compare\.py --rounds 1 -- /scripts\/bench_compare.py --turns 1 -- /	has no --turns
docs/RELIABILITY.md	s/scripts\/matrix\.py --list/scripts\/table.py --list/	there is no scripts/table.py
docs/RELIABILITY.md	s/`make soak`/`make soaked`/	there is no make soaked
docs/CLI.md	s/^    hakmem doctor PID/    hakmem doctors PID/	there is no hakmem doctors
docs/OPTIONS.md	s/\| 1000 \| -1\.\.3600000/| 100 | -1..3600000/	HAKMEM_DECAY_MS
docs/OPTIONS.md	s/, `HAKMEM_THP`,/,/	hak_option_set: HAKMEM_THP
docs/STATISTICS.md	s/^(\| `live_bytes` .*)gauge/\1counter/	live_bytes
docs/ARCHITECTURE.md	s/^\| `reserve` .*//	the table of boxes is not
docs/ARCHITECTURE.md	s/^region  reserve  superslab /region  superslab           /	the list of boxes is not
docs/ARCHITECTURE.md	s/`acquire_more`/`acquire_less`/	there is no acquire_less
docs/ARCHITECTURE.md	s/`span\/lists\.rs`/`span\/list.rs`/	there is no span/list.rs
docs/ARCHITECTURE.md	s/, `BATCH` \(what purges give back\)//	section 6 has no lock BATCH
docs/ARCHITECTURE.md	s/^\| SuperSlab descriptor \| 64/| SuperSlab descriptor | 24/	section 5: SuperSlab descriptor
README.md	s/^(\| the same, 131072 live \| \*\*)[0-9.]+/\19.99/	the same, 131072 live, HAKMEM: 9.99
README.md	s/All [0-9]+ trap programs/All 170 trap programs/	README.md should say: All
README.md	s/^MIT, see LICENSE\./&\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n/	100 are the most
examples/docker/Dockerfile	s/=libhakmem\.so\.0/=\/usr\/lib\/x86_64-linux-gnu\/libhakmem.so.0/	names an architecture
src/lib.rs	s/$/\n\n\n/	src/lib.rs has
cli/src/doctor.rs	s/$/\n/	cli/src/doctor.rs has
scripts/bench_plot.py	s/$/\n/	scripts/bench_plot.py has
TABLE
echo "$passed passed, $failed failed"
exit $((failed > 0))
