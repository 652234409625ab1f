#!/usr/bin/env bash
# What the library and the command are made of: CycloneDX lists of their crates with versions, licences and checksums, in target/sbom/, by
# cargo-cyclonedx (`cargo install cargo-cyclonedx`). usage: scripts/sbom.sh; status 77: it is not there
set -euo pipefail
cd "$(dirname "$0")/.."
(($# == 0)) || { sed -n 's/.*\(usage: [^;]*\);.*/\1/p' "$0" | head -n 1 >&2; exit 2; }
command -v cargo-cyclonedx >/dev/null || { echo "sbom.sh: there is no cargo-cyclonedx: cargo install cargo-cyclonedx"; exit 77; }
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)}
export SOURCE_DATE_EPOCH
mkdir -p target/sbom
for of in hakmem:Cargo.toml hakmem-cli:cli/Cargo.toml; do
    name=${of%%:*} manifest=${of#*:}
    cargo cyclonedx --quiet --format json --spec-version 1.5 --manifest-path "$manifest" --override-filename "$name.sbom"
    mv "$(dirname "$manifest")/$name.sbom.json" "target/sbom/$name.json"
    # Every crate that is linked must be in it.
    cargo tree --locked --quiet --edges normal --prefix none --format '{p}' --manifest-path "$manifest" | awk '{print $1}' | sort -u | while read -r crate; do
        grep -q "\"name\": \"$crate\"" "target/sbom/$name.json" || { echo "sbom.sh: $crate is not in target/sbom/$name.json" >&2; exit 1; }
    done
    echo "target/sbom/$name.json: $(grep -c '"purl"' "target/sbom/$name.json") components"
done
