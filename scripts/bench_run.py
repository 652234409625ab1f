"""One run of one benchmark under one allocator, and who served it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from bench_lib import FIGURE, REPORT, ROOT, RUN_LIMIT_S, BenchError
from bench_programs import PATH, CProgram, Replay

REPLAYED = re.compile(r"^seconds=(?P<value>[0-9.]+) peak_rss_kib=(?P<peak_rss_kib>\d+) faults=(?P<faults>\d+) rss_over_live=(?P<rss_over_live>[0-9.]+)$", re.M)
OVER_LIVE = re.compile(r"\brss_over_live=([0-9.]+)|^RSS over live = ([0-9.]+)", re.M)
BINDING = re.compile(r"binding file (\S+) \[\d+\] to (\S+) \[\d+\]: normal symbol `malloc'")
PERF_EVENT = "raw_syscalls:sys_enter"
NOT_SERVED = re.compile(r"^ERROR: ld\.so: .*", re.M)


class NotServed(BenchError):
    """The library under test did not get the program's calls: everything measured with it is void."""


def clean_environment(folder):
    """What every run sees, the same for all. HAKMEM_... and other allocators' settings pass through."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("LD_", "PYTHON", "GIT_", "LC_")) and name not in ("LANG", "LUA_INIT", "CPATH")}
    return {**kept, "PATH": PATH, "HOME": str(folder), "TMPDIR": str(folder), "LC_ALL": "C.UTF-8", "TZ": "UTC",
            "GIT_CONFIG_NOSYSTEM": "1", "PYTHONHASHSEED": "0"}


class Runner:
    def __init__(self):
        self.home = Path(tempfile.mkdtemp(prefix="hakmem-bench."))
        self.exec = self.home / "bench_exec"
        self.system_libc = set()  # real programs that come linked with another malloc
        source = Path(__file__).resolve().parent / "bench_exec.c"
        made = subprocess.run([os.environ.get("CC", "cc"), "-O2", "-o", self.exec, source])
        if made.returncode:
            raise BenchError("bench_exec.c does not compile")
        self.counts_calls = self.call_counter()

    def close(self):
        shutil.rmtree(self.home, ignore_errors=True)

    def preload(self, allocator, benchmark):
        library = allocator.preload()
        if library:
            return {"LD_PRELOAD": str(library)}
        # Debian's redis-server is linked with jemalloc: glibc's malloc must then be put before it.
        return {"LD_PRELOAD": "libc.so.6"} if benchmark.name in self.system_libc else {}

    def settings(self, allocator, benchmark):
        """The variables that a run of this benchmark under this allocator gets."""
        return {**allocator.environment, **getattr(benchmark, "environment", {}), **self.preload(allocator, benchmark)}

    def run(self, allocator, benchmark):
        """One measured run."""
        folder = self.folder()
        try:
            usage = folder / "usage"
            settings = self.settings(allocator, benchmark)
            prefix = [str(self.exec), str(usage), *(f"{name}={value}" for name, value in settings.items())]
            seconds, output = self.execute(allocator, benchmark, prefix, folder)
            wall, user, system, rss, faults = map(int, usage.read_text().split())
            run = {
                "value": seconds if seconds else wall / 1e9,
                "wall_s": wall / 1e9,
                "cpu_s": (user + system) / 1e6,
                "system_s": system / 1e6,
                "peak_rss_kib": rss,
                "faults": faults,
            }
            if isinstance(benchmark, CProgram):
                run.update(self.read_report(allocator, benchmark, output))
            if isinstance(benchmark, Replay):
                run.update(replayed(output))
            return run
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @staticmethod
    def check_report(allocator, benchmark, output):
        """A C program's report line, if the right allocator served it; None for a real program."""
        if not isinstance(benchmark, CProgram):
            return None
        report = REPORT.match(output)
        if not report:
            raise BenchError(f"no report in: {output[:200]!r}")
        if not allocator.accepts(report["served_by"]):
            raise NotServed(f"{allocator.name}: {benchmark.shown()} was served by '{report['served_by']}', "
                            f"not by what was preloaded ({allocator.preload() or 'nothing'})")
        return report

    def read_report(self, allocator, benchmark, output):
        report = self.check_report(allocator, benchmark, output)
        # The program's own peak: taken before it prints, and exact where ru_maxrss lags by some pages.
        run = {"value": float(report["ops"]), "peak_rss_kib": int(report["rss"])}
        over_live = OVER_LIVE.findall(output)
        if over_live:
            run["rss_over_live"] = float("".join(over_live[-1]))
        figures = {name: float(value) for name, value in FIGURE.findall(output)}
        if figures:
            run["figures"] = figures
        return run

    def execute(self, allocator, benchmark, prefix, folder):
        """Runs prefix + command to its end; returns (the client's seconds or None, stdout)."""
        work = folder / "work"
        work.mkdir()
        if getattr(benchmark, "setup", None):
            benchmark.setup(work)
        client = getattr(benchmark, "client", None)
        with open(folder / "out", "wb") as out, open(folder / "err", "wb") as err:
            # A session of its own: what is left of it dies with us, and Ctrl-C reaches only us.
            process = subprocess.Popen([*prefix, *benchmark.command(work)], cwd=work, env=clean_environment(work),
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True)
            seconds = problem = None
            try:
                if client:
                    try:
                        seconds = client(work, process)
                    except BenchError as error:
                        problem = str(error)
                        process.kill()
                status = process.wait(RUN_LIMIT_S)
            except subprocess.TimeoutExpired:
                raise BenchError(f"no end after {RUN_LIMIT_S} s") from None
            finally:
                try:
                    os.killpg(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                process.wait()
        output = (folder / "out").read_text(errors="replace")
        errors = (folder / "err").read_text(errors="replace")
        refused = NOT_SERVED.search(errors)
        if refused:
            raise NotServed(f"{allocator.name}: {benchmark.name}: {refused[0]}")
        if status or problem:
            how = f"signal {status - 128}" if status > 128 else f"exit {status}"
            tail = "\n".join((errors or output).strip().splitlines()[-5:])
            raise BenchError("; ".join(filter(None, [how, problem, tail])))
        return seconds, output

    def folder(self):
        return Path(tempfile.mkdtemp(dir=self.home))

    # ---- who serves --------------------------------------------------------------------------

    def check_served(self, allocator, benchmark):
        """Asks the dynamic linker, for every process of a short run of a real program, where malloc went."""
        folder = self.folder()
        try:
            (folder / "probe.c").write_text("int main(void) { return 0; }\n")
            bindings = self.bindings(allocator, benchmark, folder, self.preload(allocator, benchmark))
            library = allocator.preload()
            if not library and not served_by_libc(bindings):
                self.system_libc.add(benchmark.name)
                bindings = self.bindings(allocator, benchmark, folder, self.preload(allocator, benchmark))
            if library:
                served = bindings and all(same_file(target, library) for target in bindings)
            else:
                served = served_by_libc(bindings)
            if not served:
                found = ", ".join(sorted(bindings)) or "nobody (statically linked?)"
                raise NotServed(f"{allocator.name}: malloc of {benchmark.binary} is served by {found}, "
                                f"not by {library or 'glibc'}")
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def bindings(self, allocator, benchmark, folder, preload):
        """The libraries that malloc is bound to, the allocator's own business left out."""
        logs = Path(tempfile.mkdtemp(dir=folder))
        debug = {"LD_DEBUG": "bindings", "LD_BIND_NOW": "1", "LD_DEBUG_OUTPUT": str(logs / "ld")}
        prefix = ["env", *(f"{name}={value}" for name, value in {**allocator.environment, **debug, **preload}.items())]
        try:
            done = subprocess.run([*prefix, *benchmark.probe_command(folder)], cwd=folder, env=clean_environment(folder),
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        except subprocess.TimeoutExpired:
            raise BenchError("the probe does not end") from None
        if done.returncode:
            raise BenchError(f"probe: exit {done.returncode}: {done.stderr.strip()[-300:]}")
        library = allocator.preload()
        found = {pair for log in logs.iterdir() for pair in BINDING.findall(log.read_text(errors="replace"))
                 if not (library and same_file(pair[0], library))}
        # Who takes malloc's address in a program linked at a fixed address gets that of the program's own
        # stub, which is bound like any other caller.
        stubs = {source for source, _ in found if ".so" not in os.path.basename(source)}
        return {target for _, target in found if target not in stubs}

    def ask(self, allocator):
        """What a C program says serves it, such as "hakmem-0.1.0"."""
        benchmark = CProgram("probe", "c", "", program="bench_tiny_hot", arguments=("1", "64"))
        folder = self.folder()
        try:
            settings = {**allocator.environment, **self.preload(allocator, benchmark)}
            prefix = ["env", *(f"{name}={value}" for name, value in settings.items())]
            _, output = self.execute(allocator, benchmark, prefix, folder)
            self.read_report(allocator, benchmark, output)
            return REPORT.match(output)["served_by"]
        except NotServed:
            raise
        except BenchError as error:
            raise BenchError(f"{allocator.name}: {benchmark.shown()}: {error}") from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    # ---- system calls ------------------------------------------------------------------------

    @staticmethod
    def call_counter():
        """ "strace", or where that does not work "perf", which gives only their number; None without either."""
        for name, command in (("strace", ["strace", "-f", "-c", "-o", "/dev/null", "true"]),
                              ("perf", ["perf", "stat", "-e", PERF_EVENT, "-o", "/dev/null", "true"])):
            try:
                if shutil.which(name) and subprocess.run(command, capture_output=True, timeout=20).returncode == 0:
                    return name
            except subprocess.TimeoutExpired:
                pass
        return None

    def system_calls(self, allocator, benchmark):
        """{name: calls} of one run that is not timed, its process tree's. Under perf there is one name: "all"."""
        return self.trace_calls(allocator, benchmark)[0]

    def trace_calls(self, allocator, benchmark):
        """(those, what the program printed)"""
        folder = self.folder()
        try:
            counts = folder / "calls"
            settings = self.settings(allocator, benchmark)
            if self.counts_calls == "strace":
                prefix = ["strace", "-f", "-c", "-o", str(counts)]
                for name, value in settings.items():
                    prefix += ["-E", f"{name}={value}"]
            else:
                prefix = ["perf", "stat", "-x,", "-e", PERF_EVENT, "-o", str(counts), "env"]
                prefix += [f"{name}={value}" for name, value in settings.items()]
            _, output = self.execute(allocator, benchmark, prefix, folder)
            self.check_report(allocator, benchmark, output)
            calls = read_calls(counts.read_text())
            if not calls:
                raise BenchError(f"{self.counts_calls} counted nothing")
            return calls, output
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def output_of(self, allocator, benchmark, tool, both=False):
        """What a C program printed, run by `tool`; with `both`, (stdout, stderr)."""
        folder = self.folder()
        try:
            prefix = ["env", *(f"{name}={value}" for name, value in self.settings(allocator, benchmark).items()), *tool]
            _, output = self.execute(allocator, benchmark, prefix, folder)
            self.check_report(allocator, benchmark, output)
            return (output, (folder / "err").read_text(errors="replace")) if both else output
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def replayed(output):
    """What a replay found out of itself: without its own start and tables."""
    found = REPLAYED.search(output)
    if not found:
        raise BenchError(f"no figures in: {output[:200]!r}")
    whole = ("peak_rss_kib", "faults")
    return {name: int(value) if name in whole else float(value) for name, value in found.groupdict().items()}


def read_calls(text):
    """{name: calls} of what strace -c or perf stat -x, wrote."""
    calls = {}
    for line in text.splitlines():
        words, cells = line.split(), line.split(",")
        if len(words) in (5, 6) and words[3].isdigit() and words[-1] != "total":
            calls[words[-1]] = int(words[3])
        elif len(cells) > 2 and cells[2] == PERF_EVENT and cells[0].isdigit():
            calls["all"] = int(cells[0])
    return calls


def same_file(one, other):
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def served_by_libc(bindings):
    return bool(bindings) and all(os.path.basename(target).startswith("libc.so") for target in bindings)


# ---- the machine -----------------------------------------------------------------------------

def output_of(*command):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
                              cwd=ROOT, env={**os.environ, "LC_ALL": "C"})
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def package_of(path):
    """ "libjemalloc2 5.3.0-1", empty where no package owns the file."""
    path = os.path.realpath(path)
    # Debian 12 lists some files of /usr/lib under /lib.
    for name in (path, path.removeprefix("/usr")):
        owner = output_of("dpkg-query", "-S", name).split(":")[0]
        if owner:
            return output_of("dpkg-query", "-W", "-f", "${Package} ${Version}\n", owner).split("\n")[0]
    return ""


def read_first(path, pattern):
    try:
        found = re.search(pattern, Path(path).read_text(), re.M)
    except OSError:
        found = None
    return found[1].strip() if found else ""


def machine():
    return {
        "cpu": read_first("/proc/cpuinfo", r"^model name\s*:(.*)") or os.uname().machine,
        "cores": len(os.sched_getaffinity(0)),
        "memory_mib": int(read_first("/proc/meminfo", r"^MemTotal:\s*(\d+)") or 0) // 1024,
        "kernel": f"{os.uname().sysname} {os.uname().release}",
        "system": read_first("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)'),
        "glibc": (os.confstr("CS_GNU_LIBC_VERSION") or "").removeprefix("glibc "),
        "huge_pages": read_first("/sys/kernel/mm/transparent_hugepage/enabled", r"\[(\w+)\]"),
        "load_at_start": round(os.getloadavg()[0], 2),
    }


def commit():
    return {"hash": output_of("git", "rev-parse", "HEAD"), "dirty": bool(output_of("git", "status", "--porcelain"))}
