#!/usr/bin/env python3
"""Compares allocators on one bench_c program; see bench_lib.py for how."""

import argparse
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # no __pycache__ among the scripts
import bench_lib  # noqa: E402

USAGE = "%(prog)s [--rounds N] [--with name=path ...] [--only names] -- PROGRAM ARGS..."


def rounds(text):
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"not a number of rounds: '{text}'")
    return int(text)


def extra(text):
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        raise argparse.ArgumentTypeError(f"not name=path: '{text}'")
    return bench_lib.Allocator(name, None, (Path(path).absolute(),))


def names(text):
    listed = text.split(",")
    if not all(listed):
        raise argparse.ArgumentTypeError(f"not a list of names: '{text}'")
    return listed


def main():
    parser = argparse.ArgumentParser(usage=USAGE, description=__doc__, allow_abbrev=False)
    parser.add_argument("--rounds", type=rounds, default=5, help="how often each allocator runs (5)")
    parser.add_argument("--with", type=extra, action="append", default=[], dest="extras", metavar="name=path",
                        help="one more allocator to preload, such as an older build")
    parser.add_argument("--only", type=names, metavar="a,b,...", help="of: " + ", ".join(
        allocator.name for allocator in bench_lib.ALL))
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    options, command = parser.parse_args(words[:cut]), words[cut + 1:]
    if not command:
        parser.error("no PROGRAM after --")
    try:
        return bench_lib.compare(
            lambda: bench_lib.select(options.only, options.extras), command[0], command[1:], options.rounds)
    except bench_lib.BenchError as error:
        if error.status == 2:
            parser.print_usage(sys.stderr)
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return error.status


if __name__ == "__main__":
    sys.exit(main())
