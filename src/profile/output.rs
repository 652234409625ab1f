//! Profiles as files: at exit, and whenever the program asks.

use core::ffi::CStr;
use core::sync::atomic::{AtomicU32, Ordering};

use errno::errno;

use super::objects::Objects;
use super::pprof::{Message, Seen, Source};
use super::stacks::{self, NoStack};
use super::tables::{self, Tables};
use super::{counts, occasions, peak, switch};
use crate::base::addr::Addr;
use crate::base::aside::Aside;
use crate::base::bits::round_up;
use crate::base::sync::AtomicUsize;
use crate::config::{TEXT_MAX, get, text};
use crate::os::file::{self, File};
use crate::os::lock::{self, Mutex};
use crate::os::{self, env};
use crate::stats::path::{Name, Path};
use crate::stats::text::Text;

/// What a profile's names are put together in, not on the stack of whatever thread writes.
struct Names {
    target: [u8; TEXT_MAX],
    path: Path,
    spare: Path,
}

/// Only tried: one profile at a time.
static WRITING: Aside<Mutex<Names>> =
    Aside(Mutex::new(Names { target: [0; TEXT_MAX], path: Path::new(), spare: Path::new() }));

/// Files that were asked for without a name.
static DUMPS: AtomicU32 = AtomicU32::new(0);

/// What is needed while a profile is written; mapped for that time.
struct Scratch {
    objects: Objects,
    message: Message,
    buffer: Buffer,
}

/// What goes to the file by one call of the kernel.
struct Buffer {
    bytes: [u8; 1 << 14],
    len: usize,
}

impl Buffer {
    /// Takes a piece in; what is full goes to `file`.
    fn take(&mut self, piece: &[u8], file: &File) -> Written {
        for &byte in piece {
            if self.len == self.bytes.len() {
                self.flush(file)?;
            }
            if let Some(slot) = self.bytes.get_mut(self.len) {
                *slot = byte;
                self.len += 1;
            }
        }
        Ok(())
    }

    fn flush(&mut self, file: &File) -> Written {
        let whole = self.bytes.get(..self.len).is_some_and(|bytes| file.write(bytes));
        self.len = 0;
        if whole { Ok(()) } else { Err(errno().0) }
    }
}

/// Why there is no profile: an errno.
type Written = Result<(), i32>;

/// At exit, if `HAKMEM_PROF=1`: the file of `HAKMEM_PROF_FILE`, or one line on stderr.
pub(crate) fn at_exit() {
    if get::prof() == 1 && tables::get().is_some() {
        let _ = dump(None);
    }
}

/// Another thread of the parent's may have been at it.
pub(crate) fn at_fork_child() {
    lock::free_in_child(&WRITING);
}

/// Writes a profile to the file `path`, or to that of `HAKMEM_PROF_FILE`, which one line on stderr names if that fails. Any thread, no lock held.
pub(crate) fn dump(path: Option<&CStr>) -> Written {
    // Relaxed: a number.
    write(path, &|| Name { word: "", number: Some(u64::from(DUMPS.fetch_add(1, Ordering::Relaxed)) + 1) })
}

/// Writes what the occasions asked for. Any thread, no lock held.
#[cold]
#[inline(never)]
pub(crate) fn write_occasions() {
    for occasion in occasions::take_due() {
        let name = occasion.name();
        if write(None, &|| name) == Err(libc::EBUSY) {
            occasions::put_back(occasion);
        }
    }
}

fn write(path: Option<&CStr>, name: &dyn Fn() -> Name) -> Written {
    let mut done = Ok(());
    match stacks::run(&mut || done = write_here(path, name)) {
        Ok(()) => done,
        Err(NoStack::Now) => Err(libc::EBUSY),
        // Mostly since the profiler never was on.
        Err(NoStack::Never) => write_here(path, name),
    }
}

#[inline(never)]
fn write_here(path: Option<&CStr>, name: &dyn Fn() -> Name) -> Written {
    if env::is_privileged() {
        return Err(libc::EPERM);
    }
    let tables = tables::get().filter(|_| switch::has_begun()).ok_or(libc::ENODATA)?;
    let mut names = WRITING.try_lock().ok_or(libc::EBUSY)?;
    let Names { target, path: full, spare } = &mut *names;
    let asked = path.is_some();
    let target = path.map_or_else(|| text::prof_file(target), CStr::to_bytes);
    let name = Some(name());
    let named = full.expand(target, b"", name) && spare.expand(target, b".%p.tmp", name);
    let done = if named { write_file(tables, full.as_c(), spare.as_c()) } else { Err(libc::ENAMETOOLONG) };
    if let (Err(why), false) = (done, asked) {
        Text::stderr()
            .str("hakmem: HAKMEM_PROF_FILE=")
            .bytes(target)
            .str(": can't write (errno ")
            .int(why.into())
            .str(")\n");
    }
    done
}

/// Writes a new file and gives it its name when it is whole. A link of that name is replaced, not followed.
fn write_file(tables: &'static Tables, path: &CStr, spare: &CStr) -> Written {
    if !file::may_replace(path) {
        return Err(libc::EEXIST);
    }
    let fresh = File::create_private(spare).ok_or_else(|| errno().0)?;
    let done = fill(&fresh, tables, Form::of(path.to_bytes()));
    let done = done.and_then(|()| if file::rename(spare, path) { Ok(()) } else { Err(errno().0) });
    if done.is_err() {
        file::remove(spare);
    }
    done
}

/// How a profile is written: by the end of its name.
#[derive(Clone, Copy)]
enum Form {
    Pprof,
    Folded,
    /// What is live.
    List,
}

impl Form {
    fn of(path: &[u8]) -> Form {
        if path.ends_with(b".folded") {
            Form::Folded
        } else if path.ends_with(b".txt") {
            Form::List
        } else {
            Form::Pprof
        }
    }
}

fn fill(file: &File, tables: &'static Tables, form: Form) -> Written {
    let sites = tables.sites();
    let _settled = peak::settle(&sites, counts::live_bytes());
    // Twice as many as there are, for the search; and some that come meanwhile.
    let places = (2 * (sites.frames() + 1024)).next_power_of_two();
    let head = size_of::<Scratch>().next_multiple_of(64);
    let bytes = round_up(head + places * size_of::<AtomicUsize>(), os::page_size()).ok_or(libc::ENOMEM)?;
    // Where the program has come to its hard limit, this is what it has to know.
    let at = os::map_anyway(bytes).ok_or(libc::ENOMEM)?;
    // SAFETY: fresh pages, ours alone, and zeroes are valid.
    let scratch = unsafe { &mut *at.as_ptr::<Scratch>() };
    // SAFETY: likewise, behind it.
    let places = unsafe { core::slice::from_raw_parts(Addr(at.0 + head).as_ptr::<AtomicUsize>(), places) };
    let Scratch { objects, message, buffer } = scratch;
    objects.take();
    let mut done = Ok(());
    let mut sink = |piece: &[u8]| {
        if done.is_ok() {
            done = buffer.take(piece, file);
        }
    };
    let source = Source { sites, objects, rate: tables::rate() };
    match form {
        Form::Folded => source.write_folded(&mut sink),
        Form::List => source.write_live(places, &mut sink),
        Form::Pprof => source.write_pprof(message, &mut Seen { places, len: 0 }, &mut sink),
    }
    let done = done.and_then(|()| buffer.flush(file));
    os::unmap(at, bytes);
    done
}
