//! `hakmem run`: who serves the program, what passes through, what is said.

mod common;

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use common::{Said, compile, hakmem, library, say, signal};

#[test]
fn the_program_is_served() {
    let said = say(&["run", "-q", "--", env!("CARGO_BIN_EXE_hakmem"), "served"]).expect(0, "");
    assert!(said.out.starts_with("hakmem "), "{}", said.out);
    say(&["served"]).expect(1, "");
}

#[test]
fn exit_statuses_pass_through() {
    for status in [0, 1, 7, 255] {
        say(&["run", "sh", "-c", &format!("exit {status}")]).expect(status, &format!("exit status {status}"));
    }
    for (name, number) in [("SEGV", 11), ("KILL", 9), ("TERM", 15), ("ABRT", 6)] {
        for option in ["--json", "-q", "--"] {
            let said = say(&["run", option, "sh", "-c", &format!("ulimit -c 0; kill -{name} $$")]);
            said.expect(128 + number, &format!("SIG{name}"));
        }
    }
}

#[test]
fn what_cannot_be_run_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data");
    std::fs::write(&file, "data").unwrap();
    say(&["run", "--", "no-such-program"]).expect(127, "hakmem: no-such-program: command not found");
    // One of PATH's directories may be somebody else's.
    let locked = folder.path().join("locked");
    std::fs::create_dir(&locked).unwrap();
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0)).unwrap();
    let path = format!("{}:/usr/bin", locked.display());
    Said::of(hakmem(&["run", "no-such-program"]).env("PATH", path).output().unwrap()).expect(127, "command not found");
    say(&["run", "--", "/no/such/program"]).expect(127, "no such program");
    say(&["run", "--", file.to_str().unwrap()]).expect(126, "not executable");
    say(&["run", "--", folder.path().to_str().unwrap()]).expect(126, "not executable");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(&file, b"\x7fELF nonsense").unwrap();
    assert!([126, 127].contains(&say(&["run", "--", file.to_str().unwrap()]).status));
}

#[test]
fn wrong_arguments_are_usage_errors() {
    let wrong: [&[&str]; 11] = [
        &[],
        &["bogus"],
        &["run"],
        &["run", "--"],
        &["run", "--bogus", "true"],
        &["run", "--set", "DECAY_MS", "--", "true"],
        &["run", "--set", "=1", "--", "true"],
        &["run", "--set", "NO_SUCH_OPTION=1", "--", "true"],
        &["run", "--decay-ms", "x", "--", "true"],
        &["run", "--quiet", "--json", "true"],
        &["run", "--lib"],
    ];
    for arguments in wrong {
        let said = say(arguments);
        assert!(
            said.status == 2 && said.out.is_empty() && !said.err.is_empty(),
            "{arguments:?}: {} {}",
            said.status,
            said.err
        );
    }
}

#[test]
fn options_reach_the_library() {
    let show = "echo $HAKMEM_DECAY_MS,$HAKMEM_TINY_HEAP_V2,$HAKMEM_SUPERSLAB_CACHE,$HAKMEM_LIB.";
    let said =
        say(&["run", "-q", "--decay-ms", "-1", "--no-tiny-heap", "--set", "superslab-cache=3", "--", "sh", "-c", show]);
    assert_eq!(said.expect(0, "").out, "-1,0,3,.\n");
    assert_eq!(say(&["run", "-q", "--hardened", "sh", "-c", "echo $HAKMEM_HARDENED"]).expect(0, "").out, "1\n");
    // The library itself would complain of HAKMEM_LIB.
    let said = Said::of(hakmem(&["run", "-q", "true"]).env("HAKMEM_LIB", library()).output().unwrap()).expect(0, "");
    assert_eq!(said.err, "");
}

#[test]
fn what_is_preloaded_already_stays() {
    let path = library();
    let said = Said::of(
        hakmem(&["run", "-q", "sh", "-c", "echo $LD_PRELOAD"]).env("LD_PRELOAD", "libm.so.6").output().unwrap(),
    );
    assert_eq!(said.expect(0, "").out, format!("{}:libm.so.6\n", path.display()));
}

#[test]
fn a_library_that_cannot_be_used_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let spaced = folder.path().join("a b.so");
    std::fs::copy(library(), &spaced).unwrap();
    say(&["run", "--lib", spaced.to_str().unwrap(), "true"]).expect(125, "LD_PRELOAD can't name a path with a space");
    say(&["run", "--lib", "/no/such.so", "true"]).expect(125, "--lib: /no/such.so: No such file");
    let said = Said::of(hakmem(&["run", "true"]).env("HAKMEM_LIB", "/no/such.so").output().unwrap());
    said.expect(125, "HAKMEM_LIB: /no/such.so");
    say(&["options", "--lib", "/bin/true"]).expect(125, "could not be preloaded, or is no libhakmem.so");
}

#[test]
fn the_summary_counts() {
    let said =
        say(&["run", common::PYTHON, "-c", "x = bytearray(64 << 20); x[:] = b'1' * len(x)"]).expect(0, "peak memory");
    for part in ["time", "CPU", "page faults", "exit status 0"] {
        assert!(said.err.contains(part), "{part}: {}", said.err);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("summary.json");
    let arguments = ["run", "--json", "-o", file.to_str().unwrap(), "sh", "-c", "echo \"\\\"<&>'\"; exit 3"];
    let said = say(&arguments).expect(3, "");
    assert_eq!((said.out.as_str(), said.err.as_str()), ("\"<&>'\n", ""));
    let summary: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!((&summary["status"], &summary["signal"]), (&3.into(), &serde_json::Value::Null));
    let peak = summary["cost"]["peak_rss_kib"].as_u64().unwrap();
    assert!((500..50_000).contains(&peak), "{peak} KiB");
    assert!(summary["command"].as_str().unwrap().starts_with("sh -c 'echo "), "{summary}");
    say(&["run", "-o", "/no/such/folder/file", "true"]).expect(1, "/no/such/folder/file");
}

#[test]
fn a_small_programs_peak_is_its_own() {
    // Not ours, which a program inherits that shares our memory until exec.
    let said = say(&["run", "--json", "true"]).expect(0, "");
    let summary: serde_json::Value = serde_json::from_str(&said.err).unwrap();
    let peak = summary["cost"]["peak_rss_kib"].as_u64().unwrap();
    assert!(peak < 2500, "{peak} KiB");
}

#[test]
fn statistics_are_shown_where_the_library_has_them() {
    let options = say(&["options"]).expect(0, "").out;
    let can = options.lines().any(|line| line.starts_with("HAKMEM_STATS ") && line.contains("json"));
    let said = say(&["run", "perl", "-e", "my @a = map { 'x' x $_ } 1..2000;"]).expect(0, "");
    assert_eq!(said.err.contains(" HAKMEM 0."), can, "{}", said.err);
    assert_eq!(said.err.contains(" at exit\n"), can, "{}", said.err);
    // No pages of counters, and what to type next.
    assert!(said.err.lines().count() <= 10 && said.err.contains("hakmem compare -- perl -e "), "{}", said.err);
    if can {
        say(&["run", "sh", "-c", "kill -9 $$"]).expect(137, "not known:");
        // The user's own wish comes first.
        let folder = tempfile::tempdir().unwrap();
        let target = format!("json:{}/%p.json", folder.path().display());
        say(&["run", "--stats", &target, "true"]).expect(0, "");
        let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        assert!(say(&["stats", file.to_str().unwrap()]).expect(0, "").out.contains("(true)"));
        let own = Said::of(hakmem(&["run", "true"]).env("HAKMEM_STATS", "0").output().unwrap()).expect(0, "");
        assert!(!own.err.contains("at exit"), "{}", own.err);
    }
}

#[test]
fn signals_to_hakmem_reach_the_program() {
    let script = "trap 'echo got it; exit 9' TERM USR1; echo ready; i=0; while [ $i -lt 200 ]; do sleep 0.05; i=$((i + 1)); done";
    for number in [libc::SIGTERM, libc::SIGUSR1] {
        let mut child =
            hakmem(&["run", "sh", "-c", script]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "ready");
        signal(child.id(), number);
        assert_eq!(lines.next().unwrap().unwrap(), "got it");
        Said::of(child.wait_with_output().unwrap()).expect(9, "exit status 9");
    }
}

#[test]
fn what_was_ignored_stays_ignored() {
    let script =
        format!("trap '' INT; exec {} run -q -- sh -c 'kill -INT $$; echo alive'", env!("CARGO_BIN_EXE_hakmem"));
    let said = Said::of(Command::new("sh").args(["-c", &script]).output().unwrap()).expect(0, "");
    assert_eq!(said.out, "alive\n");
}

#[test]
fn a_program_that_cannot_be_served_runs_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let quiet = compile(folder.path(), "static", "int main(void) { return 5; }", &["-static"]).unwrap();
    say(&["run", quiet.to_str().unwrap()]).expect(5, "warning: HAKMEM does not serve");
    let source = "#include <stddef.h>\nvoid *malloc(size_t n) { static char heap[1 << 16]; static size_t at;\
                  at += (n + 15) & ~15ul; return heap + at - ((n + 15) & ~15ul); } void free(void *p) { (void)p; }\
                  int main(void) { return malloc(1) == NULL; }";
    let own = compile(folder.path(), "own", source, &["-rdynamic", "-fno-builtin"]).unwrap();
    say(&["run", own.to_str().unwrap()]).expect(0, "exports a malloc of its own");
}

#[test]
fn nobody_reading_is_no_panic() {
    let script = format!("{} options | head -n 1", env!("CARGO_BIN_EXE_hakmem"));
    let said = Said::of(Command::new("sh").args(["-c", &script]).output().unwrap()).expect(0, "");
    assert!(said.err.is_empty(), "{}", said.err);
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    Said::of(hakmem(&["options"]).stdout(full).output().unwrap()).expect(1, "standard output: No space left");
}

#[test]
fn an_installed_command_finds_the_installed_library() {
    let prefix = tempfile::tempdir().unwrap();
    let prefix = prefix.path().canonicalize().unwrap();
    let (bin, lib) = (prefix.join("bin"), prefix.join("lib"));
    std::fs::create_dir(&bin).unwrap();
    std::fs::create_dir(&lib).unwrap();
    std::fs::copy(env!("CARGO_BIN_EXE_hakmem"), bin.join("hakmem")).unwrap();
    std::fs::copy(library(), lib.join("libhakmem.so.0.1.0")).unwrap();
    std::os::unix::fs::symlink("libhakmem.so.0.1.0", lib.join("libhakmem.so.0")).unwrap();
    let mut command = Command::new(bin.join("hakmem"));
    command.args(["run", "-q", "sh", "-c", "echo $LD_PRELOAD"]).env_remove("LD_PRELOAD").env_remove("HAKMEM_LIB");
    let said = Said::of(command.output().unwrap()).expect(0, "");
    assert_eq!(said.out, format!("{}\n", lib.join("libhakmem.so.0.1.0").display()));
}
