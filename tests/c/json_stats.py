"""Whether files are statistics as docs/STATISTICS.md describes them. usage: json_stats.py hakmem.h FILE..."""
import json, re, sys, time

header = open(sys.argv[1]).read()
fields = re.findall(r"uint64_t (\w+);", header[header.index("typedef struct hak_stats"):header.index("} hak_stats;")])
for path in sys.argv[2:]:
    stats = json.load(open(path))
    assert list(stats) == ["schema", "allocator", "version", "program", "pid", "time", "options", "totals", "classes", "arenas"], list(stats)
    assert stats["schema"] == 1 and stats["allocator"] == "hakmem" and re.fullmatch(r"\d+\.\d+\.\d+", stats["version"])
    assert str(stats["pid"]) in path and abs(stats["time"] - time.time()) < 60
    assert all(re.fullmatch("HAKMEM_[A-Z0-9_]+", name) and isinstance(value, str) for name, value in stats["options"].items())
    totals, classes = stats["totals"], stats["classes"]
    assert ["size", *totals] == fields, set(totals) ^ set(fields)
    assert all(isinstance(value, int) and value >= 0 for value in totals.values())
    assert totals["mapped_bytes"] > 0 and totals["minor_faults"] > 0
    assert stats["arenas"] == []
    for one in classes:
        assert one["blocks"] == one["live"] + one["cached"] + one["free"], one
        assert abs(one["utilisation"] - one["live"] / max(one["blocks"], 1)) < 1e-3
    live = sum(one["live"] * one["block_size"] for one in classes)
    assert totals["live_bytes"] == live + totals["large_live_bytes"]
    for total, column in (("refills", "refills"), ("flushed_blocks", "flushed"), ("spans", "spans"), ("span_acquires", "acquires")):
        assert totals[total] == sum(one[column] for one in classes), total
