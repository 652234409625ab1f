//! Sheets: 16 KiB of memory that only ever holds claims, cut into equal arrays of a span's each. A sheet of which nobody has an array gives its
//! memory back to the kernel, and stays mapped: who looks a stale claim up there finds that nothing is held.
//!
//! What is to be known of a sheet lies in the chunk that it is cut from, in a page before them all.

use core::ptr;

use super::bitmap::Bitmap;
use crate::base::addr::Addr;
use crate::base::aside::Aside;
use crate::os;
use crate::os::lock::Mutex;
use crate::os::names::{self, Name};

/// Memory of which nobody has anything.
const SHEET: usize = 16 << 10;
/// Aligned to its size. Its first sheet is closed, in the second its records lie, and the last is closed.
const CHUNK: usize = 256 << 10;
const FIRST: usize = 2;
const LAST: usize = CHUNK / SHEET - 1;

/// Arrays are a multiple of this long: no line of the cache is two heaps'.
const UNIT: usize = 64;
/// Bytes of an array, at most.
pub(super) const MOST: usize = SHEET / 2;
/// Sheets that keep their memory while nobody has anything of them: 64 spans of the smallest blocks, which come and go.
const MOST_KEPT: usize = 16;

/// # Invariants
/// - H1: `left` bits of `free` are set, of arrays that are `units` long.
/// - H2: a sheet is on list `units` while some of it is somebody's and some is not, on list `KEPT` or `BARE` while nothing is, else on none.
#[repr(C, align(64))]
struct Sheet {
    next: *mut Sheet,
    prev: *mut Sheet,
    free: [u64; SHEET / UNIT / 64],
    units: u32,
    left: u32,
}

const _: () = assert!(size_of::<Sheet>() * (LAST - FIRST) <= 4096, "a chunk's records are a page");

impl Sheet {
    /// Arrays of it.
    fn arrays(&self) -> u32 {
        (SHEET / UNIT) as u32 / self.units.max(1)
    }
}

/// By the units of an array: sheets that have some left. And those of which nobody has any: with memory, no more than `MOST_KEPT`, and without.
const LISTS: usize = MOST / UNIT + 2;
const KEPT: usize = 0;
const BARE: usize = LISTS - 1;

struct Sheets {
    lists: [*mut Sheet; LISTS],
    kept: usize,
    mapped: usize,
}

// SAFETY: what the pointers name is never unmapped, and only looked at by who has them: under the lock.
unsafe impl Send for Sheets {}

static SHEETS: Aside<Mutex<Sheets>> = Aside(Mutex::new(Sheets::NONE));

/// An array of `bytes`, `MOST` at most; what they hold is chance. `None`: out of memory.
pub(super) fn take(bytes: usize) -> Option<Addr> {
    SHEETS.lock().take(bytes)
}

/// Takes back what `take` gave.
pub(super) fn give(array: Addr) {
    let Some(sheet) = SHEETS.lock().give(array) else { return };
    // Without the lock, for nobody else has it. Refused, it keeps its memory; longer pages are others' too.
    if os::page_size() <= SHEET {
        os::purge(place(sheet), SHEET);
    }
    SHEETS.lock().link(sheet, BARE);
}

/// Bytes of addresses in chunks.
pub(crate) fn mapped() -> usize {
    SHEETS.lock().mapped
}

/// Where a sheet's memory lies.
fn place(sheet: *mut Sheet) -> Addr {
    let record = Addr::of(sheet);
    let chunk = Addr(record.0 & !(CHUNK - 1));
    chunk.offset((FIRST + record.since(chunk.offset(SHEET)) / size_of::<Sheet>()) * SHEET)
}

/// The sheet that an array lies in.
fn sheet_of(array: Addr) -> *mut Sheet {
    let chunk = Addr(array.0 & !(CHUNK - 1));
    record(chunk, array.since(chunk) / SHEET)
}

/// The record of a chunk's sheet `index`, which is `FIRST` at least.
fn record(chunk: Addr, index: usize) -> *mut Sheet {
    chunk.offset(SHEET + (index - FIRST) * size_of::<Sheet>()).as_ptr()
}

impl Sheets {
    const NONE: Sheets = Sheets { lists: [ptr::null_mut(); LISTS], kept: 0, mapped: 0 };

    fn take(&mut self, bytes: usize) -> Option<Addr> {
        let units = bytes.div_ceil(UNIT);
        let part = *self.lists.get(units)?;
        let at = if part.is_null() { self.begin(units)? } else { part };
        // SAFETY: a chunk's record, which is ours under the lock.
        let sheet = unsafe { &mut *at };
        let mut index = 0;
        Bitmap(&mut sheet.free).take(0, 1, |first, _| index = first);
        sheet.left -= 1;
        if sheet.left == 0 {
            self.unlink(at, units);
        }
        Some(place(at).offset(index as usize * units * UNIT))
    }

    /// Takes an array back. Says which sheet's memory is to go, if one's is: it is on no list then.
    fn give(&mut self, array: Addr) -> Option<*mut Sheet> {
        let at = sheet_of(array);
        // SAFETY: as in `take`.
        let sheet = unsafe { &mut *at };
        let units = sheet.units as usize;
        Bitmap(&mut sheet.free).set(array.since(place(at)).checked_div(units * UNIT)? as u32);
        sheet.left += 1;
        let (is_first, is_last) = (sheet.left == 1, sheet.left == sheet.arrays());
        if is_first {
            self.link(at, units);
        }
        if !is_last {
            return None;
        }
        self.unlink(at, units);
        if self.kept == MOST_KEPT {
            return Some(at);
        }
        self.kept += 1;
        self.link(at, KEPT);
        None
    }

    /// A sheet of which nobody has anything, for arrays of so many units.
    fn begin(&mut self, units: usize) -> Option<*mut Sheet> {
        if self.lists[KEPT].is_null() && self.lists[BARE].is_null() {
            self.add_chunk()?;
        }
        let from = if self.lists[KEPT].is_null() { BARE } else { KEPT };
        self.kept -= (from == KEPT) as usize;
        let at = self.lists[from];
        self.unlink(at, from);
        // SAFETY: as in `take`.
        let sheet = unsafe { &mut *at };
        sheet.units = units as u32;
        sheet.left = sheet.arrays();
        Bitmap(&mut sheet.free).set_first(sheet.left);
        self.link(at, units);
        Some(at)
    }

    #[cold]
    fn add_chunk(&mut self) -> Option<()> {
        let chunk = os::map_aligned(Addr::NULL, CHUNK, CHUNK)?;
        names::give(chunk, CHUNK, Name::Records);
        if os::page_size() <= SHEET {
            os::guard(chunk, SHEET);
            os::guard(chunk.offset(LAST * SHEET), SHEET);
        }
        self.mapped += CHUNK;
        // The lowest is taken first.
        (FIRST..LAST).rev().for_each(|index| self.link(record(chunk, index), BARE));
        Some(())
    }

    fn link(&mut self, at: *mut Sheet, list: usize) {
        let next = self.lists[list % LISTS];
        // SAFETY: as in `take`, and nobody has it borrowed.
        unsafe { ((*at).next, (*at).prev) = (next, ptr::null_mut()) };
        if !next.is_null() {
            // SAFETY: likewise.
            unsafe { (*next).prev = at };
        }
        self.lists[list % LISTS] = at;
    }

    fn unlink(&mut self, at: *mut Sheet, list: usize) {
        // SAFETY: as in `take`, and nobody has it borrowed.
        let (next, prev) = unsafe { ((*at).next, (*at).prev) };
        if prev.is_null() {
            self.lists[list % LISTS] = next;
        } else {
            // SAFETY: likewise.
            unsafe { (*prev).next = next };
        }
        if !next.is_null() {
            // SAFETY: likewise.
            unsafe { (*next).prev = prev };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_apart_and_what_nobody_has_goes_but_for_some() {
        let mut sheets = Sheets::NONE;
        let mut had = std::vec::Vec::new();
        let mut gone = 0;
        for round in 0..3 {
            for bytes in [1, 64, 65, 1170, 4096, MOST, 2730].repeat(100) {
                let Some(array) = sheets.take(bytes) else { panic!("no memory") };
                // SAFETY: ours, and so long.
                unsafe { array.as_ptr::<u8>().write_bytes(0xA5, bytes) };
                assert!(array.is_aligned(UNIT));
                had.push((array.0, bytes));
            }
            had.sort_unstable();
            assert!(had.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0), "round {round}");
            let mapped = sheets.mapped;
            for (array, _) in std::mem::take(&mut had) {
                if let Some(sheet) = sheets.give(Addr(array)) {
                    gone += 1;
                    sheets.link(sheet, BARE);
                }
            }
            assert_eq!(sheets.mapped, mapped);
        }
        assert!(gone > 0 && sheets.kept <= MOST_KEPT);
    }
}
