# json, regex, dicts, pickles, threads, forked processes, sorting.
packages="python3.11"
work() {
    cat >w.py <<'P'
import sqlite3, json, re, pickle, random, threading, zlib, hashlib, collections, multiprocessing, concurrent.futures
def crc(o): return zlib.crc32(repr(o).encode())
r = random.Random(7)
rows = [{"id": i, "name": "n%x" % r.getrandbits(40), "tags": [r.choice("abcdef") * r.randint(1, 40) for _ in range(r.randint(0, 8))]}
        for i in range(15000)]
s = json.dumps(rows); print("json", len(s), crc(json.loads(s)))
print("regex", len(re.findall(r'"n([0-9a-f]+)"', s)), crc(re.sub(r"(a+)(b*)", r"<\2\1>", s)))
db = sqlite3.connect(":memory:"); db.execute("create table t(a, b)"); db.executemany("insert into t values(?,?)", ((x["id"] % 97, x["name"]) for x in rows))
db.create_aggregate("cat", 1, type("A", (), {"__init__": lambda s: setattr(s, "v", []), "step": lambda s, x: s.v.append(x), "finalize": lambda s: "".join(sorted(s.v))}))
print("sqlite3", crc(db.execute("select a, count(*), cat(b) from t group by a order by a").fetchall()))
d = collections.defaultdict(list)
for x in rows:
    for t in x["tags"]: d[t].append(x["name"])
print("dict", crc(sorted((k, len(v), max(v)) for k, v in d.items())))
p = pickle.dumps(rows, 4); print("pickle", hashlib.sha256(p).hexdigest()[:16], crc(pickle.loads(p)))
rows.sort(key=lambda x: (len(x["tags"]), x["name"])); print("sort", crc([x["id"] for x in rows]))
out = {}
def job(k):
    r = random.Random(k); live = {}
    for i in range(20000):
        live[r.randrange(2000)] = bytearray(r.randrange(1 if i % 50 else 60000, 700 if i % 50 else 90000))
    out[k] = sum(map(len, live.values()))
ts = [threading.Thread(target=job, args=(k,)) for k in range(8)]
[t.start() for t in ts]; [t.join() for t in ts]
print("threads", sorted(out.items()))
def sub(k): job(k); return zlib.crc32(b"".join(zlib.compress(b"%d" % i * 99) for i in range(k * 100)))
with multiprocessing.get_context("fork").Pool(4) as pool: print("fork", pool.map(sub, range(12)))
with concurrent.futures.ThreadPoolExecutor(6) as ex:
    print("compress", crc([hashlib.sha256(x).hexdigest() for x in ex.map(lambda k: zlib.compress(s.encode()[k::9], 6), range(9))]))
P
    PYTHONMALLOC=malloc python3.11 w.py
    python3.11 w.py
}
