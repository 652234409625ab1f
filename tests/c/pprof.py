#!/usr/bin/env python3
"""A profile in pprof's form against what a program says it did. usage: pprof.py [--top NAME | --scores] FILE <EXPECTED

A line of the latter is NAME START END SIZE ALLOCATED LIVE: the addresses of a function (hexadecimal), and how many blocks of SIZE bytes were
allocated by calls from it, and are live; then, if it says so, how many were at the peak, and the lifetime below which all that were freed had come to
(milliseconds; 0: none was freed). Status 1: an estimate is further off than one in three million is; where samples are many, that is five standard errors.
--top: instead, NAME is the one with the most bytes in use. --scores: instead, how many standard errors each is off, a line each."""
import math, sys


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    """Number and value of each field: an int, or bytes."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 2:
            size, at = varint(data, at)
            assert at + size <= len(data), "a field is longer than the file"
            value, at = data[at : at + size], at + size
        else:
            sys.exit(f"wire type {key & 7}")
        yield key >> 3, value


def numbers(data, field):
    return [value for number, value in fields(data) if number == field]


def first(data, field, default=0):
    return (numbers(data, field) or [default])[0]


def tail(least, most, n, p):
    """How likely it is that of `n` blocks, each sampled with chance `p`, `least` to `most` are. Few samples spread further than a bell has it."""
    least, most = max(least, 0), min(most, n)
    if p == 1:
        return least <= n <= most
    log = [math.log(p), math.log1p(-p), math.lgamma(n + 1)]
    return sum(math.exp(log[2] - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * log[0] + (n - k) * log[1]) for k in range(least, most + 1))


def is_likely(found, least, most, p):
    """Whether `found` may be an estimate of `least` to `most` blocks. It is rounded to whole ones, by site."""
    rounding = len(samples)
    return min(tail(math.ceil((found - rounding) * p), most, most, p), tail(0, math.floor((found + rounding) * p), least, p)) >= 3e-7


only_scores = sys.argv[1] == "--scores"
top_name = sys.argv[2] if sys.argv[1] == "--top" else None
profile = open(sys.argv[-1], "rb").read()
top = list(fields(profile))
texts = [value.decode() for number, value in top if number == 6]
assert texts[0] == ""
kinds = [(texts[first(value, 1)], texts[first(value, 2)]) for number, value in top if number == 1]
assert kinds == [("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes"),
                 ("peak_objects", "count"), ("peak_space", "bytes")], kinds
rate = first(profile, 12)
assert texts[first(profile, 14)] == "inuse_space" and rate > 0 and first(profile, 9) > 1_600_000_000 * 10**9
mappings = {first(value, 1): value for number, value in top if number == 3}
assert mappings and all(first(value, 2) < first(value, 3) and texts[first(value, 5)] for value in mappings.values())
functions = {first(value, 1) for number, value in top if number == 5}
locations = {}
for location in (value for number, value in top if number == 4):
    assert first(location, 1) not in locations, "a location is there twice"
    locations[first(location, 1)] = first(location, 3)
    mapping = first(location, 2)
    assert mapping == 0 or first(mappings[mapping], 2) <= first(location, 3) < first(mappings[mapping], 3)
    assert all(first(line, 1) in functions for line in numbers(location, 4))

samples = []
for sample in (value for number, value in top if number == 2):
    values = numbers(sample, 2)
    assert len(values) == 6 and values[2] <= values[0] and values[3] <= values[1], values
    stack = [locations[number] for number in numbers(sample, 1)]
    assert stack
    labels = {texts[first(label, 1)]: label for label in numbers(sample, 3)}
    age = first(labels["lifetime"], 3) if "lifetime" in labels else 0
    assert not age or texts[first(labels["lifetime"], 4)] == "milliseconds" and values[2:] == [0, 0, 0, 0]
    samples.append((stack, values, age))
assert sum(values[5] for _, values, _ in samples) >= 0.999 * sum(values[3] for _, values, _ in samples), "more is live than was at the peak"

bad, most = 0, (-1, "nobody")
for line in sys.stdin.read().splitlines():
    name, start, end, *figures = line.split()
    size, allocated, live, *more = map(int, figures)
    blocks, ours = (allocated, live), [(values, age) for stack, values, age in samples if any(int(start, 16) <= frame < int(end, 16) for frame in stack)]
    chance = -math.expm1(-size / rate) if rate > 1 else 1
    found = [sum(values[at] for values, _ in ours) for at in range(6)]
    most = max(most, (found[3], name))
    for at, count in enumerate(blocks if not top_name else []):
        error = math.sqrt(count * (1 / chance - 1))
        off = found[2 * at] - count
        if only_scores:
            # By bytes, which are not rounded to whole blocks; where all is sampled or nothing is there, it is right or wrong.
            off = found[2 * at + 1] / size - count
            print(name, kinds[2 * at][0], f"{off / error:.4f}" if error > 0.01 else "0" if abs(off) < 0.5 else "99")
            continue
        rounding = 0.001 * found[2 * at + 1] + len(samples) * size
        if not is_likely(found[2 * at], count, count, chance) or abs(found[2 * at + 1] - found[2 * at] * size) > rounding:
            bad += 1
            print(f"{name}: {kinds[2 * at][0]} {found[2 * at]} of {count}, {off / (error or 1):.1f} standard errors; {found[2 * at + 1]} bytes")
    if more:
        peak, bound = more
        if not is_likely(found[4], int(0.9 * peak), peak, chance):
            bad += 1
            print(f"{name}: {found[4]} of {peak} at the peak")
        gone = {age: sum(values[0] for values, its in ours if its == age) for age in {age for _, age in ours if age}}
        of_age = sum(count for age, count in gone.items() if bound / 10 < age <= bound or bound <= 100 and age <= bound)
        if of_age < 0.95 * sum(gone.values()) or bound and not gone:
            bad += 1
            print(f"{name}: lifetimes {gone}, not below {bound}")
if top_name:
    print(f"{most[1]} has most: {most[0]} bytes in use")
    bad = most[1] != top_name
comments = [texts[number] for number in numbers(profile, 13)]
if not only_scores:
    print(f"note: {len(samples)} stacks; {'; '.join(comments)}")
sys.exit(bad > 0)
