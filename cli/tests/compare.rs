//! `hakmem compare`: who is measured, what is refused, what failing and being interrupted leave.

mod common;

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use common::{Said, compile, eventually, hakmem, say, signal};
use serde_json::Value;

fn names(report: &Value) -> Vec<&str> {
    report["allocators"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

#[test]
fn every_allocator_is_seen_serving_and_measured() {
    let report = say(&["compare", "-n", "3", "--json", "--", "/bin/true"]).expect(0, "").json();
    assert_eq!(names(&report)[..2], ["system", "hakmem"]);
    for one in report["allocators"].as_array().unwrap() {
        let served = if one["name"] == "system" { Value::Null } else { true.into() };
        assert_eq!((&one["served"], one["runs"].as_array().unwrap().len()), (&served, 3), "{one}");
        assert!(one["figures"]["peak_rss_kib"]["spread"]["median"].as_f64().unwrap() > 500.0);
    }
    assert_eq!((&report["rounds_done"], &report["interrupted"]), (&3.into(), &false.into()));
    assert!(report["verdict"].as_str().unwrap().contains("too few"), "{}", report["verdict"]);
}

#[test]
fn the_table_and_the_verdict_are_printed() {
    let said = say(&["compare", "-n", "5", "--with", "none", "--", "sh", "-c", ":"]).expect(0, "");
    for part in ["sh -c :: 5 of 5 rounds", "time", "CPU", "peak RSS", "page faults", "  system", "  hakmem"] {
        assert!(said.out.contains(part), "{part}:\n{}", said.out);
    }
    assert!(
        ["Use hakmem", "Stay with the system's malloc"].iter().any(|verdict| said.out.contains(verdict)),
        "{}",
        said.out
    );
    assert!(said.err.is_empty(), "{}", said.err);
}

#[test]
fn wrong_arguments_are_usage_errors() {
    let wrong: [&[&str]; 9] = [
        &["compare"],
        &["compare", "-n", "0", "true"],
        &["compare", "-n", "x", "true"],
        &["compare", "-n", "-1", "true"],
        &["compare", "--with", "bogus", "true"],
        &["compare", "--with", "a=", "true"],
        &["compare", "--with", "", "true"],
        &["compare", "--timeout", "0", "true"],
        &["compare", "--bogus", "true"],
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
    say(&["compare", "--with", "x=/no/such.so", "true"]).expect(1, "/no/such.so");
    say(&["compare", "--html", "/no/such/folder/x", "true"]).expect(1, "/no/such/folder/x");
    say(&["compare", "--input", "/no/such/file", "true"]).expect(1, "/no/such/file");
    say(&["compare", "no-such-program"]).expect(127, "command not found");
    say(&["compare", "/etc/passwd"]).expect(126, "not executable");
}

#[test]
fn what_cannot_be_preloaded_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    compile(folder.path(), "static", "int main(void) { return 0; }", &["-static"]).unwrap();
    say(&["compare", &file("static")]).expect(1, "statically linked");
    std::fs::write(file("text"), "no library").unwrap();
    say(&["compare", "--with", &format!("x={}", file("text")), "true"]).expect(1, "was not loaded into the program");
    // A launcher that drops LD_PRELOAD: only the memory map can tell.
    say(&["compare", "--with", "none", "--", "env", "-u", "LD_PRELOAD", "/bin/true"])
        .expect(1, "was not loaded into the program");
    // SAFETY: it can't fail.
    if unsafe { libc::geteuid() } == 0 {
        std::fs::copy("/bin/true", file("setuid")).unwrap();
        std::os::unix::fs::chown(file("setuid"), Some(65534), None).unwrap();
        std::fs::set_permissions(file("setuid"), std::fs::Permissions::from_mode(0o4755)).unwrap();
        say(&["compare", &file("setuid")]).expect(1, "set-user-ID");
    }
}

#[test]
fn a_failing_program_is_named_and_the_others_go_on() {
    let said = say(&["compare", "-n", "2", "--with", "none", "sh", "-c", "echo why >&2; exit 3"]).expect(1, "");
    assert!(said.out.contains("hakmem failed: exit status 3: why"), "{}", said.out);
    let picky = "case $LD_PRELOAD in *hakmem*) kill -9 $$;; esac";
    let report = say(&["compare", "-n", "2", "--with", "none", "--json", "sh", "-c", picky]).expect(1, "").json();
    let runs = |index: usize| report["allocators"][index]["runs"].as_array().unwrap().len();
    assert_eq!((runs(0), runs(1)), (2, 0));
    assert!(report["allocators"][1]["failure"].as_str().unwrap().contains("SIGKILL"), "{report}");
    say(&["compare", "-n", "1", "--with", "none", "--expect-status", "3", "sh", "-c", "exit 3"]).expect(0, "");
    let said = say(&["compare", "-n", "1", "--with", "none", "--timeout", "1", "sleep", "30"]).expect(1, "");
    assert!(said.out.contains("killed after its time ran out"), "{}", said.out);
}

#[test]
fn input_and_output_are_the_users_choice() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("input");
    std::fs::write(&input, "a line\n").unwrap();
    let input = input.to_str().unwrap();
    let shown = say(&["compare", "-n", "1", "--with", "none", "--show-output", "--input", input, "cat"]).expect(0, "");
    assert_eq!(shown.out.matches("a line").count(), 4, "{}", shown.out);
    let silent = say(&["compare", "-n", "1", "--with", "none", "--input", input, "cat"]).expect(0, "");
    assert!(!silent.out.contains("a line"), "{}", silent.out);
}

#[test]
fn an_interrupt_keeps_what_was_measured() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    let log = folder.path().join("log");
    let script = format!("echo >>{}; sleep 0.02", log.display());
    let html = page.to_str().unwrap();
    let arguments = ["compare", "-n", "1000", "--with", "none", "--json", "--html", html, "--", "sh", "-c", &script];
    let child = hakmem(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The warm-up, two rounds, and a run that is on its way.
    eventually(|| std::fs::read_to_string(&log).is_ok_and(|text| text.len() >= 7));
    signal(child.id(), libc::SIGINT);
    let said = Said::of(child.wait_with_output().unwrap()).expect(130, "interrupted by SIGINT");
    let report = said.json();
    let done = report["rounds_done"].as_u64().unwrap();
    assert!((1..1000).contains(&done) && report["interrupted"] == true, "{done}");
    for one in report["allocators"].as_array().unwrap() {
        let runs = one["runs"].as_array().unwrap();
        assert!(runs.len() as u64 >= done && one["failure"].is_null());
        // None of them cut short.
        assert!(runs.iter().all(|run| run["wall_s"].as_f64().unwrap() >= 0.02));
    }
    assert!(std::fs::read_to_string(page).unwrap().contains("</svg>"));
}

#[test]
fn rounds_rotate() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let script = format!("case $LD_PRELOAD in *hakmem*) echo h;; *) echo s;; esac >>{}", log.display());
    say(&["compare", "-n", "3", "--with", "none", "sh", "-c", &script]).expect(0, "");
    let order = std::fs::read_to_string(log).unwrap().replace('\n', "");
    assert_eq!(order, "sh".to_owned() + "sh" + "hs" + "sh"); // the first two warm up
}
