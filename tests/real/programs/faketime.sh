# Its clock_gettime allocates, and its constructor runs before ours or after.
packages="faketime python3"
work() {
    lines 20000 >text
    faketime -f '@2020-02-02 02:02:02' date +%F
    faketime -f '@2020-02-02 02:02:02' sort -k5 text | sum
    faketime -f '@2020-02-02 02:02:02 x10' python3 -I - <<'P'
import datetime, json, threading, time, zlib
def work(n, out):
    rows = []
    for i in range(20000 + n):
        rows.append({str(i): "x" * (i % 300)})
        if i % 100 == 0: time.time(), time.monotonic()
    out[n] = zlib.crc32(json.dumps(rows).encode())
out = [0] * 4
threads = [threading.Thread(target=work, args=(n, out)) for n in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
print(out, datetime.date.today())
P
}
