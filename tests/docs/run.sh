#!/usr/bin/env bash
# Runs the commands of README.md, CONTRIBUTING.md and docs/: every block marked `sh`, in a scratch copy of the tree with a
# program `app` in it, and one that goes on for a while, `server`. Blocks with another mark are not run; the names in them
# are looked up in what `make install` installs. (docs/CLI.md's commands are run by cli/tests, docs/RECIPES.md's by recipes.sh.)
#
# What would build, install on this machine or take minutes is rewritten: `sudo` and `make install` stay below the scratch
# directory, other targets of make and other scripts must only exist. Programs in C and C++, blocks with a `main`, are built against what was installed, and run.
# usage: tests/docs/run.sh [-v]
set -euo pipefail
repo=$(cd "$(dirname "$0")/../.." && pwd)
verbose=
case $#:${1-} in 0:) ;; 1:-v) verbose=1 ;; *) sed -n 's/.*\(usage: .*\)/\1/p' "$0" | head -n 1 >&2; exit 2 ;; esac
cd "$repo"
[ -f target/release/libhakmem.so ] || { echo "no library: run make first"; exit 1; }
unset LD_PRELOAD LD_LIBRARY_PATH DESTDIR PREFIX BINDIR LIBDIR INCLUDEDIR DATADIR MANDIR DOCDIR MAKEFLAGS MFLAGS MAKELEVEL "${!HAKMEM_@}"
export LC_ALL=C
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
documents=(README.md CONTRIBUTING.md docs/USING.md) # which installs
for document in docs/*.md; do [[ $document =~ /(USING|RECIPES)\.md ]] || documents+=("$document"); done
passed=0 failed=0

export SCRATCH=$tmp/tree ROOT=$tmp/root REPO=$repo REAL_MAKE REAL_CARGO
REAL_MAKE=$(command -v make) REAL_CARGO=$(command -v cargo)
mkdir -p "$SCRATCH" "$tmp/home"
git ls-files -co --exclude-standard -z | xargs -0 cp --parents -t "$SCRATCH" 2>/dev/null || true # deleted ones are listed too
ln -s "$repo/target" "$SCRATCH/target"
ln -s "$repo/bench_c/build" "$SCRATCH/bench_c/build"
cp examples/c/who.c "$SCRATCH/app.c"
gcc examples/c/who.c -o "$tmp/app"
gcc -O1 tests/docs/server.c -o "$SCRATCH/server"

# What the commands find before the real ones.
mkdir "$tmp/bin"
cat >"$tmp/bin/make" <<'END'
#!/usr/bin/env bash
# `install` and `uninstall` as they are, but below $ROOT unless the caller stages; of other targets that there are such.
set -euo pipefail
case " $* " in
*' install '* | *' uninstall '*)
    [[ " $* " == *' DESTDIR='* || " $* " == *" PREFIX=$HOME"* ]] || set -- "$@" DESTDIR="$ROOT"
    exec "$REAL_MAKE" -C "$REPO" --no-print-directory "$@"
    ;;
*) exec "$REAL_MAKE" -C "$REPO" -n "$@" >/dev/null ;;
esac
END
cat >"$tmp/bin/sudo" <<'END'
#!/bin/sh
exec "$@"
END
# Where Rust came without it, it has nothing to add.
command -v rustup >/dev/null || ln -s /bin/true "$tmp/bin/rustup"
cat >"$tmp/bin/cargo" <<'END'
#!/usr/bin/env bash
# In the real tree, where dependencies are built, and without optimisation.
set -euo pipefail
arguments=()
for argument; do [ "$argument" = --release ] || arguments+=("$argument"); done
cd "$REPO" && CARGO_TARGET_DIR=target/examples exec "$REAL_CARGO" "${arguments[@]}"
END
chmod +x "$tmp"/bin/*
# What `make cli` builds, or what the tests of cli/ left. It looks for the library in the tree it lies in.
for command in cli/target/release/hakmem cli/target/debug/hakmem; do
    [ ! -x $command ] || { ln -s "$repo/$command" "$tmp/bin/hakmem" && break; }
done
# A script named in a block must be there; those that install or take minutes do no more.
for script in scripts/setup.sh; do
    printf '#!/bin/sh\nexec bash -n "$REPO/%s"\n' "$script" >"$SCRATCH/$script"
done

run_block() { # FILE
    cp "$tmp/app" "$SCRATCH/app" # an earlier block may have linked another
    rm -f "$SCRATCH"/*.json
    (
        cd "$SCRATCH"
        export HOME=$tmp/home CARGO_HOME=${CARGO_HOME:-$HOME/.cargo} RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
        export PATH=$tmp/bin:$PATH LD_LIBRARY_PATH=$ROOT/usr/local/lib
        export PKG_CONFIG_PATH=$ROOT/usr/local/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$ROOT
        timeout -k 5 120 bash -euo pipefail "$1"
    ) >"$tmp/log" 2>&1 </dev/null
}
verdict() { # NAME STATUS
    if [ "$2" = 0 ]; then
        passed=$((passed + 1)) && echo "ok $1"
        [ -z "$verbose" ] || sed 's/^/    /' "$tmp/log"
    else
        failed=$((failed + 1)) && echo "FAILED $1: status $2" && tail -n 20 "$tmp/log" | sed 's/^/    /'
    fi
}

# tmp/blocks/NUMBER.MARK, with the place in its first line.
mkdir "$tmp/blocks"
awk -v to="$tmp/blocks/" '
    FNR == 1 { inside = 0 }
    /^```/ {
        if (inside) { inside = 0; close(file); next }
        inside = 1
        mark = substr($0, 4)
        file = sprintf("%s%03d.%s", to, ++number, mark == "" ? "none" : mark)
        print "# " FILENAME ":" FNR > file
        next
    }
    inside { print > file }' "${documents[@]}"

for block in "$tmp"/blocks/*.sh; do
    name=$(sed -n '1s/^# //p' "$block")
    # An early line that fails must not be hidden by a later one, nor a served program that is not.
    status=0
    run_block "$block" || status=$?
    if [ $status = 0 ] && grep -q "served by the system's malloc" "$tmp/log"; then
        echo "a program that should be served was not" >>"$tmp/log"
        status=1
    fi
    # What is to be written is looked for: a kill of a process that wrote nothing succeeds, too.
    if [ $status = 0 ] && grep -q 'STATS=json:%p.json' "$block"; then
        timeout 60 bash -c 'until grep -qs live_bytes "$SCRATCH"/[0-9]*.json; do sleep 0.1; done' ||
            { echo "no PID.json was written" >>"$tmp/log" && status=1; }
    fi
    verdict "$name" $status
done

# Programs, as a user would build them.
for block in "$tmp"/blocks/*.c "$tmp"/blocks/*.cpp; do
    grep -q 'int main' "$block" || continue
    name=$(sed -n '1s/^# //p' "$block")
    case $block in *.c) build='gcc -std=gnu11' ;; *) build='g++ -std=c++17' ;; esac
    sed -i '1s|^#|//|' "$block"
    echo "$build -Wall -Wextra -Werror -pthread $block -o program \$(pkg-config --cflags --libs hakmem) && ./program" >"$tmp/build.sh"
    status=0
    run_block "$tmp/build.sh" || status=$?
    verdict "$name" $status
done

# Names in the other blocks: what LD_PRELOAD is set to, CMake's package and targets, features and paths.
status=0
{
    for name in $(sed -n 's/.*LD_PRELOAD=\([a-z.0-9]*\).*/\1/p' "${documents[@]}" | sort -u); do
        find "$ROOT" -name "$name" | grep . || { echo "LD_PRELOAD=$name: nothing of that name is installed"; status=1; }
    done
    for target in $(grep -oh 'hakmem::hakmem[-a-z]*' "${documents[@]}" | sort -u); do
        grep -q "add_library($target " "$ROOT/usr/local/lib/cmake/hakmem/hakmem-config.cmake" || { echo "no target $target"; status=1; }
    done
    for path in $(grep -ohE '`(scripts|tests|docs|examples|src|include|bench_c)/[A-Za-z0-9_./]*`' "${documents[@]}" | tr -d '`' | sort -u); do
        [ -e "$path" ] || { echo "no $path"; status=1; }
    done
    for target in $(grep -ohE '`make [a-z-]+`' "${documents[@]}" | tr -d '`' | cut -d' ' -f2 | sort -u); do
        make -n "$target" >/dev/null || { echo "no make $target"; status=1; }
    done
    for option in $(grep -ohE 'HAKMEM_[A-Z][A-Z0-9_]+' "${documents[@]}" CHANGELOG.md | sort -u); do
        grep -rqw "$option" src/config/knobs.rs $([ ! -d cli/src ] || echo cli/src) || { echo "no option $option"; status=1; }
    done
} >"$tmp/log" 2>&1
verdict "names in the documents" $status

echo "$passed passed, $failed failed"
exit $((failed > 0))
