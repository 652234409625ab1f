"""How far a long measurement is."""

from __future__ import annotations

import shutil
import sys
import time


class Progress:
    """A bar on a terminal, else one line for every benchmark of every round."""

    def __init__(self, steps):
        self.steps, self.done, self.begin, self.line = steps, 0, time.monotonic(), ""
        self.bar = sys.stderr.isatty()

    def show(self, what, cell):
        if self.bar:
            elapsed = time.monotonic() - self.begin
            share = min(1.0, self.done / max(1, self.steps))
            left = f"{int(elapsed / share - elapsed) // 60}:{int(elapsed / share - elapsed) % 60:02} left" if share > 0.02 else ""
            filled = int(share * 24)
            text = f"[{'#' * filled}{'.' * (24 - filled)}] {share:4.0%}  {what}  {cell}  {left}"
            width = shutil.get_terminal_size().columns - 1
            print(f"\r{text[:width]}\x1b[K", end="", file=sys.stderr, flush=True)
        elif what != self.line:
            print(what, file=sys.stderr, flush=True)
        self.line = what

    def step(self):
        self.done += 1

    def say(self, text):
        if self.bar:
            print("\r\x1b[K", end="", file=sys.stderr)
        print(text, file=sys.stderr, flush=True)

    def close(self):
        if self.bar and self.line:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
