# This project's own release build.  (rustc carries its own jemalloc, so it is
# cargo, the linker and the C compiler that run on the library here.)
packages="gcc libc6-dev"
slow=1
limit=240
work() {
    [ -f "$REPO/Cargo.toml" ] || { echo "no Cargo.toml"; exit 77; }
    export HOME=$REAL_HOME
    local build=(cargo build -q --release --manifest-path "$REPO/Cargo.toml" --target-dir "$PWD/target")
    (cd "$REPO" && { "${build[@]}" --offline || "${build[@]}"; })   # there for .cargo/config.toml
    ls target/release/*.so target/release/*.a target/release/*.rlib 2>/dev/null || true
}
