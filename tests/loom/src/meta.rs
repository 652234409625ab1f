//! Zeroed records, all freed when the next execution starts.

use std::alloc::Layout;
use std::cell::RefCell;

use crate::base::addr::Addr;

thread_local! {
    static RECORDS: RefCell<Vec<(*mut u8, Layout)>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn alloc(bytes: usize) -> Option<Addr> {
    let layout = Layout::from_size_align(bytes, 4096).ok()?;
    // SAFETY: nobody asks for nothing.
    let record = unsafe { std::alloc::alloc_zeroed(layout) };
    RECORDS.with_borrow_mut(|records| records.push((record, layout)));
    (!record.is_null()).then(|| Addr::of(record))
}

/// What is given up is freed with all others.
#[derive(Default)]
pub(crate) struct Spare;

impl Spare {
    pub(crate) fn put(&mut self, _: Addr, _: usize) {}
}

/// Starts a new execution.
pub(crate) fn reset() {
    for (record, layout) in RECORDS.take() {
        // SAFETY: allocated above; its execution is over.
        unsafe { std::alloc::dealloc(record, layout) };
    }
}
