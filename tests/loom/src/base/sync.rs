//! loom's atomics behind core's interface and layout.
//!
//! An atomic here is only its initial value, which nothing ever overwrites. The loom object is kept aside, by address, and
//! made at the first access in each execution. So `new` is `const`, statics start anew in each execution, a record of
//! zeroed memory is full of valid atomics, and the sources' assertions on sizes hold.
//!
//! To loom, making an object is a write by the thread that does it. If a second thread then comes to it by no
//! happens-before path, loom reports it: that finds what is published too weakly, and for what is never published because
//! it was there from the start, the model touches it before it spawns threads.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

pub(crate) use core::sync::atomic::Ordering;

pub(crate) use loom::sync::atomic::fence;

thread_local! {
    // loom runs all threads of a model on the OS thread of the test.
    static OBJECTS: RefCell<HashMap<usize, Rc<loom::sync::atomic::AtomicU64>>> = RefCell::default();
}

/// Starts a new execution.
pub(crate) fn reset() {
    OBJECTS.with_borrow_mut(HashMap::clear);
}

/// The kernel takes the memory at `at` away and gives zeroes: for who wrote there before, and for who writes there after, in an order that
/// the code itself must have made.
pub(crate) fn zero(at: usize, len: usize) {
    let mut places: Vec<usize> =
        OBJECTS.with_borrow(|objects| objects.keys().copied().filter(|place| (at..at + len).contains(place)).collect());
    // Executions must be alike.
    places.sort();
    for object in places.into_iter().map(|place| object(place, 0)) {
        // SAFETY: loom checks that no write is concurrent with it.
        unsafe { object.unsync_load() };
        object.store(0, Ordering::Relaxed);
    }
}

fn object(at: usize, initial: u64) -> Rc<loom::sync::atomic::AtomicU64> {
    OBJECTS.with_borrow_mut(|objects| {
        objects.entry(at).or_insert_with(|| Rc::new(loom::sync::atomic::AtomicU64::new(initial))).clone()
    })
}

macro_rules! atomic {
    ($name:ident $(<$param:ident>)?, $value:ty, $to:expr, $from:expr) => {
        #[repr(transparent)]
        pub(crate) struct $name $(<$param>)? (core::cell::UnsafeCell<$value>);

        // SAFETY: the value inside never changes.
        unsafe impl $(<$param>)? Sync for $name $(<$param>)? {}
        // SAFETY: as above.
        unsafe impl $(<$param>)? Send for $name $(<$param>)? {}

        impl $(<$param>)? $name $(<$param>)? {
            pub(crate) const fn new(value: $value) -> Self {
                Self(core::cell::UnsafeCell::new(value))
            }

            fn object(&self) -> Rc<loom::sync::atomic::AtomicU64> {
                // SAFETY: nobody writes it.
                let initial = unsafe { *self.0.get() };
                object(self.0.get().addr(), $to(initial))
            }

            pub(crate) fn load(&self, order: Ordering) -> $value {
                $from(self.object().load(order))
            }

            pub(crate) fn store(&self, value: $value, order: Ordering) {
                self.object().store($to(value), order);
            }

            pub(crate) fn swap(&self, value: $value, order: Ordering) -> $value {
                $from(self.object().swap($to(value), order))
            }

            pub(crate) fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                let result = self.object().compare_exchange($to(current), $to(new), success, failure);
                result.map($from).map_err($from)
            }

            pub(crate) fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.compare_exchange(current, new, success, failure)
            }

            pub(crate) fn fetch_update(
                &self,
                success: Ordering,
                failure: Ordering,
                mut change: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                let mut seen = self.load(failure);
                while let Some(new) = change(seen) {
                    match self.compare_exchange(seen, new, success, failure) {
                        Ok(old) => return Ok(old),
                        Err(other) => seen = other,
                    }
                }
                Err(seen)
            }
        }
    };
}

atomic!(AtomicU32, u32, |value: u32| value as u64, |bits: u64| bits as u32);
atomic!(AtomicU64, u64, |value: u64| value, |bits: u64| bits);
atomic!(AtomicUsize, usize, |value: usize| value as u64, |bits: u64| bits as usize);
atomic!(AtomicPtr<T>, *mut T, |value: *mut T| value.expose_provenance() as u64, |bits: u64| {
    core::ptr::with_exposed_provenance_mut(bits as usize)
});

impl AtomicUsize {
    pub(crate) fn fetch_add(&self, more: usize, order: Ordering) -> usize {
        self.object().fetch_add(more as u64, order) as usize
    }

    pub(crate) fn fetch_sub(&self, less: usize, order: Ordering) -> usize {
        self.object().fetch_sub(less as u64, order) as usize
    }
}

impl AtomicU32 {
    pub(crate) fn fetch_add(&self, more: u32, order: Ordering) -> u32 {
        self.object().fetch_add(more as u64, order) as u32
    }
}

/// Copies, which stay as long as the test does: in here the words themselves hold nothing.
///
/// # Safety
/// As in the crate.
pub(crate) unsafe fn settled(words: &[AtomicUsize]) -> &[usize] {
    words.iter().map(|word| word.load(Ordering::Relaxed)).collect::<Vec<_>>().leak()
}

impl AtomicU64 {
    pub(crate) fn fetch_add(&self, more: u64, order: Ordering) -> u64 {
        self.object().fetch_add(more, order)
    }

    pub(crate) fn fetch_or(&self, bits: u64, order: Ordering) -> u64 {
        self.object().fetch_or(bits, order)
    }

    pub(crate) fn fetch_and(&self, bits: u64, order: Ordering) -> u64 {
        self.object().fetch_and(bits, order)
    }
}

pub(crate) fn barrier() {
    loom::sync::atomic::fence(Ordering::SeqCst);
}

/// Once is all that a model needs to find out what comes of it.
pub(crate) const LOOKS: u32 = 1;

/// # Safety
/// As the crate's.
pub(crate) unsafe fn xor_relaxed(bits: u64, words: &[AtomicU64], index: usize) -> u64 {
    bits ^ words[index].load(Ordering::Relaxed)
}

const _: () = assert!(size_of::<AtomicU32>() == 4 && size_of::<AtomicPtr<u8>>() == size_of::<usize>());
