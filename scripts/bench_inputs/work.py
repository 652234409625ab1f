"""Objects of all kinds, with PYTHONMALLOC=malloc so that each is a block: work.py ROWS."""
import collections
import json
import pickle
import random
import re
import sys
import threading

count = int(sys.argv[1])
draw = random.Random(7)
rows = [
    {"id": i, "name": "n%x" % draw.getrandbits(40), "tags": [draw.choice("abcdef") * draw.randint(1, 40) for _ in range(i % 9)]}
    for i in range(count)
]
text = json.dumps(rows)
assert json.loads(text) == rows
assert pickle.loads(pickle.dumps(rows, 4)) == rows
found = re.findall(r'"n([0-9a-f]+)"', text)
short = re.sub(r"(a+)(b*)", r"<\2\1>", text)
by_tag = collections.defaultdict(list)
for row in rows:
    for tag in row["tags"]:
        by_tag[tag].append(row["name"])
rows.sort(key=lambda row: (len(row["tags"]), row["name"]))

sizes = {}


def churn(seed):
    draw, live = random.Random(seed), {}
    for i in range(count):
        live[draw.randrange(1000)] = bytearray(draw.randrange(700) if i % 50 else draw.randrange(60000, 90000))
    sizes[seed] = sum(map(len, live.values()))


threads = [threading.Thread(target=churn, args=(seed,)) for seed in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(text), len(found), len(short), len(by_tag), rows[-1]["id"], sorted(sizes.items()))
