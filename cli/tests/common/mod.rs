//! What the tests share: the command under test, and what it said.
#![allow(dead_code, reason = "each test file uses some of it")]

pub(crate) mod browser;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

pub(crate) const PYTHON: &str = "/usr/bin/python3";

/// `hakmem`, with nothing of the caller's environment that it reads.
pub(crate) fn hakmem<S: AsRef<OsStr>>(arguments: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hakmem"));
    command.args(arguments).stdin(Stdio::null()).env_remove("LD_PRELOAD");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HAKMEM_")) {
        command.env_remove(name);
    }
    command
}

/// Ends with the test, however that ends.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        // A `hakmem run` passes this on, and its program ends with it.
        signal(self.0.id(), libc::SIGTERM);
        let _ = self.0.wait();
    }
}

pub(crate) struct Said {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn of(output: Output) -> Said {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said { status: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
    }

    #[track_caller]
    pub(crate) fn expect(self, status: i32, part_of_stderr: &str) -> Said {
        assert!(
            self.status == status && self.err.contains(part_of_stderr) && !self.err.contains("panicked"),
            "status {} instead of {status}, or no '{part_of_stderr}':\n{}\n{}",
            self.status,
            self.out,
            self.err
        );
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.out, self.err))
    }
}

pub(crate) fn say<S: AsRef<OsStr>>(arguments: &[S]) -> Said {
    Said::of(hakmem(arguments).output().unwrap())
}

/// The library of the build tree, which `hakmem` finds by itself.
pub(crate) fn library() -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/libhakmem.so");
    path.canonicalize().expect("build the library first: scripts/build.sh")
}

/// Compiles a C program; `None` where there is no compiler.
pub(crate) fn compile(folder: &Path, name: &str, source: &str, flags: &[&str]) -> Option<PathBuf> {
    let (code, program) = (folder.join(format!("{name}.c")), folder.join(name));
    std::fs::write(&code, source).unwrap();
    let done = Command::new("cc").arg("-o").arg(&program).arg(&code).args(flags).status().ok()?;
    done.success().then_some(program)
}

pub(crate) fn signal(pid: u32, signal: i32) {
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { libc::kill(pid as i32, signal) }, 0);
}

/// Waits until something is so: machines may be busy.
#[track_caller]
pub(crate) fn eventually(is_so: impl Fn() -> bool) {
    for _ in 0..600 {
        if is_so() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("not so within 30 s");
}

/// Whether a process runs a program of this name by now.
pub(crate) fn runs(pid: u32, name: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name)
}

/// Waits until a process that runs a program of this name sleeps in it: it has started, then.
#[track_caller]
pub(crate) fn asleep(pid: u32, name: &str) {
    eventually(|| {
        std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(&format!("({name}) S ")))
    });
}
