//! `hakmem doctor`: what keeps HAKMEM from serving a program, or from serving it well. Each finding says what to do.

use std::env;
use std::ffi::{CStr, OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Serialize;

use crate::args::DoctorArgs;
use crate::elf::{OwnMalloc, Program};
use crate::error::{Error, NO_PROCESS, Result};
use crate::library::{self, Library};
use crate::output;
use crate::peers;
use crate::process;
use crate::served;
use crate::units;

#[derive(Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Ok,
    Warn,
    Fail,
}

#[derive(Serialize)]
struct Finding {
    check: &'static str,
    level: Level,
    text: String,
    /// What to do about it; nothing where it is fine.
    advice: Option<String>,
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn ok(&mut self, check: &'static str, text: impl Into<String>) {
        self.0.push(Finding { check, level: Level::Ok, text: text.into(), advice: None });
    }

    fn warn(&mut self, check: &'static str, text: impl Into<String>, advice: impl Into<String>) {
        self.0.push(Finding { check, level: Level::Warn, text: text.into(), advice: Some(advice.into()) });
    }

    fn fail(&mut self, check: &'static str, text: impl Into<String>, advice: impl Into<String>) {
        self.0.push(Finding { check, level: Level::Fail, text: text.into(), advice: Some(advice.into()) });
    }
}

pub(crate) fn doctor(args: DoctorArgs) -> Result<u8> {
    if let Some(pid) = args.pid.filter(|&pid| !process::exists(pid)) {
        return Err(Error::with(NO_PROCESS, format!("there is no process {pid}")));
    }
    let pid = args.pid.map(process::program_of).transpose()?;
    let mut findings = Findings::default();
    match (pid, args.program.first()) {
        (Some(pid), _) => of_process(&mut findings, pid),
        (None, program) => {
            let library = of_library(&mut findings, &args);
            if let Some(name) = program {
                of_program(&mut findings, name, library.as_ref())?;
            }
            of_environment(&mut findings, library.as_ref());
        }
    }
    of_machine(&mut findings);
    let proc = pid.map_or("/proc/self".to_owned(), |pid| format!("/proc/{pid}"));
    of_limits(&mut findings, &proc);
    of_cgroup(&mut findings, &proc);
    let failed = findings.0.iter().any(|finding| finding.level == Level::Fail);
    if args.json {
        output::print_json(&serde_json::json!({ "schema": 1, "ok": !failed, "findings": findings.0 }))?;
    } else {
        output::print(&text(&findings.0))?;
    }
    Ok(u8::from(failed))
}

fn text(findings: &[Finding]) -> String {
    let colours = output::colours();
    let width = findings.iter().map(|finding| finding.check.len()).max().unwrap_or(0);
    let mut out = String::new();
    for finding in findings {
        let (word, colour) = match finding.level {
            Level::Ok => ("ok  ", "\x1b[32m"),
            Level::Warn => ("warn", "\x1b[33m"),
            Level::Fail => ("fail", "\x1b[31m"),
        };
        let (on, off) = if colours { (colour, "\x1b[0m") } else { ("", "") };
        out += &format!("{on}{word}{off}  {:width$}  {}\n", finding.check, finding.text);
        if let Some(advice) = &finding.advice {
            out += &format!("{:pad$}{advice}\n", "", pad = width + 8);
        }
    }
    out
}

fn of_library(findings: &mut Findings, args: &DoctorArgs) -> Option<Library> {
    let library = match Library::find(&args.library) {
        Ok(library) => library,
        Err(error) => {
            findings.fail("library", error.message, "make && make install, or name it: --lib PATH, HAKMEM_LIB=PATH");
            return None;
        }
    };
    let place = format!("{} (from {})", library.path.display(), library.found);
    match library.version() {
        Ok(version) => findings.ok("library", format!("{version}: {place}")),
        Err(error) => findings.fail("library", format!("{place}: {}", error.message), "build it anew: make"),
    }
    Some(library)
}

/// A program before it runs, by its file and by what the loader would load.
fn of_program(findings: &mut Findings, name: &OsStr, library: Option<&Library>) -> Result<()> {
    let Some(program) = Program::find(name) else {
        return Err(Error::with(127, format!("{}: not found, or no program", output::quote(&[name]))));
    };
    let path = program.path.display().to_string();
    match &program.script {
        Some(script) => findings.ok("program", format!("{}: a script that {path} runs", script.display())),
        None => findings.ok("program", path.clone()),
    }
    if let Some(obstacle) = &program.obstacle {
        findings.fail("preload", format!("{path}: {}", obstacle.text()), obstacle.advice());
        return Ok(());
    }
    of_own_malloc(findings, program.own_malloc.as_ref());
    let (Some(library), Some(loader)) = (library, &program.interpreter) else { return Ok(()) };
    match listed(loader, &program.path, &library.path) {
        Ok(objects) if objects.contains(&library.path) => {
            findings.ok("preload", "the loader takes the library in");
        }
        Ok(_) => findings.fail(
            "preload",
            "the loader leaves the library out",
            "is it built for this machine? make; hakmem doctor",
        ),
        Err(why) => findings.fail(
            "preload",
            format!("the loader says: {why}"),
            "is it built for this machine? make; hakmem doctor",
        ),
    }
    Ok(())
}

/// What the loader would load, without running the program: as ldd asks it.
fn listed(loader: &Path, program: &Path, library: &Path) -> std::result::Result<Vec<PathBuf>, String> {
    let output = Command::new(loader)
        .arg("--list")
        .arg(program)
        .env("LD_PRELOAD", library)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    if let Some(line) = complaint.lines().find(|line| line.contains("LD_PRELOAD")) {
        return Err(line.to_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let paths =
        text.lines().filter_map(|line| line.trim().split(" (0x").next()?.split(" => ").last().map(PathBuf::from));
    Ok(paths.collect())
}

fn of_own_malloc(findings: &mut Findings, own: Option<&OwnMalloc>) {
    let rebuild = "build the program without its allocator, where it offers that";
    match own {
        None => findings.ok("malloc", "the program brings none of its own"),
        Some(own @ OwnMalloc::Exported) => findings.fail("malloc", own.text(), rebuild),
        Some(own) => findings.warn("malloc", own.text(), rebuild),
    }
}

fn of_process(findings: &mut Findings, pid: i32) {
    let program = Program::of_process(pid);
    let command = output::shorten(&output::quote(&process::command(pid)), 60);
    findings.ok("process", format!("{pid}: {command}"));
    let environment = process::environment(pid);
    let preload = environment.as_ref().ok().and_then(|environment| process::variable(environment, "LD_PRELOAD"));
    match served::mapped_files(pid) {
        Err(error) => {
            let error = process::cannot_look(pid, &error);
            findings.fail("loaded", error.message, "run hakmem doctor as that user, or as root");
        }
        Ok(files) => {
            let hakmem = files.iter().find(|file| library::is_hakmem(file));
            let own = program.as_ref().and_then(|program| program.own_malloc.clone());
            match hakmem {
                Some(file) if file.exists() => findings.ok("loaded", file.display().to_string()),
                Some(file) => findings.warn(
                    "loaded",
                    format!("{}, which is gone or replaced since", file.display()),
                    "the process keeps the old one; restart it to use the new",
                ),
                None if own == Some(OwnMalloc::Bundled("HAKMEM")) || own == Some(OwnMalloc::Exported) => {
                    findings.warn(
                        "loaded",
                        "no libhakmem.so; the program has a malloc linked in",
                        "HAKMEM_STATS=1 tells whether it is HAKMEM",
                    );
                }
                None => {
                    findings.fail("loaded", not_loaded(preload, program.as_ref()), "start it by: hakmem run -- PROG")
                }
            }
            if hakmem.is_some() {
                of_own_malloc(findings, own.as_ref());
            }
            let others: Vec<&str> =
                files.iter().filter_map(|file| peers::of_file(file)).filter(|name| *name != "hakmem").collect();
            if !others.is_empty() {
                let which = "the first one in LD_PRELOAD, or else in the order of linking, serves";
                findings.warn("other mallocs", format!("{} is loaded too", others.join(", ")), which);
            }
        }
    }
    if let Ok(environment) = &environment {
        let set: Vec<String> = environment
            .iter()
            .filter(|(name, _)| name.as_bytes().starts_with(b"HAKMEM_") && name != library::VARIABLE)
            .map(|(name, value)| output::quote(&[[name.as_os_str(), value.as_os_str()].join(OsStr::new("="))]))
            .collect();
        findings.ok("options", if set.is_empty() { "all at their defaults".to_owned() } else { set.join(" ") });
    }
}

fn not_loaded(preload: Option<&OsStr>, program: Option<&Program>) -> String {
    let obstacle = program.and_then(|program| program.obstacle.as_ref());
    match (preload, obstacle) {
        (_, Some(obstacle)) => format!("no libhakmem.so: {}", obstacle.text()),
        (Some(preload), None) if preload.as_bytes().windows(9).any(|part| part == b"libhakmem") => {
            format!("no libhakmem.so, though LD_PRELOAD names it: {}", preload.to_string_lossy())
        }
        _ => "no libhakmem.so: it was started without".to_owned(),
    }
}

/// What a program started from here would inherit.
fn of_environment(findings: &mut Findings, library: Option<&Library>) {
    let preload = env::var_os("LD_PRELOAD").unwrap_or_default();
    let also = fs::read("/etc/ld.so.preload").unwrap_or_default();
    let entries = preload.as_bytes().split(|byte| b": ".contains(byte)).chain(also.split(u8::is_ascii_whitespace));
    let others: Vec<&str> = entries.filter_map(|entry| peers::of_file(Path::new(OsStr::from_bytes(entry)))).collect();
    match others.iter().find(|name| **name != "hakmem") {
        Some(other) => {
            findings.warn(
                "LD_PRELOAD",
                format!("{other} is preloaded here already"),
                "hakmem run puts HAKMEM before it; or unset it",
            );
        }
        None if preload.is_empty() => findings.ok("LD_PRELOAD", "empty here"),
        None => findings.ok("LD_PRELOAD", preload.to_string_lossy()),
    }
    let set: Vec<OsString> = env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| name.as_bytes().starts_with(b"HAKMEM_") && name != library::VARIABLE)
        .collect();
    let known = library.and_then(|library| library.knobs().ok()).unwrap_or_default();
    let unknown: Vec<String> = set
        .iter()
        .filter(|name| known.iter().all(|knob| **name != *knob.name))
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    if !known.is_empty() && !unknown.is_empty() {
        findings.warn(
            "options",
            format!("unknown to the library: {}", unknown.join(", ")),
            "hakmem options lists those it has",
        );
    } else if set.is_empty() {
        findings.ok("options", "none set here");
    } else {
        findings.ok("options", output::quote(&set));
    }
}

fn of_machine(findings: &mut Findings) {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    findings.ok("kernel", format!("Linux {} {}", read("/proc/sys/kernel/osrelease"), env::consts::ARCH));
    // SAFETY: it returns a static string.
    let glibc = unsafe { CStr::from_ptr(libc::gnu_get_libc_version()) }.to_string_lossy().into_owned();
    let minor = glibc.strip_prefix("2.").and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
    if minor.is_none_or(|minor| minor >= 34) {
        findings.ok("glibc", glibc);
    } else {
        findings.fail("glibc", glibc, "HAKMEM needs 2.34 or newer");
    }
    // SAFETY: no memory is passed.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    if page == 4096 {
        findings.ok("page size", "4 KiB");
    } else {
        findings.warn("page size", units::bytes(page as f64), "HAKMEM is tested with pages of 4 KiB only");
    }
    let thp = read("/sys/kernel/mm/transparent_hugepage/enabled");
    match thp.split('[').nth(1).and_then(|rest| rest.split(']').next()) {
        Some("always") => findings.warn(
            "huge pages",
            "transparent huge pages are always on",
            "good for speed; where resident memory counts for more: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
        ),
        Some(mode) => findings.ok("huge pages", format!("transparent huge pages: {mode}")),
        None => findings.ok("huge pages", "the kernel has no transparent ones"),
    }
    match read("/proc/sys/vm/overcommit_memory").as_str() {
        "2" => findings.warn(
            "overcommit",
            "the kernel grants no more than it can back (vm.overcommit_memory = 2)",
            "what is reserved counts as used: allocations may fail early; see vm.overcommit_ratio",
        ),
        "" => findings.ok("overcommit", "unknown"),
        mode => findings.ok("overcommit", format!("vm.overcommit_memory = {mode}")),
    }
    let maps = read("/proc/sys/vm/max_map_count");
    match maps.parse::<u64>() {
        Ok(count) if count < 65_530 => findings.warn(
            "mappings",
            format!("{} a process at most", units::count(count)),
            "large blocks need one each: sysctl vm.max_map_count=65530 or more",
        ),
        Ok(count) => findings.ok("mappings", format!("{} a process at most", units::count(count))),
        Err(_) => {}
    }
}

/// RLIMIT_AS and RLIMIT_DATA, of this process or the one looked at.
fn of_limits(findings: &mut Findings, proc: &str) {
    /// Below this a program with many threads gets into trouble.
    const NARROW: u64 = 1 << 30;
    let limits = fs::read_to_string(format!("{proc}/limits")).unwrap_or_default();
    for (check, title, how) in
        [("address space", "Max address space", "ulimit -v"), ("data", "Max data size", "ulimit -d")]
    {
        let Some(line) = limits.lines().find_map(|line| line.strip_prefix(title)) else { continue };
        match line.split_whitespace().next().map(str::parse::<u64>) {
            Some(Ok(bytes)) if bytes < NARROW => findings.warn(
                check,
                format!("limited to {}", units::bytes(bytes as f64)),
                format!("HAKMEM maps 2 MiB at a time; beyond the limit allocations fail with ENOMEM: {how} unlimited"),
            ),
            Some(Ok(bytes)) => findings.ok(check, format!("limited to {}", units::bytes(bytes as f64))),
            _ => findings.ok(check, "not limited"),
        }
    }
}

/// The tightest memory limit of the process's control groups.
fn of_cgroup(findings: &mut Findings, proc: &str) {
    let groups = fs::read_to_string(format!("{proc}/cgroup")).unwrap_or_default();
    let mut tightest: Option<(u64, PathBuf)> = None;
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else { continue };
        let (root, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            list if list.split(',').any(|name| name == "memory") => ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            _ => continue,
        };
        let root = Path::new(root);
        for folder in root.join(path.trim_start_matches('/')).ancestors().take_while(|folder| folder.starts_with(root))
        {
            let limit = fs::read_to_string(folder.join(file)).ok().and_then(|text| text.trim().parse::<u64>().ok());
            // Version 1 says "unlimited" with a number near 2^63.
            let tighter = |&limit: &u64| limit < 1 << 60 && tightest.as_ref().is_none_or(|(least, _)| limit < *least);
            if let Some(limit) = limit.filter(tighter) {
                tightest = Some((limit, folder.to_owned()));
            }
        }
    }
    match tightest {
        Some((limit, folder)) if limit < 256 << 20 => findings.warn(
            "cgroup",
            format!("memory limited to {} by {}", units::bytes(limit as f64), folder.display()),
            "idle memory counts too: HAKMEM_DECAY_MS=0 gives it back at once",
        ),
        Some((limit, folder)) => {
            findings.ok("cgroup", format!("memory limited to {} by {}", units::bytes(limit as f64), folder.display()));
        }
        None => findings.ok("cgroup", "memory not limited"),
    }
}
