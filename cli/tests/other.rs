//! `hakmem stats`, `doctor`, `options`, `completions` and `man`.

mod common;

use std::process::{Child, Command, Stdio};

use common::{Said, compile, eventually, hakmem, library, runs, say};

/// Ends with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const STATISTICS: &str = r#"{"schema": 1, "allocator": "hakmem", "version": "9.8.7", "program": "a\u001b<b>", "pid": 77, "time": 1.5,
 "options": {"HAKMEM_DECAY_MS": "1000"}, "totals": {"live_bytes": 3145728, "tiny_allocs": 2000, "tiny_hits": 1990, "heaps": 2},
 "classes": [{"class": 3, "block_size": 64, "utilisation": 0.25, "live": 1234}]}"#;

#[test]
fn a_file_of_statistics_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let good = write("good.json", STATISTICS);
    let said = say(&["stats", &good]).expect(0, "");
    for part in
        ["HAKMEM 9.8.7, process 77", "at least 99.5 %: 1,990 of 2,000", "3.00 MiB", "25 %", "1,234", "\u{fffd}<b>"]
    {
        assert!(said.out.contains(part), "{part}:\n{}", said.out);
    }
    assert!(!said.out.contains('\u{1b}'), "control characters reach the terminal");
    assert_eq!(
        say(&["stats", "--json", &good]).expect(0, "").json(),
        serde_json::from_str::<serde_json::Value>(STATISTICS).unwrap()
    );
    for (name, text, why) in [
        ("empty", "", "empty"),
        ("cut", STATISTICS.get(..99).unwrap(), "not JSON"),
        ("list", "[1, 2]", "not statistics of HAKMEM"),
        ("other", "{\"totals\": {}}", "not statistics of HAKMEM"),
    ] {
        say(&["stats", &write(name, text)]).expect(1, why);
    }
    say(&["stats", "/no/such/file"]).expect(1, "No such file");
    say(&["stats"]).expect(2, "FILE|PID");
    say(&["stats", "--watch", "0", &good]).expect(2, "--watch");
}

#[test]
fn a_process_writes_its_statistics_when_asked() {
    say(&["stats", "4194999"]).expect(3, "there is no process");
    let idle = Running(Command::new("sleep").arg("60").spawn().unwrap());
    say(&["stats", &idle.0.id().to_string()]).expect(1, "HAKMEM_STATS=json:");
    // It would be killed by a signal that it does not handle.
    let mut deaf = Command::new("sleep");
    deaf.arg("60").envs([("HAKMEM_STATS", "json:/tmp/never.json"), ("HAKMEM_STATS_SIGNAL", "USR2")]);
    let mut deaf = Running(deaf.spawn().unwrap());
    eventually(|| runs(deaf.0.id(), "sleep"));
    say(&["stats", &deaf.0.id().to_string()]).expect(1, "does not handle SIGUSR2");
    assert!(deaf.0.try_wait().unwrap().is_none(), "the process was killed");

    // hakmem handles USR2, by passing it on to a program that does not.
    let mut run = hakmem(&["run", "-q", "--", "env", "-u", "LD_PRELOAD", "sleep", "60"]);
    run.envs([("HAKMEM_STATS", "json:/tmp/never.json"), ("HAKMEM_STATS_SIGNAL", "USR2")]);
    let mut run = Running(run.spawn().unwrap());
    eventually(|| say(&["doctor", &run.0.id().to_string()]).out.contains(": sleep 60"));
    say(&["stats", &run.0.id().to_string()]).expect(1, "does not handle SIGUSR2");
    assert!(run.0.try_wait().unwrap().is_none(), "the program was killed");
    common::signal(run.0.id(), libc::SIGTERM);
    let _ = run.0.wait();

    if !say(&["options"]).out.contains("HAKMEM_STATS_SIGNAL") {
        return; // a library without it
    }
    let folder = tempfile::tempdir().unwrap();
    let mut busy = Command::new("perl");
    busy.args(["-e", "while (1) { my @a = map { 'x' x (1000 * $_) } 1..100; select(undef, undef, undef, 0.02); }"]);
    busy.current_dir(folder.path()).env("LD_PRELOAD", library());
    // Relative to the process's directory, not to ours.
    busy.envs([("HAKMEM_STATS", "json:s%p.json"), ("HAKMEM_STATS_SIGNAL", "USR2")]);
    let busy = Running(busy.spawn().unwrap());
    eventually(|| say(&["stats", "--timeout", "20", &busy.0.id().to_string()]).status == 0);
    let pid = busy.0.id();
    for _ in 0..2 {
        let report = say(&["stats", "--json", "--timeout", "20", &pid.to_string()]).expect(0, "").json();
        assert_eq!(report["pid"], pid);
    }
    assert!(say(&["stats", &pid.to_string()]).expect(0, "").out.contains(&format!("process {pid} (perl)")));
}

#[test]
fn the_doctor_knows_served_from_unserved() {
    let report = say(&["doctor", "--json", "--", common::PYTHON]).expect(0, "").json();
    let level = |check: &str| {
        let finding = report["findings"].as_array().unwrap().iter().find(|one| one["check"] == check);
        finding.map(|one| one["level"].as_str().unwrap().to_owned())
    };
    for check in ["library", "program", "malloc", "preload", "glibc", "kernel"] {
        assert_eq!(level(check).as_deref(), Some("ok"), "{check}: {report}");
    }
    for check in ["page size", "huge pages", "overcommit", "mappings", "address space", "data", "cgroup", "LD_PRELOAD"]
    {
        assert!(level(check).is_some(), "{check}: {report}");
    }
    let served = Running(hakmem(&["run", "-q", "sleep", "60"]).spawn().unwrap());
    eventually(|| say(&["doctor", &served.0.id().to_string()]).status == 0);
    // By its own number `hakmem run` stands for its program.
    let said = say(&["doctor", &served.0.id().to_string()]).expect(0, "");
    assert!(said.out.contains(library().to_str().unwrap()) && said.out.contains("sleep 60"), "{}", said.out);
    common::signal(served.0.id(), libc::SIGTERM);
    let unserved = Running(Command::new("sleep").arg("60").spawn().unwrap());
    eventually(|| runs(unserved.0.id(), "sleep"));
    let said = say(&["doctor", &unserved.0.id().to_string()]).expect(1, "");
    assert!(
        said.out.contains("no libhakmem.so: it was started without") && said.out.contains("hakmem run"),
        "{}",
        said.out
    );
}

#[test]
fn the_doctor_finds_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let program = compile(folder.path(), "static", "int main(void) { return 0; }", &["-static"]).unwrap();
    let said = say(&["doctor", "--", program.to_str().unwrap()]).expect(1, "");
    assert!(said.out.contains("fail  preload") && said.out.contains("statically linked"), "{}", said.out);
    let source = "void *je_malloc(unsigned long n) { return (void *)n; } int main(void) { return 0; }";
    let program = compile(folder.path(), "bundled", source, &["-g"]).unwrap();
    let said = say(&["doctor", "--", program.to_str().unwrap()]).expect(0, "");
    assert!(said.out.contains("warn  malloc") && said.out.contains("jemalloc"), "{}", said.out);
    let said = say(&["doctor", "--lib", "/no/such.so"]).expect(1, "");
    assert!(said.out.contains("fail  library"), "{}", said.out);
    let said = Said::of(hakmem(&["doctor"]).env("HAKMEM_NO_SUCH", "1").output().unwrap()).expect(0, "");
    assert!(said.out.contains("unknown to the library: HAKMEM_NO_SUCH"), "{}", said.out);
    let limited = format!("ulimit -v 500000; exec {} doctor", env!("CARGO_BIN_EXE_hakmem"));
    let said = Said::of(Command::new("sh").args(["-c", &limited]).stdin(Stdio::null()).output().unwrap());
    assert!(said.out.contains("warn  address space"), "{}", said.out);
    say(&["doctor", "--", "no-such-program"]).expect(127, "not found");
    say(&["doctor", "0"]).expect(2, "0");
    say(&["doctor", "4194999"]).expect(3, "there is no process");
    say(&["doctor", "1", "--", "true"]).expect(2, "cannot be used with");
}

#[test]
fn the_options_are_the_librarys() {
    let report = say(&["options", "--json"]).expect(0, "").json();
    let options = report["options"].as_array().unwrap();
    let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/OPTIONS.md")).unwrap();
    for option in options {
        let name = option["name"].as_str().unwrap();
        assert!(document.contains(&format!("| `{name}` |")), "{name} is not in docs/OPTIONS.md");
        assert!(
            !option["help"].as_str().unwrap().is_empty() && !option["range"].as_str().unwrap().is_empty(),
            "{option}"
        );
    }
    // The table of options has four columns; others that name some have less.
    let is_option = |line: &&str| line.starts_with("| `HAKMEM_") && line.matches(" | ").count() == 3;
    assert_eq!(options.len(), document.lines().filter(is_option).count());
}

#[test]
fn completions_and_man_pages_are_made() {
    for shell in ["bash", "zsh", "fish"] {
        let script = say(&["completions", shell]).expect(0, "").out;
        assert!(script.contains("compare") && script.contains("hakmem"), "{shell}");
    }
    say(&["completions", "bogus"]).expect(2, "possible values");
    let folder = tempfile::tempdir().unwrap();
    let man = folder.path().join("man1");
    say(&["man", man.to_str().unwrap()]).expect(0, "");
    for page in ["hakmem", "hakmem-run", "hakmem-compare", "hakmem-stats", "hakmem-doctor", "hakmem-options"] {
        let text = std::fs::read_to_string(man.join(format!("{page}.1"))).unwrap();
        assert!(text.contains(".SH NAME") && !text.contains("served"), "{page}");
    }
    assert!(!man.join("hakmem-man.1").exists() && !man.join("hakmem-served.1").exists(), "hidden commands have pages");
    say(&["man", "/dev/null/x"]).expect(1, "/dev/null/x");
    say(&["--help"]).expect(0, "");
    assert!(say(&["--version"]).expect(0, "").out.starts_with("hakmem "));
}

/// docs/CLI.md: each of its commands that names no PROG, PID or file of the reader's.
#[test]
fn the_documented_commands_work() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/CLI.md")).unwrap();
    let here = std::path::Path::new(env!("CARGO_BIN_EXE_hakmem")).parent().unwrap();
    let path = format!("{}:{}", here.display(), std::env::var("PATH").unwrap());
    let commands = text.lines().filter_map(|line| line.strip_prefix("    hakmem "));
    let mut ran = 0;
    for command in commands
        .filter(|command| !["PROG", "PID", "/tmp/", "12345", "old.pb", "app"].iter().any(|mark| command.contains(mark)))
    {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &format!("hakmem {command}")])
            .current_dir(folder.path())
            .env("PATH", &path)
            .stdin(Stdio::null());
        Said::of(shell.output().unwrap()).expect(0, "");
        ran += 1;
    }
    assert!(ran >= 7, "{ran} commands");
}
