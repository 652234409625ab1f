#!/usr/bin/env bash
# HAKMEM for arm64, cross-built by the oldest Rust that builds it and run under an emulator (qemu-user): pages of 4, 16 and 64 KiB,
# with and without LSE. docs/ARM64.md says what that shows, and what it can't. --full: the whole suite, each page size, and
# the property test. usage: scripts/check_arm64.sh [--full]; status 77: this machine has not what it takes
set -euo pipefail
cd "$(dirname "$0")/.."
full=
case $#:${1-} in 0:) ;; 1:--full) full=1 ;; *) sed -n 's/.*\(usage: [^;]*\);.*/\1/p' "$0" | head -n 1 >&2; exit 2 ;; esac
[ "$(uname -m)" = x86_64 ] || { echo "only an x86-64 machine cross-builds: on arm64 the other steps run there"; exit 77; }
for tool in aarch64-linux-gnu-gcc aarch64-linux-gnu-g++ qemu-aarch64-static gawk; do
    command -v $tool >/dev/null || { echo "there is no $tool"; exit 77; }
done
RUSTC=$(scripts/debian_rust.sh 2>target/arm64.why) || { status=$?; tail -n 1 target/arm64.why; exit $status; }
unset LD_PRELOAD "${!HAKMEM_@}"
ulimit -c 0
export RUSTC TARGET=aarch64-unknown-linux-gnu CC=aarch64-linux-gnu-gcc CXX=aarch64-linux-gnu-g++ QEMU_LD_PREFIX=/usr/aarch64-linux-gnu
export BUILD=$PWD/target/arm64/c
# Both, for a machine that has arm64 programs' libraries besides: a loader of one libc and the rest of another hang.
emulator="qemu-aarch64-static -E LD_LIBRARY_PATH=/usr/aarch64-linux-gnu/lib"
. scripts/target.sh
lib=$PWD/$release/libhakmem.so
mkdir -p target/arm64
failed=0
part() { # NAME COMMAND...
    local name=$1 start=$SECONDS
    shift
    if "$@"; then echo "ok $name ($((SECONDS - start)) s)"; else echo "FAILED $name ($((SECONDS - start)) s)"; failed=$((failed + 1)); fi
}

suite() { # PATTERN PAGE CPU
    EMULATOR="$emulator -cpu $3 -p $2" ONLY=$1 tests/c/run.sh "$lib"
}

# The emulator's own pages are those of this machine, so it takes an address that a kernel with larger ones refuses. The list of
# calls tells: all that the library asks of its pages must be made of whole ones.
whole_pages() { # PAGE
    local mode
    # Not the soak test: a fork while another thread writes the list leaves the emulator's child waiting.
    aarch64-linux-gnu-gcc -D_GNU_SOURCE -pthread -w -fno-builtin -Itests/c tests/c/traps/trim_concurrent.c -o target/arm64/calls_of
    for mode in A=1 HAKMEM_HARDENED=1 HAKMEM_GUARD_RATE=3 "HAKMEM_DECAY_MS=1 HAKMEM_BACKGROUND=1"; do
        # shellcheck disable=SC2086 # several words
        env $mode timeout -k 5 60 $emulator -p "$1" -strace -E LD_PRELOAD="$lib" target/arm64/calls_of >/dev/null 2>target/arm64/calls || return 1
        gawk -v page="$1" -v mode="$mode" '
            # `123 mmap(NULL,65536,…) = 0x…`, `munmap(0x…,4096)`. The loader has mapped all before the first thread is set up, and unmaps
            # its list of libraries after that; what is shared is of the test program. Lines of two threads may be mixed up.
            /set_robust_list\(/ { begun = 1 }
            !begun || /MAP_SHARED/ { next }
            match($0, /^[0-9]+ (mmap|munmap|madvise|mremap)\(([^()]*)\) = /, call) {
                n = split(call[2], argument, ",")
                if (call[1] == "mmap" && argument[5] != "-1") next # a file, which is not ours
                if (argument[2] !~ /^[0-9]+$/ || (call[1] == "munmap" && !unmapped++)) next
                calls++
                at = argument[1] == "NULL" ? 0 : strtonum(argument[1])
                if (at % page || strtonum(argument[2]) % page) { print "not of whole pages: " $0; bad = 1 }
            }
            END { print mode ": " calls " calls, pages of " page; exit bad || calls < 20 }' target/arm64/calls || return 1
    done
}

property() {
    # proptest asks for a newer Rust than it needs.
    cargo test --locked --ignore-rust-version --target "$TARGET" --test model --no-run 2>target/arm64/model.log || { tail -n 20 target/arm64/model.log; return 1; }
    local program
    program=$(sed -n 's/.*Executable .*(\(.*\))$/\1/p' target/arm64/model.log)
    PROPTEST_CASES=8 EMULATOR="$emulator -p $1" $emulator -p "$1" "$program" --test-threads 2
}

# All addresses lie below 2^39, as with the kernel's smallest tables for pages of 4 KiB: -R 0x8000000000. Without it the emulator
# refuses a mapping now and then though there is room (docs/ARM64.md): what the allocator does then is seen with --full.
soak() { # PAGE CPU SECONDS OPTIONS
    aarch64-linux-gnu-gcc -O2 -pthread -Wno-unused-parameter -fno-builtin tests/soak/soak.c -o target/arm64/soak
    # shellcheck disable=SC2086 # several words
    $emulator $4 -cpu "$2" -p "$1" -E LD_PRELOAD="$lib" target/arm64/soak "$3" 22 none
}
bits_39="-R 0x8000000000"

part build scripts/build.sh
[ $failed = 0 ] || { echo "0 passed, 1 failed"; exit 1; }
part so scripts/check_so.sh "$lib"
part hot_path scripts/count_hot_path_arm64.sh "$lib"
linker_noise() { "$@" 2>&1 | grep -v '^bfd plugin: '; } # of LLVM's plugin, about bitcode of Debian's std that it does not know
part install linker_noise tests/install/cross.sh
for page in 16384 65536; do
    part "pages_$page" whole_pages $page
done
part soak_4096 soak 4096 cortex-a53 10 "$bits_39"
part soak_16384 soak 16384 max 10 ""
part soak_65536 soak 65536 max 10 "$bits_39"
if [ -n "$full" ]; then
    part suite_4096 suite '*' 4096 cortex-a53
    part suite_16384 suite '*' 16384 max
    part suite_65536 suite '*' 65536 max
    for page in 4096 16384 65536; do part "property_$page" property $page; done
    for page in 4096 16384 65536; do part "long_soak_$page" soak $page max 100 ""; done
else
    # What differs by architecture: assembly, signals, the loader's TLS, frames of C++. Then what looks at pages.
    part suite_4096 suite '@(conformance/@(cxx_bad_alloc|cxx_nothrow|exports)|misuse/@(double_free_tiny|abort_handler|guard_use_after_free)|traps/atexit_free)' 4096 cortex-a53
    part suite_16384 suite '@(conformance/@(page_aligned|guard_turn|calloc_zero_large)|misuse/@(guard_overflow|hardened_overflow_large|interior_large_65536))' 16384 max
    part suite_65536 suite '@(conformance/@(align_many|calloc_zero_large|guard_turn|page_aligned|realloc_content|usable_size)|misuse/@(double_free_remote_mid|interior_large_4096|guard_*|hardened_guard_page_large|hardened_*_large))' 65536 max
fi
exit $((failed > 0))
