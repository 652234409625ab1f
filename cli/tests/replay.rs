//! `hakmem replay` and `hakmem trace`: the same calls under every allocator, hand-overs between threads, and what damaged traces come to.

mod common;

use std::path::{Path, PathBuf};

use common::browser::look;
use common::{compile, say};
use serde_json::Value;

/// A trace in Android's form of some threads, which end each other's blocks.
fn text(calls: u64, threads: u64) -> String {
    let (mut seed, mut live, mut out) = (1u64, Vec::new(), String::new());
    for call in 0..calls {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (random, thread, now) = (seed >> 33, 100 + (seed >> 60) % threads, call * 1000);
        let address = 0x10000 + call * 16;
        if live.len() < 200 || random % 2 == 0 {
            let size = if random % 97 == 0 { random % 200_000 } else { random % 900 };
            out += &format!("{thread}: malloc {address:#x} {size} {now} {now}\n");
            live.push(address);
        } else {
            let old = live.swap_remove(random as usize % live.len());
            match random % 16 {
                1 => {
                    out += &format!("{thread}: realloc {address:#x} {old:#x} {} {now} {now}\n", random % 5000);
                    live.push(address);
                }
                3 => {
                    out += &format!(
                        "{thread}: free {old:#x} {now} {now}\n{thread}: memalign {address:#x} 256 300 {now} {now}\n"
                    );
                    live.push(address);
                }
                _ => out += &format!("{thread}: free {old:#x} {now} {now}\n"),
            }
        }
    }
    out
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

fn imported(folder: &Path, text: &str) -> String {
    let (from, to) = (path(folder, "trace.txt"), path(folder, "trace.hkt"));
    std::fs::write(&from, text).unwrap();
    say(&["trace", "import", "--from", "android", &from, "-o", &to]).expect(0, "");
    to
}

fn live(report: &Value) -> Vec<Value> {
    report["allocators"].as_array().unwrap().iter().map(|one| one["live"].clone()).collect()
}

#[test]
fn every_allocator_goes_through_the_same_calls() {
    let folder = tempfile::tempdir().unwrap();
    let trace = imported(folder.path(), &text(20_000, 4));
    let arguments = ["replay", "-n", "2", "--with", "mimalloc,jemalloc", "--json", &trace];
    let (one, two) = (say(&arguments).expect(0, "").json(), say(&arguments).expect(0, "").json());
    let stats = say(&["trace", "stats", "--json", &trace]).expect(0, "").json();
    assert_eq!(one["peak_live"], stats["peak"]["bytes"]);
    assert_eq!((&one["settings"]["threads"], &one["runs_done"]), (&4.into(), &2.into()));
    assert!(stats["remote_share"].as_f64().unwrap() > 0.5);
    assert_eq!(one["live"].as_array().unwrap().iter().max_by_key(|live| live.as_u64()), Some(&one["peak_live"]));
    let allocators = one["allocators"].as_array().unwrap();
    assert_eq!(
        allocators.iter().map(|one| &one["name"]).collect::<Vec<_>>(),
        ["system", "hakmem", "mimalloc", "jemalloc"]
    );
    for one in allocators {
        assert!(one["same_live"] == true && one["failure"].is_null() && one["refused"] == 0, "{one}");
        assert!(one["peak_resident_over_peak_live"].as_f64().unwrap() > 0.9, "{one}");
        let malloc = &one["latency_ns"]["malloc"];
        assert!(malloc["p50"].as_u64() <= malloc["p99.9"].as_u64() && malloc["longest"].as_u64() > Some(0), "{malloc}");
    }
    // What each process counted by itself, in both.
    for live in live(&one).iter().chain(&live(&two)) {
        assert_eq!(live, &one["live"]);
    }
}

/// Prints its most live bytes, and those at its end. What libc and the loader ask for is not known to it: it is the same in a run that
/// does nothing.
const ACCOUNTED: &str = r#"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
static long live, most;
static void *blocks[1000];
static size_t sizes[1000];
static void give(int i, size_t size, int how) {
    blocks[i] = how == 0 ? malloc(size) : how == 1 ? calloc(1, size) : aligned_alloc(256, size);
    live += sizes[i] = size;
    if (live > most) most = live;
}
static void take(int i) { free(blocks[i]); live -= sizes[i]; blocks[i] = 0; sizes[i] = 0; }
static void *other(void *p) { for (int i = 0; i < 1000; i += 2) take(i); for (int i = 0; i < 1000; i += 4) give(i, 70000 + i, 0); return p; }
int main(int argc, char **argv) {
    pthread_t thread;
    if (argc > 1) {
        for (int i = 0; i < 1000; i++) give(i, 1 + i * 37 % 5000, i % 3);
        for (int i = 0; i < 1000; i += 5) { live += i * 10 + 1 - (long)sizes[i]; blocks[i] = realloc(blocks[i], sizes[i] = i * 10 + 1); if (live > most) most = live; }
        pthread_create(&thread, 0, other, 0); pthread_join(thread, 0);
        for (int i = 0; i < 1000; i += 3) if (blocks[i]) take(i);
    } else { pthread_create(&thread, 0, (void *(*)(void *))getenv, "X"); pthread_join(thread, 0); }
    char text[64]; int length = snprintf(text, sizeof text, "%ld %ld\n", most, live);
    return fwrite(text, 1, length, stderr) != (size_t)length;
}
"#;

#[test]
fn what_is_recorded_is_what_the_program_did_and_what_is_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let program = compile(folder.path(), "accounted", ACCOUNTED, &["-pthread", "-fno-builtin"]).unwrap();
    let program = program.to_str().unwrap();
    let trace = path(folder.path(), "t.hkt");
    let record = |arguments: &[&str]| {
        let said = say(&[&["record", "-o", &trace, "--", program], arguments].concat()).expect(0, "");
        let numbers: Vec<u64> = said.err.lines().next().unwrap().split(' ').map(|word| word.parse().unwrap()).collect();
        (numbers, say(&["trace", "stats", "--json", &trace]).expect(0, "").json())
    };
    let (_, nothing) = record(&[]);
    let (said, stats) = record(&["all"]);
    let figure = |report: &Value, name: &str| report.pointer(name).unwrap().as_u64().unwrap();
    // What else there is, the loader's and the thread's: some hundred bytes of it come and go.
    let (most, end) = (figure(&stats, "/peak/bytes"), figure(&stats, "/live_bytes_at_end"));
    assert_eq!(end - said[1], figure(&nothing, "/live_bytes_at_end"), "{said:?} {stats:#}");
    assert!(most >= said[0] && most - said[0] <= figure(&nothing, "/peak/bytes"), "{said:?} {stats:#}");
    // The other thread frees every second block and makes every fourth anew, of which the first frees every third.
    assert_eq!(figure(&stats, "/remote_frees"), 500 + 84, "{stats:#}");
    let report = say(&["replay", "-n", "1", "--with", "none", "--json", &trace]).expect(0, "").json();
    assert_eq!(report["peak_live"], stats["peak"]["bytes"]);
    assert_eq!(report["live"].as_array().unwrap().last(), Some(&stats["live_bytes_at_end"]));
    assert!(live(&report).iter().all(|live| *live == report["live"]), "{report:#}");
}

#[test]
fn one_thread_does_what_all_did() {
    let folder = tempfile::tempdir().unwrap();
    let trace = imported(folder.path(), &text(5000, 9));
    for touch in ["first", "pages", "all"] {
        let arguments = [
            "replay",
            "-n",
            "1",
            "--with",
            "none",
            "--threads",
            "1",
            "--touch",
            touch,
            "--no-latencies",
            "--json",
            &trace,
        ];
        let report = say(&arguments).expect(0, "").json();
        assert_eq!(report["settings"]["threads"], 1);
        assert!(report["allocators"].as_array().unwrap().iter().all(|one| one["same_live"] == true), "{touch}");
    }
}

#[test]
fn threads_come_and_go_as_they_did() {
    let folder = tempfile::tempdir().unwrap();
    // Each one's block is freed by the next; there are never more than two.
    let mut text = "1: malloc 0x10 100\n".to_owned();
    for thread in 2..500u64 {
        let (old, new) = ((thread - 1) * 16, thread * 16);
        text += &format!("{thread}: malloc {new:#x} 200\n{thread}: free {old:#x}\n{thread}: thread_done 0x0\n");
    }
    let trace = imported(folder.path(), &text);
    let report = say(&["replay", "-n", "1", "--with", "none", "--json", &trace]).expect(0, "").json();
    assert_eq!(report["settings"]["threads"], 499);
    for one in report["allocators"].as_array().unwrap() {
        assert!(one["same_live"] == true, "{one}");
        // Their stacks alone would be more, if they were there at once.
        assert!(one["figures"]["peak_resident"]["spread"]["high"].as_f64().unwrap() < 4e6, "{one}");
    }
}

#[test]
fn the_programs_own_speed_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let trace = imported(folder.path(), "1: malloc 0x10 100 0 0\n2: free 0x10 300000000 300000000\n");
    let time = |speed| {
        let arguments = ["replay", "-n", "1", "--with", "none", "--no-latencies", "--speed", speed, "--json", &trace];
        let report = say(&arguments).expect(0, "").json();
        report["allocators"][0]["figures"]["wall_s"]["spread"]["median"].as_f64().unwrap()
    };
    let (real, max) = (time("real"), time("max"));
    assert!(real >= 0.3 && max < real, "{real} {max}");
}

#[test]
fn the_table_and_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let trace = imported(folder.path(), &text(20_000, 2));
    let page = folder.path().join("page.html");
    let said = say(&["replay", "-n", "2", "--with", "mimalloc,jemalloc", "--html", page.to_str().unwrap(), &trace])
        .expect(0, "");
    for part in ["2 of 2 rounds", "× live", "resident at most", "p99.99", "  system", "  jemalloc", "free "] {
        assert!(said.out.contains(part), "{part}:\n{}", said.out);
    }
    for (scheme, size) in [(1, "1100,1600"), (0, "1100,1600"), (1, "520,1200")] {
        let verdict = look(&page, &[], scheme, size);
        assert_eq!(verdict["wrong"], serde_json::json!([]), "scheme {scheme}, {size}");
        assert_eq!(verdict["figures"]["memory"], serde_json::json!({ "bars": 0, "points": 4, "curves": 4 }));
        for call in ["latency-malloc", "latency-free"] {
            assert_eq!(verdict["figures"][call], serde_json::json!({ "bars": 0, "points": 20, "curves": 4 }));
        }
        assert_eq!(verdict["tables"], 1);
    }
}

#[test]
fn what_is_wrong_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let trace = imported(folder.path(), &text(3000, 2));
    say(&["replay", "--with", "bogus", &trace]).expect(2, "bogus");
    say(&["replay", "-n", "0", &trace]).expect(2, "");
    say(&["replay", "/no/such/trace"]).expect(1, "/no/such/trace");
    say(&["replay", "--with", "x=/lib/x86_64-linux-gnu/libm.so.6", "-n", "1", &trace]).expect(1, "malloc came from");
    let bytes = std::fs::read(&trace).unwrap();
    let file = |name: &str, bytes: &[u8]| -> String {
        std::fs::write(folder.path().join(name), bytes).unwrap();
        path(folder.path(), name)
    };
    let cut = file("cut", &bytes[..bytes.len() - 5]);
    say(&["replay", "-n", "1", "--with", "none", &cut]).expect(0, "cut off at offset");
    let mut damaged = bytes.clone();
    damaged[bytes.len() / 2] ^= 1;
    let damaged = file("damaged", &damaged);
    for arguments in
        [&["replay", &damaged][..], &["trace", "stats", &damaged], &["trace", "anonymise", &damaged, "-o", &cut]]
    {
        say(arguments).expect(1, "is damaged");
    }
    assert_eq!(std::fs::read(&cut).unwrap().len(), bytes.len() - 5, "what was there is left alone");
    say(&["replay", &file("other", b"something else")]).expect(1, "not a trace");
}

#[test]
fn an_allocator_that_breaks_is_a_failure_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let trace = imported(folder.path(), &text(3000, 1));
    let source = "#include <stdlib.h>\nextern void *__libc_malloc(size_t);\nstatic int n;\n\
                  void *malloc(size_t s) { if (++n > 1000) abort(); return __libc_malloc(s); }\n";
    let library: PathBuf = compile(folder.path(), "libbroken.so", source, &["-shared", "-fPIC"]).unwrap();
    let with = format!("broken={}", library.display());
    let said = say(&["replay", "-n", "1", "--with", &with, &trace]).expect(1, "");
    assert!(said.out.contains("broken failed: killed by SIGABRT") && said.out.contains("  hakmem"), "{}", said.out);
}

#[test]
fn anonymous_traces_keep_the_calls() {
    let folder = tempfile::tempdir().unwrap();
    let trace = imported(folder.path(), &text(3000, 3));
    let to = path(folder.path(), "anonymous.hkt");
    say(&["trace", "anonymise", &trace, "-o", &to]).expect(0, "3,");
    let stats = |trace: &str| say(&["trace", "stats", "--json", trace]).expect(0, "").json();
    let (before, after) = (stats(&trace), stats(&to));
    for same in ["peak", "allocations", "remote_frees", "size", "life_in_allocations"] {
        let mut before = before[same].clone();
        before.as_object_mut().and_then(|peak| peak.get_mut("at_ns").map(|at| *at = 0.into()));
        assert_eq!(before, after[same]);
    }
    assert_eq!((&after["timed"], &after["totals"]["duration_ns"]), (&false.into(), &0.into()));
}
