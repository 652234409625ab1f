#!/usr/bin/env bash
# scripts/install/conan, shared and static: Conan builds the package from this checkout, and links a program with it that says who serves it. Two builds
# of the library: minutes. usage: tests/install/conan.sh; status 77: there is no Conan 2
set -euo pipefail
cd "$(dirname "$0")/../.."
(($# == 0)) || { sed -n 's/.*\(usage: [^;]*\);.*/\1/p' "$0" | head -n 1 >&2; exit 2; }
conan --version 2>/dev/null | grep -q 'version 2' || { echo "there is no Conan 2: pip install conan"; exit 77; }
command -v cmake >/dev/null || { echo "there is no cmake"; exit 77; }
unset LD_PRELOAD LD_LIBRARY_PATH DESTDIR PREFIX "${!HAKMEM_@}"
tmp=$(mktemp -d)
# What Conan writes beside the test package goes, too.
trap 'rm -rf "$tmp" scripts/install/conan/test_package/{build,CMakeUserPresets.json}' EXIT
export CONAN_HOME=$tmp/conan LC_ALL=C
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
conan profile detect >"$tmp/log" 2>&1
for shared in True False; do
    conan create scripts/install/conan -o "hakmem/*:shared=$shared" >"$tmp/log" 2>&1 || { tail -n 30 "$tmp/log"; exit 1; }
    grep -q "^served by hakmem $version" "$tmp/log" || { tail -n 30 "$tmp/log"; echo "FAILED shared=$shared: nobody says who serves"; exit 1; }
    folder=$(conan cache path "hakmem/$version:$(sed -n 's/.*Package .\([0-9a-f]\{40\}\). created.*/\1/p' "$tmp/log" | tail -n 1)")
    echo "ok shared=$shared: $(cd "$folder" && find lib include licenses -type f | sort | tr '\n' ' ')"
done
