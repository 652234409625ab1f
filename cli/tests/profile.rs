//! `hakmem profile` on programs whose stacks are known: figures, names and lines, the page as a browser shows it.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::browser::{chromium, look, verdict};
use common::{compile, say};
use serde_json::Value;

const PLANTED: &str = include_str!("planted/planted.c");

fn profile(program: &Path, arguments: &[&str]) -> common::Said {
    let program = program.to_str().unwrap();
    say(&[&["profile", "--rate", "1", "-q"], arguments, &["--", program]].concat()).expect(0, "")
}

fn planted(folder: &Path, flags: &[&str]) -> PathBuf {
    compile(folder, "planted", PLANTED, &[&["-O2", "-pthread", "-Wl,--build-id"], flags].concat()).unwrap()
}

/// The stack that has a function on it, of a profile as JSON.
#[track_caller]
fn stack<'a>(profile: &'a Value, function: &str, thread: &str) -> &'a Value {
    let stacks = profile["profiles"][0]["stacks"].as_array().unwrap();
    let on = |stack: &&Value| stack["frames"].as_array().unwrap().iter().any(|frame| frame["function"] == function);
    let found = stacks.iter().find(|stack| stack["thread"] == thread && on(stack));
    found.unwrap_or_else(|| panic!("no stack of {thread} with {function}: {profile:#}"))
}

fn names(stack: &Value) -> Vec<&str> {
    stack["frames"].as_array().unwrap().iter().map(|frame| frame["function"].as_str().unwrap()).collect()
}

#[track_caller]
fn expect(stack: &Value, live: (u64, u64), allocated: (u64, u64)) {
    let figure = |name: &str| stack[name].as_u64().unwrap();
    assert_eq!((figure("inuse_objects"), figure("inuse_space")), live);
    assert_eq!((figure("alloc_objects"), figure("alloc_space")), allocated);
}

#[test]
fn stacks_of_c_are_exact_with_lines_and_inlined_frames() {
    let folder = tempfile::tempdir().unwrap();
    let program = planted(folder.path(), &["-g"]);
    let profile = profile(&program, &["--json"]).json();
    let large = stack(&profile, "keep_large", "planted");
    expect(large, (50, 50 * 100_000), (100, 100 * 100_000));
    let names = names(large);
    assert_eq!(names[..4], ["leaf", "through", "keep_large", "main"], "{names:?}");
    let frames = large["frames"].as_array().unwrap();
    assert_eq!((&frames[1]["inlined"], &frames[2]["inlined"]), (&true.into(), &false.into()));
    for frame in &frames[..4] {
        assert!(frame["file"].as_str().unwrap().ends_with("planted.c"), "{frame}");
        let line = frame["line"].as_u64().unwrap() as usize;
        let mark = format!("/* {} */", frame["function"].as_str().unwrap());
        assert!(PLANTED.lines().nth(line - 1).unwrap().contains(&mark), "line {line} lacks {mark}");
    }
    expect(stack(&profile, "keep_small", "worker"), (1000, 1000 * 1000), (1000, 1000 * 1000));
    let churn = stack(&profile, "churn", "worker");
    // A thread's very first block may be served before the profiler knows the thread.
    assert!((19_999..=20_000).contains(&churn["alloc_objects"].as_u64().unwrap()), "{churn:#}");
    assert_eq!(churn["inuse_objects"], 0);
}

#[test]
fn names_are_found_in_separate_files_and_without_debug_information() {
    let folder = tempfile::tempdir().unwrap();
    let program = planted(folder.path(), &["-g", "-rdynamic"]);
    let run = |tool: &[&str]| {
        assert!(Command::new(tool[0]).args(&tool[1..]).current_dir(&folder).status().unwrap().success())
    };
    run(&["objcopy", "--only-keep-debug", "planted", "planted.debug"]);
    run(&["strip", "planted"]);
    run(&["objcopy", "--add-gnu-debuglink=planted.debug", "planted"]);
    let with = profile(&program, &["--json"]).json();
    let large = stack(&with, "keep_large", "planted");
    assert!(names(large).contains(&"through") && large["frames"][0]["line"].as_u64().unwrap() > 0, "{large:#}");
    // Another build's file does not count, and exported functions still have names.
    std::fs::write(folder.path().join("other.c"), "int main(void) { return 0; }").unwrap();
    run(&["cc", "-g", "-Wl,--build-id", "other.c", "-o", "planted.debug"]);
    let without = profile(&program, &["--json"]).json();
    let large = stack(&without, "keep_large", "planted");
    assert!(!names(large).contains(&"through") && large["frames"][0]["line"].is_null(), "{large:#}");
    expect(large, (50, 50 * 100_000), (100, 100 * 100_000));
}

#[test]
fn cpp_and_rust_are_demangled() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("shop.cc");
    std::fs::write(&source, include_str!("planted/shop.cc")).unwrap();
    let program = folder.path().join("shop");
    let done = Command::new("c++").args(["-O2", "-g", "-o"]).arg(&program).arg(&source).status().unwrap();
    assert!(done.success());
    let shop = profile(&program, &["--json"]).json();
    expect(stack(&shop, "store::Shelf<std::string>::fill", "shop"), (300, 300 * 201), (300, 300 * 201));
    let source = folder.path().join("ledger.rs");
    std::fs::write(&source, include_str!("planted/ledger.rs")).unwrap();
    let program = folder.path().join("ledger");
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let done = Command::new(rustc).args(["-O", "-g", "-o"]).arg(&program).arg(&source).status().unwrap();
    assert!(done.success());
    let ledger = profile(&program, &["--json"]).json();
    let entry = stack(&ledger, "ledger::book::entry", "ledger");
    expect(entry, (70, 70 * 333), (70, 70 * 333));
    let names = names(entry);
    let place =
        |name: &str| names.iter().position(|known| *known == name).unwrap_or_else(|| panic!("{name}: {names:?}"));
    assert!(place("ledger::book::entry") < place("ledger::main"));
    assert_eq!(entry["frames"][place("ledger::book::entry")]["inlined"], true);
}

#[test]
fn other_forms_hold_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let program = planted(folder.path(), &["-g"]);
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (pprof, folded) = (file("a.pb.gz"), file("a.folded"));
    profile(&program, &["--pprof", &pprof, "--folded", &folded]);
    let text = std::fs::read_to_string(&folded).unwrap();
    assert!(text.lines().any(|line| line.ends_with(";main;keep_large;through;leaf 5000000")), "{text}");
    assert!(
        text.lines().any(|line| line.starts_with("worker;") && line.ends_with(";keep_small;leaf 1000000")),
        "{text}"
    );
    // It reads what it wrote, names and all, after the program is gone.
    std::fs::remove_file(&program).unwrap();
    let again = say(&["profile", "--json", &pprof]).expect(0, "").json();
    expect(stack(&again, "through", "planted"), (50, 50 * 100_000), (100, 100 * 100_000));
    // And so do Go's tools, where there are any.
    if let Ok(done) = Command::new("go").args(["tool", "pprof", "-top", "-sample_index=inuse_objects", &pprof]).output()
    {
        let top = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(!done.status.success() || top.contains(" leaf") && top.contains("keep_large"), "{top}");
    }
}

#[test]
fn wrong_arguments_and_files_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text");
    std::fs::write(&text, "main;f 12\n").unwrap();
    let text = text.to_str().unwrap();
    say(&["profile"]).expect(2, "required");
    say(&["profile", "--at", "noon", "--", "true"]).expect(2, "every=10s");
    say(&["profile", "--rate", "0", "--", "true"]).expect(2, "--rate");
    say(&["profile", "--diff", text]).expect(2, "--diff");
    say(&["profile", text]).expect(1, "no profile in pprof's form");
    say(&["profile", "/no/such/file"]).expect(1, "No such file");
    say(&["profile", "-o", "/no/such/folder/x.html", "--", "true"]).expect(1, "/no/such/folder");
    say(&["profile", "-q", "--json", "--", "sh", "-c", "exit 7"]).expect(7, "");
    // Nothing is sampled, so there is no profile from before the end.
    let none = ["profile", "-q", "--json", "--rate", "1073741824", "--", "sh", "-c", "kill -9 $$"];
    say(&none).expect(137, "SIGKILL");
    let quiet = compile(folder.path(), "static", "int main(void) { return 0; }", &["-static"]).unwrap();
    say(&["profile", "--json", "--", quiet.to_str().unwrap()]).expect(5, "did not serve it");
}

/// Uses a page as `planted/use.js` does; what it saw.
fn used(page: &Path, function: &str, scheme: usize, size: &str) -> Value {
    let name = format!("window.looked_for = {};", serde_json::to_string(function).unwrap());
    let script = include_str!("planted/use.js");
    let folder = page.parent().unwrap();
    let text = std::fs::read_to_string(page).unwrap();
    let at = text.rfind("</body>").unwrap();
    let probe = folder.join("used.html");
    std::fs::write(&probe, format!("{}<script>{name}</script><script>{script}</script>{}", &text[..at], &text[at..]))
        .unwrap();
    let url = format!("file://{}", probe.display());
    let dump = chromium(
        folder,
        scheme,
        size,
        &["--force-prefers-reduced-motion", "--virtual-time-budget=20000", "--dump-dom", &url],
    );
    let seen = verdict(&dump, "used").expect("planted/use.js left no verdict");
    assert_eq!(seen["errors"], serde_json::json!([]), "{seen:#}");
    seen
}

#[test]
fn the_page_is_used_in_a_browser() {
    let folder = tempfile::tempdir().unwrap();
    let program = planted(folder.path(), &["-g"]);
    let page = folder.path().join("page.html");
    profile(&program, &["-o", page.to_str().unwrap()]);
    for (scheme, size) in [(1, "1300,1400"), (0, "1300,1400"), (1, "520,900")] {
        let verdict = look(&page, &[], scheme, size);
        assert_eq!(verdict["wrong"], serde_json::json!([]), "scheme {scheme}, {size}");
        assert_eq!(verdict["ground"].as_f64().unwrap() < 0.2, scheme == 0);
        if size.starts_with("520") {
            continue; // a look at it is enough
        }
        let seen = used(&page, "keep_large", scheme, size);
        let number = |name: &str| seen[name].as_f64().unwrap();
        assert!(number("colours") >= 5.0, "an empty picture: {seen:#}");
        assert!(number("before") > 0.6 && number("before") < 0.9 && number("zoomed") > 0.999, "{seen:#}");
        assert!((number("reset") - number("before")).abs() < 1e-6, "{seen:#}");
        let tip = seen["tip"].as_str().unwrap();
        assert!(tip.contains("keep_large") && tip.contains("planted.c:") && tip.contains("4.77 MiB"), "{tip}");
        assert!(seen["tip_gone"] == true && seen["zoom_address"].as_str().unwrap().starts_with("#zoom="), "{seen:#}");
        assert_eq!((&seen["found"], &seen["not_found"]), (&"4.77 MiB, 71 %".into(), &"".into()));
        assert_eq!(seen["rows_found"], 1);
        let allocated = 100.0 * 100_000.0 + 2.0 * 1e6 + 20_000.0 * 5000.0;
        assert!(
            number("live") >= 7e6 && number("live") < 7.1e6 && (number("allocated") - allocated).abs() < 1e5,
            "{seen:#}"
        );
        assert!((number("blocks") - 22_100.0).abs() < 100.0, "{seen:#}");
        assert_eq!(seen["pressed"], serde_json::json!(["Allocated", "Blocks"]));
        assert_eq!(seen["threads"], serde_json::json!(["All 2 threads", "planted", "worker"]));
        let by_thread: f64 = seen["by_thread"].as_array().unwrap().iter().map(|sum| sum.as_f64().unwrap()).sum();
        assert_eq!(by_thread, number("blocks"));
        let tabs = &seen["tabs"];
        assert!(tabs["functions"]["text"].as_str().unwrap().contains("leaf"), "{tabs:#}");
        assert!(tabs["stacks"]["rows"].as_u64().unwrap() >= 3, "{tabs:#}");
        let opened = tabs["left"]["opened"].as_str().unwrap();
        assert!(
            opened.contains("through") && opened.contains("(inlined)") && opened.contains("planted.c:"),
            "{tabs:#}"
        );
        assert_eq!(seen["sorted"], "ascending");
        assert!(number("key_zoom") > 0.0 && !seen["status"].as_str().unwrap().is_empty(), "{seen:#}");
    }
    let text = std::fs::read_to_string(&page).unwrap();
    // The one address is SVG's name.
    let text = text.replace("http://www.w3.org/2000/svg", "");
    assert!(!text.contains("src=") && !text.contains("http") && !text.contains("url("), "not self-contained");
}

#[test]
fn ten_thousand_stacks_are_shown_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let program = compile(folder.path(), "many", include_str!("planted/many.c"), &["-O1", "-g"]).unwrap();
    let page = folder.path().join("page.html");
    profile(&program, &["-o", page.to_str().unwrap()]);
    let seen = used(&page, "branch_0", 1, "1300,1400");
    assert!(seen["stacks"].as_u64().unwrap() > 10_000, "{seen:#}");
    // By the clock on the wall, which stands still in the other.
    let measure = "const begin = performance.now(); choose({}); const pre = document.createElement('pre'); pre.id = 'took'; \
                   pre.textContent = performance.now() - begin; document.body.append(pre);";
    let text = std::fs::read_to_string(&page).unwrap();
    let at = text.rfind("</body>").unwrap();
    let probe = folder.path().join("timed.html");
    std::fs::write(&probe, format!("{}<script>{measure}</script>{}", &text[..at], &text[at..])).unwrap();
    let dump = chromium(folder.path(), 1, "1300,1400", &["--dump-dom", &format!("file://{}", probe.display())]);
    let took = verdict(&dump, "took").unwrap().as_f64().unwrap();
    // A tenth of that where nobody else is at work.
    assert!(took > 0.0 && took < 2000.0, "{took} ms");
    println!("{} stacks in {took} ms, {} bytes", seen["stacks"], text.len());
    assert!(std::fs::metadata(&page).unwrap().len() < 3 << 20);
}

#[test]
fn two_profiles_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (old, new, page) = (file("old.pb.gz"), file("new.pb.gz"), file("diff.html"));
    let program = planted(folder.path(), &["-g"]);
    profile(&program, &["--pprof", &old]);
    // Another version: in another folder, all lines moved.
    let next = folder.path().join("next");
    std::fs::create_dir(&next).unwrap();
    let other =
        compile(&next, "planted", &format!("\n\n{PLANTED}"), &["-O2", "-g", "-pthread", "-DLARGE=150"]).unwrap();
    profile(&other, &["--pprof", &new]);
    say(&["profile", "-q", "--diff", &old, &new, "-o", &page]).expect(0, "");
    let seen = used(Path::new(&page), "keep_large", 0, "1300,1000");
    let tip = seen["tip"].as_str().unwrap();
    assert!(
        tip.contains("before") && tip.contains("4.77 MiB") && tip.contains("9.54 MiB") && tip.contains("+4.77 MiB"),
        "{tip}"
    );
    assert!(seen["tabs"]["functions"]["text"].as_str().unwrap().contains("+4.77 MiB"), "{seen:#}");
}

#[test]
fn a_running_process_is_profiled_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let source = "#define _DEFAULT_SOURCE\n#include <stdlib.h>\n#include <string.h>\n#include <unistd.h>\nvoid *kept[100000]; int n;\n\
                  __attribute__((noinline)) void keep(void) { kept[n] = malloc(2000); memset(kept[n++], 1, 2000); }\n\
                  int main(void) { for (int i = 0; i < 60000; i++) { keep(); usleep(2000); } return 0; }";
    let program = compile(folder.path(), "server", source, &["-O1", "-g"]).unwrap();
    let start = |signal: Option<&str>| {
        let mut command = common::hakmem(&["run", "-q", "--", program.to_str().unwrap()]);
        command.current_dir(&folder).env("HAKMEM_PROF_RATE", "1");
        if let Some(signal) = signal {
            command.env("HAKMEM_PROF_SIGNAL", signal);
        }
        common::Running(command.spawn().unwrap())
    };
    let pid_of = |running: &common::Running| {
        let children = || std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", running.0.id())).unwrap();
        common::eventually(|| !children().is_empty());
        common::asleep(children().trim().parse().unwrap(), "server");
        running.0.id().to_string()
    };
    let page = folder.path().join("page.html");
    let server = start(Some("USR2"));
    let arguments = ["profile", &pid_of(&server), "--for", "300ms", "--json", "-o", page.to_str().unwrap()];
    let seen = say(&arguments).expect(0, "").json();
    let kept = stack(&seen, "keep", "server");
    let count = kept["inuse_objects"].as_u64().unwrap();
    assert!(count > 3 && kept["inuse_space"] == count * 2000 && kept["frames"][0]["line"] == 6, "{kept:#}");
    let text = std::fs::read_to_string(&page).unwrap();
    assert!(text.contains("\"when\":\"at the end\""));
    // Its heap was looked at meanwhile.
    let live: Vec<u64> =
        text.split("\"live\":").skip(1).filter_map(|rest| rest.split(',').next()?.parse().ok()).collect();
    assert!(live.last().is_some_and(|&last| last > 2000 * count / 2 && live.is_sorted()), "{live:?}");
    // A second time what is live from the first is there as well.
    let again = say(&["profile", &pid_of(&server), "--for", "100ms", "--json"]).expect(0, "").json();
    assert!(stack(&again, "keep", "server")["inuse_objects"].as_u64().unwrap() > count, "{again:#}");
    let deaf = start(None);
    say(&["profile", &pid_of(&deaf), "--for", "100ms"]).expect(1, "HAKMEM_PROF_SIGNAL");
    let other = common::Running(Command::new("sleep").arg("60").spawn().unwrap());
    say(&["profile", &other.0.id().to_string()]).expect(5, "does not serve");
    say(&["profile", "4194999"]).expect(3, "there is no process");
    say(&["profile", &pid_of(&server), "--at", "every=1s"]).expect(2, "HAKMEM_PROF=1");
}

#[test]
fn profiles_are_taken_at_the_peak_every_so_often_and_before_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let source = "#define _DEFAULT_SOURCE\n#include <stdlib.h>\n#include <string.h>\n#include <unistd.h>\n#include <signal.h>\n\
                  __attribute__((noinline)) void *high(void) { return memset(malloc(10000), 1, 10000); }\n\
                  int main(int count, char **words) {\n\
                  void *all[200]; for (int i = 0; i < 200; i++) { all[i] = high(); if (count == 2) usleep(3000); }\n\
                  if (count == 3) raise(SIGKILL);\n\
                  for (int i = 20; i < 200; i++) free(all[i]);\n\
                  return 0; }";
    let program = compile(folder.path(), "waves", source, &["-O1", "-g"]).unwrap();
    let run = |arguments: &[&str], words: &[&str], status: i32| {
        let program = program.to_str().unwrap();
        let all = [&["profile", "--rate", "1", "-q", "--json"], arguments, &["--", program], words].concat();
        say(&all).expect(status, "").json()
    };
    let page = folder.path().join("page.html");
    let peak = run(&["--at", "peak", "-o", page.to_str().unwrap()], &[], 0);
    let high = stack(&peak, "high", "waves");
    assert_eq!((&high["inuse_objects"], &high["inuse_space"]), (&20.into(), &200_000.into()));
    // To a tenth.
    assert!((1_800_000..=2_000_000).contains(&high["peak_space"].as_u64().unwrap()), "{high:#}");
    let text = std::fs::read_to_string(&page).unwrap();
    assert!(text.contains("\"kind\":\"peak\""));
    // Each later one has more.
    let series = run(&["--at", "every=100ms", "-o", page.to_str().unwrap()], &["slowly"], 0);
    let profiles = series["profiles"].as_array().unwrap();
    assert!(profiles.len() >= 3 && profiles.last().unwrap()["title"] == "at exit", "{series:#}");
    assert!(profiles[0]["title"].as_str().unwrap().starts_with("after "), "{series:#}");
    let live = |profile: &Value| profile["totals"]["alloc_objects"].as_u64().unwrap();
    assert!(profiles.windows(2).all(|pair| live(&pair[0]) <= live(&pair[1])), "{series:#}");
    let seen = used(&page, "high", 1, "1300,1000");
    assert!(seen["profiles"].as_array().unwrap().len() == profiles.len(), "{seen:#}");
    assert!(seen["first_live"].as_f64().unwrap() < 1_990_000.0 && seen["marks"] == profiles.len(), "{seen:#}");
    // One that is killed leaves what it had at its peak.
    let killed = run(&[], &["and", "killed"], 137);
    assert_eq!(killed["profiles"][0]["title"], "near the peak");
    let high = stack(&killed, "high", "waves");
    assert!((1_800_000..=2_000_000).contains(&high["inuse_space"].as_u64().unwrap()), "{high:#}");
}
