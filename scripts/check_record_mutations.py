#!/usr/bin/env python3
"""Do the recorder's tests notice? Each mutant breaks one thing in a copy of src/record; a test of tests/c/conformance/record* must then fail. All of them
are in one build, and MUTANT=N chooses one; MUTANT=0 is the library as it is. A mutant whose text is no longer in the source, or stands there twice, fails too.

Not here: that addresses are told in units of 16 where they are no multiples of it (no test's are; the unit test of `Event` has it), and whose the shared
recorder's events are (threads without a heap are all called 0).

usage: scripts/check_record_mutations.py [NUMBER...]
"""
import os, shutil, subprocess, sys, tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

os.chdir(Path(__file__).resolve().parent.parent)
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", "target")).resolve() / "record_mutations"
# Who is chosen, without the environment of the library's own.
CHOOSER = """
pub(crate) fn is_mutant(number: i32) -> bool {
    static CHOSEN: core::sync::atomic::AtomicI32 = core::sync::atomic::AtomicI32::new(-1);
    if CHOSEN.load(core::sync::atomic::Ordering::Relaxed) < 0 {
        // SAFETY: constant strings, and what the environment holds is one.
        let chosen = unsafe {
            let text = libc::getenv(c"MUTANT".as_ptr());
            if text.is_null() { 0 } else { libc::atoi(text) }
        };
        CHOSEN.store(chosen, core::sync::atomic::Ordering::Relaxed);
    }
    CHOSEN.load(core::sync::atomic::Ordering::Relaxed) == number
}
"""

# (the test that notices, file, what is wrong, old, new): in `new`, OLD is what stood there, and IF whether it is the mutant's turn.
MUTANTS = [
    ("record", "record/event.rs", "a realloc's address is told from where the last event was", "pen.put(step(old.0, at.0, unit));",
     "pen.put(step(if IF { last } else { old.0 }, at.0, unit));"),
    ("record", "record/event.rs", "after a realloc addresses count from the old block", "(REALLOC | flag, at.0)", "(REALLOC | flag, if IF { old.0 } else { at.0 })"),
    ("record", "record/event.rs", "a calloc is a malloc", "block(pen, CALLOC, at)", "block(pen, if IF { MALLOC } else { CALLOC }, at)"),
    ("record", "record/event.rs", "large alignments lose their number", "if power >= ALIGNMENT_FOLLOWS {", "if !IF && power >= ALIGNMENT_FOLLOWS {"),
    ("record", "record/pen.rs", "long numbers end with their first byte", "self.byte(number as u8 | 0x80);", "self.byte(number as u8 | if IF { 0 } else { 0x80 });"),
    ("record", "record/note.rs", "an event is written where there is no room for it", "(self.left.get() as usize) < ROOM ||", "(self.left.get() as usize) < if IF { 1 } else { ROOM } ||"),
    ("record", "record/note.rs", "a chunk does not say where its addresses count from", "chunk::begin(chunk, thread, ticks, self.last.get())",
     "chunk::begin(chunk, thread, ticks, if IF { 0 } else { self.last.get() })"),
    ("record", "record/recorder.rs", "time stands still", "let delta = ticks.saturating_sub(self.ticks.get());", "let delta = if IF { 0 } else { ticks.saturating_sub(self.ticks.get()) };"),
    ("record_ends", "record/note.rs", "a handler writes into the event that it interrupted", "if is_busy || (self.left", "if (is_busy && !IF) || (self.left"),
    ("record_ends", "record/note.rs", "no thread's end is noted", "self.note(os::ticks(), Event::End);", "if !IF { OLD }"),
    ("record_ends", "record/note.rs", "a new thread begins a chunk of its own", "return self.begin_chunk(session, thread);\n        }\n        self.left",
     "return self.begin_chunk(session, thread);\n        }\n        if IF && self.thread.get() != thread { return self.begin_chunk(session, thread); }\n        self.left"),
    ("record", "record/session.rs", "a child writes into its parent's file", "session.current.load(Ordering::Relaxed) == number)",
     "session.current.load(Ordering::Relaxed) == number || (IF && number != 0))"),
    ("record", "record/session.rs", "a child's file does not say that it is one's", "if number > 1 { header::OF_CHILD }", "if number > 1 && !IF { header::OF_CHILD }"),
    ("record_ends", "record/session.rs", "a file that is there is no reason for another name", "if done != Err(Errno(libc::EEXIST)) {", "if IF || done != Err(Errno(libc::EEXIST)) {"),
    ("record_ends", "record/session.rs", "nobody hears that the record ends", 'self.complain("ends here", why);', "if !IF { OLD }"),
    ("record_ends", "record/session.rs", "the record goes on in the next chunk", "self.end(why);\n                None", "if !IF { self.end(why); }\n                None"),
    ("record_ends", "front/recorded.rs", "a thread that has no heap any more is not recorded", "Current::Late => record::note_aside(0, ticks, event),",
     "Current::Late => if !IF { record::note_aside(0, ticks, event) },"),
    ("record", "front/recorded.rs", "a request that failed is a block at 0", "if block.is_null() { Event::Failed", "if block.is_null() && !IF { Event::Failed"),
]

def build(work):
    """The library, and what is wrong with the table."""
    wrong = []
    for name in ["Cargo.toml", "Cargo.lock", "build.rs", "cbindgen.toml", "README.md"]:
        shutil.copy(name, work)
    shutil.copytree("src", work / "src")
    for number, (_, file, what, old, new) in enumerate(MUTANTS, 1):
        path = work / "src" / file
        text = path.read_text()
        if text.count(old) != 1:
            wrong.append(f"FAILED {file}: {what}: the source no longer reads so")
            continue
        path.write_text(text.replace(old, new.replace("OLD", old).replace("IF", f"crate::record::is_mutant({number})")))
    path = work / "src/record/mod.rs"
    path.write_text(path.read_text() + CHOOSER)
    quick = [part for setting in ["lto=false", "opt-level=1", "codegen-units=16", "debug=0"] for part in ["--config", f"profile.release.{setting}"]]
    subprocess.run(["cargo", "rustc", "--quiet", "--release", "--lib", "--crate-type", "staticlib", *quick, "--manifest-path", work / "Cargo.toml",
                    "--target-dir", TARGET], check=True)
    library = TARGET / "libhakmem.so"
    subprocess.run(["scripts/link.sh", os.environ.get("CC", "gcc"), TARGET / "release/libhakmem.a", library, "-lgcc_s"], check=True)
    return library, wrong

def test(library, name, number):
    """Whether the test passes, and what was said."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("HAKMEM_")}
    done = subprocess.run(["tests/c/run.sh", library], env={**env, "MUTANT": str(number), "ONLY": f"conformance/{name}"}, capture_output=True, text=True)
    return done.returncode == 0 and "skipped" not in done.stdout, " ".join(done.stdout.split())

def main():
    if shutil.which("python3") is None:
        sys.exit(77)
    chosen = [int(number) for number in sys.argv[1:]] or range(1, len(MUTANTS) + 1)
    with tempfile.TemporaryDirectory(prefix="record_mutations.") as work:
        library, lines = build(Path(work))
        for name in {mutant[0] for mutant in MUTANTS}:
            passes, said = test(library, name, 0) # compiles it, too
            if not passes:
                sys.exit(f"{name} fails without any mutation: {said}")
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(lambda number: test(library, MUTANTS[number - 1][0], number), chosen))
    for number, (passes, _) in zip(chosen, results):
        _, file, what, *_ = MUTANTS[number - 1]
        lines.append(f"FAILED {number} {file}: {what} survives" if passes else f"ok {file}: {what} is caught")
    print("\n".join(lines))
    failed = sum(line.startswith("FAILED") for line in lines)
    print(f"{len(lines) - failed} passed, {failed} failed")
    sys.exit(failed > 0)

main()
