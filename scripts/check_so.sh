#!/usr/bin/env bash
# What the shared library is from outside. usage: scripts/check_so.sh [libhakmem.so]
set -euo pipefail
cd "$(dirname "$0")/.."
lib=${1:-target/release/libhakmem.so}
max_bytes=$((1 << 20)) max_tls=16
objdump=objdump
! readelf -hW "$lib" | grep -q 'Machine: *AArch64' || [ "$(uname -m)" = aarch64 ] || objdump=aarch64-linux-gnu-objdump

# Debian's Rust keeps the tables of what dropped out, and asks for libgcc_s.
foreign=
[ "$objdump" = objdump ] || foreign='|libgcc_s\.so\.1'

# What may be asked of libc, and why that can't hurt: other preloaded libraries put functions of their own in the place of
# libc's, which lock, allocate and refuse; and some of libc's are cancellation points. System calls are our own (src/os/sys.rs).
allowed=$(sed 's/ *#.*//' <<'END'
__cxa_finalize __gmon_start__ _ITM_deregisterTMCloneTable _ITM_registerTMCloneTable # weak, of every shared library's start
_ZSt15get_new_handlerv __cxa_allocate_exception __cxa_throw _ZTVSt9bad_alloc _ZTISt9bad_alloc _ZNSt9bad_allocD1Ev _ZTVSt13bad_exception _ZTISt13bad_exception _ZNSt13bad_exceptionD1Ev # weak: failing new
hak_options # weak: the program's own options
__errno_location environ __environ program_invocation_short_name __progname getauxval # plain reads
bcmp memcpy memmove memset strlen # the compiler calls them too: pure
__cxa_atexit __register_atfork # called once, by the constructor, with no lock held
pthread_key_create pthread_key_delete pthread_setspecific # a thread's end can't be known otherwise; no cancellation points
pthread_attr_destroy pthread_attr_init pthread_attr_setstacksize pthread_create pthread_detach # HAKMEM_BACKGROUND=1, with no lock held
pthread_join pthread_setcancelstate # likewise, as the last other thread ends; cancellation is off meanwhile
__libc_stack_end pthread_attr_getstack pthread_getattr_np pthread_self # HAKMEM_PROF_UNWIND=fp, with no lock held: where a stack ends; no cancellation points
dladdr # C++'s own new: by the constructor
gnu_get_libc_version # only its address is looked at
backtrace # HAKMEM_TRACE=1
dl_iterate_phdr # dlsym's next one, once; HAKMEM_TRACE=1
fwrite # malloc_info: the program's own stream, with no lock held
END
)

failed=0
expect() { # WHAT CONDITION...
    local what=$1
    shift
    "$@" || { echo "FAILED: $what"; failed=1; }
}
none() { [ -z "$1" ] || { echo "$1" | sed 's/^/  /'; return 1; }; }

family='malloc|free|calloc|realloc|reallocarray|posix_memalign|aligned_alloc|memalign|valloc|pvalloc|cfree'
family+='|__libc_(malloc|calloc|realloc|free|cfree|memalign|valloc|pvalloc)|__posix_memalign'
family+='|dlopen|dlmopen|dlsym|unshare|setns'
family+='|malloc_usable_size|malloc_trim|malloc_info|malloc_stats|mallopt|mallinfo|mallinfo2|free_sized|free_aligned_sized'
versioned=$(nm -D --defined-only "$lib" | awk '$2 != "A" {print $3}') # A: the version itself
exported=$(sed 's/@.*//' <<<"$versioned")
dynamic=$(readelf -dW "$lib")
# The loader looks at who called its dlopen and dlsym (src/abi/dl.rs): the last instruction must be a jump.
no_jump() {
    local function
    for function in dlopen dlmopen dlsym; do
        $objdump -d --no-show-raw-insn --disassemble=$function "$lib" | awk '/^ +[0-9a-f]+:\t/ && !/\t(nop|int3|udf|xchg +%ax,%ax)/ {last = $2} END {print last}' |
            grep -qxE 'jmp|br' || echo $function
    done
}
# The symbols are in the file beside it once it is stripped.
symbols=$(nm -C "$([ -f "$lib.debug" ] && echo "$lib.debug" || echo "$lib")" 2>/dev/null)
tls=$(readelf -lW "$lib" | awk '$1 == "TLS" {print $6}')
size=$(stat -Lc %s "$lib")

expect "exports malloc's family, C++'s operators, dlopen, dlsym, unshare, setns and hak_* only" \
    none "$(grep -vxE "$family|_Zn[wa]m.*|_Zd[la]Pv.*|hak_[a-z_]+" <<<"$exported")"
expect "exports malloc, free and hak_version" \
    test "$(grep -cxE 'malloc|free|hak_version' <<<"$exported")" = 3
expect "only hakmem.h's functions bear a version, HAKMEM_0" \
    none "$(grep -vxE '[^@]*|hak_[a-z_]+@@HAKMEM_0' <<<"$versioned"; grep -xE 'hak_[a-z_]+' <<<"$versioned")"
expect "SONAME is libhakmem.so.0" grep -q 'SONAME.*\[libhakmem\.so\.0\]' <<<"$dynamic"
expect "is linked -z nodelete" grep -q 'FLAGS_1.*NODELETE' <<<"$dynamic"
expect "is bound at load" grep -q 'FLAGS_1.*NOW' <<<"$dynamic"
expect "needs libc and the loader only" \
    none "$(grep NEEDED <<<"$dynamic" | grep -vE '\[(libc\.so\.6|ld-linux.*'"$foreign"')\]')"
expect "asks libc for nothing that others put their own in the place of" \
    none "$(nm -D --undefined-only "$lib" | awk '{sub(/@.*/, "", $NF); print $NF}' | grep -vxF "$(tr ' ' '\n' <<<"$allowed")")"
expect "static TLS of $((${tls:-0})) bytes is at most $max_tls" test $((${tls:-0})) -le $max_tls
expect "dlopen, dlmopen and dlsym jump to the loader's" none "$(no_jump)"
expect "symbols can be read (libhakmem.so.debug)" test -n "$symbols"
expect "holds no panic machinery" none "$(grep -E '^[0-9a-f]+ [tTwW] ' <<<"$symbols" | grep -E 'rust_panic|rust_begin_unwind|_Unwind_|::panicking::')"
expect "$size bytes are at most $max_bytes" test "$size" -le $max_bytes
# A call may come from a coroutine whose stack is a page; tests/c/traps/painted_stack.c measures whole calls.
expect "no function takes more than 1 KiB of stack" none "$($objdump -d --no-show-raw-insn "$lib" |
    awk '/^[0-9a-f]+ <.*>:$/ {name = $2} match($0, /sub +(\$0x[0-9a-f]+,%rsp|sp, sp, #0x[0-9a-f]+(, lsl #12)?)/) {
        n = substr($0, RSTART, RLENGTH); long = n ~ /lsl/; sub(/.*0x/, "", n); sub(/,.*/, "", n); if (long || length(n) > 3 || (length(n) == 3 && n > "400")) print name, "0x" n}')"
[ $failed = 1 ] || echo "$(wc -l <<<"$exported") exports, $((${tls:-0})) bytes of static TLS, $size bytes: ok"
exit $failed
