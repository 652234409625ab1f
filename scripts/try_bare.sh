#!/usr/bin/env bash
# What a newcomer types, on a bare machine: a fresh Debian 12 in a directory (debootstrap; root, network) that has gcc, make
# and this machine's Rust, nothing else, and a clone of what is committed here. Each step with its time and status:
#   install   cargo build and then make install, in the order that once failed
#   run       make run                      skip   a check that installs nothing: a quarter of an hour
#   check     make check: half an hour
# usage: scripts/try_bare.sh [install|run|skip|check]...        all of them without one
set -euo pipefail
cd "$(dirname "$0")/.."
(($#)) || set -- install run skip check
for step; do
    [[ $step =~ ^(install|run|skip|check)$ ]] || { sed -n 's/.*\(usage: .*\)/\1/p' "$0" | head -n 1 >&2; exit 2; }
done
[ "$(id -u)" = 0 ] || { echo "needs root: chroot"; exit 77; }
command -v debootstrap >/dev/null || { echo "there is no debootstrap"; exit 77; }

root=$(mktemp -d)
leave() {
    for at in proc sys dev/pts dev/shm dev; do ! mountpoint -q "$root/$at" || umount -l "$root/$at"; done
    rm -rf --one-file-system "$root"
}
trap leave EXIT
says_how_long() { # WHAT COMMAND...
    local what=$1 start=$SECONDS status=0
    shift
    echo "== $what"
    "$@" || status=$?
    echo "== $what: $((SECONDS - start)) s, status $status"
    return $status
}

debian() {
    debootstrap --variant=minbase --include=gcc,make,libc6-dev,ca-certificates bookworm "$root" \
        "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$root.log" 2>&1 || { tail -n 5 "$root.log"; return 1; }
    rm -f "$root.log"
    # What rustup would have installed, and who this network trusts.
    mkdir -p "$root/opt"
    cp -a "$(rustc --print sysroot)" "$root/opt/rust"
    rm -rf "$root/opt/rust/share/doc"
    cp -L "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" "$root/etc/ssl/certs/ca-certificates.crt"
    cp -L /etc/resolv.conf "$root/etc/resolv.conf"
    cp -L /etc/hosts "$root/etc/hosts"
    mount -t proc proc "$root/proc"
    mount --bind /sys "$root/sys"
    mount --bind /dev "$root/dev"
    mkdir -p "$root/dev/pts" "$root/dev/shm"
    git clone -q --no-hardlinks . "$root/root/hakmem"
}
there() { # COMMAND: in the checkout, as after logging in
    chroot "$root" /usr/bin/env -i HOME=/root TERM=dumb PATH=/opt/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        bash -c "cd /root/hakmem && $1"
}

says_how_long "a bare Debian 12" debian
for tool in python3 git g++ valgrind cmake; do
    ! there "command -v $tool" || { echo "not bare: it has $tool"; exit 1; }
done
failed=0
for step; do
    case $step in
    install) command="cargo build --release -q && make install DESTDIR=/tmp/staged" ;;
    run) command="make run" ;;
    skip) command="SETUP=0 make check" ;;
    check) command="make check" ;;
    esac
    says_how_long "$command" there "$command" || failed=1
done
exit $failed
