//! How many mappings closed pages may cost: each range of them parts others, and the kernel allows a process only so many (vm.max_map_count). A
//! quarter of those; what is beyond goes without, and is counted.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicUsize, Ordering};

use super::lines::{LINE_MAX, each_line};
use super::process;
use super::sealed::SEALED;

/// What the kernel allows, where it does not say.
const MAPS: usize = 65_530;

static TAKEN: AtomicUsize = AtomicUsize::new(0);
static WITHOUT: AtomicUsize = AtomicUsize::new(0);

/// Asks the kernel what it allows, by the library's constructor: later a sandbox may kill for the question.
pub(crate) fn start() {
    let mut maps = MAPS;
    each_line(b"/proc/sys/vm/max_map_count\0", &mut [0; LINE_MAX], &mut |line| {
        let digit =
            |sum: usize, digit: &u8| Some(sum.checked_mul(10)? + digit.checked_sub(b'0').filter(|d| *d < 10)? as usize);
        maps = line.iter().try_fold(0, digit).unwrap_or(MAPS);
        true
    });
    // Relaxed, here and below: numbers that are only added up and compared.
    SEALED.closed.store(maps / 4 + 1, Ordering::Relaxed);
    SEALED.is_narrow.store(process::has_address_limit(), Ordering::Relaxed);
}

/// Whether addresses may be set aside that hold nothing: not where they are limited.
pub(crate) fn has_addresses() -> bool {
    !SEALED.is_narrow.load(Ordering::Relaxed)
}

/// How many there may be.
fn most() -> usize {
    SEALED.closed.load(Ordering::Relaxed).checked_sub(1).unwrap_or(MAPS / 4)
}

/// Whether there may be so many more.
pub(crate) fn has_room(mappings: usize) -> bool {
    TAKEN.load(Ordering::Relaxed) + mappings <= most()
}

/// Takes so many. `false`: there may be no more, and somebody goes without.
pub(crate) fn take(mappings: usize) -> bool {
    let taken = has_room(mappings);
    if taken {
        settle(0, mappings);
    } else {
        miss();
    }
    taken
}

/// Counts one that goes without.
pub(crate) fn miss() {
    WITHOUT.fetch_add(1, Ordering::Relaxed);
}

/// From now on there are `now` where `before` were counted.
pub(crate) fn settle(before: usize, now: usize) {
    TAKEN.fetch_add(now.wrapping_sub(before), Ordering::Relaxed);
}

/// Mappings taken, and how many SuperSlabs and large blocks went without so far.
pub(crate) fn figures() -> (u64, u64) {
    (TAKEN.load(Ordering::Relaxed) as u64, WITHOUT.load(Ordering::Relaxed) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_an_end_and_who_comes_then_is_counted() {
        let before = figures();
        let left = most() - before.0 as usize;
        assert!(has_room(left) && !has_room(left + 1) && !take(left + 1) && take(2));
        assert_eq!(figures(), (before.0 + 2, before.1 + 1));
        settle(2, 0);
        assert_eq!(figures().0, before.0);
    }
}
