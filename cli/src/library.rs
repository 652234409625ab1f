//! Finding libhakmem.so, and asking it for what only it knows.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Serialize;

use crate::args::common::LibraryArgs;
use crate::error::{Context, Error, Result};

/// What `hakmem run` exits with when it can't do its part, as `env`, `nice` and `timeout` do.
pub(crate) const CANNOT_RUN: u8 = 125;

/// Names the library to this program. The library itself would call it an unknown option, so programs don't inherit it.
pub(crate) const VARIABLE: &str = "HAKMEM_LIB";

/// The development name first: beside a build there is no other.
const NAMES: [&str; 2] = ["libhakmem.so", "libhakmem.so.0"];

pub(crate) struct Library {
    pub(crate) path: PathBuf,
    /// How it was found, for the doctor.
    pub(crate) found: &'static str,
}

/// One option of the library, as HAKMEM_HELP=1 tells it.
#[derive(Serialize)]
pub(crate) struct Knob {
    pub(crate) name: String,
    pub(crate) default: String,
    pub(crate) range: String,
    pub(crate) help: String,
    /// Whether `hak_option_set` changes it in a running process.
    pub(crate) live: bool,
}

impl Library {
    pub(crate) fn find(args: &LibraryArgs) -> Result<Library> {
        let named = [(args.path.clone(), "--lib"), (env::var_os(VARIABLE).map(PathBuf::from), VARIABLE)];
        for (path, found) in named {
            if let Some(path) = path.filter(|path| !path.as_os_str().is_empty()) {
                let path = fs::canonicalize(&path)
                    .map_err(|error| Error::with(CANNOT_RUN, format!("{found}: {}: {error}", path.display())))?;
                return Library { path, found }.checked();
            }
        }
        for (folder, found) in folders() {
            for name in NAMES {
                let path = fs::canonicalize(folder.join(name)).ok();
                if let Some(path) = path.filter(|path| path.is_file()) {
                    return Library { path, found }.checked();
                }
            }
        }
        if let Some(path) = NAMES.iter().find_map(|name| in_loader_cache(name)) {
            return Library { path, found: "the loader's cache" }.checked();
        }
        Err(Error::with(
            CANNOT_RUN,
            "libhakmem.so was not found: build it (make), install it, or name it by --lib or HAKMEM_LIB",
        ))
    }

    fn checked(self) -> Result<Library> {
        check_preloadable(&self.path).map(|()| self)
    }

    /// The value of LD_PRELOAD that puts the library before what is there already.
    pub(crate) fn preload_before(&self, present: Option<OsString>) -> OsString {
        let mut value = self.path.clone().into_os_string();
        if let Some(present) = present.filter(|present| !present.is_empty()) {
            value.push(":");
            value.push(present);
        }
        value
    }

    /// The table of options, from the library itself.
    pub(crate) fn knobs(&self) -> Result<Vec<Knob>> {
        let text = self.ask(true)?;
        let knobs = parse_help(&text.stderr);
        if knobs.is_empty() { Err(self.refused(&text.stderr)) } else { Ok(knobs) }
    }

    /// `hakmem 0.1.0`, from the library itself.
    pub(crate) fn version(&self) -> Result<String> {
        let text = self.ask(false)?;
        let version = text.stdout.trim();
        if version.is_empty() { Err(self.refused(&text.stderr)) } else { Ok(version.to_owned()) }
    }

    /// This program starts once more under the library, and says who serves it (`print_served`).
    fn ask(&self, help: bool) -> Result<Said> {
        let myself = env::current_exe().context("this program's own path")?;
        let mut command = Command::new(myself);
        command.arg("served").stdin(Stdio::null());
        for (name, _) in env::vars_os().filter(|(name, _)| name.as_bytes().starts_with(b"HAKMEM_")) {
            command.env_remove(name);
        }
        if help {
            command.env("HAKMEM_HELP", "1");
        }
        let output = command.env("LD_PRELOAD", &self.path).output().context("this program")?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Said { stdout: text(&output.stdout), stderr: text(&output.stderr) })
    }

    fn refused(&self, complaint: &str) -> Error {
        let why = first_line(complaint);
        Error::with(CANNOT_RUN, format!("{} could not be preloaded, or is no libhakmem.so{why}", self.path.display()))
    }
}

struct Said {
    stdout: String,
    stderr: String,
}

/// Prints the version of the HAKMEM that serves this very process; nothing where none does.
pub(crate) fn print_served() -> Result<u8> {
    // SAFETY: a C string.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"hak_version".as_ptr()) };
    if found.is_null() {
        return Ok(1);
    }
    // SAFETY: include/hakmem.h says so.
    let version = unsafe { std::mem::transmute::<*mut libc::c_void, extern "C" fn() -> *const libc::c_char>(found) };
    // SAFETY: it returns a static C string.
    let text = unsafe { std::ffi::CStr::from_ptr(version()) };
    crate::output::print(&format!("{}\n", text.to_string_lossy()))?;
    Ok(0)
}

fn first_line(text: &str) -> String {
    text.lines().next().map(|line| format!(" ({line})")).unwrap_or_default()
}

/// LD_PRELOAD is a list separated by colons and spaces, without a way to quote either.
pub(crate) fn check_preloadable(path: &Path) -> Result<()> {
    let bytes = path.as_os_str().as_bytes();
    if bytes.iter().any(|byte| b": \t\n".contains(byte)) {
        let why = "LD_PRELOAD can't name a path with a space or a colon in it: link to it from elsewhere";
        return Err(Error::with(CANNOT_RUN, format!("{}: {why}", path.display())));
    }
    Ok(())
}

fn folders() -> Vec<(PathBuf, &'static str)> {
    let mut folders = Vec::new();
    if let Some(here) = env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_owned)) {
        folders.push((here.clone(), "beside this program"));
        if let Some(prefix) = here.parent() {
            let lib = prefix.join("lib");
            folders.extend(multiarch(&lib).into_iter().map(|folder| (folder, "../lib of this program")));
            folders.push((lib, "../lib of this program"));
            folders.push((prefix.join("lib64"), "../lib64 of this program"));
        }
        folders.extend(here.ancestors().map(|folder| (folder.join("target/release"), "the build tree")));
    }
    folders.extend(system_folders().into_iter().map(|folder| (folder, "the system's libraries")));
    folders
}

/// Where distributions and `make install` put libraries.
pub(crate) fn system_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for root in ["/usr/local/lib", "/usr/lib", "/lib"].map(Path::new) {
        folders.extend(multiarch(root));
        folders.push(root.to_owned());
    }
    folders.extend(["/usr/local/lib64", "/usr/lib64", "/lib64"].map(PathBuf::from));
    folders
}

/// `lib/x86_64-linux-gnu`: only this machine's, as there may be others beside it.
fn multiarch(lib: &Path) -> Option<PathBuf> {
    let folder = lib.join(format!("{}-linux-gnu", env::consts::ARCH));
    folder.is_dir().then_some(folder)
}

/// The path that the loader's cache has for a name.
pub(crate) fn in_loader_cache(name: &str) -> Option<PathBuf> {
    let program = ["/sbin/ldconfig", "/usr/sbin/ldconfig", "ldconfig"];
    let output =
        program.iter().find_map(|ldconfig| Command::new(ldconfig).arg("-p").stderr(Stdio::null()).output().ok())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // 	libm.so.6 (libc6,x86-64) => /lib/x86_64-linux-gnu/libm.so.6
    text.lines().find_map(|line| {
        let (entry, path) = line.trim().split_once(" => ")?;
        let (entry, kind) = entry.split_once(' ')?;
        let native = env::consts::ARCH != "x86_64" || kind.contains("x86-64");
        (entry == name && native && Path::new(path).is_file()).then(|| PathBuf::from(path))
    })
}

const LIVE: &str = "; also while running";

/// `  NAME=default  (range)` and the help on the line below.
fn parse_help(text: &str) -> Vec<Knob> {
    let mut knobs: Vec<Knob> = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("     ") {
            if let Some(knob) = knobs.last_mut() {
                knob.help += if knob.help.is_empty() { "" } else { " " };
                knob.help += rest.trim();
            }
            continue;
        }
        let setting = line.strip_prefix("  HAKMEM_").and_then(|rest| rest.split_once('='));
        let setting = setting.and_then(|(name, rest)| Some((name, rest.rsplit_once(" (")?)));
        if let Some((name, (default, range))) = setting {
            let range = range.trim_end_matches(')');
            let live = range.strip_suffix(LIVE);
            knobs.push(Knob {
                name: format!("HAKMEM_{name}"),
                default: default.trim().to_owned(),
                range: live.unwrap_or(range).to_owned(),
                help: String::new(),
                live: live.is_some(),
            });
        }
    }
    knobs
}

/// `decay-ms`, `DECAY_MS` and `HAKMEM_DECAY_MS` are one.
pub(crate) fn full_name(name: &str) -> String {
    let name = name.to_ascii_uppercase().replace('-', "_");
    if name.starts_with("HAKMEM_") { name } else { format!("HAKMEM_{name}") }
}

/// Whether a file is the library, by its name.
pub(crate) fn is_hakmem(path: &Path) -> bool {
    path.file_name().is_some_and(|name: &OsStr| name.as_bytes().starts_with(b"libhakmem.so"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_librarys_help_is_read() {
        let text = "hakmem: options, read from the environment at start\n  HAKMEM_A=1  (0..1; also while running)\n     1: on; 0: off (x)\n  \
                    HAKMEM_B=  (text)\n     where to\n";
        let knobs = parse_help(text);
        let seen: Vec<_> = knobs.iter().map(|k| [&*k.name, &k.default, &k.range, &k.help]).collect();
        assert_eq!(seen, [["HAKMEM_A", "1", "0..1", "1: on; 0: off (x)"], ["HAKMEM_B", "", "text", "where to"]]);
        assert_eq!(knobs.iter().map(|knob| knob.live).collect::<Vec<_>>(), [true, false]);
        assert!(parse_help("ERROR: ld.so: object 'x' from LD_PRELOAD cannot be preloaded").is_empty());
    }

    #[test]
    fn names_of_options_may_be_short() {
        for name in ["decay-ms", "DECAY_MS", "HAKMEM_DECAY_MS"] {
            assert_eq!(full_name(name), "HAKMEM_DECAY_MS");
        }
    }

    #[test]
    fn paths_that_ld_preload_cannot_express_are_refused() {
        assert!(check_preloadable(Path::new("/a b/lib.so")).is_err());
        assert!(check_preloadable(Path::new("/a/lib:1.so")).is_err());
        assert!(check_preloadable(Path::new("/a/lib.so")).is_ok());
    }
}
