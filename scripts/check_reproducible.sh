#!/usr/bin/env bash
# Two builds of what is in the tree, in directories of different names and lengths, under other languages, time zones, umasks and homes, give
# the same bits: the library, its symbols, the archive, the command, and Debian's packages if dpkg-dev is here. usage: scripts/check_reproducible.sh [--library]
#   --library: without the command and the packages, two minutes instead of ten
set -euo pipefail
cd "$(dirname "$0")/.."
all=1
case $#:${1-} in 0:) ;; 1:--library) all= ;; *) sed -n 's/.*\(usage: .*\)/\1/p' "$0" | head -n 1 >&2; exit 2 ;; esac
cargo=${CARGO_HOME:-$HOME/.cargo} rustup=${RUSTUP_HOME:-$HOME/.rustup}
time=$(git log -1 --format=%ct)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
built=(target/release/libhakmem.so target/release/libhakmem.so.debug target/release/libhakmem.a include/hakmem.h)
[ -z "$all" ] || built+=(cli/target/release/hakmem)

mkdir "$tmp/source" # once: who goes on working changes it meanwhile
git ls-files -co --exclude-standard -z | xargs -0 cp --parents -t "$tmp/source" 2>/dev/null || true # deleted ones are listed too

build() { # DIRECTORY HOME UMASK VARIABLE...
    local directory=$1 home=$2 mask=$3 make=(build)
    shift 3
    [ -z "$all" ] || make=(cli)
    [ -z "$all" ] || ! command -v dpkg-gensymbols >/dev/null || make+=(deb)
    mkdir -p "$directory" "$home"
    ln -s "$cargo" "$home/.cargo" # the crates' sources, by another name
    cp -R "$tmp/source/." "$directory/"
    (
        umask "$mask"
        cd "$directory"
        env -u CARGO_TARGET_DIR -u RUSTFLAGS -u MAKEFLAGS -u MFLAGS -u MAKELEVEL HOME="$home" CARGO_HOME="$home/.cargo" RUSTUP_HOME="$rustup" SOURCE_DATE_EPOCH="$time" "$@" \
            make "${make[@]}"
    ) >"$tmp/log" 2>&1 || { tail -n 20 "$tmp/log"; exit 1; }
}
one=$tmp/a two=$tmp/somewhere/else/entirely
build "$one" "$tmp/home" 022 LC_ALL=C TZ=UTC
build "$two" "$tmp/other/home/of/somebody" 077 LC_ALL=C.UTF-8 TZ=Asia/Tokyo
[ -z "$all" ] || for deb in "$one"/target/debian/*.deb; do [ ! -f "$deb" ] || built+=("target/debian/${deb##*/}"); done

failed=0
for file in "${built[@]}"; do
    if cmp -s "$one/$file" "$two/$file"; then
        echo "ok $file: $(sha256sum <"$one/$file" | cut -c1-32)"
    else
        failed=1
        echo "FAILED: $file differs: $(cmp "$one/$file" "$two/$file" 2>&1 | head -n 1)"
    fi
    # Who sees where it was built may count on it.
    ! grep -aqF "$tmp" "$one/$file" || { failed=1; echo "FAILED: $file names the directory that it was built in"; }
done
exit $failed
