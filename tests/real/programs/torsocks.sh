# It puts functions of its own in the place of libc's, `syscall` and `mmap` among them, and refuses what it does not know.
packages="torsocks python3"
work() {
    lines 30000 >text
    torsocks sort -k5 text | sum
    torsocks python3 -I - <<'P'
import json, subprocess, threading, zlib
def work(n, out): out[n] = zlib.crc32(json.dumps([{str(i): "x" * (i % 300)} for i in range(20000 + n)]).encode())
out = [0] * 4
threads = [threading.Thread(target=work, args=(n, out)) for n in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
big = bytearray(1)
for n in range(1, 60): big += bytes(1 << 20)
print(out, len(big), subprocess.run(["wc", "-l", "text"], capture_output=True, text=True).stdout)
P
    torsocks perl -e 'my %h; $h{$_ % 5000} .= "x" x ($_ % 90) for 1..200000; my $n = 0; $n += length for values %h; print "$n\n"'
}
