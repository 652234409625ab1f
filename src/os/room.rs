//! Zeroes that came with the program, for one who asks: he needs nothing of a kernel that may have no addresses left to give
//! (`RLIMIT_AS`), and makes no call.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::base::addr::Addr;
use crate::base::aside::Aside;
use crate::base::bits::round_up;

/// What can be asked for, where pages are the largest, 64 KiB.
const MOST: usize = 17 << 16;

/// In .bss, touched where used. A page more than can be asked for, so that it may begin with one.
struct Room(UnsafeCell<[u8; MOST + (1 << 16)]>);

// SAFETY: only its address is taken here, and `take` gives that to one.
unsafe impl Sync for Room {}

static ROOM: Aside<Room> = Aside(Room(UnsafeCell::new([0; MOST + (1 << 16)])));
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The room, page-aligned, zeroed and at least `len` bytes long, for ever. `None`: somebody has it. Any thread.
pub(crate) fn take(len: usize) -> Option<Addr> {
    // Acquire pairs with the Release in `give_back`.
    if len > MOST || TAKEN.swap(true, Ordering::Acquire) {
        return None;
    }
    round_up(ROOM.0.0.get().addr(), super::linux::page_size()).map(Addr)
}

/// Takes the room back from whoever has it and has not written to it.
pub(crate) fn give_back() {
    TAKEN.store(false, Ordering::Release);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_it() {
        assert!(take(MOST + 1).is_none());
        let Some(room) = take(MOST) else { return };
        assert!(room.is_aligned(crate::os::page_size()) && take(1).is_none());
        // SAFETY: ours, and this long.
        assert!(unsafe { core::slice::from_raw_parts(room.as_ptr::<u8>(), MOST) }.iter().all(|&byte| byte == 0));
        give_back();
    }
}
