#!/bin/bash
# Real programs under the library: each does the same deterministic work once
# with the system's malloc and once under LD_PRELOAD, and must exit 0 and print
# the same both times.  See usage below; programs/NAME.sh, and more/NAME.sh,
# whose packages are too large for every check, define
#   packages="…"   Debian packages it needs
#   prepare()      optional: run once, never preloaded, in $CACHE (kept)
#   work()         run in an empty directory, bash itself preloaded, with
#                  `set -euo pipefail`, helpers.sh and $PRELOAD (the library, or
#                  empty); exit status 77 skips the program
#   slow=1         optional: started first;   limit=SECONDS   optional
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
build=$here/build
lib=$repo/target/release/libhakmem.so only= list= again= jobs=2 programs=$here/programs

usage() {
    cat <<'U'
usage: tests/real/run.sh [--more] [--again] [--lib PATH] [--only NAME[,NAME]] [-j N] [--list]
  --more       the large ones: 130 MB of packages; make real-more
  --again      what a program printed on the system's malloc is known from an
               earlier run, if there was one since its file changed
  --lib PATH   library to preload (default: target/release/libhakmem.so)
  --only …     only these programs        --list   print the programs' names
  -j N         programs at a time (default 2)
HAKMEM_… and the rest of the environment reach the programs untouched.  Debian
packages that are missing are installed, as root; with SETUP=0, or as somebody
else, the programs that need them are skipped.
Output, errors and differences of every program: tests/real/build/NAME/
U
}
bad() { echo "run.sh: $1" >&2; usage >&2; exit 2; }

while [ $# -gt 0 ]; do
    case $1 in
        --lib)  [ $# -ge 2 ] || bad "--lib needs a path"; lib=$2; shift 2 ;;
        --only) [ $# -ge 2 ] || bad "--only needs names"; only=${2//,/ }; shift 2 ;;
        -j)     [[ ${2-} =~ ^[1-9][0-9]*$ ]] || bad "-j needs a number"; jobs=$2; shift 2 ;;
        -j[1-9]*) [[ ${1#-j} =~ ^[0-9]+$ ]] || bad "-j needs a number"; jobs=${1#-j}; shift ;;
        --list) list=1; shift ;;
        --more) programs=$here/more; shift ;;
        --again) again=1; shift ;;
        -h|--help) usage; exit 0 ;;
        *)      bad "unknown argument: $1" ;;
    esac
done

all=()
for f in "$programs"/*.sh; do f=${f##*/}; all+=("${f%.sh}"); done
[ -z "$list" ] || { printf '%s\n' "${all[@]}"; exit 0; }
read -ra names <<<"${only:-${all[*]}}"
[ ${#names[@]} -gt 0 ] || bad "--only needs names"
for n in "${names[@]}"; do [ -f "$programs/$n.sh" ] || bad "no such program: $n"; done
[ -r "$lib" ] || bad "no library at $lib"

# A clean, equal environment for both runs.
export REAL_HOME=${HOME:-/root} REPO=$repo INPUTS=$here/inputs CACHE=$build/cache
export CARGO_HOME=${CARGO_HOME:-$REAL_HOME/.cargo} RUSTUP_HOME=${RUSTUP_HOME:-$REAL_HOME/.rustup}
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$CARGO_HOME/bin
export LC_ALL=C.UTF-8 TZ=UTC TERM=dumb PYTHONHASHSEED=0 PERL_HASH_SEED=0
unset LD_PRELOAD PYTHONPATH PYTHONHOME PYTHONMALLOC VIRTUAL_ENV DISPLAY

mkdir -p "$build" "$CACHE"
tmp=$(mktemp -d /tmp/hakmem-real.XXXXXX)
chmod 755 "$tmp"                        # other users (postgres) must get at it
trap 'rm -rf "$tmp"' EXIT
trap 'kill $(jobs -p) 2>/dev/null; wait; exit 130' INT TERM
preload=$tmp/${lib##*/}
install -m 755 "$lib" "$preload"

# Packages: one update, one install.
missing=
for p in $(for n in "${names[@]}"; do (. "$programs/$n.sh"; echo "${packages-}"); done | tr ' ' '\n' | sort -u); do
    dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed || missing+=" $p"
done
can_install=; [ "${SETUP:-1}" = 0 ] || [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null || can_install=1
if [ -n "$missing" ] && [ -n "$can_install" ]; then
    echo "installing$missing"
    { apt-get update -qq
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
          -o Dpkg::Options::=--force-confold $missing
    } >"$build/apt.log" 2>&1 </dev/null || { tail -5 "$build/apt.log"; echo "warning: apt-get failed: $build/apt.log"; }
fi

# Probe: is a preloaded program's malloc bound to the library, and is that hakmem?
LD_BIND_NOW=1 LD_DEBUG=bindings LD_PRELOAD=$preload sort --version 2>&1 |
    grep -qE "binding file sort .* to $preload .*symbol .malloc'" ||
    { echo "probe FAILED: $lib does not serve a preloaded process"; exit 1; }
if ! LD_PRELOAD=$preload python3 -I -c 'import ctypes; ctypes.CDLL(None).hak_version' 2>/dev/null; then
    case ${lib##*/} in
        libhakmem*) echo "probe FAILED: no hak_version in a process preloaded with $lib"; exit 1 ;;
        *) echo "warning: $lib is not hakmem (no hak_version)" ;;
    esac
fi

# Ends what a run left behind in (or started from) directory $1; true if there was any.
leftovers() {
    local d=$1 p found=1
    for p in /proc/[0-9]*; do
        [ "${p#/proc/}" != "$BASHPID" ] || continue
        case $(readlink "$p/cwd" 2>/dev/null) in
            "$d"|"$d"/*) ;;
            *) grep -qzFx "HAK_REAL_DIR=$d" "$p/environ" 2>/dev/null || continue ;;
        esac
        kill -KILL "${p#/proc/}" 2>/dev/null && found=0
    done
    return $found
}

# once NAME MODE PRELOAD: runs it; leaves MODE.{out,err,time}; says on stdout why it failed.
once() {
    local name=$1 mode=$2 pre=$3 dir=$tmp/$1 out=$build/$1/$2 rc start end
    rm -rf "$dir"; mkdir -m 755 "$dir"
    local run=(env HAK_REAL_DIR="$dir" HOME="$dir" TMPDIR="$dir" PRELOAD="$pre")
    [ -z "$pre" ] || run+=(LD_PRELOAD="$pre")
    start=${EPOCHREALTIME/./}
    ( cd "$dir" && exec timeout -k 5 "$limit" "${run[@]}" bash -c \
        'set -euo pipefail; . "$1"; . "$2"; work' work "$here/helpers.sh" "$programs/$name.sh" \
    ) </dev/null >"$out.out" 2>"$out.err" &
    child=$!
    wait "$child"; rc=$?; child=
    end=${EPOCHREALTIME/./}
    printf '%d.%d' $(((end - start) / 1000000)) $(((end - start) / 100000 % 10)) >"$out.time"
    local left=; leftovers "$dir" && left=1
    rm -rf "$dir"
    [ $rc -ne 77 ] || return 77
    case $rc in
        0) ;;
        124|137) echo "timed out after $limit s ($mode)"; return 1 ;;
        *) echo "exit status $rc ($mode)"; return 1 ;;
    esac
    [ -z "$left" ] || { echo "left processes behind ($mode)"; return 1; }
}

one() {
    local name=$1 b=$build/$1 why limit=120 packages slow p child= known=
    trap '[ -z "$child" ] || kill "$child"; leftovers "$tmp/$name"; exit 143' TERM
    [ -z "$again" ] || [ ! "$b/system.ok" -nt "$programs/$name.sh" ] || known=1
    if [ -n "$known" ]; then find "$b" -mindepth 1 ! -name 'system.*' -delete; else rm -rf "$b"; mkdir -p "$b"; fi
    unset -f prepare
    . "$programs/$name.sh"
    verdict() { echo "$1" >"$b/verdict"; printf '%s\n' "$2"; }
    for p in ${packages-}; do
        dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed ||
            { [ -n "$can_install" ] || { verdict skipped "skipped $name: package $p is not installed"; return; }
              verdict failed "FAILED $name: package $p is not installed"; return; }
    done
    if declare -F prepare >/dev/null; then
        (cd "$CACHE" && set -euo pipefail && prepare) >"$b/prepare.log" 2>&1 </dev/null ||
            { verdict failed "FAILED $name: prepare (see $b/prepare.log)"; return; }
    fi
    [ -n "$known" ] || once "$name" system "" >"$b/why"
    case $? in
        0) touch "$b/system.ok" ;;
        77) verdict skipped "skipped $name: $(tail -1 "$b/system.out")"; return ;;
        *) verdict failed "FAILED $name: $(cat "$b/why")"; return ;;
    esac
    once "$name" hakmem "$preload" >"$b/why"; local rc=$?
    if grep -aq '^hakmem:' "$b/hakmem.err"; then
        why="$(cat "$b/why") $(grep -am1 '^hakmem:' "$b/hakmem.err")"
    elif [ $rc -ne 0 ]; then
        why=$(cat "$b/why")
    elif ! diff -a "$b/system.out" "$b/hakmem.out" >"$b/diff"; then
        why="output differs: $(grep -am1 '^[<>]' "$b/diff" | cut -c1-100)"
    else
        verdict passed "ok $name (system $(cat "$b/system.time")s, hakmem $(cat "$b/hakmem.time")s)"; return
    fi
    verdict failed "FAILED $name: ${why# }"
}

# The slow ones first; $jobs at a time.
order=()
for n in "${names[@]}"; do grep -q '^slow=1' "$programs/$n.sh" && order+=("$n"); done
for n in "${names[@]}"; do grep -q '^slow=1' "$programs/$n.sh" || order+=("$n"); done
for n in "${order[@]}"; do
    rm -f "$build/$n/verdict"
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
    one "$n" &
done
wait

passed=0 failed=0
for n in "${names[@]}"; do
    case $(cat "$build/$n/verdict" 2>/dev/null) in
        passed) passed=$((passed + 1)) ;;
        skipped) ;;
        *) failed=$((failed + 1)) ;;
    esac
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
