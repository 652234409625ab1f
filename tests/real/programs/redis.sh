# redis-server under redis-benchmark, with I/O threads, BGSAVE, AOF rewrite, Lua, reload.
packages="redis-server redis-tools"
work() {
    local s=$PWD/s pid i
    redis-server --port 0 --unixsocket "$s" --save '' --logfile "$PWD/log" --io-threads 2 --io-threads-do-reads yes \
        --enable-debug-command yes --dir "$PWD" &
    pid=$!
    c() { redis-cli -s "$s" "$@"; }
    wait_for c ping
    preloaded $pid
    redis-benchmark -s "$s" -c 50 -n 15000 -d 64 -r 20000 -P 4 -q 2>&1 | tr '\r' '\n' |
        sed -nE 's/^(.*): [0-9.]+ requests per second.*/\1/p; /[Ee]rr/p' | sort
    redis-benchmark -s "$s" -c 20 -n 3000 -d 20000 -r 500 -q -t set,get,lpush,lpop 2>&1 | tr '\r' '\n' |
        sed -nE 's/^(.*): [0-9.]+ requests per second.*/\1/p; /[Ee]rr/p'
    c flushall
    c eval 'for i = 1, 20000 do redis.call("set", "k" .. i, string.rep("v", i % 300)); redis.call("zadd", "z", i, "m" .. i % 5000)
        redis.call("hset", "h" .. i % 100, "f" .. i, i); redis.call("rpush", "l", i) end return redis.call("dbsize")' 0
    c debug digest
    c bgsave
    c bgrewriteaof
    idle() { c info persistence | tr -d '\r' >info && grep -q rdb_bgsave_in_progress:0 info &&
        grep -q aof_rewrite_in_progress:0 info && grep -q aof_rewrite_scheduled:0 info; }
    wait_for idle
    grep -E 'last_bgsave_status|last_bgrewrite_status' info
    c debug reload
    c debug digest
    c strlen k299; c zscore z m42; c hget h7 f7; c lrange l 0 3; c memory doctor >/dev/null
    for i in {1..300}; do echo "setrange big $((i * 5000)) x$i"; done | c | tail -1
    c memory purge >/dev/null || true
    c flushall; c dbsize
    c shutdown nosave
    wait $pid
    cat log >&2
}
