"""What bench_all.py runs: the C programs, the real programs, and the series behind the line plots.

Every size is a triple (smoke, short, full): seeing that everything runs, minutes, an hour.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench_lib import BENCH_DIR, ROOT, BenchError

MODES = ("smoke", "short", "full")
INPUTS = Path(__file__).resolve().parent / "bench_inputs"
CACHE = ROOT / "target" / "bench" / "cache"
# Debian's own programs before whatever lies in /usr/local.
PATH = "/usr/bin:/bin:/usr/sbin:/sbin:" + os.environ.get("PATH", "")
THREADS = (1, 2, 4, 8, 16)
TRACES = ROOT / "bench_traces"
HAKMEM_COMMAND = ROOT / "cli" / "target" / "release" / "hakmem"


@dataclass
class Series:
    name: str
    title: str
    axis: str


@dataclass
class Benchmark:
    name: str
    group: str  # "c", "real" (both count in the geometric means), "replay", "series"
    question: str
    points: dict = field(default_factory=dict)  # series name: x

    unit = "seconds"


@dataclass
class CProgram(Benchmark):
    program: str = ""
    arguments: tuple = ()

    unit = "ops/s"

    @property
    def binary(self):
        return BENCH_DIR / "build" / f"{self.program}_system"

    def command(self, _folder):
        return [str(self.binary), *self.arguments]

    def shown(self):
        return " ".join([self.program, *self.arguments])


@dataclass
class RealProgram(Benchmark):
    binary: str = ""  # the program, looked for in PATH
    needs: tuple = ()  # what else must be there
    arguments: tuple = ()  # {cache} and {dir} are filled in
    probe: tuple = ()  # arguments of a run that shows who serves it
    environment: dict = field(default_factory=dict)
    prepare: object = None  # prepare(cache): once, never preloaded
    setup: object = None  # setup(folder): before every run, outside the clock
    client: object = None  # client(folder, server): works on the server, stops it, returns the seconds

    def missing(self):
        return [name for name in (self.binary, *self.needs) if not shutil.which(name, path=PATH)]

    def command(self, folder):
        # Absolute: the search for it would count as system calls of the program.
        return [shutil.which(self.binary, path=PATH),
                *(word.format(cache=CACHE, dir=folder, inputs=INPUTS) for word in self.arguments)]

    def probe_command(self, folder):
        return [self.command(folder)[0], *(word.format(dir=folder) for word in self.probe)]

    def shown(self):
        shown = " ".join([self.binary, *self.arguments]).format(cache="$CACHE", dir=".", inputs=INPUTS)
        return shown.replace(f"{ROOT}/", "")  # the same in every checkout


@dataclass
class Replay(RealProgram):
    """The calls of a recorded program, made again by `hakmem replay`: its time is malloc's alone, its memory what the blocks take."""

    def command(self, folder):
        plan = CACHE / f"{self.name}.plan"
        return [self.binary, "replay-plan", str(plan), "", "pages"]

    def shown(self):
        return f"hakmem replay {self.trace.relative_to(ROOT)}"

    @property
    def trace(self):
        return TRACES / f"{self.name.removeprefix('replay_')}.hkt"


def make_plan(name):
    def prepare(cache):
        quiet(str(HAKMEM_COMMAND), "replay", "--save-plan", str(cache / f"{name}.plan"), str(TRACES / f"{name.removeprefix('replay_')}.hkt"))
    return prepare


def catalogue(mode):
    """(benchmarks, {name: Series}) of this mode."""
    size = MODES.index(mode)
    full = mode == "full"
    benchmarks, series = {}, {}

    def pick(*triple):
        return str(triple[size])

    def add_c(name, question, program, *arguments, group="c", points=None):
        arguments = tuple(str(word) for word in arguments)
        # A point that is already measured under another name is not measured twice.
        for known in benchmarks.values():
            if isinstance(known, CProgram) and (known.program, known.arguments) == (program, arguments):
                known.points.update(points or {})
                return
        benchmarks[name] = CProgram(name, group, question, points or {}, program, arguments)

    mixed = (100_000, 6_000_000, 60_000_000)[size]
    add_c("random_mixed", "Small blocks of mixed sizes and lifetimes, 256 slots",
          "bench_random_mixed", mixed, 256, 42)
    add_c("random_mixed_2draws", "The same, slot and size drawn independently, 4096 slots",
          "bench_random_mixed", mixed, 4096, 42, "--independent")
    add_c("tiny_hot", "One 64-byte block over and over", "bench_tiny_hot", pick(100_000, 12_000_000, 120_000_000), 64)
    add_c("fixed_size", "Batches of 1024 blocks of 64 bytes",
          "bench_fixed_size", pick(100, 6_000, 60_000), 1024, 64)
    seconds = pick(0.02, 0.25, 1)
    add_c("larson", "Server threads that die and hand their blocks on (8-1000 B, 2 threads)",
          "larson", seconds, 8, 1000, 1024, 1, 12345, 2)
    add_c("prodcons", "One thread allocates, another frees",
          "bench_prodcons", pick(10_000, 800_000, 8_000_000), 16, 256)
    add_c("thread_churn", "Threads are born, allocate a little and die",
          "bench_thread_churn", 2, 2000, pick(20, 1_000, 10_000), 16, 256, 42)
    add_c("cache_scratch", "Do threads end up writing one cache line?",
          "bench_cache_scratch", 2, pick(1_000, 50_000, 500_000), 8, 1000)
    add_c("mid_large_mt", "Blocks of 8-34 KiB in 2 threads",
          "bench_mid_large_mt", 2, pick(5_000, 500_000, 5_000_000), 256, 42)
    add_c("large", "Blocks of 64 KiB to 4 MiB", "bench_large", pick(100, 2_000, 20_000), 16, 42)
    add_c("realloc", "Buffers that grow side by side", "bench_realloc", pick(1, 12, 100))
    add_c("fragment_stress", "Memory lost between survivors", "bench_fragment_stress", pick(9, 30, 300), 42)
    add_c("phase", "Does memory come back for the next size, and to the system?",
          "bench_phase", pick(4, 32, 128), 100, pick(0, 0.1, 2))

    # The cliffs behind the magazines: sizes, large heaps, foreign mappings, long calls, drifting sizes.
    add_c("fragmented", "Pairs of 196 KB in a heap of large blocks whose holes fit none",
          "bench_fragmented", pick(1, 8, 36), pick(200, 5_000, 100_000))
    pairs = pick(10_000, 3_000_000, 30_000_000)
    add_c("foreign_map_none", "Small blocks, nothing else mapped (to compare the next two with)",
          "bench_foreign_map", pairs, 0, 0, group="series")
    add_c("foreign_map", "Small blocks beside 64 GiB of addresses that the program mapped",
          "bench_foreign_map", pairs, 64, 0)
    add_c("large_heap", "Small blocks in a heap of 40 GiB, touched sparsely", "bench_foreign_map", pairs, 0, pick(1, 40, 40))
    add_c("drift", "A server whose sizes drift from 64 B to 4 KiB and back, 2 threads",
          "bench_drift", pick(0.05, 0.7, 20), 2, pick(2, 50, 200))
    if full:
        add_c("drift_t12", "The same, 12 threads", "bench_drift", 20, 12)
    tail = pick(0.02, 0.2, 5)
    add_c("tail", "How long can a call take? 2 threads", "bench_tail", tail, 2)
    add_c("tail_trim", "The same while another thread gives memory back", "bench_tail", tail, 2, "--trim")
    add_c("tail_free", "The same while another thread frees much",
          "bench_tail", tail, 2, "--free", pick(4, 100, 700))

    # Threads: each other's memory, each other's blocks.
    requests = pick(4, 60, 3_000)
    series["threads_pool"] = Series("threads_pool", "bench_thread_pool, 8 MiB of blocks a request", "threads")
    for threads in (1, 4, 16, 200):
        add_c(f"thread_pool_t{threads}", f"{threads} threads serve one at a time, 8 MiB of blocks of 16 B to 4 KiB a request",
              "bench_thread_pool", threads, requests, 8192, group="c" if threads == 200 else "series",
              points={"threads_pool": threads})
    if full:
        add_c("thread_pool_1mib", "The same with 1 MiB a request, 200 threads", "bench_thread_pool", 200, requests, 1024)
    add_c("thread_pool_buffers", "The same in buffers of 40 to 440 KB, 200 threads",
          "bench_thread_pool", 200, requests, 8192, 40_000, 440_000)
    add_c("thread_pool_all", "64 threads at work at once, 2 MiB of blocks a request",
          "bench_thread_pool", 64, pick(64, 256, 10_000), 2048, "--all")
    add_c("runs", "Long runs of allocations, then long runs of frees, 4 threads",
          "bench_runs", 4, pick(1, 6, 100), 60_000, 1, 100, 42)
    add_c("big_heap", "Half of a large heap freed at random, allocated again, freed",
          "bench_big_heap", pick(10, 400, 20_000), 16, 112, 42)
    for blocks in (1, 10):
        add_c(f"thread_memory_{blocks}", f"1,000 threads alive with {blocks} block{'s' * (blocks > 1)} each",
              "bench_thread_memory", pick(20, 1_000, 1_000), blocks)
    add_c("cross", "Two threads, each frees what the other allocated", "bench_cross", 2, pick(10_000, 400_000, 10_000_000), 64, 64)
    if full:
        add_c("cross_ring16", "A ring of 16 threads, each frees what the one before it allocated",
              "bench_cross", 16, 500_000, 64, 64)
    add_c("rest", "4 threads that work and rest, sizes 8-16,000 falling linearly, half of the frees by others",
          "bench_rest", 4, pick(2, 20, 500))

    # 65 KiB: the size after a power of two, where the next kind of block may begin.
    sizes = {64, 256, 1024, 4096, 16 << 10, 32 << 10, 64 << 10, 65 << 10, 96 << 10, 128 << 10, 192 << 10, 256 << 10, 512 << 10, 1 << 20, 2 << 20, 4 << 20, 8 << 20}
    if full:
        sizes |= {power + power // 4 * step for power in (64 << i for i in range(17)) for step in range(4)}
    for threads in (1, 2):
        key = f"sweep_t{threads}"
        series[key] = Series(key, f"bench_sweep, 16 live, {threads} thread{'s' * (threads > 1)}", "block size (bytes)")
        for size_ in sorted(sizes):
            add_c(f"sweep_{size_}_t{threads}", f"Pairs of {size_} bytes, 16 live, {threads} thread{'s' * (threads > 1)}",
                  "bench_sweep", pick(0.001, 0.01, 0.1), threads, size_, group="series", points={key: size_})

    series["threads_random_mixed"] = Series("threads_random_mixed", "bench_random_mixed, 256 slots a thread", "threads")
    for threads in THREADS:
        option = [] if threads == 1 else ["--threads", threads]
        add_c(f"random_mixed_t{threads}", f"random_mixed, {threads} threads",
              "bench_random_mixed", mixed // threads, 256, 42, *option,
              group="series", points={"threads_random_mixed": threads})
    for low, high in [(8, 1000)] + [(8, 64), (2048, 32768)] * full:
        key = f"threads_larson_{low}_{high}"
        series[key] = Series(key, f"larson, {low}-{high} B", "threads")
        for threads in THREADS:
            add_c(f"larson_{low}_{high}_t{threads}", f"larson {low}-{high} B, {threads} threads",
                  "larson", seconds, low, high, 1024, 1, 12345, threads, group="series", points={key: threads})

    series["slots"] = Series("slots", "bench_random_mixed, 1 thread, 16-1039 B", "slots")
    for slots in sorted({64, 256, 1024, 4096, 16384, 65536, 262144, 1_000_000} | ({128, 512} if full else set())):
        # The slots start empty: a large working set needs many draws until it is one.
        cycles = mixed if slots == 256 else max(mixed // 2, 4 * slots)
        if mode == "smoke":
            cycles = mixed
        add_c(f"random_mixed_s{slots}", f"random_mixed, {slots} slots",
              "bench_random_mixed", cycles, slots, 42, group="series", points={"slots": slots})
    if full:
        series["slots_100k"] = Series("slots_100k", "bench_random_mixed, only 100,000 cycles", "slots")
        for slots in (128, 256, 512, 1024):
            add_c(f"random_mixed_100k_s{slots}", f"random_mixed, 100,000 cycles, {slots} slots",
                  "bench_random_mixed", 100_000, slots, 42, group="series", points={"slots_100k": slots})
        series["size"] = Series("size", "bench_fixed_size, batches of 256", "block size (bytes)")
        for bytes_ in (16, 64, 128, 256, 512, 1024, 2048, 8192, 32768):
            add_c(f"fixed_size_{bytes_}", f"fixed_size, batches of 256 blocks of {bytes_} bytes",
                  "bench_fixed_size", 40_000 if bytes_ <= 1024 else 4_000, 256, bytes_, group="series", points={"size": bytes_})

    def add_real(name, question, binary, **options):
        benchmarks[name] = RealProgram(name, "real", question, binary=binary, **options)

    add_real("python", "JSON, regular expressions, dictionaries, threads; PYTHONMALLOC=malloc", "python3",
             arguments=("{inputs}/work.py", pick(500, 10_000, 50_000)),
             probe=("-c", "pass"), environment={"PYTHONMALLOC": "malloc"})
    add_real("redis", "redis-server under redis-benchmark", "redis-server", needs=("redis-benchmark", "redis-cli"),
             arguments=("--port", "0", "--unixsocket", "{dir}/s", "--save", "", "--appendonly", "no", "--dir", "{dir}"),
             probe=("--version",), client=redis_client(pick(500, 30_000, 200_000)))
    add_real("sqlite3", "Tables, indexes, joins, JSON in memory", "sqlite3",
             arguments=(":memory:", ".read {dir}/work.sql"), probe=(":memory:", "select 1"),
             setup=sqlite_setup(pick(2_000, 60_000, 250_000)))
    # Optimizing takes ten times longer, mostly in the optimizer's own pools: the short run leaves it out.
    compile_only = ("-O1", "-c", "-o", "{dir}/out.o") if full else ("-fsyntax-only",)
    probe = ("-c", "-o", "{dir}/probe.o", "{dir}/probe.c")
    add_real("gcc", "SQLite's amalgamation", "gcc", arguments=(*compile_only, "{cache}/sqlite3.c"),
             probe=probe, prepare=fetch_sqlite)
    add_real("g++", "Template-heavy C++", "g++",
             arguments=("-std=c++17", *compile_only, str(ROOT / "tests/real/inputs/templates.cc")), probe=probe)
    add_real("lua", "Strings, tables, closures, coroutines", "lua5.4",
             arguments=("{inputs}/work.lua", pick(2_000, 120_000, 600_000)), probe=("-e", ""))
    add_real("git", "git repack with 2 threads", "git",
             arguments=("-C", "{dir}/repo.git", "repack", "-adfq", "--threads=2", "--depth=50", "--window=50"),
             probe=("--version",), prepare=lambda cache: make_repository(cache, size),
             setup=lambda folder: shutil.copytree(CACHE / f"repo{size}.git", folder / "repo.git"))
    add_real("ghostscript", "Pages of text and curves to pixels", "gs",
             arguments=("-q", "-dBATCH", "-dNOPAUSE", "-dPAGES=" + pick(1, 20, 100), "-sDEVICE=ppmraw", "-r72",
                        "-sOutputFile=/dev/null", "{inputs}/work.ps"),
             probe=("-q", "-dNODISPLAY", "-dBATCH"))
    for trace in sorted(TRACES.glob("*.hkt")):
        name = f"replay_{trace.stem}"
        benchmarks[name] = Replay(name, "replay", f"The calls of {trace.stem}, made again: time and memory of malloc alone",
                                  binary=str(HAKMEM_COMMAND), probe=("--version",), prepare=make_plan(name))
    return list(benchmarks.values()), series


# ---- what the real programs need ---------------------------------------------------------------

def quiet(*command, **options):
    done = subprocess.run(command, stdin=options.pop("stdin", subprocess.DEVNULL), capture_output=True, **options)
    if done.returncode:
        raise BenchError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def fetch_sqlite(cache):
    target = cache / "sqlite3.c"
    if target.exists():
        return
    crate, version = "libsqlite3-sys", "0.30.1"
    registry = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo")) / "registry" / "src"

    def unpacked():
        return next(iter(registry.glob(f"*/{crate}-{version}/sqlite3/sqlite3.c")), None)

    if not unpacked():
        package = cache / "fetch"
        (package / "src").mkdir(parents=True, exist_ok=True)
        (package / "src" / "lib.rs").touch()
        (package / "Cargo.toml").write_text(
            f'[package]\nname="x"\nversion="0.0.0"\n[dependencies]\n{crate}="={version}"\n[workspace]\n')
        quiet("cargo", "fetch", "-q", "--manifest-path", package / "Cargo.toml")
    source = unpacked()
    if not source:
        raise BenchError(f"no sqlite3.c in {crate} {version}")
    partial = target.with_suffix(".partial")
    shutil.copy(source, partial)
    partial.rename(target)


def make_repository(cache, size):
    """A bare repository with deterministic content, by fast-import."""
    target = cache / f"repo{size}.git"
    if target.exists():
        return
    files, commits = ((40, 10), (150, 30), (400, 80))[size]
    state = 12345

    def draw(limit):
        nonlocal state
        state = state * 48271 % 2147483647
        return state % limit

    texts = [[f"line {i} of {n}: {draw(1 << 30):08x}" for i in range(60)] for n in range(files)]
    stream = []
    for commit in range(commits):
        stream.append(f"commit refs/heads/main\ncommitter b <b@c> {1600000000 + commit * 1000} +0000\ndata 1\nc\n")
        for number, lines in enumerate(texts):
            if commit and draw(3):
                continue
            for _ in range(4):
                lines[draw(len(lines))] = f"changed in {commit}: {draw(1 << 30):08x}"
            body = "\n".join(lines) + "\n"
            stream.append(f"M 644 inline d{number % 7}/f{number}.txt\ndata {len(body)}\n{body}\n")
    partial = cache / f"repo{size}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    environment = {**os.environ, "PATH": PATH, "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(cache)}
    quiet("git", "init", "-q", "--bare", "-b", "main", partial, env=environment)
    with open(cache / "stream", "w+") as file:
        file.write("".join(stream))
        file.seek(0)
        quiet("git", "-C", partial, "fast-import", "--quiet", stdin=file, env=environment)
    (cache / "stream").unlink()
    partial.rename(target)


def sqlite_setup(rows):
    def setup(folder):
        text = (INPUTS / "work.sql").read_text()
        (folder / "work.sql").write_text(text.replace("{rows}", rows))
    return setup


def redis_client(requests):
    """Neither redis-benchmark nor redis-cli is preloaded: only the server is on trial."""
    def client(folder, server):
        def redis(program, *arguments):
            return [shutil.which(program, path=PATH), "-s", str(folder / "s"), *arguments]

        for _ in range(200):
            if server.poll() is not None or subprocess.run(redis("redis-cli", "ping"), capture_output=True).returncode == 0:
                break
            time.sleep(0.02)
        begin = time.monotonic()
        quiet(*redis("redis-benchmark", "-t", "set,get,lpush,hset,zadd", "-n", requests, "-c", "20", "-P", "8",
                     "-d", "128", "-r", "20000", "-q"))
        seconds = time.monotonic() - begin
        quiet(*redis("redis-cli", "shutdown", "nosave"))
        return seconds
    return client
