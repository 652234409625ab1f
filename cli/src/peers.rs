//! The allocators there are: the system's, HAKMEM, and whatever else is installed.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::library::{self, Library};

pub(crate) const SYSTEM: &str = "system";
pub(crate) const HAKMEM: &str = "hakmem";

/// Names and the files of each, as distributions and the projects' own builds call them.
const KNOWN: [(&str, &[&str]); 8] = [
    ("mimalloc", &["libmimalloc.so.3", "libmimalloc.so.2", "libmimalloc.so.2.0", "libmimalloc.so"]),
    ("jemalloc", &["libjemalloc.so.2", "libjemalloc.so"]),
    ("tcmalloc", &["libtcmalloc_minimal.so.4", "libtcmalloc.so.4", "libtcmalloc_minimal.so"]),
    ("snmalloc", &["libsnmallocshim.so"]),
    ("rpmalloc", &["librpmallocwrap.so", "librpmalloc.so"]),
    ("hardened_malloc", &["libhardened_malloc.so"]),
    ("scudo", &["libscudo.so"]),
    ("mesh", &["libmesh.so.1", "libmesh.so"]),
];

pub(crate) struct Allocator {
    pub(crate) name: String,
    /// What is preloaded; `None`: the system's malloc.
    pub(crate) library: Option<PathBuf>,
}

/// The system's, HAKMEM, and those of `--with`, or without it all that are installed.
pub(crate) fn choose(hakmem: &Library, with: &[String]) -> Result<Vec<Allocator>> {
    let mut chosen = vec![
        Allocator { name: SYSTEM.to_owned(), library: None },
        Allocator { name: HAKMEM.to_owned(), library: Some(hakmem.path.clone()) },
    ];
    if with.is_empty() {
        for (name, files) in KNOWN {
            chosen.extend(installed(files).map(|library| Allocator { name: name.to_owned(), library: Some(library) }));
        }
        return Ok(chosen);
    }
    for word in with.iter().filter(|word| !(with.len() == 1 && *word == "none")) {
        let allocator = named(word)?;
        let same = chosen.iter().find(|known| known.name == allocator.name);
        match same {
            // "system" and "hakmem" are there already, and no harm in saying so.
            Some(known) if known.library == allocator.library || !word.contains('=') => {}
            Some(known) => return Err(Error::usage(format!("--with: there are two called '{}'", known.name))),
            None => chosen.push(allocator),
        }
    }
    Ok(chosen)
}

fn named(word: &str) -> Result<Allocator> {
    if let Some((name, path)) = word.split_once('=') {
        if name.is_empty() || path.is_empty() {
            return Err(Error::usage(format!("--with: '{word}' is not NAME=PATH")));
        }
        let library = std::fs::canonicalize(path).map_err(|error| Error::new(format!("--with {word}: {error}")))?;
        if !library.is_file() {
            return Err(Error::new(format!("--with {word}: not a file")));
        }
        library::check_preloadable(&library)?;
        return Ok(Allocator { name: name.to_owned(), library: Some(library) });
    }
    if word == SYSTEM || word == HAKMEM {
        return Ok(Allocator { name: word.to_owned(), library: None });
    }
    let Some((name, files)) = KNOWN.iter().find(|(name, _)| *name == word) else {
        let names: Vec<_> = KNOWN.iter().map(|(name, _)| *name).collect();
        return Err(Error::usage(format!("--with: '{word}' is none of {}, NAME=PATH, none", names.join(", "))));
    };
    match installed(files) {
        Some(library) => Ok(Allocator { name: (*name).to_owned(), library: Some(library) }),
        None => Err(Error::new(format!("{name} is not installed: no {} in the loader's paths", files.join(" or ")))),
    }
}

fn installed(files: &[&str]) -> Option<PathBuf> {
    let folders = library::system_folders();
    let found = files.iter().find_map(|file| {
        let found = folders.iter().map(|folder| folder.join(file)).find(|path| path.is_file());
        found.or_else(|| library::in_loader_cache(file))
    })?;
    std::fs::canonicalize(found).ok().filter(|path| library::check_preloadable(path).is_ok())
}

/// Which known allocator a library's file name stands for.
pub(crate) fn of_file(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?;
    if name.starts_with("libhakmem.so") {
        return Some("hakmem");
    }
    KNOWN.iter().find(|(known, _)| name.starts_with(&format!("lib{known}"))).map(|(known, _)| *known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_known_by_their_files() {
        for (file, name) in [
            ("/usr/lib/libjemalloc.so.2", Some("jemalloc")),
            ("/x/libtcmalloc_minimal.so.4.5.10", Some("tcmalloc")),
            ("/x/libhakmem.so", Some("hakmem")),
            ("/x/libm.so.6", None),
        ] {
            assert_eq!(of_file(Path::new(file)), name);
        }
    }

    #[test]
    fn wrong_names_are_usage_errors() {
        let hakmem = Library { path: "/x/libhakmem.so".into(), found: "" };
        for with in ["bogus", "=x", "a=", ""] {
            assert_eq!(choose(&hakmem, &[with.to_owned()]).err().map(|error| error.status), Some(2), "{with}");
        }
        let chosen = choose(&hakmem, &["none".to_owned()]).unwrap();
        assert_eq!(chosen.iter().map(|a| &*a.name).collect::<Vec<_>>(), ["system", "hakmem"]);
        let same = choose(&hakmem, &["a=/bin/sh".to_owned(), "a=/etc/passwd".to_owned()]);
        assert_eq!(same.err().map(|error| error.status), Some(2));
    }
}
