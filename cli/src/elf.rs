//! A program as the loader will see it: found, read, and asked whether a preloaded malloc can serve it.

use std::env;
use std::ffi::{CString, OsStr};
use std::fs::{self, File, Metadata};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use object::read::ReadCache;
use object::{Architecture, Object, ObjectSymbol};

/// What stands between a program and a preloaded library.
#[derive(Clone, PartialEq)]
pub(crate) enum Obstacle {
    /// The loader never runs.
    Static,
    /// The loader ignores LD_PRELOAD: set-user-ID, set-group-ID, file capabilities.
    Privileged(&'static str),
    /// Its loader is not glibc's.
    Musl,
    /// Of another machine or word size than the library.
    Foreign(String),
}

/// A malloc that a program brings along.
#[derive(Clone, PartialEq)]
pub(crate) enum OwnMalloc {
    /// It exports `malloc`: the loader binds every library to that one.
    Exported,
    /// It holds this allocator's functions, perhaps for its own use only.
    Bundled(&'static str),
}

pub(crate) struct Program {
    /// The file that runs: of a script, its interpreter.
    pub(crate) path: PathBuf,
    /// The script, where it is one.
    pub(crate) script: Option<PathBuf>,
    pub(crate) interpreter: Option<PathBuf>,
    pub(crate) obstacle: Option<Obstacle>,
    pub(crate) own_malloc: Option<OwnMalloc>,
}

impl Obstacle {
    pub(crate) fn text(&self) -> String {
        match self {
            Obstacle::Static => "it is statically linked: there is no loader to preload anything".to_owned(),
            Obstacle::Privileged(how) => format!("it is {how}: the loader ignores LD_PRELOAD"),
            Obstacle::Musl => "it is linked with musl, the library with glibc".to_owned(),
            Obstacle::Foreign(what) => format!("it is {what}, which the library is not"),
        }
    }
}

impl Obstacle {
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Obstacle::Static => "link it dynamically, or with libhakmem.a",
            Obstacle::Privileged(_) => "link it with libhakmem, or name the library in /etc/ld.so.preload",
            Obstacle::Musl => "HAKMEM needs a program linked with glibc",
            Obstacle::Foreign(_) => "HAKMEM serves programs of its own machine and word size only",
        }
    }
}

impl OwnMalloc {
    pub(crate) fn text(&self) -> String {
        match self {
            OwnMalloc::Exported => {
                "it exports a malloc of its own, which comes before any that is preloaded".to_owned()
            }
            OwnMalloc::Bundled(name) => {
                format!("it holds a {name} of its own: what it allocates by that is not served")
            }
        }
    }
}

impl Program {
    /// `None`: not found, or not a program that can be read; then only running it will tell.
    pub(crate) fn find(name: &OsStr) -> Option<Program> {
        let mut path = in_path(name)?;
        let mut script = None;
        // A script's interpreter may be a script; the kernel follows four.
        for _ in 0..4 {
            let Some(next) = shebang(&path) else { break };
            script.get_or_insert(path);
            path = next;
        }
        Program::read(path, script)
    }

    /// The program that a process runs.
    pub(crate) fn of_process(pid: i32) -> Option<Program> {
        let link = PathBuf::from(format!("/proc/{pid}/exe"));
        let mut program = Program::read(link.clone(), None)?;
        program.path = fs::read_link(link).ok()?;
        Some(program)
    }

    fn read(path: PathBuf, script: Option<PathBuf>) -> Option<Program> {
        let file = File::open(&path).ok()?;
        let metadata = file.metadata().ok()?;
        let cache = ReadCache::new(file);
        let elf = object::File::parse(&cache).ok()?;
        let interpreter = interpreter(&path);
        let obstacle = if interpreter.is_none() {
            Some(Obstacle::Static)
        } else if !elf.is_64() || elf.architecture() != own_architecture() {
            let bits = if elf.is_64() { 64 } else { 32 };
            Some(Obstacle::Foreign(format!("{bits}-bit {:?}", elf.architecture())))
        } else if interpreter.as_ref().is_some_and(|path| path.to_string_lossy().contains("ld-musl")) {
            Some(Obstacle::Musl)
        } else {
            privilege(&path, &metadata).map(Obstacle::Privileged)
        };
        let own_malloc = own_malloc(&elf);
        Some(Program { path, script, interpreter, obstacle, own_malloc })
    }
}

fn own_architecture() -> Architecture {
    match env::consts::ARCH {
        "aarch64" => Architecture::Aarch64,
        "riscv64" => Architecture::Riscv64,
        _ => Architecture::X86_64,
    }
}

fn own_malloc<'a>(elf: &impl Object<'a>) -> Option<OwnMalloc> {
    if elf.dynamic_symbols().any(|symbol| symbol.is_definition() && symbol.name() == Ok("malloc")) {
        return Some(OwnMalloc::Exported);
    }
    const MARKS: [(&str, &str); 9] = [
        ("je_malloc", "jemalloc"),
        ("_rjem_malloc", "jemalloc"),
        ("mallocx", "jemalloc"),
        ("mi_malloc", "mimalloc"),
        ("tc_malloc", "tcmalloc"),
        ("TCMallocInternalMalloc", "tcmalloc"),
        ("sn_malloc", "snmalloc"),
        ("rpmalloc", "rpmalloc"),
        ("hak_version", "HAKMEM"),
    ];
    elf.symbols().chain(elf.dynamic_symbols()).filter(|symbol| symbol.is_definition()).find_map(|symbol| {
        let name = symbol.name().ok()?;
        MARKS.iter().find(|(mark, _)| *mark == name).map(|(_, allocator)| OwnMalloc::Bundled(allocator))
    })
}

/// PT_INTERP: the loader that the kernel starts.
fn interpreter(path: &Path) -> Option<PathBuf> {
    // The segment is at the file's beginning for every linker there is; read by hand because the crate's common
    // interface has no program headers.
    use object::elf::{FileHeader32, FileHeader64, PT_INTERP};
    use object::read::elf::{FileHeader, ProgramHeader};
    fn of<H: FileHeader<Endian = object::Endianness>>(cache: &ReadCache<File>) -> Option<Vec<u8>> {
        let header = H::parse(cache).ok()?;
        let endian = header.endian().ok()?;
        let segments = header.program_headers(endian, cache).ok()?;
        let segment = segments.iter().find(|segment| segment.p_type(endian) == PT_INTERP)?;
        segment.data(endian, cache).ok().map(<[u8]>::to_vec)
    }
    let cache = ReadCache::new(File::open(path).ok()?);
    let bytes = of::<FileHeader64<_>>(&cache).or_else(|| of::<FileHeader32<_>>(&cache))?;
    let bytes = bytes.split(|&byte| byte == 0).next()?;
    Some(PathBuf::from(OsStr::from_bytes(bytes)))
}

/// What makes the kernel start it in secure mode. Root gains nothing from root's set-user-ID programs.
fn privilege(path: &Path, metadata: &Metadata) -> Option<&'static str> {
    // SAFETY: these can't fail and take nothing.
    let (uid, gid) = unsafe { (libc::getuid(), libc::getgid()) };
    if metadata.mode() & libc::S_ISUID != 0 && metadata.uid() != uid {
        return Some("set-user-ID");
    }
    if metadata.mode() & libc::S_ISGID != 0 && metadata.gid() != gid {
        return Some("set-group-ID");
    }
    let path = CString::new(path.as_os_str().as_bytes()).ok()?;
    // SAFETY: two C strings; no buffer, so only the length is asked.
    let length = unsafe { libc::getxattr(path.as_ptr(), c"security.capability".as_ptr(), std::ptr::null_mut(), 0) };
    (length > 0 && uid != 0).then_some("given file capabilities")
}

/// As execvp looks for it.
fn in_path(name: &OsStr) -> Option<PathBuf> {
    if name.as_bytes().contains(&b'/') {
        return Some(PathBuf::from(name));
    }
    candidates(name).into_iter().find(|file| file.metadata().is_ok_and(|metadata| metadata.mode() & 0o111 != 0))
}

/// The files of this name in PATH, executable or not.
pub(crate) fn candidates(name: &OsStr) -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    env::split_paths(&path).map(|folder| folder.join(name)).filter(|file| file.is_file()).collect()
}

/// The interpreter of a script; `env NAME` is looked through.
fn shebang(path: &Path) -> Option<PathBuf> {
    let mut line = Vec::new();
    BufReader::new(File::open(path).ok()?.take(256)).read_until(b'\n', &mut line).ok()?;
    let words = line.strip_prefix(b"#!")?.trim_ascii();
    let mut words = words.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).map(OsStr::from_bytes);
    let interpreter = Path::new(words.next()?);
    if interpreter.file_name() == Some(OsStr::new("env")) {
        let name = words.find(|word| !word.as_bytes().starts_with(b"-") && !word.as_bytes().contains(&b'='))?;
        return in_path(name);
    }
    Some(interpreter.to_owned())
}
