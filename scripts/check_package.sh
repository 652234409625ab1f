#!/usr/bin/env bash
# The crate as it would be published: it holds what it needs and little else, builds by itself, and its documentation has
# no broken link. Its rust-version is the one that the README states.
set -euo pipefail
cd "$(dirname "$0")/.."

strange=$(cargo package --list --allow-dirty | grep -vE '^(src/.*\.rs|examples/.*|include/hakmem\.h|build\.rs|cbindgen\.toml|[A-Z]+(\.md)?|Cargo\.(toml|lock|toml\.orig)|\.cargo_vcs_info\.json)$' || true)
[ -z "$strange" ] || { echo "in the package, and unexpected:"; echo "$strange"; exit 1; }
cargo package --locked --allow-dirty
size=$(stat -c %s target/package/hakmem-*.crate)
((size < 500000)) || { echo "the package has $size bytes"; exit 1; }
RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps
RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --no-default-features # as docs.rs does

rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
for document in README.md docs/USING.md; do
    grep -q "Rust $rust" "$document" || { echo "$document does not say Rust $rust"; exit 1; }
done
echo "package ok: $size bytes, Rust $rust"
