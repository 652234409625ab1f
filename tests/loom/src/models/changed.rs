//! `Changed` alone: a number noted by a release is taken by somebody who sees what the release changed.
//! (Here once more by path: in its box it is private.)

use loom::sync::{Arc, atomic};
use loom::thread;

use super::check;
use crate::base::index_stack::Links;
use crate::base::sync::{AtomicU32, Ordering};

#[path = "../../../../src/superslab/changed.rs"]
mod notes;

use notes::{Changed, Marks};

const ID: u32 = 0;

struct Table {
    changed: Changed,
    link: AtomicU32,
    mark: AtomicU32,
    /// What is noted: the slots of the one SuperSlab there is, one bit each.
    free: atomic::AtomicU32,
}

impl Links for Table {
    fn link(&self, _: u32) -> &AtomicU32 {
        &self.link
    }
}

impl Marks for Table {
    fn mark(&self, _: u32) -> &AtomicU32 {
        &self.mark
    }
}

impl Table {
    fn new() -> Arc<Table> {
        let [link, mark] = [const { AtomicU32::new(0) }; 2];
        let table = Arc::new(Table { changed: Changed::new(), link, mark, free: atomic::AtomicU32::new(0) });
        // What `new` made is there before the threads are (see base/sync.rs).
        [&table.link, &table.mark].iter().for_each(|word| _ = word.load(Ordering::Relaxed));
        assert!(table.changed.take(&*table).is_none());
        table
    }

    /// Frees a slot. Relaxed: the note is what publishes it.
    fn release(&self, slot: u32) {
        self.free.fetch_or(1 << slot, Ordering::Relaxed);
        self.changed.note(self, ID);
    }

    /// The free slots as who takes a note sees them. A look, not a change: it sees no more than it must.
    fn look(&self) -> Option<u32> {
        let id = self.changed.take(self)?;
        assert_eq!(id, ID);
        Some(self.free.load(Ordering::Relaxed))
    }
}

/// Noted already, and a second release finds the mark up: either who takes the note sees both slots, or there is another.
pub fn changed_a_note_that_did_nothing_is_seen() {
    check(3, 0, || {
        let table = Table::new();
        table.release(0);
        let taker = thread::spawn({
            let table = table.clone();
            move || table.look().expect("it was noted before")
        });
        table.release(1);
        let seen = taker.join().unwrap();
        assert!(seen & 1 != 0, "the note that was there is of this slot");
        assert!(seen == 0b11 || table.look() == Some(0b11), "the index never hears of the second slot");
    });
}

/// Two releases and a look at once: no number stands on the list twice, and none is left out.
pub fn changed_two_notes_are_one() {
    check(3, 0, || {
        let table = Table::new();
        let releases = [0, 1].map(|slot| {
            let table = table.clone();
            thread::spawn(move || table.release(slot))
        });
        let first = table.look();
        releases.into_iter().for_each(|release| release.join().unwrap());
        let last = table.look();
        assert!(first == Some(0b11) || last == Some(0b11), "a slot that nobody hears of");
        assert!(table.look().is_none(), "twice on the list");
    });
}
