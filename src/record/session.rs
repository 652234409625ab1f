//! `Session`: a process's record, from its first call on. It lies in a page that the kernel hands to a child of fork empty, however that is made: what the
//! child finds is a session that has not begun, and it begins one of its own.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};

use errno::Errno;

use super::chunk::CHUNK;
use super::header::{self, Header};
use super::recorder::Recorder;
use super::state;
use crate::base::addr::Addr;
use crate::base::bits::round_up;
use crate::config::{TEXT_MAX, text};
use crate::os::lock::Mutex;
use crate::os::shared::{self, Shared};
use crate::os::{self, env};
use crate::stats::path::{Name, Path};
use crate::stats::text::Text;

/// Zero is one that has not begun, and all of it is valid as zeroes.
///
/// | state    | means                        | leaves by                                         |
/// |----------|------------------------------|---------------------------------------------------|
/// | FRESH    | not begun                    | `begin` → STARTING, by whoever comes first         |
/// | STARTING | its file is made             | `begin` → ON, or OVER if that can't be             |
/// | ON       | chunks are to be had         | `end` → OVER: no room, or no memory                |
/// | OVER     | nothing more is written      | never; a child of fork finds FRESH in any case    |
pub(super) struct Session {
    state: AtomicU32,
    /// The number, from when it is ON, where a child finds zeroes without our help; else 0.
    current: AtomicU32,
    number: AtomicU32,
    /// Whose session it is: asked only where the kernel hands a child what was here.
    process: AtomicU32,
    /// Chunks given out, and threads that have a number.
    chunks: AtomicU32,
    threads: AtomicU32,
    header: AtomicPtr<Header>,
    shared: Mutex<Recorder>,
    /// Written while STARTING, by who made it that; only read while ON.
    names: UnsafeCell<Names>,
}

// SAFETY: `names` as it says; `state` orders the two.
unsafe impl Sync for Session {}

/// What the file's name is put together in, not on the stack of whatever thread comes first.
struct Names {
    target: [u8; TEXT_MAX],
    path: Path,
}

const FRESH: u32 = 0;
const STARTING: u32 = 1;
const ON: u32 = 2;
const OVER: u32 = 3;

static SESSION: AtomicPtr<Session> = AtomicPtr::new(core::ptr::null_mut());
/// Whether a child finds it empty.
static WIPES: AtomicBool = AtomicBool::new(false);
/// Sessions that this process, and those it was forked from, have begun: the number of the last one.
static NUMBER: AtomicU32 = AtomicU32::new(0);
static FILE: Shared = Shared::none();
/// Where the header of the last session is mapped: a child unmaps its parent's.
static HEADER: AtomicPtr<Header> = AtomicPtr::new(core::ptr::null_mut());

/// Whether a recorder of the session of this number may write at once.
#[inline(always)]
pub(super) fn is_current(number: u32) -> bool {
    let session = SESSION.load(Ordering::Relaxed);
    // SAFETY: null, or mapped for ever; published before any recorder of a session was. Relaxed, both: the number is compared only, and what it
    // stands for was acquired when the recorder got it.
    unsafe { session.as_ref() }.is_some_and(|session| session.current.load(Ordering::Relaxed) == number)
}

/// Begins the process's record. Says whether there is one.
pub(super) fn open(late: bool) -> bool {
    if SESSION.load(Ordering::Relaxed).is_null() {
        let Some(bytes) = round_up(size_of::<Session>(), os::page_size()) else { return false };
        let Some(at) = os::map_anyway(bytes) else {
            state::stop();
            return false;
        };
        // Relaxed: published with the session.
        WIPES.store(shared::wipe_on_fork(at, bytes), Ordering::Relaxed);
        // Release pairs with the Acquire in `get`. Of two first threads one's page stays.
        let first =
            SESSION.compare_exchange(core::ptr::null_mut(), at.as_ptr(), Ordering::Release, Ordering::Relaxed).is_ok();
        if !first {
            os::unmap(at, bytes);
        }
    }
    get().is_some_and(|session| session.begin(late))
}

fn get() -> Option<&'static Session> {
    // SAFETY: null, or mapped for ever, and zeroes are valid. Acquire pairs with the Release in `open`.
    unsafe { SESSION.load(Ordering::Acquire).as_ref() }
}

/// The process's session, which a child of fork begins here. `None`: there is none, or none any more.
pub(super) fn current() -> Option<&'static Session> {
    let session = get()?;
    if !WIPES.load(Ordering::Relaxed) && session.process.load(Ordering::Relaxed) != os::process_id() as u32 {
        session.wipe();
    }
    // Acquire pairs with the Release in `begin`: the header is there.
    match session.state.load(Ordering::Acquire) {
        ON => Some(session),
        FRESH => session.begin(false).then_some(session),
        _ => None,
    }
}

/// Counts an event that is not in the file.
#[cold]
pub(super) fn drop_one() {
    if let Some(header) = get().and_then(Session::header) {
        header.drop_one();
    }
}

/// At the process's end: until when it was.
pub(crate) fn at_exit() {
    if state::is_on() {
        if let Some(header) = current().and_then(Session::header) {
            header.touch();
        }
    }
}

impl Session {
    pub(super) fn number(&self) -> u32 {
        // Relaxed: published with the state.
        self.number.load(Ordering::Relaxed)
    }

    /// Whether it is on, of this number, and this process's.
    pub(super) fn is_that_of(&self, number: u32) -> bool {
        // Relaxed: the thread's own kernel call wiped them, if one did.
        self.state.load(Ordering::Relaxed) == ON
            && self.number() == number
            && (WIPES.load(Ordering::Relaxed) || self.process.load(Ordering::Relaxed) == os::process_id() as u32)
    }

    pub(super) fn shared(&self) -> &Mutex<Recorder> {
        &self.shared
    }

    /// A number for a thread that has none.
    pub(super) fn next_thread(&self) -> u32 {
        // Relaxed: a number.
        self.threads.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn header(&self) -> Option<&'static Header> {
        // SAFETY: null, or mapped for as long as the process is this one. Acquire pairs with the Release in `begin`.
        unsafe { self.header.load(Ordering::Acquire).as_ref() }
    }

    /// What the kernel does for a child where it can.
    #[cold]
    fn wipe(&self) {
        for word in [&self.current, &self.number, &self.chunks, &self.threads] {
            word.store(0, Ordering::Relaxed);
        }
        self.header.store(core::ptr::null_mut(), Ordering::Relaxed);
        os::lock::free_in_child(&self.shared);
        self.process.store(os::process_id() as u32, Ordering::Relaxed);
        self.state.store(FRESH, Ordering::Relaxed);
    }

    /// Makes the file. `false`: that could not be, or another thread is at it. `late`: blocks were handed out before, to this process itself.
    #[cold]
    #[inline(never)]
    fn begin(&self, late: bool) -> bool {
        // Relaxed: what is written here is published below.
        if self.state.compare_exchange(FRESH, STARTING, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return false;
        }
        let number = NUMBER.fetch_add(1, Ordering::Relaxed) + 1;
        let inherited = HEADER.swap(core::ptr::null_mut(), Ordering::Relaxed);
        if !inherited.is_null() {
            shared::unmap(Addr::of(inherited), CHUNK);
        }
        let of_child = if number > 1 { header::OF_CHILD } else { 0 };
        let flags = of_child | if late { header::BEGUN_LATE } else { 0 };
        if let Err(why) = self.make_file(flags) {
            self.state.store(OVER, Ordering::Relaxed);
            state::stop();
            self.complain("can't be written", why);
            return false;
        }
        self.process.store(os::process_id() as u32, Ordering::Relaxed);
        self.number.store(number, Ordering::Relaxed);
        self.chunks.store(1, Ordering::Relaxed);
        // Release pairs with the Acquire in `current`.
        self.state.store(ON, Ordering::Release);
        // After it; Relaxed, for who compares it took the rest from there.
        self.current.store(if WIPES.load(Ordering::Relaxed) { number } else { 0 }, Ordering::Relaxed);
        state::switch_on();
        true
    }

    fn make_file(&self, flags: u64) -> Result<(), Errno> {
        // What a program says in `hak_options` counts in one of another user's rights too; the file would be that user's.
        if env::is_privileged() {
            return Err(Errno(libc::EPERM));
        }
        // SAFETY: STARTING, by us.
        let Names { target, path } = unsafe { &mut *self.names.get() };
        let target = text::record(target);
        create(target, path)?;
        let at = FILE.map(path.as_c(), 0, CHUNK, Addr::NULL)?;
        let header = core::ptr::from_ref(Header::begin(at, flags)).cast_mut();
        HEADER.store(header, Ordering::Relaxed);
        // Release pairs with the Acquire in `header`.
        self.header.store(header, Ordering::Release);
        Ok(())
    }

    /// Maps the next chunk of the file, in `place` of another one that is full, or anywhere. `None`: the record is over.
    #[cold]
    #[inline(never)]
    pub(super) fn map_next(&self, place: Addr) -> Option<Addr> {
        // Relaxed: a number.
        let chunk = self.chunks.fetch_add(1, Ordering::Relaxed);
        // Both are nothing in a child whose parent was interrupted here by the handler that forked.
        let header = self.header().filter(|_| chunk > 0)?;
        header.touch();
        // SAFETY: ON, or OVER since: nobody writes to it.
        let names = unsafe { &*self.names.get() };
        match FILE.map(names.path.as_c(), chunk as usize * CHUNK, CHUNK, place) {
            Ok(at) => Some(at),
            Err(why) => {
                header.drop_one();
                self.end(why);
                None
            }
        }
    }

    /// Nothing more is written, by any thread: a record that lacks what one of them did is worth less than one that ends.
    #[cold]
    #[inline(never)]
    fn end(&self, why: Errno) {
        // Relaxed: publishes nothing. One says so.
        if self.state.compare_exchange(ON, OVER, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.current.store(0, Ordering::Relaxed);
            state::stop();
            self.complain("ends here", why);
        }
    }

    /// Not with the file's name: there is not stack enough for it everywhere.
    fn complain(&self, what: &str, why: Errno) {
        Text::stderr().str("hakmem: HAKMEM_RECORD: the record ").str(what).str(" (errno ").int(why.0.into()).str(")\n");
    }
}

/// Names tried with a number behind them.
const NUMBERS: u64 = 99;

/// Makes the file that `target` names; where that is there, by another process or an earlier run, with the process's number behind it, and
/// a number behind that where the process has replaced itself (`exec`). What is there is never touched.
fn create(target: &[u8], path: &mut Path) -> Result<(), Errno> {
    let saved = errno::errno();
    let (second, third): (&[u8], &[u8]) =
        if target.windows(2).any(|two| two == b"%p") { (b"", b".%n") } else { (b".%p", b".%p.%n") };
    let tries = [(&b""[..], None), (second, None)];
    let numbered = (1..=NUMBERS).map(|number| (third, Some(number)));
    let mut done = Err(Errno(libc::EEXIST));
    for (ending, number) in tries.into_iter().chain(numbered) {
        let name = number.map(|number| Name { word: "", number: Some(number) });
        if !path.expand(target, ending, name) {
            done = Err(Errno(libc::ENAMETOOLONG));
            break;
        }
        done = FILE.create(path.as_c());
        if done != Err(Errno(libc::EEXIST)) {
            break;
        }
    }
    errno::set_errno(saved);
    done
}
