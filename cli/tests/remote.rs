//! `hakmem top` and `hakmem explain`: a process looked at from outside, that runs, is stopped, or is a core file.

mod common;

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use common::{Said, compile, eventually, library, say, signal};
use serde_json::Value;

/// Ends with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    fn pid(&self) -> String {
        self.0.id().to_string()
    }
}

/// tests/known.c on the library, asleep, with the statistics that it wrote; `None`: there is no compiler.
fn known(folder: &Path, variables: &[(&str, &str)]) -> Option<(Running, Value)> {
    let program = compile(folder, "known", include_str!("known.c"), &["-g", "-O1", "-pthread"])?;
    let mut command = Command::new(program);
    command.env("LD_PRELOAD", library()).envs(variables.iter().copied()).stdout(Stdio::piped());
    let mut child = Running(command.spawn().unwrap());
    let mut text = String::new();
    child.0.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    Some((child, serde_json::from_str(&text).unwrap()))
}

#[track_caller]
fn close(one: &Value, other: &Value, name: &str) {
    let (one, other) = (one["totals"][name].as_f64().unwrap(), other["totals"][name].as_f64().unwrap());
    assert!((one - other).abs() <= other.abs() * 0.01, "{name}: {one}, and the library says {other}");
}

fn is_whole(report: &Value) {
    let part = |name: &str| report["resident"][name].as_u64().unwrap();
    let parts = [
        "live_bytes",
        "rounding_bytes",
        "cached_bytes",
        "pinned_bytes",
        "held_bytes",
        "loose_bytes",
        "dirty_slots_bytes",
        "dirty_kept_bytes",
        "metadata_bytes",
        "stacks_bytes",
        "files_bytes",
        "brk_bytes",
        "other_bytes",
    ];
    let (sum, rss): (u64, u64) = (parts.iter().map(|name| part(name)).sum(), part("rss_bytes"));
    assert!(sum.abs_diff(rss) * 100 <= rss, "the parts come to {sum} of {rss}");
}

#[test]
fn figures_from_outside_agree_with_the_librarys_own() {
    let folder = tempfile::tempdir().unwrap();
    let Some((child, statistics)) = known(folder.path(), &[]) else { return };
    let look = || say(&["top", "--once", "--json", &child.pid()]).expect(0, "").json();
    let agrees = |report: &Value| {
        for name in
            ["live_bytes", "live_blocks", "cached_bytes", "free_bytes", "mapped_bytes", "large_live_bytes", "heaps"]
        {
            close(report, &statistics, name);
        }
        is_whole(report);
    };
    let report = look();
    agrees(&report);
    for number in 0..4 {
        let name = format!("worker-{number}");
        let thread =
            report["threads"].as_array().unwrap().iter().find(|thread| thread["name"] == name.as_str()).unwrap();
        // A third of 20,000 is free.
        let block = [112, 160, 224, 256].get(number).copied().unwrap();
        let live = thread["live_bytes"].as_u64().unwrap();
        assert!((live as f64 / (13_333 * block) as f64 - 1.0).abs() < 0.01, "{name}: {live}");
    }
    // How many have been taken back by then is chance.
    let on_their_way: u64 =
        report["threads"].as_array().unwrap().iter().map(|thread| thread["remote_bytes"].as_u64().unwrap()).sum();
    assert!(on_their_way > 0 && report["totals"]["remote_pending_bytes"] == on_their_way, "{on_their_way}");
    // Stopped, it is as it was; nothing asks it.
    signal(child.0.id(), libc::SIGSTOP);
    eventually(|| std::fs::read_to_string(format!("/proc/{}/stat", child.pid())).unwrap().contains(") T "));
    agrees(&look());
    assert_eq!(look()["totals"], report["totals"]);
    explained(&say(&["explain", "--json", &child.pid()]).expect(0, "").json());
    core(folder.path(), &child, &report);
}

/// The class that keeps pages is named, with most of what they keep.
fn explained(said: &Value) {
    let lines = said["lines"].as_array().unwrap();
    let pinned = lines.iter().find(|line| line["part"] == "pinned").unwrap();
    let of = pinned["of"].as_array().unwrap();
    let named: u64 = of.iter().map(|detail| detail["bytes"].as_u64().unwrap()).sum();
    assert!(named as f64 > pinned["bytes"].as_f64().unwrap() * 0.9 && named > 8_000_000, "{pinned}");
    assert!(of.first().unwrap()["what"].as_str().unwrap().contains("blocks of 48 bytes"), "{pinned}");
    assert!(pinned["advice"][0]["what"].as_str().unwrap().contains("48 bytes"));
}

/// The same of a core file.
fn core(folder: &Path, child: &Running, report: &Value) {
    let name = folder.join("core");
    let made = Command::new("gcore")
        .arg("-o")
        .arg(&name)
        .arg(child.pid())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let name = format!("{}.{}", name.display(), child.pid());
    if !made.is_ok_and(|status| status.success()) || !Path::new(&name).exists() {
        return;
    }
    let from_core = say(&["top", "--once", "--json", &name]).expect(0, "").json();
    for name in ["live_bytes", "live_blocks", "cached_bytes", "free_bytes", "remote_pending_bytes", "heaps", "threads"]
    {
        assert_eq!(from_core["totals"][name], report["totals"][name], "{name}");
    }
    is_whole(&from_core);
    assert_eq!(from_core["source"], "core");
    let tids = |report: &Value| {
        let mut tids: Vec<i64> =
            report["threads"].as_array().unwrap().iter().map(|thread| thread["tid"].as_i64().unwrap()).collect();
        tids.sort_unstable();
        tids
    };
    assert_eq!(tids(&from_core), tids(report));
    explained(&say(&["explain", "--json", &name]).expect(0, "").json());
    // And of what was written of it.
    let file = folder.join("report.json");
    std::fs::write(&file, from_core.to_string()).unwrap();
    explained(&say(&["explain", "--json", file.to_str().unwrap()]).expect(0, "").json());
}

#[test]
fn with_a_profile_the_code_that_keeps_pages_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("known.pb");
    let profile = profile.to_str().unwrap();
    let variables = [("HAKMEM_PROF", "1"), ("HAKMEM_PROF_RATE", "4096"), ("HAKMEM_PROF_FILE", profile)];
    let Some((child, _)) = known(folder.path(), &variables) else { return };
    let said = say(&["explain", "--json", "--profile", profile, &child.pid()]).expect(0, "").json();
    explained(&said);
    let lines = said["lines"].as_array().unwrap();
    let pinned = lines.iter().find(|line| line["part"] == "pinned").unwrap();
    let first = &pinned["sites"][0];
    assert!(first["bytes"].as_f64().unwrap() > pinned["bytes"].as_f64().unwrap() * 0.9, "{pinned}");
    assert!(first["what"].as_str().unwrap().contains("phase (known.c:"), "{pinned}");
    assert!(!pinned["advice"][0]["what"].as_str().unwrap().contains("--profile"));
}

/// A processes' own user who may still not read its memory, as Yama has it where it is on, is answered by the process.
#[test]
fn a_process_that_may_not_be_read_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let pattern = format!("json:{}/stats.%p.json", folder.path().display());
    let Some(program) = compile(folder.path(), "busy", BUSY, &["-O1"]) else { return };
    let Some(refused) = compile(folder.path(), "refused", REFUSED, &["-O1"]) else { return };
    let mut busy = Command::new(program);
    busy.env("LD_PRELOAD", library()).env("HAKMEM_STATS", pattern).env("HAKMEM_STATS_SIGNAL", "USR2");
    let child = Running(busy.spawn().unwrap());
    let look = |arguments: &[&str]| {
        let mut command = Command::new(&refused);
        command.arg(env!("CARGO_BIN_EXE_hakmem")).args(arguments).stdin(Stdio::null());
        Said::of(command.output().unwrap())
    };
    common::asleep(child.0.id(), "busy");
    let said = look(&["top", "--once", "--json", &child.pid()]);
    if said.status == 77 {
        return;
    }
    let report = said.expect(0, "CAP_SYS_PTRACE").json();
    assert_eq!(report["source"], "statistics");
    assert!(
        report["totals"]["live_blocks"].as_u64().unwrap() >= 1000
            && report["resident"]["rss_bytes"].as_u64().unwrap() > 0
    );
    let idle = Running(Command::new("sleep").arg("60").env("LD_PRELOAD", library()).spawn().unwrap());
    eventually(|| common::runs(idle.0.id(), "sleep"));
    look(&["top", "--once", &idle.pid()]).expect(4, "HAKMEM_STATS_SIGNAL");
}

const BUSY: &str = "#include <stdlib.h>\n#include <unistd.h>\nint main(void) { static void *volatile p[1000]; \
    for (int i = 0; i < 1000; i++) p[i] = malloc(100); \
    for (;;) { void *volatile q = malloc(3 << 20); free(q); usleep(1000); } }\n";

const REFUSED: &str = r#"
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_process_vm_readv, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) return 77;
    execv(argv[1], argv + 1);
    return 77;
}
"#;

#[test]
fn who_can_not_be_looked_at_is_told_why() {
    for command in ["top", "explain"] {
        say(&[command, "4194999"]).expect(3, "there is no process 4194999");
        say(&[command, "no-such-name"]).expect(3, "no process no-such-name");
        let idle = Running(Command::new("sleep").arg("60").spawn().unwrap());
        say(&[command, &idle.pid()]).expect(5, "is not served by HAKMEM");
        say(&[command, "/etc/passwd"]).expect(2, "core file");
    }
    say(&["explain"]).expect(2, "PID");
    say(&["top", "--delay", "0", "1"]).expect(2, "--delay");
}

#[test]
fn without_permission_it_says_what_is_needed_and_asks_the_process() {
    // SAFETY: asks for a number.
    if unsafe { libc::getuid() } != 0 {
        return;
    }
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    let myself = folder.path().join("hakmem");
    std::fs::copy(env!("CARGO_BIN_EXE_hakmem"), &myself).unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).unwrap();
    let child = Running(Command::new("sleep").arg("60").env("LD_PRELOAD", library()).spawn().unwrap());
    let nobody = |arguments: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&myself).args(arguments);
        Said::of(command.stdin(Stdio::null()).output().unwrap())
    };
    if nobody(&["--version"]).status != 0 {
        return;
    }
    nobody(&["top", "--once", &child.pid()]).expect(4, "CAP_SYS_PTRACE").expect(4, "HAKMEM_STATS_SIGNAL");
    nobody(&["explain", &child.pid()]).expect(4, "CAP_SYS_PTRACE");
}

/// What is on the screen, in a terminal of its own; `None`: there is no tmux.
struct Tmux(String);

impl Tmux {
    fn start(name: &str, size: (u32, u32), command: &str) -> Option<Tmux> {
        let (width, height) = (size.0.to_string(), size.1.to_string());
        let started = Command::new("tmux")
            .args(["-L", name, "-f", "/dev/null", "new-session", "-d", "-x", &width, "-y", &height, command])
            .status();
        started.is_ok_and(|status| status.success()).then(|| Tmux(name.to_owned()))
    }

    fn screen(&self) -> String {
        let output = Command::new("tmux").args(["-L", &self.0, "capture-pane", "-p"]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn press(&self, key: &str) {
        assert!(Command::new("tmux").args(["-L", &self.0, "send-keys", key]).status().unwrap().success());
    }

    #[track_caller]
    fn shows(&self, parts: &[&str]) {
        for _ in 0..600 {
            let screen = self.screen();
            if parts.iter().all(|part| screen.contains(part)) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("not all of {parts:?} within 30 s:\n{}", self.screen());
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = Command::new("tmux").args(["-L", &self.0, "kill-server"]).stderr(Stdio::null()).status();
    }
}

#[test]
fn the_screen_shows_it_and_its_keys_work() {
    let folder = tempfile::tempdir().unwrap();
    let Some((child, _)) = known(folder.path(), &[]) else { return };
    for (size, both) in [((80, 24), false), ((160, 50), true)] {
        let name = format!("hakmem-test-{}-{}", std::process::id(), size.0);
        let command = format!("{} top -d 0.2 {}; echo ended $?; sleep 60", env!("CARGO_BIN_EXE_hakmem"), child.pid());
        let Some(tmux) = Tmux::start(&name, size, &command) else { return };
        tmux.shows(&[
            " known · process",
            "5 threads",
            "RSS ",
            "rounding",
            "at hand",
            "by size class",
            "large 30.0 MiB",
            "q quit",
        ]);
        let lines: Vec<String> = tmux.screen().lines().map(str::to_owned).collect();
        assert!(lines.iter().all(|line| line.chars().count() <= size.0 as usize));
        assert_eq!(lines.iter().any(|line| line.contains("worker-3")), both);
        tmux.press("t");
        tmux.shows(&["by thread (6)", "worker-0", "worker-3"]);
        for key in ["/", "3", "Enter"] {
            tmux.press(key);
        }
        tmux.shows(&["with “3”", "worker-3"]);
        tmux.press("?");
        tmux.shows(&["keys, and words"]);
        tmux.press("x");
        tmux.press("p");
        tmux.shows(&["PAUSED"]);
        tmux.press("q");
        tmux.shows(&["ended 0"]);
    }
}
