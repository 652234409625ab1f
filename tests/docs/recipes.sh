#!/usr/bin/env bash
# docs/RECIPES.md's blocks marked `sh`, one after the other, in a fresh Debian 12 (debootstrap; root, network, ten minutes) that has the packages
# which `make deb` made; then the commands of examples/docker/Dockerfile, in another. A recipe ends with the line that shows who served: a
# status other than 0 fails. usage: tests/docs/recipes.sh [-v] [HEADING]...; status 77: this machine can't
set -euo pipefail
cd "$(dirname "$0")/../.."
verbose=
[ "${1-}" != -v ] || { verbose=1; shift; }
case ${1-} in -*) sed -n 's/.*\(usage: [^;]*\);.*/\1/p' "$0" | head -n 1 >&2; exit 2 ;; esac
only=" $* "
unset LD_PRELOAD LD_LIBRARY_PATH "${!HAKMEM_@}"
export LC_ALL=C
[ "$(id -u)" = 0 ] || { echo "needs root: chroot"; exit 77; }
command -v debootstrap >/dev/null || { echo "there is no debootstrap"; exit 77; }
architecture=$(dpkg --print-architecture)
debs=(target/debian/libhakmem0_*_"$architecture".deb target/debian/hakmem_*_"$architecture".deb)
[ -f "${debs[0]}" ] && [ -f "${debs[1]}" ] || { echo "no packages: run make deb first"; exit 1; }
tmp=$(mktemp -d)
passed=0 failed=0
leave() {
    local process root
    for root in "$tmp"/*/; do
        # What a recipe started and did not end.
        for process in /proc/[0-9]*; do [ "$(readlink "$process/root")/" != "$root" ] || kill -KILL "${process#/proc/}" 2>/dev/null || true; done
        for at in proc dev/pts dev/shm dev; do ! mountpoint -q "$root$at" || umount -l "$root$at"; done
    done
    rm -rf --one-file-system "$tmp"
}
trap leave EXIT

there() { # ROOT COMMAND...
    local root=$1
    shift
    chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"
}
debian() { # ROOT: its own programs start no services when they are installed, as in an image
    mount --bind /dev "$1/dev"
    mount -t proc proc "$1/proc"
    cp -L /etc/resolv.conf /etc/hosts "$1/etc/"
    printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
    chmod +x "$1/usr/sbin/policy-rc.d"
    echo 'APT::Install-Recommends "false"; APT::Get::Assume-Yes "true";' >"$1/etc/apt/apt.conf.d/90recipes"
}
verdict() { # NAME STATUS
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
        echo "ok $1: $(grep -aE 'hakmem|HAKMEM|live_bytes' "$tmp/log" | head -n 1 | tr -s ' ' | cut -c1-110)"
        [ -z "$verbose" ] || sed 's/^/    /' "$tmp/log"
    else
        failed=$((failed + 1))
        echo "FAILED $1: status $2"
        tail -n 20 "$tmp/log" | sed 's/^/    /'
    fi
}

mkdir "$tmp/one"
debootstrap --variant=minbase --include=ca-certificates,procps,systemd bookworm "$tmp/one" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$tmp/log" 2>&1 ||
    { tail -n 5 "$tmp/log"; echo "debootstrap failed"; exit 77; }
cp -a "$tmp/one" "$tmp/two"
debian "$tmp/one"
debian "$tmp/two"

mkdir "$tmp/one/debs" "$tmp/one/work"
cp "${debs[@]}" "$tmp/one/debs/"
there "$tmp/one" sh -c 'apt-get update -qq && dpkg -i /debs/*.deb' >"$tmp/log" 2>&1 || { tail -n 5 "$tmp/log"; exit 1; }
awk -v to="$tmp/block." '/^## /{name = tolower($2)} name == "a" {name = "machine"} /^```/ {inside = !inside && substr($0, 4) == "sh"; if (inside) file = sprintf("%s%02d.%s", to, ++n, name == "" ? "first" : name); next}
    inside {print >file}' docs/RECIPES.md
for block in "$tmp"/block.*; do
    [ "$only" = "  " ] || [[ $only == *" ${block##*.} "* ]] || continue
    status=0
    cp "$block" "$tmp/one/work/block"
    # As root in a login shell: errors end it, in the middle of a pipe too.
    there "$tmp/one" timeout -k 5 300 bash -c 'cd /work && set -euo pipefail && . ./block' >"$tmp/log" 2>&1 </dev/null || status=$?
    verdict "${block##*block.}" "$status"
done

# With headings named, they alone.
[ "$only" = "  " ] || { echo "$passed passed, $failed failed"; exit $((failed > 0)); }

# The Dockerfile, line by line, as the engine would. What it does not know here, it must not use.
status=0 environment=() directory=/ app=$PWD/examples/docker
cp target/debian/libhakmem0_*.deb "$tmp/"
while read -r word rest; do
    case $word in
    '' | '#'* | FROM) ;;
    ENV) environment+=("$rest") ;;
    WORKDIR) directory=$rest ;;
    COPY)
        [[ $rest =~ ^(.*)\ (.*)$ ]]
        mkdir -p "$tmp/two${BASH_REMATCH[2]}"
        for from in "$app" "$tmp"; do find "$from" -maxdepth 1 -name "${BASH_REMATCH[1]}" -exec cp {} "$tmp/two${BASH_REMATCH[2]}" \; ; done
        ;;
    RUN) there "$tmp/two" "${environment[@]}" sh -c "cd $directory && $rest" >>"$tmp/log" 2>&1 </dev/null || status=$? ;;
    CMD) there "$tmp/two" "${environment[@]}" sh -c "cd $directory && exec $(tr -d '[],' <<<"$rest")" >"$tmp/log" 2>&1 </dev/null || status=$? ;;
    *) echo "recipes.sh knows no $word" >"$tmp/log"; status=2 ;;
    esac
    [ "$status" = 0 ] || break
done <examples/docker/Dockerfile
[ "$status" != 0 ] || grep -qx '100000 strings, on HAKMEM; a child on HAKMEM' "$tmp/log" || status=1
verdict Dockerfile "$status"
echo "$passed passed, $failed failed"
exit $((failed > 0))
