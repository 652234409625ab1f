#!/usr/bin/env bash
# Everything CI runs, in order of cost. One line a step; what the step printed is in target/check/STEP.log, and the end
# of it here too when the step failed. Closes with `N passed, N failed`, counted in steps. Status 77 of a step: skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TERM_COLOR=never
logs=target/check
rm -rf "$logs" && mkdir -p "$logs"
passed=0 failed=0

finish() {
    echo "$passed passed, $failed failed" | tee "$logs/result"
    exit $((failed > 0))
}

step() { # NAME COMMAND...
    local name=$1 log=$logs/$1.log start=$SECONDS status=0 tests
    shift
    if [[ $1 == */* && ! -x $1 ]]; then
        echo "skipped $name: there is no $1"
        return
    fi
    timeout -k 10 900 "$@" >"$log" 2>&1 </dev/null || status=$?
    tests=$(awk '/[0-9]+ passed[,;] [0-9]+ failed/ {sub(/ passed.*/, ""); n += $NF; seen = 1}
        END {if (seen) print ", " n " tests"}' "$log")
    case $status in
    0) passed=$((passed + 1)) && echo "ok $name ($((SECONDS - start)) s$tests)" ;;
    77) echo "skipped $name: $(tail -n 1 "$log")" ;;
    *)
        failed=$((failed + 1))
        [ $status != 124 ] || echo "timed out after 900 s" >>"$log"
        echo "FAILED $name ($((SECONDS - start)) s, status $status); the end of $log:"
        grep -vE '^(ok|skipped) |^ *(Compiling|Checking|Downloaded) ' "$log" | tail -n 30 | sed 's/^/    /'
        ;;
    esac
}

step lock cargo metadata --locked --format-version 1
step layers scripts/check_layers.sh
step docs scripts/check_docs.sh
step fmt scripts/check_fmt.sh
step header scripts/check_header.sh # before the build, which would freshen it
step clippy scripts/check_clippy.sh
if cargo deny --version >/dev/null 2>&1; then
    step deny cargo deny check bans licenses sources
fi
before=$failed
step build make build bench_c
if [ "$failed" != "$before" ]; then
    finish # the rest would test an old library
fi
step so scripts/check_so.sh
step hot_path scripts/count_hot_path.sh
step test cargo test
step cli scripts/check_cli.sh
step loom scripts/check_loom.sh
step package scripts/check_package.sh
step install tests/install/run.sh
step deb tests/install/deb.sh --here
step documents tests/docs/run.sh
step rust tests/rust/run.sh
step c_suite env HAKMEM_TINY_HEAP_V2=1 tests/c/run.sh
step c_suite_baseline env HAKMEM_TINY_HEAP_V2=0 tests/c/run.sh
step report tests/report/run.sh
step c_suite_hardened env HAKMEM_HARDENED=1 'ONLY=[cm]*/*' tests/c/run.sh
step c_suite_guard env HAKMEM_GUARD_RATE=10 'ONLY=[cm]*/*' tests/c/run.sh
step stages scripts/check_stages.sh
step mutations scripts/check_mutations.sh
step matrix scripts/matrix.py
step fuzz_seeds scripts/fuzz.sh --seeds
step soak tests/soak/run.sh 60
step paranoid scripts/check_paranoid.sh
step real_baseline env HAKMEM_TINY_HEAP_V2=0 tests/real/run.sh --only git,redis,gcc,node,sort
step real env HAKMEM_TINY_HEAP_V2=1 tests/real/run.sh
finish
