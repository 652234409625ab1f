#!/usr/bin/env bash
# The library with feature `paranoid`, debug assertions and overflow checks: its walkers look at every invariant of every box
# after slow paths. Over the C suite, the soak test and real programs; then over a mutant, which they must catch.
# usage: scripts/check_paranoid.sh [--long]      --long: every slow path walked, more programs; takes half an hour
set -euo pipefail
cd "$(dirname "$0")/.."
case $# in
0) every=64 programs=sqlite3,jq seconds=20 ;;
1) [ "$1" = --long ] || { sed -n 's/^# usage/usage/p' "$0" >&2; exit 2; }
   every=1 programs=sqlite3,jq,lua,git,cpython,redis,gcc,xz seconds=300 ;;
*) sed -n 's/^# usage/usage/p' "$0" >&2; exit 2 ;;
esac
target=${CARGO_TARGET_DIR:-$PWD/target}/paranoid
settings=(lto=false codegen-units=16) # a third of the time to build; for the same reason the mutants' have two more
build() { # MANIFEST
    RUSTFLAGS="-C debug-assertions=on -C overflow-checks=on" PARANOID_EVERY=$every \
        cargo rustc --quiet --release --lib --features paranoid --crate-type staticlib --manifest-path "$1" --target-dir "$target" \
        $(printf -- '--config profile.release.%s ' "${settings[@]}") &&
        scripts/link.sh "${CC:-gcc}" "$target/release/libhakmem.a" "$target/release/libhakmem.so" -lgcc_s # its assertions bring the panic machinery
}
passed=0 failed=0
verdict() { # STATUS WHAT
    if [ "$1" = 0 ]; then passed=$((passed + 1)) && echo "ok $2"; else failed=$((failed + 1)) && echo "FAILED $2"; fi
}
run() { # WHAT COMMAND…
    local status=0 what=$1
    shift
    "$@" || status=$?
    verdict $status "$what"
}

build Cargo.toml
lib=$target/libhakmem.so
cp "$target/release/libhakmem.so" "$lib"
# Not misuse: a block that a program frees twice breaks an invariant before the flush that would say so. Not what measures
# memory, as conformance/many_spans, or counts instructions or, as conformance/few_of_each, page faults. Nor learn_budget and hardened_never_out_of_mappings: a thousand
# threads, each of which walks what all of them hold, take minutes.
ONLY='conformance/!(few_of_each|many_spans|learn_budget|hardened_never_out_of_mappings)' run conformance env FULL=1 tests/c/run.sh "$lib"
for test in fork_busy fork_from_thread signal_threads seccomp_eperm thread_churn thread_storm remote_flood superslab_churn trim_concurrent tls_dtor_alloc small_stack; do
    ONLY="traps/$test" run "$test" env FULL=1 tests/c/run.sh "$lib"
done
run soak tests/soak/run.sh --lib "$lib" $seconds
run programs tests/real/run.sh --lib "$lib" --only $programs

# FILE OLD NEW INVARIANT: in a copy, OLD becomes NEW where IF is 1, in the run that has this mutant's number; the soak test's program must then
# die naming INVARIANT. One build has all of them, without LTO.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${CC:-gcc}" -O2 -pthread tests/soak/soak.c -o "$work/soak"
mkdir "$work/repo"
cp -r Cargo.toml Cargo.lock build.rs cbindgen.toml README.md src "$work/repo/"
cat >>"$work/repo/src/lib.rs" <<'RUST'
pub(crate) fn is_mutant(number: u8) -> bool {
    // SAFETY: a constant string, and what the environment holds of it is a character at least.
    unsafe { libc::getenv(c"MUTANT".as_ptr()).as_ref() }.is_some_and(|chosen| *chosen as u8 == b'0' + number)
}
RUST
files=() names=()
mutant() {
    files+=("$1") names+=("$4")
    python3 -I - "$work/repo/src/$1" "$2" "${3//IF/crate::is_mutant(${#files[@]})}" <<'PYTHON' || verdict 1 "$1 no longer reads so: $2"
import sys
path, old, new = sys.argv[1:]
text = open(path).read()
if text.count(old) != 1:
    sys.exit(1)
open(path, "w").write(text.replace(old, new))
PYTHON
}
mutant span/refill.rs 'record.free -= taken;' 'record.free -= taken.saturating_sub(IF as _);' S2
mutant span/lists.rs 'if let Some(mut next) = next {' 'if let Some(mut next) = next.filter(|_| !IF) {' L1
mutant base/tray.rs 'self.entries.copy_within(self.left.min(self.entries.len()).., 0);' 'if !IF { self.entries.copy_within(self.left.min(self.entries.len()).., 0); }' H2
mutant superslab/pool.rs 'level::IN_USE.sub_slots(slab.len as u64 * GRANULE as u64);' 'if !IF { level::IN_USE.sub_slots(slab.len as u64 * GRANULE as u64); }' P4
every=1 settings+=(opt-level=1 debug=0)
build "$work/repo/Cargo.toml"
for number in "${!files[@]}"; do
    # One may also overflow a sum first: what Rust prints of that waits for the lock that its thread holds, for ever.
    for seed in 1 2 3 4 5 6; do # one run in twelve the program itself is the first to see the damage, and on a slow machine one does not come to it
        { MUTANT=$((number + 1)) timeout -s KILL 30 env LD_PRELOAD=$target/release/libhakmem.so "$work/soak" 5 $seed none >/dev/null 2>"$work/err" || true; } 2>/dev/null
        ! grep -q "hakmem: ${names[number]}:" "$work/err" || break
    done
    run "a mutant of ${files[number]} is caught by ${names[number]}" grep -q "hakmem: ${names[number]}:" "$work/err"
done

echo "$passed passed, $failed failed"
exit $((failed > 0))
