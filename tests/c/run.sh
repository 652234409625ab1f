#!/bin/bash
# Builds and runs the C and C++ suite against a preloaded library. One line per test, then `N passed, N failed`.
# Needs bash, gcc, g++, binutils and coreutils; python3's XML parser is used when it is there.
set -u
usage() {
    cat <<'END'
usage: tests/c/run.sh [path-to-lib]        (default: target/release/libhakmem.so of this repository)
  prints `ok NAME`, `FAILED NAME: why` or `skipped NAME: why` per test and closes with `N passed, N failed`
  exit status: 0 all passed, 1 a test failed or the library does not serve malloc, 2 wrong arguments
environment:
  ONLY='traps/fork*'   run the tests whose name matches this pattern
  JOBS=2               tests run at once
  COMPILE=1            only compile, also what scripts/matrix.py runs besides; COMPILE='first static': link these forms too
  FULL=1               the long form of the tests that have one
  ANY=1                do not ask for hak_version: try the suite on another malloc (path `none`: the system's)
  BUILD=DIR            where the programs are compiled to (default: build)
  CC, CXX              the compilers, of another architecture with
  EMULATOR=COMMAND     what runs its programs; what that can't run says so
  TIMES=FILE           append the seconds each test took
  HAKMEM_*             reaches the tests, e.g. HAKMEM_TINY_HEAP_V2=0 tests/c/run.sh
a test is one file in conformance/, misuse/ or traps/; its first lines may hold
  // expect-signal: 6           dies of that signal (else: exit status 0)
  // expect-stderr: ERE         exactly one line on stderr matches; may be repeated
  // expect-stderr-any: ERE     at least one line does
  // stderr: any                says nothing about stderr (else no line may begin with "hakmem")
  // env: A=B C=D               for the program
  // run: COMMAND               for sh instead of $RUN, which is `env A=B LD_PRELOAD=$LIB $BIN`; $TMP is a directory,
                                $EMULATOR what $BIN must stand behind
  // cflags: FLAGS              for the compiler
  // hakmem                     includes hakmem.h and is linked with the library
  // plugin                     also built as $BIN.so with -DPLUGIN
  // forms: first static …      the ways the library gets into the program, each a run of its own (else: preload):
                                preload; linked, shared, first or last (beside the plugin); archive; static: the whole
                                program; late: by dlopen, its functions by dlsym (check.h)
  // alone                      nothing else runs meanwhile
END
}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) || exit 1
case $# in
0) LIB=$here/../../target/release/libhakmem.so ;;
1) LIB=$1 ;;
*) usage >&2; exit 2 ;;
esac
case $LIB in
-h | --help) usage; exit 0 ;;
-* | '') usage >&2; exit 2 ;;
none) LIB= ;;
*)
    [ -f "$LIB" ] || { echo "run.sh: no such library: $LIB" >&2; usage >&2; exit 2; }
    LIB=$(readlink -f "$LIB")
    ;;
esac
[ -n "$LIB" ] || [ "${ANY:-0}" = 1 ] || { usage >&2; exit 2; }

unset LD_PRELOAD
ulimit -c 0
export LC_ALL=C here LIB
export build=${BUILD:-$here/build} EMULATOR=${EMULATOR:-}
mkdir -p "$build"/{conformance,damage,misuse,traps} || exit 1
out=$(mktemp -d "$build/run.XXXXXX") || exit 1
export out
trap 'rm -rf "$out"' EXIT
export flags="-g -O0 -pthread -D_GNU_SOURCE -I$here -Wall -Wextra -Wno-unused-parameter -Wno-deprecated-declarations
 -Wno-free-nonheap-object -Wno-use-after-free -Wno-alloc-size-larger-than -Wno-unused-result -Wno-infinite-recursion -fno-builtin"

directives() { # the values of `// $2: ` in the first lines of file $1
    sed -n "1,25s|^// $2: *||p" "$1"
}

not_emulated() { # why an emulator of one process (qemu-user) can't show what test file $1 looks at; docs/ARM64.md has the list
    local words why
    case "$EMULATOR ${1##*/}" in # both without any library of ours too
    *"-p 65536 main_pthread_exit.c") echo "with such pages its first thread can't end before the others"; return 0 ;;
    *"-p 65536 deepbind.c" | *"-p 16384 deepbind.c" | *"-p 65536 dlsym_libc.c" | *"-p 16384 dlsym_libc.c")
        echo "with such pages its loader stops behind a library with megabytes of zeroes"; return 0 ;;
    esac
    while IFS='|' read -r why words; do
        if grep -Eq "$words" "$1"; then
            echo "$why"
            return 0
        fi
    done <<'END'
address space and its limits are the emulator's own|RLIMIT_AS|RLIMIT_DATA|ulimit -[vd]|mlock|overcommit
it keeps a note of each page that is mapped, and is busy with those of a tebibyte for minutes|absurd
resident memory, threads and /proc are the emulator's own|rss_mb|peak_mb|contract_idle|status_kb|VmRSS|ru_maxrss|resident\(|mincore|/proc/|Threads:|hak_stats_get.*resident
it fills a byte for each 4 KiB in mincore, whatever a page is|compare\(\)|hak_totals
it keeps signals for itself|kill\(getpid\(\), signal\)|background_signals|cancel_
it knows no seccomp, namespaces or unshare|PR_SET_SECCOMP|SYS_seccomp|unshare\(|setns\(|chroot\(
what is started next is a program of this machine|execv|execl|posix_spawn|vfork|system\(|popen|setuid
the tool is one for programs of this machine|valgrind|libasan|under_tools
END
    return 1
}

compile() { # $1: conformance/name.c
    local src=$here/$1 bin=$build/${1%.*} cc="${CC:-gcc} -std=gnu11" own
    [ "${1##*.}" = cpp ] && cc="${CXX:-g++} -std=c++17"
    [ "$bin" -nt "$src" ] && [ "$bin" -nt "$here/check.h" ] && [ "$bin" -nt "$here/run.sh" ] && [ "$bin" -nt "$here/../../include/hakmem.h" ] && return 0
    rm -f "$bin" "$bin.log"
    if sed 25q "$src" | grep -q '^// plugin$'; then
        $cc $flags $(directives "$src" cflags) -DPLUGIN -shared -fPIC "$src" -o "$bin.so.$$" -ldl 2>>"$bin.log" &&
            mv "$bin.so.$$" "$bin.so"
    fi
    sed 25q "$src" | grep -q '^// hakmem$' && own="-I$here/../../include $LIB"
    $cc $flags $(directives "$src" cflags) "$src" -o "$bin.$$" ${own:-} -ldl 2>>"$bin.log" && mv "$bin.$$" "$bin"
    return 0
}

link_form() { # program $1 with the library in it by form $2
    local src=$here/$1 bin=$build/${1%.*} cc="${CC:-gcc} -std=gnu11" archive=${LIB%.so}.a plugin= with
    [ "${1##*.}" = cpp ] && cc="${CXX:-g++} -std=c++17"
    [ ! -f "$bin.so" ] || plugin=$bin.so
    case $2 in
    first) with="-Wl,--no-as-needed $LIB $plugin -Wl,-rpath,${LIB%/*}" ;;
    last) with="-Wl,--no-as-needed $plugin $LIB -Wl,-rpath,${LIB%/*}" ;;
    archive) with="$archive $plugin" ;;
    static) with="-static $archive" ;;
    late) with="-DLATE $plugin" ;;
    esac
    $cc $flags -DFORM_$2 $(directives "$src" cflags) "$src" -o "$bin.$2" $with -ldl 2>>"$bin.log"
}

verdict() { # runs test $1 in all of its forms: prints why on stdout when one fails, returns 0 passed, 1 failed, 77 skipped
    local form why status=0 forms=$(directives "$here/$1" forms)
    for form in ${forms:-preload}; do
        # Only the preload asks no more of the library than to be one.
        [ $form = preload ] || [ -f "${LIB%.so}.a" ] || continue
        why=$(judge "$1" $form) || { status=$?; break; }
    done
    [ $status = 0 ] || echo "${forms:+$form: }$why"
    return $status
}

judge() { # the same for one form, $2
    local src=$here/$1 reason status want signal vars command line count watcher limit=${FULL:+6}${EMULATOR:+1}90 # most take one, and many times as long beside others
    export BIN=$build/${1%.*} FORM=$2
    [ -z "$EMULATOR" ] || ! reason=$(not_emulated "$src") || { echo "not under an emulator: $reason"; return 77; }
    export TMP=$out/$(echo "${1%.*}" | tr / _)
    [ -x "$BIN" ] || { echo "does not compile: $(grep -m1 error "$BIN.log")"; return 1; }
    mkdir -p "$TMP"
    vars=$(directives "$src" env)
    # What stands before the emulator is for its guest alone: it is no program of that architecture itself.
    export RUN="env $vars ${EMULATOR:+$EMULATOR -E }${LIB:+LD_PRELOAD=$LIB} $BIN"
    if [ $FORM != preload ]; then
        link_form "$1" $FORM || { echo "does not link: $(grep -m1 -E 'error|undefined|multiple' "$BIN.log")"; return 1; }
        BIN+=.$FORM
        RUN="env $vars LATE=$LIB $EMULATOR $BIN"
    fi
    command=$(directives "$src" run)
    [ -n "$command" ] || command='exec $RUN'
    { read -rt $((limit - 4)) <> <(:) || where >"$TMP/where"; } >/dev/null 2>&1 & # a rest without a process that would outlive it
    watcher=$!
    (cd "$TMP" && exec timeout -k 5 $limit sh -c "$command") >"$TMP/stdout" 2>"$TMP/stderr" </dev/null
    status=$?
    kill $watcher
    [ $status = 77 ] && { tail -n 1 "$TMP/stdout"; return 77; }
    if [ $status = 124 ] || [ $status = 137 ]; then echo "timed out after $limit s: $(cat "$TMP/where")"; return 1; fi
    signal=$(directives "$src" expect-signal)
    want=$((signal ? signal + 128 : 0))
    if [ $status != $want ]; then
        if [ $status -gt 128 ]; then line="killed by signal $((status - 128))"; else line="exit status $status"; fi
        [ $want = 0 ] || line="$line, expected signal $signal"
        echo "$line: $(cat "$TMP/stderr" "$TMP/stdout" | head -n 4 | cut -c1-300)"
        return 1
    fi
    while IFS= read -r line; do
        count=$(grep -aEc -- "$line" "$TMP/stderr")
        [ "$count" = 1 ] || { echo "$count lines on stderr match $line; the first line is: $(head -n 1 "$TMP/stderr" | cut -c1-200)"; return 1; }
    done < <(directives "$src" expect-stderr)
    while IFS= read -r line; do
        grep -aEq -- "$line" "$TMP/stderr" || { echo "no line on stderr matches $line"; return 1; }
    done < <(directives "$src" expect-stderr-any)
    if ! sed 25q "$src" | grep -Eq '^// (expect-stderr|expect-stderr-any|stderr):' && line=$(grep -am1 '^hakmem' "$TMP/stderr"); then
        echo "unexpected on stderr: $line"
        return 1
    fi
    return 0
}

where() { # what the threads of the test's program are at, in its directory, if there is gdb
    local process
    for process in /proc/[0-9]*; do
        [[ $(readlink "$process/cwd") == "$TMP" && $(readlink "$process/exe") == "$BIN"* ]] || continue
        echo "$(cut -d ' ' -f 14,15 "$process/stat") ticks"
        timeout 10 gdb -p "${process#/proc/}" -batch -ex 'thread apply all backtrace 8' | grep -E '^(#|Thread)' | head -n 80 | cut -c1-150
    done
}

run_one() {
    local name=${1%.*} why status note start=$EPOCHREALTIME
    why=$(verdict "$1" 2>/dev/null)
    status=$?
    case $status in
    0)
        note=$(sed -n 's/^note: //p' "$out/$(echo "$name" | tr / _)/stdout" 2>/dev/null | tail -n 1)
        echo "ok $name${note:+ ($note)}" ;;
    77) echo "skipped $name: $why" ;;
    *) echo "FAILED $name: $(echo "$why" | tr '\n' ' ')" ;;
    esac
    [ -z "${TIMES:-}" ] || awk "BEGIN { printf \"%6.2f s %s\\n\", $EPOCHREALTIME - $start, \"$name\" }" >>"$TIMES"
    return 0
}
export -f directives not_emulated compile link_form verdict judge where run_one

cd "$here" || exit 1
if [ "${ANY:-0}" != 1 ]; then
    ${CC:-gcc} -D_GNU_SOURCE probe.c -o "$out/probe" -ldl || exit 1
    # shellcheck disable=SC2086 # several words
    if ! why=$(env ${EMULATOR:+$EMULATOR -E} LD_PRELOAD="$LIB" "$out/probe" 2>&1); then
        echo "run.sh: NOT SERVED BY HAKMEM: $LIB: $why" >&2
        exit 1
    fi
fi

tests=() alone=()
for src in {conformance,misuse,traps}/*.{c,cpp} ${COMPILE:+damage/*.c}; do
    [ -f "$src" ] || continue
    # shellcheck disable=SC2053 # a pattern is wanted
    [[ ${src%.*} == ${ONLY:-*} ]] || continue
    if sed 25q "$src" | grep -q '^// alone$'; then alone+=("$src"); else tests+=("$src"); fi
done
[ $((${#tests[@]} + ${#alone[@]})) -gt 0 ] || { echo "run.sh: no test matches ONLY=$ONLY" >&2; exit 2; }

printf '%s\0' "${tests[@]}" "${alone[@]}" | xargs -0 -P 2 -I{} bash -c 'compile "$1"' _ {}
if [ -n "${COMPILE:-}" ]; then
    for form in ${COMPILE#1}; do
        printf '%s\0' "${tests[@]}" "${alone[@]}" | xargs -0 -P 2 -I{} bash -c 'link_form "$1" "$2"' _ {} "$form"
    done
    exit 0
fi
{
    [ ${#tests[@]} = 0 ] || printf '%s\0' "${tests[@]}" | xargs -0 -P "${JOBS:-2}" -I{} bash -c 'run_one "$1"' _ {}
    [ ${#alone[@]} = 0 ] || printf '%s\0' "${alone[@]}" | xargs -0 -P 1 -I{} bash -c 'run_one "$1"' _ {}
} | tee "$out/results"
passed=$(grep -c '^ok ' "$out/results")
failed=$((${#tests[@]} + ${#alone[@]} - passed - $(grep -c '^skipped ' "$out/results")))
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
