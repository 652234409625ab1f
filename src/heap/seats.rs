//! Seats: of several heaps apart that belong together, each thread has one to itself, and so takes no lock. It finds its own in two
//! small tables of its heap.

use core::mem::offset_of;

use super::bin::Pushed;
use super::light;
use super::metered::{is_plain, plain};
use super::state::{self, Heap, OwnHeap, Seated, bin_at};
use crate::base::addr::Addr;
use crate::class::BIN_STRIDE;
use crate::os::lock::Mutex;
use crate::os::tls;
use crate::page_map::Tag;

/// Guards all links below, and who sits where. Before the registry's.
static SEATS: Mutex<()> = Mutex::new(());

pub(crate) const SPECIAL: usize = 1;

/// # Safety
/// `own` is a thread's word, `plain`.
#[inline(always)]
unsafe fn seated(own: *mut u8) -> &'static Seated {
    // SAFETY: a heap, or zeroes that reach as far: see below.
    unsafe { &(*own.cast::<Heap>()).seated }
}

/// The calling thread's seat of the home that `word` names, if that is at hand.
#[inline(always)]
pub(crate) fn seat_at_hand(word: usize) -> Option<OwnHeap> {
    // SAFETY: the thread's word.
    unsafe { seat_in(plain(tls::get()), word) }
}

/// The same, but of no thread whose calls are counted or checked: in three instructions less.
#[inline(always)]
pub(crate) fn own_seat(word: *mut u8) -> Option<OwnHeap> {
    let own = tls::get();
    if !is_plain(own) {
        return None;
    }
    // SAFETY: the thread's word, which is plain.
    unsafe { seat_in(own, word.addr()) }
}

/// # Safety
/// As for `seated`.
#[inline(always)]
unsafe fn seat_in(own: *mut u8, word: usize) -> Option<OwnHeap> {
    // SAFETY: the caller's.
    let seat = unsafe { seated(own) }.at_hand.find(word)?;
    // SAFETY: what was noted is a heap's address (K1).
    unsafe { core::hint::assert_unchecked(seat != 0) };
    // SAFETY: a heap, which are never freed.
    let seat = unsafe { state::at(Addr(seat)) };
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
    if !unsafe { seated(own) }.at_hand.has(owner.0) {
        return false;
    }
    // SAFETY: a heap, which are never freed.
    unsafe { state::at(owner) }.mix();
    // SAFETY: the offset of a class's bin, and a seat of the calling thread's.
    matches!(unsafe { bin_at(owner.as_ptr(), tag.class_index() * BIN_STRIDE) }.push(at), Pushed::Kept)
}

/// The heap at `owner`, if that is a seat of the calling thread's that it has at hand.
pub(crate) fn seat_of(owner: Addr) -> Option<OwnHeap> {
    let own = plain(tls::get());
    // SAFETY: the thread's word.
    if !has_seats(own) || !unsafe { seated(own) }.at_hand.has(owner.0) {
        return None;
    }
    // SAFETY: a heap, which are never freed.
    let seat = unsafe { state::at(owner) };
    // SAFETY: the calling thread's seat.
    Some(unsafe { OwnHeap::of(seat) })
}

/// The seat of the thread with the heap `own` at the home that `word` names: the one that it has, a free one, or one that `make` makes. `None`: out
/// of memory.
pub(crate) fn take_seat(
    home: &'static Heap,
    word: usize,
    own: OwnHeap,
    make: impl FnOnce() -> Option<&'static Heap>,
) -> Option<OwnHeap> {
    let seat = seat_for(home, word, own.shared(), make)?;
    // SAFETY: it is the calling thread's from here on.
    Some(unsafe { OwnHeap::of(seat) })
}

fn seat_for(
    home: &'static Heap,
    word: usize,
    own: &'static Heap,
    make: impl FnOnce() -> Option<&'static Heap>,
) -> Option<&'static Heap> {
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
pub(crate) fn each_seat(home: &'static Heap, mut look: impl FnMut(&'static Heap)) {
    let _seats = SEATS.lock();
    let mut at = home.seat.next.get();
    while let Some(heap) = at {
        at = heap.seat.next.get();
        look(heap);
    }
}

/// The seat behind `heap`, which is a home or a seat of one: nobody takes or ends one meanwhile.
pub(crate) fn next_seat(heap: &'static Heap) -> Option<&'static Heap> {
    heap.seat.next.get()
}

/// Takes away one seat of a home, and whoever sits there leaves it; `None`: it has none.
pub(crate) fn end_seat(home: &'static Heap) -> Option<&'static Heap> {
    let _seats = SEATS.lock();
    let heap = home.seat.next.get()?;
    home.seat.next.set(heap.seat.next.take());
    if let Some(thread) = heap.seat.thread.take() {
        thread.seated.unlink(heap);
        thread.seated.at_hand.strike(|seat| seat == heap.addr().0);
    }
    Some(heap)
}

impl Seated {
    fn note(&self, word: usize, heap: &'static Heap) {
        if !self.any.get() {
            self.at_hand.strike(|_| true);
            self.any.set(true);
        }
        self.at_hand.note(word, heap.addr().0);
    }

    fn unlink(&self, gone: &'static Heap) {
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
        self.seated.at_hand.strike(|_| true);
        self.seated.any.set(false);
    }
}

const _: () = assert!(
    light::REACH + offset_of!(Heap, seated) + size_of::<Seated>() <= size_of::<tls::Zeroes>(),
    "a thread without a heap reads zeroes as its seats"
);
