//! `hakmem leaks` on a program whose lost blocks are known: all of them are found, and nothing else.

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{Running, Said, compile, say};
use serde_json::Value;

/// Sizes of blocks by kind, with how many there are of each.
type Found = BTreeMap<(String, u64), u64>;

fn planted(folder: &Path) -> PathBuf {
    compile(folder, "planted", include_str!("planted/leaks.c"), &["-O1", "-g", "-pthread"]).unwrap()
}

/// Runs it under the library until it says that it is ready.
fn start(program: &Path, variables: &[(&str, &str)]) -> Running {
    let mut command = Command::new(program);
    command.env("LD_PRELOAD", common::library()).stdout(Stdio::piped());
    command.envs(variables.iter().copied());
    let mut running = Running(command.spawn().unwrap());
    let mut line = String::new();
    BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    running
}

fn found(report: &Value) -> Found {
    let mut found = Found::new();
    for block in report["blocks"].as_array().unwrap() {
        let kind = block["kind"].as_str().unwrap().to_owned();
        *found.entry((kind, block["size"].as_u64().unwrap())).or_default() += 1;
    }
    found
}

/// Blocks' sizes are those of their classes.
#[track_caller]
fn expect(report: &Value) {
    let count = |kind: &str, low: u64, high: u64| -> u64 {
        let is_one = |((found, size), _): &(&(String, u64), &u64)| found == kind && (low..=high).contains(size);
        found(report).iter().filter(is_one).map(|(_, count)| count).sum()
    };
    let seen = [
        count("lost", 1000, 1100),
        count("lost", 2000, 2200),
        count("held", 2000, 2200),
        count("ring", 3000, 3300),
        count("held", 3000, 3300),
        count("lost", 5000, 5500),
        count("lost", 3 << 20, 3200 << 10),
    ];
    assert_eq!(seen, [7, 1, 4, 1, 2, 1, 1], "{report:#}");
    assert_eq!(report["lost"]["blocks"], 11, "{report:#}");
    assert_eq!(report["held"]["blocks"], 6, "{report:#}");
}

fn leaks(running: &Running) -> Value {
    say(&["leaks", "--json", &running.0.id().to_string()]).expect(0, "").json()
}

/// Waits until the kernel says that it sleeps (S) or is stopped (T).
fn is_in(running: &Running, state: &str) {
    let stat = || std::fs::read_to_string(format!("/proc/{}/stat", running.0.id())).unwrap();
    common::eventually(|| stat().contains(&format!(") {state} ")));
}

#[test]
fn lost_blocks_rings_and_what_they_hold_are_found_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let program = planted(folder.path());
    for variables in [&[][..], &[("HAKMEM_HARDENED", "1")]] {
        let running = start(&program, variables);
        expect(&leaks(&running));
        // It went on, and nothing is lost by being looked at.
        expect(&leaks(&running));
        is_in(&running, "S");
        // Stopped before, stopped after.
        common::signal(running.0.id(), libc::SIGSTOP);
        expect(&leaks(&running));
        is_in(&running, "T");
        common::signal(running.0.id(), libc::SIGCONT);
        let text = say(&["leaks", "--fail", &running.0.id().to_string()]).expect(1, "").out;
        assert!(
            text.contains("lost, as nothing points to them: 11 blocks") && text.contains("HAKMEM_PROF=1"),
            "{text}"
        );
    }
}

#[test]
fn with_the_profiler_on_it_is_known_who_made_them() {
    let folder = tempfile::tempdir().unwrap();
    let program = planted(folder.path());
    let running =
        start(&program, &[("HAKMEM_PROF", "1"), ("HAKMEM_PROF_RATE", "1"), ("HAKMEM_PROF_FILE", "/dev/null")]);
    let report = leaks(&running);
    expect(&report);
    let of = |function: &str| {
        let groups = report["groups"].as_array().unwrap();
        let on = |group: &&Value| group["frames"].as_array().unwrap().iter().any(|frame| frame["function"] == function);
        groups.iter().find(on).unwrap_or_else(|| panic!("{function}: {report:#}")).clone()
    };
    assert_eq!((&of("lose")["lost"]["blocks"], &of("lose_ring")["ring"]), (&7.into(), &true.into()));
    assert_eq!(of("lose_chain")["held"]["blocks"], 4);
    assert!(of("lose_large")["frames"][0]["file"].as_str().unwrap().ends_with("planted.c"), "{report:#}");
    let text = say(&["leaks", &running.0.id().to_string()]).expect(0, "").out;
    assert!(text.contains("make (planted.c:21) ← lose_large ← main"), "{text}");
    // And the same of a core file.
    let core = folder.path().join("core");
    let gcore = Command::new("gcore").arg("-o").arg(&core).arg(running.0.id().to_string()).output();
    if gcore.is_ok_and(|done| done.status.success()) {
        let core = format!("{}.{}", core.display(), running.0.id());
        drop(running);
        let report = say(&["leaks", "--json", &core]).expect(0, "").json();
        expect(&report);
        assert!(report["stopped_ms"].is_null() && report["groups"][0]["frames"].as_array().is_some());
    }
}

#[test]
fn what_cannot_be_looked_at_is_said() {
    say(&["leaks"]).expect(2, "PID|NAME|CORE");
    say(&["leaks", "4194999"]).expect(3, "there is no process");
    say(&["leaks", "no-such-process"]).expect(3, "there is no process");
    let other = Running(Command::new("sleep").arg("60").spawn().unwrap());
    say(&["leaks", &other.0.id().to_string()]).expect(5, "not served");
    say(&["leaks", "/etc/passwd"]).expect(1, "neither a process nor a core file");
    // SAFETY: asks for a number.
    if unsafe { libc::getuid() } == 0 {
        // As somebody else.
        let mine = Running(Command::new("sleep").arg("60").env("LD_PRELOAD", common::library()).spawn().unwrap());
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        let command = folder.path().join("hakmem");
        std::fs::copy(env!("CARGO_BIN_EXE_hakmem"), &command).unwrap();
        for subcommand in ["leaks", "profile"] {
            let mut nobody = Command::new("setpriv");
            nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&command).arg(subcommand);
            if let Ok(nobody) = nobody.arg(mine.0.id().to_string()).output() {
                Said::of(nobody).expect(4, "may not be");
            }
        }
    }
}
