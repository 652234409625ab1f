//! `Spare`: the record that was given up last, for who soon asks for one of its size: it saves two turns at the lock of all records.

use super::records::{MAX_SHIFT, MIN_SHIFT, alloc, free, shift_of};
use crate::base::addr::Addr;

/// A word: the record, and which power of two it is below. Zeroes are a valid value: none.
#[derive(Default)]
pub(crate) struct Spare(usize);

/// Records are aligned to more.
const SHIFT: usize = (1 << MIN_SHIFT) - 1;
const _: () = assert!(MAX_SHIFT as usize <= SHIFT);

impl Spare {
    /// `free`, of what is still read until the next call.
    pub(crate) fn put(&mut self, record: Addr, bytes: usize) {
        let Some(shift) = shift_of(bytes) else { return };
        drop(core::mem::replace(self, Spare(record.0 | shift as usize)));
    }

    /// `alloc`.
    pub(crate) fn take(&mut self, bytes: usize) -> Option<Addr> {
        if Some((self.0 & SHIFT) as u32) != shift_of(bytes) {
            return alloc(bytes);
        }
        let record = Addr(core::mem::take(&mut self.0) & !SHIFT);
        // SAFETY: of so many bytes at least, and the caller's from here on.
        unsafe { record.as_ptr::<u8>().write_bytes(0, bytes) };
        Some(record)
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        if self.0 != 0 {
            free(Addr(self.0 & !SHIFT), 1 << (self.0 & SHIFT));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_record_comes_back_zeroed_and_no_other_size_gets_it() {
        let mut spare = Spare::default();
        let Some(record) = spare.take(100) else { panic!("no memory") };
        // SAFETY: ours, and longer.
        unsafe { record.as_ptr::<u8>().write_bytes(7, 100) };
        spare.put(record, 100);
        assert!(spare.take(300).is_some_and(|other| other != record));
        assert!(spare.take(128) == Some(record));
        // SAFETY: as above.
        assert!(unsafe { core::slice::from_raw_parts(record.as_ptr::<u8>(), 128) }.iter().all(|byte| *byte == 0));
        assert!(spare.take(100).is_some_and(|other| other != record));
    }
}
