#!/usr/bin/env python3
"""Reads what HAKMEM_RECORD wrote (docs/TRACES.md), by itself, and compares it with what a test says it did.

usage: hkt.py FILE                   what is in it, a line an event
       hkt.py --check FILE... <said  each thread of the test that says `thread MARK` lists its calls behind that; MARK is the size of a block that it
                                     allocated before the first of them, and MARK + 1 of one after the last. Of what lies between nothing may differ."""
import collections, struct, sys

CHUNK = 65536
KINDS = {1: "malloc", 2: "calloc", 3: "free", 4: "realloc", 5: "aligned", 7: "end", 8: "forked", 9: "failed", 10: "thread"}
Header = collections.namedtuple("Header", "version chunk process rate ticks time last_ticks last_time dropped flags")

class Bytes:
    def __init__(self, data, at):
        self.data, self.at = data, at
    def number(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
    def step(self):
        value = self.number()
        return -(value >> 1) - 1 if value & 1 else value >> 1

def read(path):
    """The header, and (ticks, thread, words) of each event, by chunks."""
    data = open(path, "rb").read()
    assert data[:8] == b"HKTRAW\0\1" and len(data) % CHUNK == 0, f"{path}: no trace"
    header = Header(*struct.unpack_from("<IIQQQQQQQQ", data, 8))
    assert (header.version, header.chunk) == (1, CHUNK) and header.ticks <= header.last_ticks and header.time <= header.last_time
    events = []
    for start in range(CHUNK, len(data), CHUNK):
        mark, thread, ticks, used, zero, last = struct.unpack_from("<IIQIIQ", data, start)
        if mark == 0:
            continue
        assert mark == 0x43544B48 and zero == 0, f"{path}: no chunk at {start}"
        b = Bytes(data, start + 32)
        while b.at < start + CHUNK and data[b.at]:
            op, b.at = data[b.at], b.at + 1
            kind, unit = KINDS[op & 15], 1 if op & 16 else 16
            ticks += b.number()
            words = [kind]
            if kind in ("malloc", "calloc"):
                words.append(b.number())
                last += b.step() * unit
                words.append(last)
            elif kind == "free":
                last += b.step() * unit
                words.append(last)
            elif kind == "realloc":
                old = last + b.step() * unit
                size = b.number()
                last = old + b.step() * unit
                words += [old, size, last]
            elif kind == "aligned":
                size, power = b.number(), op >> 4
                power = b.number() if power == 15 else power
                last += b.step()
                words += [size, 1 << power, last]
            elif kind == "failed":
                words.append(b.number())
            elif kind == "thread":
                thread = b.number()
                continue
            assert last >= 0
            events.append((ticks, thread, words))
        assert used <= b.at - start <= CHUNK, f"{path}: {used} bytes used, {b.at - start} read"
    return header, events

def blocks(words):
    """(freed, allocated, size) of an event, None where there is none."""
    kind = words[0]
    return {"malloc": lambda: (None, words[2], words[1]), "calloc": lambda: (None, words[2], words[1]), "free": lambda: (words[1], None, 0),
            "realloc": lambda: (words[1], words[3], words[2]), "aligned": lambda: (None, words[3], words[1])}.get(kind, lambda: (None, None, 0))()

def replay(header, events):
    """Blocks live at the end, the most bytes that were, frees of unknown blocks, and blocks given out while they were live."""
    live, now, peak, unknown, twice = {}, 0, 0, 0, 0
    for _, _, words in sorted(events, key=lambda event: event[0]):
        freed, made, size = blocks(words)
        if freed is not None:
            unknown += freed not in live
            now -= live.pop(freed, 0)
        if made is not None:
            twice += made in live
            now += size - live.get(made, 0)
            live[made] = size
            peak = max(peak, now)
    return live, peak, unknown, twice

def check(paths, said):
    threads, marks = collections.defaultdict(list), {}
    for path in paths:
        header, events = read(path)
        assert header.dropped == 0, f"{path}: {header.dropped} dropped"
        by_thread = collections.defaultdict(list)
        for _, thread, words in events:
            by_thread[thread].append(words)
        for thread, all_words in by_thread.items():
            mark = None
            for words in all_words:
                if words[0] == "malloc" and words[1] % 2 == 0 and str(words[1]) in said:
                    mark, marks[str(words[1])] = str(words[1]), path
                elif words[0] == "malloc" and mark and words[1] == int(mark) + 1:
                    mark = None
                elif mark:
                    threads[mark].append(words)
        live, peak, unknown, twice = replay(header, events)
        if header.flags == 0:
            # Where two threads hand a block over their clocks may differ by some ten nanoseconds.
            assert unknown + twice <= len(events) // 1000, f"{path}: {unknown} unknown blocks freed, {twice} given out twice, of {len(events)} events"
    total = 0
    for mark, lines in said.items():
        assert mark in marks, f"no thread {mark}"
        want = [[words[0], *map(int, words[1:])] for words in lines]
        got = threads[mark]
        for index, (one, other) in enumerate(zip(want, got)):
            assert one == other, f"thread {mark}, call {index}: {one} was made, {other} recorded"
        assert len(want) == len(got), f"thread {mark}: {len(want)} calls were made, {len(got)} recorded"
        total += len(want)
    print(f"note: {total} calls of {len(said)} threads")

def main():
    if sys.argv[1] == "--check":
        said, lines = {}, None
        for line in sys.stdin:
            words = line.split()
            if words[0] == "thread":
                lines = said.setdefault(words[1], [])
            else:
                lines.append(words)
        return check(sys.argv[2:], said)
    header, events = read(sys.argv[1])
    print(header)
    for ticks, thread, words in sorted(events, key=lambda event: event[0]):
        print(ticks - header.ticks, thread, *words)
    live, peak, unknown, twice = replay(header, events)
    print(f"{len(events)} events, {len({event[1] for event in events})} threads, {len(live)} blocks live at the end, {peak} bytes at the peak, "
          f"{unknown} unknown, {twice} twice")

if __name__ == "__main__":
    main()
