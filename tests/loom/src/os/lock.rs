//! loom's mutex behind the crate's interface. The data is copied from its initial value in each execution.

use std::alloc::Layout;
use std::cell::{Cell, RefCell, UnsafeCell};
use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use loom::sync::atomic::{AtomicBool, Ordering};

/// One mutex in one execution.
struct Place {
    lock: loom::sync::Mutex<()>,
    /// Whether it is held, where that is asked for (`look_first`).
    held: Option<AtomicBool>,
    data: *mut u8,
    layout: Layout,
}

impl Place {
    fn note(&self, held: bool) {
        if let Some(place) = &self.held {
            place.store(held, Ordering::Release);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // SAFETY: allocated in `place` with this layout.
        unsafe { std::alloc::dealloc(self.data, self.layout) };
    }
}

thread_local! {
    static PLACES: RefCell<HashMap<usize, Rc<Place>>> = RefCell::default();
    static LOOKS: Cell<bool> = const { Cell::new(false) };
}

/// From now on in this execution, who only tries looks first. A compare-exchange of loom's finds the newest value even where it fails;
/// a real one may then find an older one, unless an ordering forbids it. Not in all models: they would grow.
pub(crate) fn look_first() {
    LOOKS.set(true);
}

/// Starts a new execution.
pub(crate) fn reset() {
    LOOKS.set(false);
    PLACES.with_borrow_mut(HashMap::clear);
}

/// `T` has no destructor in any of the sources.
pub(crate) struct Mutex<T>(UnsafeCell<T>);

// SAFETY: the value inside never changes; its copies are guarded by loom's mutex.
unsafe impl<T> Sync for Mutex<T> {}

pub(crate) struct MutexGuard<T> {
    data: *mut T,
    // Dropped before `place`, which it borrows from.
    _held: loom::sync::MutexGuard<'static, ()>,
    place: Rc<Place>,
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
                let held = LOOKS.get().then(|| AtomicBool::new(false));
                Rc::new(Place { lock: loom::sync::Mutex::new(()), held, data, layout })
            };
            places.entry(self.0.get().addr()).or_insert_with(make).clone()
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<T> {
        let place = self.place();
        let held = place.lock.lock().unwrap();
        place.note(true);
        // SAFETY: the guard is dropped before the `Rc` beside it.
        let held = unsafe {
            core::mem::transmute::<loom::sync::MutexGuard<'_, ()>, loom::sync::MutexGuard<'static, ()>>(held)
        };
        MutexGuard { data: place.data.cast(), _held: held, place }
    }

    pub(crate) fn try_lock(&self) -> Option<MutexGuard<T>> {
        let place = self.place();
        if place.held.as_ref().is_some_and(|held| held.load(Ordering::Relaxed)) {
            return None;
        }
        let held = place.lock.try_lock().ok()?;
        place.note(true);
        // SAFETY: the guard is dropped before the `Rc` beside it.
        let held = unsafe {
            core::mem::transmute::<loom::sync::MutexGuard<'_, ()>, loom::sync::MutexGuard<'static, ()>>(held)
        };
        Some(MutexGuard { data: place.data.cast(), _held: held, place })
    }
}

impl<T> Drop for MutexGuard<T> {
    fn drop(&mut self) {
        self.place.note(false);
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

pub(crate) fn free_in_child<T>(_: &Mutex<T>) {}
