#!/usr/bin/env bash
# Everything CI runs, in order of cost, after scripts/setup.sh has installed what the steps need and is missing; SETUP=0:
# nothing is installed. One line a step; what the step printed is in target/check/STEP.log, and the end of it here too
# when the step failed. A step that this machine can't run says `skipped` and why: its tool is not there, or it ended
# with status 77. Closes with `N passed, N failed` and, if there are any, `, N skipped`, counted in steps.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TERM_COLOR=never
export PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin # where setup.sh installs to, and not every Rust is run from
logs=target/check
rm -rf "$logs" && mkdir -p "$logs"
passed=0 failed=0 skipped=

finish() {
    echo "$passed passed, $failed failed${skipped:+, $skipped skipped}" | tee "$logs/result"
    exit $((failed > 0))
}

skip() { # NAME WHY
    skipped=$((skipped + 1))
    echo "skipped $1: $2"
}
step() { # NAME 'TOOL...' COMMAND...: tools, beside Rust, gcc and make, that it (or an earlier step whose work it uses) can't do without
    local name=$1 log=$logs/$1.log start=$SECONDS status=0 tool tests
    for tool in $2; do
        command -v "$tool" >/dev/null || { skip "$name" "there is no $tool"; return; }
    done
    shift 2
    if [[ $1 == */* && ! -x $1 ]]; then
        skip "$name" "there is no $1"
        return
    fi
    timeout -k 10 900 "$@" >"$log" 2>&1 </dev/null || status=$?
    tests=$(awk '/[0-9]+ passed[,;] [0-9]+ failed/ {sub(/ passed.*/, ""); n += $NF; seen = 1}
        /^skipped / {skipped++}
        END {if (seen) print ", " n " tests" (skipped ? ", " skipped " skipped" : "")}' "$log")
    case $status in
    0) passed=$((passed + 1)) && echo "ok $name ($((SECONDS - start)) s$tests)" ;;
    77) skip "$name" "$(tail -n 1 "$log")" ;;
    *)
        failed=$((failed + 1))
        [ $status != 124 ] || echo "timed out after 900 s" >>"$log"
        echo "FAILED $name ($((SECONDS - start)) s, status $status); the end of $log:"
        grep -vE '^(ok|skipped) |^ *(Compiling|Checking|Downloaded) ' "$log" | tail -n 30 | sed 's/^/    /'
        ;;
    esac
}

[ "${SETUP:-1}" = 0 ] || scripts/setup.sh
step lock '' cargo metadata --locked --format-version 1
step layers python3 scripts/check_layers.sh
step docs python3 scripts/check_docs.sh
step docs_broken 'git python3' tests/docs/broken.sh
step fmt '' scripts/check_fmt.sh
step header g++ scripts/check_header.sh # before the build, which would freshen it
step clippy '' scripts/check_clippy.sh
if cargo deny --version >/dev/null 2>&1; then
    step deny '' cargo deny check bans licenses sources
    step deny_cli '' cargo deny --manifest-path cli/Cargo.toml --config deny.toml check bans licenses sources
fi
light=bash,chromium,gawk,gdb,ghostscript,git,java,lua,mariadb,memcached,nginx,node,openssl,perl,php,postgres,python_work,ruby,sqlite3
before=$failed
step build '' make build bench_c
if [ "$failed" != "$before" ]; then
    finish # the rest would test an old library
fi
step so 'readelf nm' scripts/check_so.sh
step abi abidiff scripts/check_abi.sh
step hot_path '' scripts/count_hot_path.sh
step sharing python3 scripts/count_sharing.sh
step run '' scripts/run.sh
step test '' cargo test
step cli python3 scripts/check_cli.sh
step loom '' scripts/check_loom.sh
step package '' scripts/check_package.sh
step install '' tests/install/run.sh
step deb 'dpkg pkg-config python3' tests/install/deb.sh --here
step traces 'python3 setarch' scripts/check_traces.py
step documents 'git pkg-config python3' tests/docs/run.sh
step rust '' tests/rust/run.sh
step c_suite g++ env HAKMEM_TINY_HEAP_V2=1 tests/c/run.sh
step c_suite_baseline g++ env HAKMEM_TINY_HEAP_V2=0 tests/c/run.sh
step report python3 tests/report/run.sh
step c_suite_hardened g++ env HAKMEM_HARDENED=1 'ONLY=[cm]*/*' tests/c/run.sh
step c_suite_light g++ env HAKMEM_HARDENED=light 'ONLY=misuse/*' tests/c/run.sh
step c_suite_guard g++ env HAKMEM_GUARD_RATE=10 'ONLY=[cm]*/!(hardened_*)' tests/c/run.sh # which blocks are guarded can't be foreseen, and those are told by a fault
step misuse 'g++ python3' tests/misuse/run.py
step options python3 scripts/check_options.py
step stages '' scripts/check_stages.sh
step arm64 python3 scripts/check_arm64.sh
step mutations python3 scripts/check_mutations.sh
step record_mutations python3 scripts/check_record_mutations.py
step matrix python3 scripts/matrix.py
step fuzz_seeds '' scripts/fuzz.sh --seeds
step soak '' tests/soak/run.sh 60
step paranoid 'g++ python3' scripts/check_paranoid.sh
step real python3 env HAKMEM_TINY_HEAP_V2=1 tests/real/run.sh
step real_baseline python3 env HAKMEM_TINY_HEAP_V2=0 tests/real/run.sh --again --only git,redis,gcc,node,sort
step real_light python3 env HAKMEM_HARDENED=light tests/real/run.sh --again --only "$light" # the rest: make real-more
finish
