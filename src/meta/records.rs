//! Records in powers of two, cut from chunks that are never unmapped.

use crate::base::addr::Addr;
use crate::base::bits::round_up;
use crate::os;
use crate::os::lock::Mutex;
use crate::os::names::{self, Name};

/// Records come in powers of two from 64 bytes to 32 KiB, aligned to their size up to 4096.
pub(super) const MIN_SHIFT: u32 = 6;
pub(super) const MAX_SHIFT: u32 = 15;
const SIZES: usize = (MAX_SHIFT - MIN_SHIFT + 1) as usize;
/// Each chunk doubles what there is, from the smallest on up to the largest: a process that is short of addresses (`ulimit -v`) does
/// not spend them on records. The smallest is tried when another is refused.
const CHUNK: usize = 1 << 20;
const SMALL_CHUNK: usize = 1 << 16;

/// # Invariants
/// - M1: `next ..= end` is what is left of the newest chunk.
/// - M2: each list of `free` ends, and holds records of its size, aligned to it up to 4096.
pub(super) struct Meta {
    pub(super) next: Addr,
    pub(super) end: Addr,
    /// Freed records by size, linked through their first word.
    pub(super) free: [Addr; SIZES],
    mapped: usize,
}

pub(super) static META: Mutex<Meta> =
    Mutex::new(Meta { next: Addr::NULL, end: Addr::NULL, free: [Addr::NULL; SIZES], mapped: 0 });

pub(super) fn shift_of(bytes: usize) -> Option<u32> {
    let shift = bytes.max(1 << MIN_SHIFT).next_power_of_two().trailing_zeros();
    (shift <= MAX_SHIFT).then_some(shift)
}

/// A zeroed record of at least `bytes` bytes; `None` above 32 KiB or when the kernel refuses.
pub(crate) fn alloc(bytes: usize) -> Option<Addr> {
    let shift = shift_of(bytes)?;
    let mut meta = META.lock();
    let record = match meta.pop(shift) {
        Some(freed) => freed,
        None => match meta.carve(1 << shift) {
            Some(fresh) => return Some(fresh),
            None => meta.split(shift)?,
        },
    };
    drop(meta);
    // SAFETY: the record has 1 << shift bytes and nobody else knows it.
    unsafe { record.as_ptr::<u8>().write_bytes(0, 1 << shift) };
    Some(record)
}

/// Gives back a record of the same `bytes` as it was asked for.
pub(crate) fn free(record: Addr, bytes: usize) {
    let Some(shift) = shift_of(bytes) else { return };
    META.lock().push(record, shift);
}

/// Bytes of address space in chunks.
pub(crate) fn mapped() -> usize {
    META.lock().mapped
}

impl Meta {
    fn pop(&mut self, shift: u32) -> Option<Addr> {
        let head = self.free.get_mut((shift - MIN_SHIFT) as usize).filter(|head| !head.is_null())?;
        let record = *head;
        // SAFETY: a freed record: ours alone under the lock, its first word links to the next one.
        *head = unsafe { *record.as_ptr::<Addr>() };
        Some(record)
    }

    fn push(&mut self, record: Addr, shift: u32) {
        if let Some(head) = self.free.get_mut((shift - MIN_SHIFT) as usize) {
            // SAFETY: the caller gives the record up; it is at least 64 bytes long.
            unsafe { *record.as_ptr::<Addr>() = *head };
            *head = record;
        }
    }

    /// A record cut out of a larger free one, for when there is no other: what is over stays free, in halves.
    #[cold]
    fn split(&mut self, shift: u32) -> Option<Addr> {
        let (larger, record) = (shift + 1..=MAX_SHIFT).find_map(|larger| Some((larger, self.pop(larger)?)))?;
        for half in shift..larger {
            self.push(record.offset(1 << half), half);
        }
        Some(record)
    }

    fn carve(&mut self, bytes: usize) -> Option<Addr> {
        let align = bytes.min(4096);
        let mut at = Addr(round_up(self.next.0, align)?);
        if self.next.is_null() || self.end.0.saturating_sub(at.0) < bytes {
            self.add_chunk()?;
            at = Addr(round_up(self.next.0, align)?);
        }
        self.next = at.offset(bytes);
        Some(at)
    }

    /// Starts a new chunk; what is left of the old one is smaller than a record and stays unused.
    fn add_chunk(&mut self) -> Option<()> {
        let page = os::page_size();
        let small = SMALL_CHUNK.max(4 * page);
        let whole = self.mapped.next_power_of_two().max(small).min(CHUNK);
        let (at, len) = match os::map(whole) {
            Some(at) => (at, whole),
            None => (os::map(small)?, small),
        };
        names::give(at, len, Name::Records);
        os::guard(at, page);
        os::guard(at.offset(len - page), page);
        self.next = at.offset(page);
        self.end = at.offset(len - page);
        self.mapped += len;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_zeroed_aligned_and_apart() {
        let mut seen = std::vec::Vec::new();
        for round in 0..3 {
            for bytes in [1, 64, 65, 640, 4096, 5000, 32768] {
                let at = alloc(bytes).map_or(Addr::NULL, |at| at);
                assert!(!at.is_null() && at.is_aligned(bytes.next_power_of_two().clamp(64, 4096)));
                // SAFETY: the record is ours and `bytes` long.
                let record = unsafe { std::slice::from_raw_parts_mut(at.as_ptr::<u8>(), bytes) };
                assert!(record.iter().all(|&byte| byte == 0), "round {round}");
                record.fill(0xA5);
                seen.push((at, bytes));
            }
            seen.sort_by_key(|&(at, _)| at.0);
            assert!(seen.windows(2).all(|pair| pair[0].0.0 + pair[0].1 <= pair[1].0.0));
            for (at, bytes) in seen.drain(..) {
                free(at, bytes);
            }
        }
        assert!(alloc(32769).is_none());
    }

    #[test]
    fn a_refused_chunk_is_tried_smaller() {
        use os::fake::{Plan, with_plan};
        let with = |mapped| Meta { next: Addr::NULL, end: Addr::NULL, free: [Addr::NULL; SIZES], mapped };
        let (got, _) = with_plan(Plan::RefuseNth(0), || {
            let mut meta = with(CHUNK);
            (meta.carve(64).is_some(), meta.mapped - CHUNK)
        });
        assert_eq!(got, (true, SMALL_CHUNK));
        let (got, _) =
            with_plan(Plan::RefuseFrom(0), || with(0).carve(64).is_none() && with(CHUNK).carve(64).is_none());
        assert!(got);
    }

    #[test]
    fn where_no_chunk_is_to_be_had_a_larger_record_is_split() {
        let mut meta = Meta { next: Addr::NULL, end: Addr::NULL, free: [Addr::NULL; SIZES], mapped: 0 };
        let Some(large) = meta.carve(1 << 10) else { panic!("no memory") };
        meta.push(large, 10);
        assert!(meta.split(10).is_none() && meta.split(7) == Some(large));
        for (shift, offset) in [(7, 1 << 7), (8, 1 << 8), (9, 1 << 9)] {
            assert!(meta.pop(shift) == Some(large.offset(offset)));
        }
        assert!(meta.free.iter().all(|head| head.is_null()));
    }

    #[test]
    fn a_chunk_doubles_what_there_is() {
        let mut meta = Meta { next: Addr::NULL, end: Addr::NULL, free: [Addr::NULL; SIZES], mapped: 0 };
        let sums = [(); 7].map(|()| meta.add_chunk().map_or(0, |()| meta.mapped >> 16));
        assert_eq!(sums, [1, 2, 4, 8, 16, 32, 48]);
    }
}
