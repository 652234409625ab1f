# Four worker threads, a small cache that evicts, driven by Python threads.
packages="memcached python3.11"
work() {
    memcached -u root -s "$PWD/s" -t 4 -m 24 -o modern &
    local pid=$!
    wait_for test -S s
    preloaded $pid
    python3.11 - <<'P'
import socket, threading, zlib, random
def client(k, out):
    s = socket.socket(socket.AF_UNIX); s.connect("s"); f = s.makefile("rwb")
    r, h, seen = random.Random(k), 0, 0
    for i in range(6000):
        n = r.randrange(4000) if i % 40 else r.randrange(200000)
        f.write(b"set %d:%d 0 0 %d\r\n%s\r\n" % (k, i, n, b"%d" % (i % 10) * n)); f.flush()
        assert f.readline() == b"STORED\r\n"
        j = max(0, i - r.randrange(50))
        f.write(b"get %d:%d\r\n" % (k, j)); f.flush()
        l = f.readline()
        if l != b"END\r\n":
            v = f.read(int(l.split()[3]) + 2); assert v[:-2] == b"%d" % (j % 10) * (len(v) - 2); assert f.readline() == b"END\r\n"
            seen += 1
        h = zlib.crc32(b"%d %d" % (n, j), h)
    f.write(b"set c%d 0 0 1\r\n0\r\n" % k + b"incr c%d 7\r\n" % k * 500 + b"get c%d\r\n" % k); f.flush()
    last = [f.readline() for _ in range(504)][-2]
    out[k] = (h, seen > 1000, last)
out = {}
ts = [threading.Thread(target=client, args=(k, out)) for k in range(6)]
[t.start() for t in ts]; [t.join() for t in ts]
for k in sorted(out): print(k, *out[k])
P
    kill $pid
    wait $pid || echo "memcached: $?"
}
