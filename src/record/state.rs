//! Whether calls are recorded, for all threads.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU8, Ordering};

/// | state | means                              | leaves by                                                |
/// |-------|------------------------------------|----------------------------------------------------------|
/// | ASK   | the options are not read yet       | `start` → ON or OFF                                      |
/// | ON    | calls are recorded                 | `stop` → OFF: no room, no memory, no file for a child     |
/// | OFF   | none is                            | never                                                    |
static STATE: AtomicU8 = AtomicU8::new(ASK);
pub(super) const ASK: u8 = 0;
pub(super) const ON: u8 = 1;
const OFF: u8 = 2;

/// Whether calls are recorded, or that is not known yet: `start` tells. What slow paths ask first.
#[inline(always)]
pub(crate) fn may_be_on() -> bool {
    // Relaxed, here and below: it publishes nothing; who goes on to the session acquires that.
    STATE.load(Ordering::Relaxed) != OFF
}

/// Whether calls are recorded.
#[inline(always)]
pub(crate) fn is_on() -> bool {
    STATE.load(Ordering::Relaxed) == ON
}

#[inline(always)]
pub(super) fn now() -> u8 {
    STATE.load(Ordering::Relaxed)
}

pub(super) fn switch_on() {
    STATE.store(ON, Ordering::Relaxed);
}

/// From now on no thread records; each is told by its next slow path.
pub(super) fn stop() {
    STATE.store(OFF, Ordering::Relaxed);
}
