//! The files that the library wrote: one for each process, named by its number, and with another number behind it for each program that the
//! process has been since (`exec`).

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::error::{Context, Error, Result};

/// Bytes of a text that the library keeps.
const OPTION_MAX: usize = 255;

#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Raw {
    pub(crate) path: PathBuf,
    pub(crate) process: i32,
    /// 0: the first program that the process was.
    pub(crate) number: u32,
}

/// What the option is set to, for files in this folder.
pub(crate) fn setting(folder: &Path) -> Result<OsString> {
    let mut setting = Vec::new();
    for &byte in folder.as_os_str().as_bytes() {
        setting.extend(if byte == b'%' { &b"%%"[..] } else { std::slice::from_ref(&byte) });
    }
    setting.extend(b"/%p");
    if setting.len() > OPTION_MAX {
        return Err(Error::new(format!("{}: the name of the folder is too long", folder.display())));
    }
    Ok(OsStr::from_bytes(&setting).to_owned())
}

impl Raw {
    fn of(path: PathBuf) -> Option<Raw> {
        let name = path.file_name()?.to_str()?;
        let (process, number) = name.split_once('.').unwrap_or((name, "0"));
        Some(Raw { process: process.parse().ok()?, number: number.parse().ok()?, path })
    }

    pub(crate) fn bytes(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |file| file.len())
    }

    /// The name for its trace beside the one at `own`: `app.hkt` becomes `app.4711.hkt`.
    pub(crate) fn beside(&self, own: &Path) -> PathBuf {
        let mut name = own.file_stem().unwrap_or_default().to_owned();
        name.push(format!(".{}", self.process));
        if self.number > 0 {
            name.push(format!(".{}", self.number));
        }
        if let Some(extension) = own.extension() {
            name.push(".");
            name.push(extension);
        }
        own.with_file_name(name)
    }
}

/// The file of the process of this number, of the program that it was last; and all others, in order.
pub(crate) fn found(folder: &Path, process: i32) -> Result<(Option<Raw>, Vec<Raw>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).context(folder.display())? {
        all.extend(Raw::of(entry.context(folder.display())?.path()));
    }
    all.sort_by_key(|raw| (raw.process, raw.number));
    let last = all.iter().rposition(|raw| raw.process == process);
    let own = last.map(|index| all.remove(index));
    Ok((own, all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_what_it_was_last_and_names_are_put_beside_the_first() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["12", "12.1", "12.2", "7", "112.1", "notes", "x.1"] {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        let (own, others) = found(folder.path(), 12).unwrap();
        let own = own.unwrap();
        assert_eq!((own.process, own.number, own.bytes()), (12, 2, 4));
        let names: Vec<_> = others.iter().map(|raw| raw.beside(Path::new("a/app.hkt"))).collect();
        assert_eq!(names, ["a/app.7.hkt", "a/app.12.hkt", "a/app.12.1.hkt", "a/app.112.1.hkt"].map(PathBuf::from));
        assert_eq!(found(folder.path(), 8).unwrap().0, None);
    }

    #[test]
    fn a_percent_sign_in_the_folder_means_itself() {
        assert_eq!(setting(Path::new("/a%p/b")).unwrap(), "/a%%p/b/%p");
        assert!(setting(Path::new(&"/x".repeat(127))).is_err());
    }
}
