//! `os::lock`'s mutex: who holds it, what the next holder sees, and that nobody sleeps on.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use super::check;
use crate::futex_lock::lock::Mutex;

struct Room {
    lock: Mutex<()>,
    /// What only the holder may touch.
    inside: UnsafeCell<u32>,
}

impl Room {
    fn new() -> Arc<Room> {
        let room = Arc::new(Room { lock: Mutex::new(()), inside: UnsafeCell::new(0) });
        // What `new` made is there before the threads are (see base/sync.rs).
        drop(room.lock.lock());
        room
    }

    fn touch(&self) {
        // SAFETY: loom checks that nobody else is in the cell.
        self.inside.with_mut(|count| unsafe { *count += 1 });
    }

    fn enter(&self) {
        let _held = self.lock.lock();
        self.touch();
    }

    fn visitor(room: &Arc<Room>, visits: usize) -> thread::JoinHandle<()> {
        let room = room.clone();
        thread::spawn(move || (0..visits).for_each(|_| room.enter()))
    }

    fn count(&self) -> u32 {
        // SAFETY: as in `touch`.
        self.inside.with(|count| unsafe { *count })
    }
}

/// One who waits and one who only tries are never in there together, and each sees what the other did.
pub fn lock_has_one_holder_who_sees_what_the_last_one_did() {
    check(3, 0, || {
        let room = Room::new();
        let other = Room::visitor(&room, 2);
        let got_in = room.lock.try_lock().map(|_held| room.touch()).is_some();
        room.enter();
        other.join().unwrap();
        assert_eq!(room.count(), 3 + got_in as u32);
    });
}

/// Two wait for a third: both get in, though each that leaves wakes one.
pub fn lock_wakes_all_who_sleep() {
    check(2, 0, || {
        let room = Room::new();
        let held = room.lock.lock();
        let others = [Room::visitor(&room, 1), Room::visitor(&room, 1)];
        room.touch();
        drop(held);
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_eq!(room.count(), 3);
    });
}
