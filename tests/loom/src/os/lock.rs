//! loom's mutex behind the crate's interface. The data is copied from its initial value in each execution.

use std::alloc::Layout;
use std::cell::{RefCell, UnsafeCell};
use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

/// One mutex in one execution.
struct Place {
    lock: loom::sync::Mutex<()>,
    data: *mut u8,
    layout: Layout,
}

impl Drop for Place {
    fn drop(&mut self) {
        // SAFETY: allocated in `place` with this layout.
        unsafe { std::alloc::dealloc(self.data, self.layout) };
    }
}

thread_local! {
    static PLACES: RefCell<HashMap<usize, Rc<Place>>> = RefCell::default();
}

/// Starts a new execution.
pub(crate) fn reset() {
    PLACES.with_borrow_mut(HashMap::clear);
}

/// `T` has no destructor in any of the sources.
pub(crate) struct Mutex<T>(UnsafeCell<T>);

// SAFETY: the value inside never changes; its copies are guarded by loom's mutex.
unsafe impl<T> Sync for Mutex<T> {}

pub(crate) struct MutexGuard<T> {
    data: *mut T,
    // Dropped before `_place`, which it borrows from.
    _held: loom::sync::MutexGuard<'static, ()>,
    _place: Rc<Place>,
}

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Mutex<T> {
        Mutex(UnsafeCell::new(value))
    }

    fn place(&self) -> Rc<Place> {
        PLACES.with_borrow_mut(|places| {
            let make = || {
                let layout = Layout::new::<T>();
                // SAFETY: no guarded type is empty.
                let data = unsafe { std::alloc::alloc(layout) };
                // SAFETY: both are of this layout; the initial value is never written.
                unsafe { data.copy_from_nonoverlapping(self.0.get().cast(), layout.size()) };
                Rc::new(Place { lock: loom::sync::Mutex::new(()), data, layout })
            };
            places.entry(self.0.get().addr()).or_insert_with(make).clone()
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<T> {
        let place = self.place();
        let held = place.lock.lock().unwrap();
        // SAFETY: the guard is dropped before the `Rc` beside it.
        let held = unsafe {
            core::mem::transmute::<loom::sync::MutexGuard<'_, ()>, loom::sync::MutexGuard<'static, ()>>(held)
        };
        MutexGuard { data: place.data.cast(), _held: held, _place: place }
    }

    pub(crate) fn try_lock(&self) -> Option<MutexGuard<T>> {
        let place = self.place();
        let held = place.lock.try_lock().ok()?;
        // SAFETY: the guard is dropped before the `Rc` beside it.
        let held = unsafe {
            core::mem::transmute::<loom::sync::MutexGuard<'_, ()>, loom::sync::MutexGuard<'static, ()>>(held)
        };
        Some(MutexGuard { data: place.data.cast(), _held: held, _place: place })
    }
}

impl<T> Deref for MutexGuard<T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: a live copy of a `T`, ours while the guard is held.
        unsafe { &*self.data }
    }
}

impl<T> DerefMut for MutexGuard<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above.
        unsafe { &mut *self.data }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fork {
    Prepare,
    Parent,
    Child,
}

/// Nothing forks here.
pub(crate) fn at_fork<T>(_: &Mutex<T>, _: Fork) {}
