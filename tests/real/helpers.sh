# Sourced before every program's work().

sum() { sha256sum | cut -c1-32; }

# Fails unless process $1 has the library mapped (when there is one).
preloaded() {
    [ -z "$PRELOAD" ] || grep -qF "$PRELOAD" "/proc/$1/maps" ||
        { echo "process $1 is not preloaded" >&2; return 1; }
}

# Waits until the command succeeds, 20 s at most.
wait_for() {
    local i
    for i in {1..200}; do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.1
    done
    echo "gave up waiting for: $*" >&2
    return 1
}

free_port() {
    python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# lines N: deterministic pseudo-random text.
lines() {
    awk -v n="$1" 'BEGIN { x = 12345; for (i = 0; i < n; i++) {
        x = (x * 16807) % 2147483647
        printf "%08x line %d of %s\n", x, i, substr("the quick brown fox jumps over the lazy dog", 1 + x % 30, 14) } }'
}
