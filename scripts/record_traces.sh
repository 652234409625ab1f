#!/usr/bin/env bash
# Records bench_traces/ anew: short runs of the programs of tests/real, without times and command lines. The traces in the repository stay as
# they are, so that figures can be compared from commit to commit; this says how they were made, and makes them where a form changes.
# usage: scripts/record_traces.sh [FOLDER]      (default: bench_traces)
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -le 1 ] || { sed -n 's/^# usage/usage/p' "$0" >&2; exit 2; }
. scripts/target.sh
lib=$PWD/target/release/libhakmem.so hakmem=$PWD/cli/target/release/hakmem to=$(realpath "${1:-bench_traces}")
for file in "$lib" "$hakmem"; do [ -r "$file" ] || { echo "there is no $file: make cli" >&2; exit 1; }; done
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"; [ -z "${server-}" ] || kill "$server" 2>/dev/null || true' EXIT
cd "$tmp"
export LC_ALL=C.UTF-8 PYTHONHASHSEED=0 PERL_HASH_SEED=0 HOME=$tmp PATH=/usr/bin:/bin

record() { env HAKMEM_RECORD="$tmp/%p.raw" LD_PRELOAD="$lib" "$@" >/dev/null; }
# Of the processes of a run, the one that did most.
keep() { # NAME
    "$hakmem" trace anonymise "$(ls -S "$tmp"/*.raw | head -n 1)" -o "$to/$1.hkt"
    rm "$tmp"/*.raw
}

cat >work.py <<'END'
import collections, json, pickle, random, re, threading
r = random.Random(7)
rows = [{"id": i, "name": "n%x" % r.getrandbits(40), "tags": [r.choice("abcdef") * r.randint(1, 40) for _ in range(r.randint(0, 8))]}
        for i in range(2200)]
text = json.dumps(rows)
json.loads(text)
re.sub(r"(a+)(b*)", r"<\2\1>", text)
names = collections.defaultdict(list)
for row in rows:
    for tag in row["tags"]:
        names[tag].append(row["name"])
pickle.loads(pickle.dumps(rows, 4))
def job(seed):
    r, live = random.Random(seed), {}
    for i in range(1500):
        live[r.randrange(600)] = bytearray(r.randrange(1 if i % 50 else 60000, 700 if i % 50 else 90000))
threads = [threading.Thread(target=job, args=(seed,)) for seed in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
END
PYTHONMALLOC=malloc record python3 work.py && keep python

HAKMEM_RECORD="$tmp/%p.raw" LD_PRELOAD="$lib" redis-server --port 0 --unixsocket "$tmp/s" --save '' --io-threads 2 --io-threads-do-reads yes >/dev/null &
server=$!
until redis-cli -s s ping >/dev/null 2>&1; do sleep 0.1; done
redis-benchmark -s s -c 20 -n 1500 -d 64 -r 20000 -P 4 -q >/dev/null
redis-benchmark -s s -c 10 -n 600 -d 20000 -r 500 -q -t set,get,lpush,lpop >/dev/null
redis-cli -s s eval 'for i = 1, 4000 do redis.call("set", "k" .. i, string.rep("v", i % 300)); redis.call("zadd", "z", i, "m" .. i % 5000)
    redis.call("hset", "h" .. i % 100, "f" .. i, i); redis.call("rpush", "l", i) end' 0 >/dev/null
redis-cli -s s flushall >/dev/null
redis-cli -s s shutdown nosave || true
wait $server || true
server=
keep redis

cat >work.sql <<'END'
pragma cache_size=-4000;
create table t(id integer primary key, k int, s text, b blob);
begin;
with recursive c(x) as (select 1 union all select x+1 from c where x<30000)
  insert into t select x, (x*7919)%1007, printf('row-%d-%s', x, hex(x*x)), zeroblob(x%50) from c;
commit;
create index tk on t(k); create index ts on t(s, k);
create table u as select k, count(*) n, group_concat(id) g from t group by k;
select sum(a.id*b.n%1000) from t a join u b on a.k=b.k where b.n>9;
begin; update t set s=upper(s)||k where k%3=0; delete from t where k%11=0; commit;
select sum(r) from (select row_number() over (partition by k order by s desc) r from t);
select sum(json_extract(j,'$.a[1]')) from (select json_object('a',json_array(id,k),'s',s) j from t);
vacuum; pragma integrity_check;
END
record sqlite3 data.db <work.sql && keep sqlite

cat >work.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
#include <pthread.h>
#include <sys/types.h>
#include <sys/socket.h>
struct node { struct node *left, *right; long key; char text[64]; };
#define WALK(n) static long walk##n(struct node *at, long sum) { \
    while (at) { if (at->key % (n + 2) == 0) { for (int i = 0; i < 64; i++) sum += at->text[i] * (i ^ n); at = at->left; } \
        else { switch (at->key % 7) { case 0: sum += n; break; case 1: sum ^= at->key; break; case 2: sum *= 3; break; default: sum--; } at = at->right; } } \
    return sum; }
#define FIVE(n) WALK(n##0) WALK(n##1) WALK(n##2) WALK(n##3) WALK(n##4)
FIVE(1) FIVE(2) FIVE(3) FIVE(4) FIVE(5) FIVE(6) FIVE(7) FIVE(8)
int main(int argc, char **argv) {
    struct node *root = calloc(1, sizeof *root); long sum = argc;
#define CALL(n) sum += walk##n(root, sum);
    CALL(10) CALL(21) CALL(32) CALL(43) CALL(54) CALL(60) CALL(71) CALL(82) CALL(14) CALL(23)
    printf("%ld %f\n", sum, sin((double)sum) + strlen(argv[0])); return 0; }
END
record gcc -O2 -c work.c -o work.o && keep gcc

cat >work.pl <<'END'
use strict; my $x = 42; sub rnd { $x = ($x * 16807) % 2147483647; $x % $_[0] }
my (%h, @w);
for my $i (1 .. 25000) { my $k = sprintf "k%x", rnd(9000); $h{$k} .= chr(97 + rnd(26)); push @w, $k if $i % 3 == 0 }
my $t = join " ", @w; my $n = () = $t =~ /k(\w)\w*\1\b/g; (my $u = $t) =~ s/(\w+) (\w+)/$2-$1/g;
my $s = ""; for (1 .. 5000) { $s .= "x" x rnd(50); substr($s, rnd(length($s) + 1), 0) = "yz"; $s = substr($s, 9) if length $s > 30000 }
my @rows = map { { id => $_, l => [1 .. rnd(20)], s => "v" x rnd(300) } } 1 .. 5000;
my %g; push @{$g{length $_->{s}}}, $_->{id} for @rows; @rows = grep { $_->{id} % 3 } @rows;
END
record perl work.pl && keep perl

cat >work.rb <<'END'
x = 42; rnd = ->(n) { x = x * 16807 % 2147483647; x % n }
h = Hash.new { |t, k| t[k] = [] }
17_000.times { |i| k = "k#{rnd[3000]}"; h[k] << "v" * rnd[90] + i.to_s; h[k].shift(8) if h[k].size > 15 }
s = h.values.flatten.join(" "); s.scan(/v+\d/).size; s.gsub(/v{3,}/) { |m| m.size.to_s }
GC.compact if GC.respond_to?(:compact)
(1..3).map { |t| Thread.new { (1..2000).map { |i| "#{t}:#{i}" * 4 }.each_slice(100).map { |a| a.join.sum(32) }.sum } }.map(&:value)
Marshal.load(Marshal.dump(h.to_a)).size
END
record ruby work.rb && keep ruby

export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=c GIT_COMMITTER_EMAIL=c@d GIT_CONFIG_NOSYSTEM=1
git init -q -b main r
for i in {1..30}; do
    for j in {1..40}; do
        mkdir -p "r/d$((j % 5))"
        awk -v n=$((i * j)) 'BEGIN {for (k = 0; k < 150; k++) print "line", (k * 7919 + (k % 9 ? 0 : n)) % 10007, "of text"}' >"r/d$((j % 5))/f$((j * i % 40))"
    done
    GIT_AUTHOR_DATE="$((1600000000 + i)) +0000" GIT_COMMITTER_DATE="$((1600000000 + i)) +0000" git -C r add -A
    git -C r -c user.name=a commit -q -m "commit $i"
done
record git -C r -c pack.threads=2 repack -adfq --depth=50 --window=20 && keep git

cat >work.js <<'END'
const { Worker, isMainThread, workerData } = require('worker_threads');
const zlib = require('zlib'), crypto = require('crypto');
const rng = x => n => (x = x * 16807 % 2147483647) % n;
const rnd = rng(isMainThread ? 5 : workerData), m = new Map();
for (let i = 0; i < 8000; i++) m.set('k' + rnd(1000), Buffer.allocUnsafeSlow(1 + rnd(i % 100 ? 5000 : 300000)).fill(i & 255, 0, 1));
JSON.parse(JSON.stringify([...m].map(([k, v]) => ({ k, n: v.length, s: 'é'.repeat(rnd(20)) }))));
if (isMainThread) {
  new Worker(__filename, { workerData: 7 });
  for (let k = 0; k < 6; k++) zlib.gzip(crypto.randomBytes(20000), () => 0);
}
END
record node work.js && keep node
ls -l "$to"
