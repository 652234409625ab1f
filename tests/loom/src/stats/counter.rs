//! Counters order nothing, so none is loom's: a number a test, for all threads of a model run on one, that starts anew in each execution.

use std::cell::RefCell;
use std::collections::HashMap;

thread_local! {
    static NUMBERS: RefCell<HashMap<usize, u64>> = RefCell::default();
}

/// Starts a new execution.
pub(crate) fn reset() {
    NUMBERS.with_borrow_mut(HashMap::clear);
}

/// Known by its address; the byte makes that its own.
pub(crate) struct Counter(u8);

impl Counter {
    pub(crate) const fn new() -> Counter {
        Counter(0)
    }

    fn change(&self, change: impl FnOnce(u64) -> u64) -> u64 {
        let at = (&raw const self.0).addr();
        NUMBERS.with_borrow_mut(|numbers| {
            let number = numbers.entry(at).or_default();
            *number = change(*number);
            *number
        })
    }

    pub(crate) fn add(&self, n: u64) {
        self.change(|number| number.wrapping_add(n));
    }

    pub(crate) fn sub(&self, n: u64) {
        self.change(|number| number.wrapping_sub(n));
    }

    pub(crate) fn add_owned(&self, n: u64) {
        self.add(n);
    }

    pub(crate) fn get(&self) -> u64 {
        self.change(|number| number)
    }
}
