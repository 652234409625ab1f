//! Seats: of several heaps apart that belong together, each thread has one to itself, and so takes no lock. It finds its own in two
//! small tables of its heap.

use core::cell::Cell;
use core::mem::offset_of;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::metered::plain;
use super::{OwnHeap, Pushed, ThreadHeap, light};
use crate::base::addr::Addr;
use crate::class::BIN_STRIDE;
use crate::os::lock::Mutex;
use crate::os::tls;
use crate::page_map::Tag;

/// Entries of a table.
const PLACES: usize = 8;

/// Guards all links below, and who sits where. Before the registry's.
static SEATS: Mutex<()> = Mutex::new(());

/// A thread's part, where one without a heap reads zeroes. It reads the tables without a lock; who takes a seat away strikes it out there, before that
/// heap or word is anything else: who comes to have one of those by the program's synchronisation sees it.
pub(super) struct Seated {
    by_home: [Entry; PLACES],
    by_seat: [AtomicUsize; PLACES],
    /// Whether it ever had any. Written by the thread, or by who retires its heap.
    any: Cell<bool>,
    first: Cell<Option<&'static ThreadHeap>>,
}

/// The word of a home, with `SPECIAL` for one of which more is to be done with a block than to hand it out; and the thread's seat there. Relaxed, all:
/// see above.
struct Entry {
    home: AtomicUsize,
    seat: AtomicUsize,
}
pub(crate) const SPECIAL: usize = 1;
/// In `by_seat` of a thread that has any: no heap's address, nor what the owner of no span is.
const NO_SEAT: usize = 1;

/// A seat's part, and that of the home, the heap that stands for all of them. Under `SEATS`; zeroes are a valid value: nobody's.
pub(super) struct Seat {
    /// The heap of the thread that has it.
    thread: Cell<Option<&'static ThreadHeap>>,
    /// The next one of that home, and of that thread.
    next: Cell<Option<&'static ThreadHeap>>,
    beside: Cell<Option<&'static ThreadHeap>>,
}

// SAFETY: `any` is the user's, or whose who retires the heap; `first` is looked at by any, and is under `SEATS`.
unsafe impl Sync for Seated {}
// SAFETY: all of it is under `SEATS`; whoever ends or walks the seats of a home has that to himself, or holds the lock.
unsafe impl Sync for Seat {}

fn place(of: usize) -> usize {
    // Heaps lie 32 KiB apart, mostly.
    (of >> 15) % PLACES
}

/// # Safety
/// `own` is a thread's word, `plain`.
#[inline(always)]
unsafe fn seated(own: *mut u8) -> &'static Seated {
    // SAFETY: a heap, or zeroes that reach as far: see below.
    unsafe { &(*own.cast::<ThreadHeap>()).seated }
}

/// The calling thread's seat of the home that `word` names, if that is at hand.
#[inline(always)]
pub(crate) fn seat_at_hand(word: usize) -> Option<OwnHeap> {
    // SAFETY: the thread's word.
    let entry = &unsafe { seated(plain(tls::get())) }.by_home[place(word)];
    if entry.home.load(Ordering::Relaxed) != word {
        return None;
    }
    let seat = entry.seat.load(Ordering::Relaxed);
    // SAFETY: it is stored before the word.
    unsafe { core::hint::assert_unchecked(seat != 0) };
    // SAFETY: a heap, which are never freed.
    let seat = unsafe { super::at(Addr(seat)) };
    // SAFETY: the calling thread's seat.
    Some(unsafe { OwnHeap::of(seat) })
}

/// Whether a thread, whose word `own` is, has a seat: where not, hardly anything is asked of its frees.
#[inline(always)]
pub(crate) fn has_seats(own: *mut u8) -> bool {
    // SAFETY: the thread's word.
    unsafe { seated(own) }.any.get()
}

/// Whether the block at `at`, whose tag is `tag` if it is a span's, went into a magazine at a seat of the calling thread, whose word `own` is. It
/// `has_seats`.
#[inline(always)]
pub(crate) fn push_at_seat(own: *mut u8, tag: Tag, at: Addr) -> bool {
    let owner = tag.owner();
    // SAFETY: the thread's word.
    let entry = unsafe { seated(own) }.by_seat[place(owner.0)].load(Ordering::Relaxed);
    if entry != owner.0 {
        return false;
    }
    // SAFETY: a heap, which are never freed.
    unsafe { super::at(owner) }.mix();
    // SAFETY: the offset of a class's bin, and a seat of the calling thread's.
    matches!(unsafe { super::bin_at(owner.as_ptr(), tag.class_index() * BIN_STRIDE) }.push(at), Pushed::Kept)
}

/// The heap at `owner`, if that is a seat of the calling thread's that it has at hand.
pub(crate) fn seat_of(owner: Addr) -> Option<OwnHeap> {
    let own = plain(tls::get());
    // SAFETY: the thread's word.
    if !has_seats(own) || unsafe { seated(own) }.by_seat[place(owner.0)].load(Ordering::Relaxed) != owner.0 {
        return None;
    }
    // SAFETY: a heap, which are never freed.
    let seat = unsafe { super::at(owner) };
    // SAFETY: the calling thread's seat.
    Some(unsafe { OwnHeap::of(seat) })
}

/// The seat of the thread with the heap `own` at the home that `word` names: the one that it has, a free one, or one that `make` makes. `None`: out
/// of memory.
pub(crate) fn take_seat(
    home: &'static ThreadHeap,
    word: usize,
    own: OwnHeap,
    make: impl FnOnce() -> Option<&'static ThreadHeap>,
) -> Option<OwnHeap> {
    let seat = seat_for(home, word, own.shared(), make)?;
    // SAFETY: it is the calling thread's from here on.
    Some(unsafe { OwnHeap::of(seat) })
}

fn seat_for(
    home: &'static ThreadHeap,
    word: usize,
    own: &'static ThreadHeap,
    make: impl FnOnce() -> Option<&'static ThreadHeap>,
) -> Option<&'static ThreadHeap> {
    let _seats = SEATS.lock();
    let (mut found, mut at) = (None, home.seat.next.get());
    while let Some(heap) = at {
        at = heap.seat.next.get();
        match heap.seat.thread.get() {
            None => found = Some(heap),
            Some(thread) if core::ptr::eq(thread, own) => {
                own.seated.note(word, heap);
                return Some(heap);
            }
            Some(_) => {}
        }
    }
    let heap = match found {
        Some(heap) => heap,
        None => {
            let heap = make()?;
            heap.seat.next.set(home.seat.next.replace(Some(heap)));
            heap
        }
    };
    heap.seat.thread.set(Some(own));
    heap.seat.beside.set(own.seated.first.replace(Some(heap)));
    own.seated.note(word, heap);
    Some(heap)
}

/// Calls `look` with each seat of a home, none of which is taken or left meanwhile.
pub(crate) fn each_seat(home: &'static ThreadHeap, mut look: impl FnMut(&'static ThreadHeap)) {
    let _seats = SEATS.lock();
    let mut at = home.seat.next.get();
    while let Some(heap) = at {
        at = heap.seat.next.get();
        look(heap);
    }
}

/// The seat behind `heap`, which is a home or a seat of one: nobody takes or ends one meanwhile.
pub(crate) fn next_seat(heap: &'static ThreadHeap) -> Option<&'static ThreadHeap> {
    heap.seat.next.get()
}

/// Takes away one seat of a home, and whoever sits there leaves it; `None`: it has none.
pub(crate) fn end_seat(home: &'static ThreadHeap) -> Option<&'static ThreadHeap> {
    let _seats = SEATS.lock();
    let heap = home.seat.next.get()?;
    home.seat.next.set(heap.seat.next.take());
    if let Some(thread) = heap.seat.thread.take() {
        thread.seated.unlink(heap);
        thread.seated.strike(|seat| seat == heap.addr().0);
    }
    Some(heap)
}

impl Seated {
    fn note(&self, word: usize, heap: &'static ThreadHeap) {
        if !self.any.get() {
            self.strike(|_| true);
            self.any.set(true);
        }
        let entry = &self.by_home[place(word)];
        entry.seat.store(heap.addr().0, Ordering::Relaxed);
        entry.home.store(word, Ordering::Relaxed);
        self.by_seat[place(heap.addr().0)].store(heap.addr().0, Ordering::Relaxed);
    }

    /// Strikes out the seats that are `gone`.
    fn strike(&self, gone: impl Fn(usize) -> bool) {
        for entry in self.by_home.iter().filter(|entry| gone(entry.seat.load(Ordering::Relaxed))) {
            entry.home.store(0, Ordering::Relaxed);
        }
        for seat in self.by_seat.iter().filter(|seat| gone(seat.load(Ordering::Relaxed))) {
            seat.store(NO_SEAT, Ordering::Relaxed);
        }
    }

    fn unlink(&self, gone: &'static ThreadHeap) {
        let mut link = &self.first;
        while let Some(heap) = link.get() {
            if core::ptr::eq(heap, gone) {
                link.set(heap.seat.beside.take());
                return;
            }
            link = &heap.seat.beside;
        }
    }
}

impl OwnHeap {
    /// Frees all seats of the heap's thread for others, with all that lies there.
    pub(super) fn leave_seats(self) {
        if self.seated.first.get().is_none() {
            return;
        }
        let _seats = SEATS.lock();
        while let Some(heap) = self.seated.first.get() {
            self.seated.first.set(heap.seat.beside.take());
            heap.seat.thread.set(None);
        }
        self.seated.strike(|_| true);
        self.seated.any.set(false);
    }
}

const _: () = assert!(
    light::REACH + offset_of!(ThreadHeap, seated) + size_of::<Seated>() <= size_of::<tls::Zeroes>(),
    "a thread without a heap reads zeroes as its seats"
);
