//! `hakmem record`: what a program asked for is in the trace, whatever becomes of the program.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{PYTHON, Said, compile, hakmem, say, signal};

fn stats(trace: &Path) -> serde_json::Value {
    say(&["trace", "stats", "--json", trace.to_str().unwrap()]).expect(0, "").json()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

const KNOWN: &str = r#"
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/wait.h>
static void *work(void *blocks) {
    for (int i = 0; i < 5000; i++) ((void **)blocks)[i] = malloc(1000);
    return 0;
}
int main(int argc, char **argv) {
    static void *blocks[5000];
    pthread_t thread;
    pthread_create(&thread, 0, work, blocks);
    pthread_join(thread, 0);
    for (int i = 0; i < 5000; i++) free(blocks[i]);
    if (argc > 1 && fork() == 0) {
        for (int i = 0; i < 3000; i++) free(malloc(10));
        _exit(0);
    }
    wait(0);
    if (argc > 2) abort();
    return 7;
}
"#;

#[test]
fn what_a_program_asks_for_is_in_the_trace_and_its_end_passes_through() {
    let folder = tempfile::tempdir().unwrap();
    let Some(program) = compile(folder.path(), "known", KNOWN, &["-O0", "-pthread"]) else { return };
    let trace = folder.path().join("known.hkt");
    let record = |arguments: &[&str]| {
        let mut command = hakmem(&["record", "-o"]);
        Said::of(command.arg(&trace).arg("--").arg(&program).args(arguments).output().unwrap())
    };
    let said = record(&[]).expect(7, "exit status 7");
    assert!(said.err.contains("of 2 threads") && said.err.contains("4.77 MiB in 5,0"), "{}", said.err);
    let json = stats(&trace);
    let events = json["totals"]["events"].as_u64().unwrap();
    assert!((10_000..10_100).contains(&events), "{json}");
    assert_eq!(names(folder.path()), ["known", "known.c", "known.hkt"]);
    // The child has 6,000 events, and a trace of its own.
    record(&["fork"]).expect(7, "1 trace (");
    assert_eq!(names(folder.path()).iter().filter(|name| name.ends_with(".hkt")).count(), 2);
    let said = record(&["fork", "abort"]);
    said.expect(128 + libc::SIGABRT, "killed by SIGABRT");
    assert!(stats(&trace)["totals"]["events"].as_u64().unwrap() >= events);
}

#[test]
fn a_killed_program_is_recorded_up_to_there() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("t.hkt");
    let code = "import time,sys\nx=[bytes(600) for i in range(20000)]\nsys.stdout.write('now');sys.stdout.flush()\ntime.sleep(20)";
    let mut command = hakmem(&["record", "--quiet", "-o"]);
    command.arg(&trace).args(["--", PYTHON, "-c", code]).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut three = [0; 3];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut three).unwrap();
    signal(child.id(), libc::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(128 + libc::SIGTERM));
    assert!(stats(&trace)["totals"]["events"].as_u64().unwrap() > 20_000);
    assert_eq!(names(folder.path()), ["t.hkt"]);
}

#[test]
fn what_can_not_be_is_said_before_the_program_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let ran = path("ran");
    for to in [path("no/such/folder/t.hkt"), path("")] {
        say(&["record", "-o", &to, "--", "touch", &ran]).expect(1, "hakmem: ");
    }
    say(&["record", "-o", &path("t.hkt"), "--set", "HAKMEM", "--", "touch", &ran]).expect(2, "NAME=VALUE");
    say(&["record", "-o", &path("t.hkt"), "--", "no-such-program"]).expect(127, "not found");
    say(&["record"]).expect(2, "");
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn the_raw_form_can_be_kept_and_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (raw, kept) = (folder.path().join("a.raw"), folder.path().join("a.hkt"));
    let mut command = hakmem(&["record", "--raw", "--children", "all", "-o"]);
    let said = command.arg(&raw).args(["--", "sh", "-c", "ls >/dev/null; exec ls"]).output().unwrap();
    Said::of(said).expect(0, "other processes  2 traces");
    assert!(fs::read(&raw).unwrap().starts_with(b"HKTRAW"));
    say(&["trace", "convert", raw.to_str().unwrap(), "-o", kept.to_str().unwrap()]).expect(0, "");
    assert_eq!(stats(&raw)["totals"]["events"], stats(&kept)["totals"]["events"]);
    let all = Command::new("sh").args(["-c", "ls -A | wc -l"]).current_dir(folder.path()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&all.stdout).trim(), "4");
}
