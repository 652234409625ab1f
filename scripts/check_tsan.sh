#!/usr/bin/env bash
# ThreadSanitizer over tests/model.rs and tests/races.rs, in each of their modes. PROPTEST_CASES=n for another number of cases.
#
# The sanitizer's flag is unstable, but its runtime comes with the stable toolchain: RUSTC_BOOTSTRAP lets us at it. std is
# not instrumented, so what is synchronised in precompiled parts of it looks like a race: those are suppressed by name. And so is the look at the end of the block
# before (`hardened/claim.rs`): a seqlock's reader, whose fences the sanitizer does not know, and who believes what it reads only if the claim stands.
# Without feature `override`: the sanitizer brings a malloc of its own.
set -euo pipefail
cd "$(dirname "$0")/.."

host=$(rustc -vV | sed -n 's/^host: //p')
compgen -G "$(rustc --print target-libdir)/librustc-*_rt.tsan.a" >/dev/null ||
    { echo "this toolchain has no ThreadSanitizer for $host"; exit 77; }
suppressions=$(mktemp)
trap 'rm -f "$suppressions"' EXIT
printf 'race:%s\n' test::event std::sync::mpmc::waker std::sync::mpmc::context alloc::sync::Arc 'claim::Place>::is_clear_before' >"$suppressions"

# -Cunsafe-allow-abi-mismatch: the same std as above; calls into it keep their ABI.
RUSTC_BOOTSTRAP=1 RUSTFLAGS='-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer --cfg hakmem_races' \
    TSAN_OPTIONS="suppressions=$suppressions" PROPTEST_CASES="${PROPTEST_CASES:-60}" \
    cargo test --no-default-features --target "$host" --target-dir "${CARGO_TARGET_DIR:-target}/tsan" --test model --test races
