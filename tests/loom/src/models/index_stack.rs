//! `IndexStack`: free-slot hints and spare nodes.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use super::check;
use crate::base::index_stack::{IndexStack, Links};
use crate::base::sync::{AtomicU32, Ordering};

const ENTRIES: usize = 3;

struct Stack {
    stack: IndexStack,
    links: [AtomicU32; ENTRIES],
    contents: [UnsafeCell<u32>; ENTRIES],
}

impl Links for Stack {
    fn link(&self, index: u32) -> &AtomicU32 {
        &self.links[index as usize]
    }
}

impl Stack {
    /// With entries `0..held` on it, the last on top.
    fn with(held: u32) -> Arc<Stack> {
        let all = Arc::new(Stack {
            stack: IndexStack::new(),
            links: [const { AtomicU32::new(0) }; ENTRIES],
            contents: core::array::from_fn(|_| UnsafeCell::new(0)),
        });
        // What `new` made is there before the threads are (see base/sync.rs).
        all.links.iter().for_each(|link| _ = link.load(Ordering::Relaxed));
        assert!(all.pop(0).is_none());
        (0..held).for_each(|index| all.push(index, 0));
        all
    }

    /// Writes the contents, as only their owner may, and pushes.
    fn push(&self, index: u32, who: u32) {
        self.own(index, who);
        self.stack.push(self, index);
    }

    fn pop(&self, who: u32) -> Option<u32> {
        let index = self.stack.pop(self)?;
        self.own(index, who);
        Some(index)
    }

    fn own(&self, index: u32, who: u32) {
        // SAFETY: loom checks that nobody else is in the cell.
        self.contents[index as usize].with_mut(|last| unsafe { *last = who });
    }

    /// That the entries in `held` and those still on the stack are each there once.
    fn none_lost(&self, held: impl IntoIterator<Item = u32>, entries: u32) {
        let mut all: Vec<u32> = held.into_iter().collect();
        all.extend(core::iter::from_fn(|| self.pop(9)));
        all.sort_unstable();
        assert!(all.iter().copied().eq(0..entries), "{all:?}");
    }
}

/// ABA: while one `pop` sleeps, the entry that it read is popped, the next one too, and the first is pushed again.
pub fn index_stack_pop_refuses_a_stale_link() {
    check(3, 0, || {
        let all = Stack::with(2);
        let other = {
            let all = all.clone();
            thread::spawn(move || {
                let first = all.pop(1);
                let second = all.pop(1);
                first.inspect(|&first| all.push(first, 1));
                // Still ours, whatever the other thread believes.
                second.inspect(|&second| all.own(second, 1));
                second
            })
        };
        let mine = all.pop(2);
        mine.inspect(|&mine| all.own(mine, 2));
        let second = other.join().unwrap();
        all.none_lost(mine.into_iter().chain(second), 2);
    });
}

/// Two take, one gives and takes: nothing is lost, nothing is had by two, contents arrive.
pub fn index_stack_hands_contents_over() {
    check(3, 0, || {
        let all = Stack::with(1);
        let popper = |who| {
            let all = all.clone();
            thread::spawn(move || all.pop(who))
        };
        let (one, two) = (popper(1), popper(2));
        all.push(1, 3);
        all.push(2, 3);
        let mine = all.pop(3);
        let held = [one.join().unwrap(), two.join().unwrap(), mine];
        all.none_lost(held.into_iter().flatten(), 3);
    });
}

/// Two give at once, then all is there.
pub fn index_stack_pushes_are_not_lost() {
    check(3, 0, || {
        let all = Stack::with(0);
        let pusher = |index| {
            let all = all.clone();
            thread::spawn(move || all.push(index, index))
        };
        let (one, two) = (pusher(0), pusher(1));
        let mine = all.pop(3);
        one.join().unwrap();
        two.join().unwrap();
        all.none_lost(mine, 2);
    });
}
