#!/usr/bin/env bash
# Everything CI runs, in order of cost, after scripts/setup.sh has installed what the steps need and is missing; SETUP=0:
# nothing is installed. One line a step; what the step printed is in target/check/STEP.log, and the end of it here too
# when the step failed. Beside the seconds a step took stand those of processors: fewer than twice as many on two, and there is room for another
# step beside it. A step that this machine can't run says `skipped` and why: its tool is not there, or it ended
# with status 77. Closes with `N passed, N failed` and, if there are any, `, N skipped`, counted in steps.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TERM_COLOR=never
export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0 # what is built once needs neither; the command's tests take 2.1 GB of disk otherwise, not 0.7
export PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin # where setup.sh installs to, and not every Rust is run from
logs=target/check
rm -rf "$logs" && mkdir -p "$logs"

count() { # VERDICT
    grep -c "^$1 " "$logs/verdicts" || true
}
finish() {
    local skipped
    skipped=$(count skipped)
    echo "$(count ok) passed, $(count FAILED) failed$( ((skipped == 0)) || echo ", $skipped skipped")" | tee "$logs/result"
    exit $(($(count FAILED) > 0))
}

tell() { # VERDICT: in one piece, for two steps may end at once
    echo "$1" | tee -a "$logs/verdicts"
}
within=900 # seconds for a step
step() { # NAME 'TOOL...' COMMAND...: tools, beside Rust, gcc and make, that it (or an earlier step whose work it uses) can't do without
    local name=$1 log=$logs/$1.log status=0 tool real user system took tests
    for tool in $2; do
        command -v "$tool" >/dev/null || { tell "skipped $name: there is no $tool"; return; }
    done
    shift 2
    if [[ $1 == */* && ! -x $1 ]]; then
        tell "skipped $name: there is no $1"
        return
    fi
    TIMEFORMAT='%0R %0U %0S'
    # In a shell of its own: the time of one that ends meanwhile beside it would count as this one's.
    (time timeout -k 10 "$within" "$@" >"$log" 2>&1 </dev/null) 2>"$logs/time.$name" || status=$?
    read -r real user system < <(tail -n 1 "$logs/time.$name") || {
        tell "FAILED $name (its time could not be written): $(df -h --output=avail "$logs" | tail -n 1 | tr -d ' ') left on this disk"
        return
    }
    took="$real s, $((user + system)) s of CPU"
    tests=$(awk '/[0-9]+ passed[,;] [0-9]+ failed/ {sub(/ passed.*/, ""); n += $NF; seen = 1}
        /^skipped / {skipped++}
        END {if (seen) print ", " n " tests" (skipped ? ", " skipped " skipped" : "")}' "$log")
    case $status in
    0) tell "ok $name ($took$tests)" ;;
    77) tell "skipped $name: $(tail -n 1 "$log")" ;;
    *)
        [ $status != 124 ] || echo "timed out after $within s" >>"$log"
        tell "FAILED $name ($took, status $status); the end of $log:
$(grep -vE '^(ok|skipped) |^ *(Compiling|Checking|Downloaded) ' "$log" | tail -n 30 | sed 's/^/    /')"
        ;;
    esac
}

[ "${SETUP:-1}" = 0 ] || scripts/setup.sh
step lock '' cargo metadata --locked --format-version 1
step layers python3 scripts/check_layers.sh
step docs python3 scripts/check_docs.sh
step docs_broken 'git python3' tests/docs/broken.sh
step fmt '' scripts/check_fmt.sh
light=bash,chromium,gawk,gdb,ghostscript,git,java,lua,mariadb,memcached,nginx,node,openssl,perl,php,postgres,python_work,ruby,sqlite3
# Side by side stands what times nothing and is mostly one compiler at work; what shares a directory or needs the other's work, on one side.
step clippy '' scripts/check_clippy.sh &
step header g++ scripts/check_header.sh # before the build, which would freshen it
step build '' make build bench_c
wait
if grep -q '^FAILED build ' "$logs/verdicts"; then
    finish # the rest would test an old library
fi
if cargo deny --version >/dev/null 2>&1; then
    step deny '' cargo deny check bans licenses sources
    step deny_cli '' cargo deny --manifest-path cli/Cargo.toml --config deny.toml check bans licenses sources
fi
step so 'readelf nm' scripts/check_so.sh
step abi abidiff scripts/check_abi.sh
step hot_path '' scripts/count_hot_path.sh
step sharing python3 scripts/count_sharing.sh
step run '' scripts/run.sh
{
    step test '' cargo test
    step package '' scripts/check_package.sh
    step loom '' scripts/check_loom.sh
    step rust '' tests/rust/run.sh
    step record_mutations python3 scripts/check_record_mutations.py
} &
step cli python3 scripts/check_cli.sh
step install '' tests/install/run.sh
step deb 'dpkg pkg-config python3' tests/install/deb.sh --here
step documents 'git pkg-config python3' tests/docs/run.sh
step arm64 python3 scripts/check_arm64.sh
wait
# The suites below leave a fifth of two processors idle, for their programs sleep now and then. What has no clock in it takes that, and no more.
{
    renice -n 19 -p $BASHPID >/dev/null || true
    within=1800
    step traces 'python3 setarch' scripts/check_traces.py
    step mutations python3 env ONLY='*' LIMIT=900 scripts/check_mutations.sh # that the models pass has been shown
    step fuzz_seeds '' scripts/fuzz.sh --seeds
} &
step c_suite g++ env HAKMEM_TINY_HEAP_V2=1 tests/c/run.sh
step c_suite_baseline g++ env HAKMEM_TINY_HEAP_V2=0 tests/c/run.sh
step report python3 tests/report/run.sh
step c_suite_hardened g++ env HAKMEM_HARDENED=1 'ONLY=@([cm]*/*|traps/@(fork_no_memory|phases|page_map_grows|[kmno]*|realloc*|se[cq]*))' tests/c/run.sh
step c_suite_light g++ env HAKMEM_HARDENED=light 'ONLY=misuse/*' tests/c/run.sh
step c_suite_guard g++ env HAKMEM_GUARD_RATE=10 'ONLY=[cm]*/!(hardened_*)' tests/c/run.sh # which blocks are guarded can't be foreseen, and those are told by a fault
step misuse 'g++ python3' tests/misuse/run.py
step options python3 scripts/check_options.py
step stages '' scripts/check_stages.sh
step matrix python3 scripts/matrix.py
step soak '' tests/soak/run.sh 60
step paranoid 'g++ python3' scripts/check_paranoid.sh
step real python3 env HAKMEM_TINY_HEAP_V2=1 tests/real/run.sh
step real_baseline python3 env HAKMEM_TINY_HEAP_V2=0 tests/real/run.sh --again --only git,redis,gcc,node,sort
step real_light python3 env HAKMEM_HARDENED=light tests/real/run.sh --again --only "$light" # the rest: make real-more
wait
finish
