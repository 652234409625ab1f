//! `BatchStack`: the inboxes.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use super::check;
use crate::base::batch_stack::{BatchStack, Node};
use crate::base::sync::{AtomicPtr, Ordering};

struct Letter {
    next: AtomicPtr<Letter>,
    text: UnsafeCell<u32>,
}

// SAFETY: `next` is a plain field that only the stack writes.
unsafe impl Node for Letter {
    fn next(&self) -> &AtomicPtr<Letter> {
        &self.next
    }
}

struct Inbox {
    stack: BatchStack<Letter>,
    letters: [Letter; 3],
}

impl Inbox {
    fn new() -> Arc<Inbox> {
        let letter = |_| Letter { next: AtomicPtr::new(core::ptr::null_mut()), text: UnsafeCell::new(0) };
        let inbox = Arc::new(Inbox { stack: BatchStack::new(), letters: core::array::from_fn(letter) });
        // What `new` made is there before the threads are (see base/sync.rs).
        inbox.letters.iter().for_each(|letter| _ = letter.next.load(Ordering::Relaxed));
        assert!(inbox.take().is_empty());
        inbox
    }

    /// Writes letter `index` and sends it.
    fn send(&self, index: usize) {
        let letter = &self.letters[index];
        // SAFETY: loom checks that nobody else is in the cell.
        letter.text.with_mut(|text| unsafe { *text = index as u32 + 10 });
        // SAFETY: each letter is sent once at a time, by its owner, and lives as long as the inbox.
        unsafe { self.stack.push((&raw const *letter).cast_mut()) };
    }

    /// Reads and keeps all letters.
    fn take(&self) -> Vec<u32> {
        let mut texts = Vec::new();
        let mut letter = self.stack.take_all();
        // SAFETY: null, or a letter of ours.
        while let Some(taken) = unsafe { letter.as_ref() } {
            // SAFETY: loom checks that nobody else is in the cell.
            texts.push(taken.text.with_mut(|text| unsafe { core::mem::replace(&mut *text, 0) }));
            letter = taken.next.load(Ordering::Relaxed);
        }
        texts
    }
}

/// Two senders, one with two letters, and a taker: each letter arrives once, with its text, a sender's newest first.
pub fn batch_stack_delivers_each_node_once() {
    check(3, 0, || {
        let inbox = Inbox::new();
        let sender = |letters: core::ops::Range<usize>| {
            let inbox = inbox.clone();
            thread::spawn(move || letters.for_each(|letter| inbox.send(letter)))
        };
        let (one, two) = (sender(0..1), sender(1..3));
        let mut texts = inbox.take();
        one.join().unwrap();
        two.join().unwrap();
        let later = inbox.take();
        for batch in [&texts, &later] {
            let of_two: Vec<_> = batch.iter().filter(|&&text| text > 10).collect();
            assert!(of_two.is_sorted_by(|newer, older| newer > older), "{batch:?}");
        }
        texts.extend(later);
        texts.sort_unstable();
        assert_eq!(texts, [10, 11, 12]);
    });
}

/// A node that was taken is sent again: what the taker did with it is over for the next taker.
pub fn batch_stack_nodes_come_round() {
    check(3, 0, || {
        let inbox = Inbox::new();
        inbox.send(0);
        let other = {
            let inbox = inbox.clone();
            thread::spawn(move || {
                inbox.send(1);
                let taken = inbox.take();
                if taken.contains(&10) {
                    inbox.send(0);
                }
                taken.len()
            })
        };
        let mut taken = inbox.take().len();
        let others = other.join().unwrap();
        taken += inbox.take().len();
        assert!((2..=3).contains(&(taken + others)));
    });
}
