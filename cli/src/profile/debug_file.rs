//! Where the names of a file are: in itself, or in a separate file that a distribution's `-dbgsym` package, or `objcopy
//! --only-keep-debug`, made.

use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::{ffi::OsStr, fs};

use object::Object;
use object::read::ReadCache;

/// Where GDB looks as well.
const ROOT: &str = "/usr/lib/debug";

pub(crate) struct DebugFile {
    pub(crate) path: PathBuf,
    /// What dwz shared among several files.
    pub(crate) shared: Option<PathBuf>,
}

pub(crate) fn build_id(path: &Path) -> Option<String> {
    with(path, |elf| Some(hexadecimal(elf.build_id().ok()??)))
}

/// The file with the debug information for `path`, if it is another.
pub(crate) fn separate(path: &Path) -> Option<DebugFile> {
    let (id, link) = with(path, |elf| {
        let id = elf.build_id().ok().flatten().map(hexadecimal);
        let link = elf.gnu_debuglink().ok().flatten().map(|(name, _)| OsStr::from_bytes(name).to_owned());
        Some((id, link))
    })?;
    let by_id = id.as_deref().and_then(by_build_id);
    // Paths below the root are of the file itself, not of a link to it.
    let path = fs::canonicalize(path).ok()?;
    let by_link = || {
        let (folder, link) = (path.parent()?, link?);
        let below = Path::new(ROOT).join(folder.strip_prefix("/").ok()?);
        let candidates = [folder.join(&link), folder.join(".debug").join(&link), below.join(&link)];
        // Of the same build: a file of the same name may be from before the last update.
        candidates.into_iter().find(|file| *file != path && file.is_file() && build_id(file) == id)
    };
    let found = by_id.or_else(by_link)?;
    let shared = shared(&found);
    Some(DebugFile { path: found, shared })
}

pub(crate) fn shared(path: &Path) -> Option<PathBuf> {
    let (name, id) = with(path, |elf| {
        let (name, id) = elf.gnu_debugaltlink().ok()??;
        Some((PathBuf::from(OsStr::from_bytes(name)), hexadecimal(id)))
    })?;
    let folder = fs::canonicalize(path).ok()?.parent()?.to_owned();
    let beside = Some(folder.join(name)).filter(|file| file.is_file());
    beside.or_else(|| by_build_id(&id))
}

fn by_build_id(id: &str) -> Option<PathBuf> {
    let (first, rest) = id.split_at_checked(2)?;
    let file = Path::new(ROOT).join(".build-id").join(first).join(format!("{rest}.debug"));
    file.is_file().then_some(file)
}

fn with<T>(path: &Path, look: impl FnOnce(&object::File<&ReadCache<File>>) -> Option<T>) -> Option<T> {
    let cache = ReadCache::new(File::open(path).ok()?);
    let elf = object::File::parse(&cache).ok()?;
    look(&elf)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
