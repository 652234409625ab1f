//! The reserve: chunks, and blocks of half a chunk.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use loom::cell::UnsafeCell;
use loom::thread;

use super::check;
use crate::base::addr::{Addr, GRANULE};
use crate::os;
use crate::page_map::{Tag, tag};
use crate::reserve::{alloc, free};

const HALF: usize = GRANULE / 2;

thread_local! {
    // loom runs all threads of a model on the OS thread of the test.
    static BLOCKS: RefCell<HashMap<usize, Rc<UnsafeCell<u32>>>> = RefCell::default();
}

/// Takes a block, writes to it and gives it back.
fn hold() {
    let at = take();
    let kind = tag(at);
    assert!(kind == Tag::reserve(HALF.trailing_zeros()) && free(at, kind));
}

fn take() -> Addr {
    let at = alloc(HALF, 1).expect("there is memory");
    assert!(os::is_mapped(at), "a block in memory that is gone");
    let cell =
        BLOCKS.with_borrow_mut(|blocks| blocks.entry(at.0).or_insert_with(|| Rc::new(UnsafeCell::new(0))).clone());
    // SAFETY: loom checks that nobody else is in the cell.
    cell.with_mut(|writes| unsafe { *writes += 1 });
    at
}

fn start() {
    BLOCKS.take();
    // What is there from the start is there before the threads are (see base/sync.rs).
    hold();
}

/// What one thread holds is nobody else's meanwhile, and who holds a block later sees what the last one did.
pub fn reserve_blocks_have_one_holder() {
    check(3, 16, || {
        start();
        let other = thread::spawn(|| {
            hold();
            hold();
        });
        hold();
        hold();
        other.join().unwrap();
    });
}

/// Chunks come and go while blocks of older ones are held.
pub fn reserve_chunks_stay_while_they_are_used() {
    check(2, 16, || {
        start();
        let first = take();
        let other = thread::spawn(|| {
            let (one, two) = (take(), take());
            assert!(os::is_mapped(one) && os::is_mapped(two));
            assert!(free(one, tag(one)) && free(two, tag(two)));
        });
        let second = take();
        assert!(os::is_mapped(first) && os::is_mapped(second));
        assert!(free(first, tag(first)) && free(second, tag(second)));
        other.join().unwrap();
        // All that is left is the chunk that blocks come from.
        assert!(os::mapped() <= 1, "{}", os::mapped());
    });
}

/// Who found a chunk just before it was given up, and emptied, gets a block of another.
pub fn reserve_a_chunk_given_up_serves_nobody() {
    check(2, 16, || {
        start();
        let first = take();
        let other = thread::spawn(hold);
        let (second, third) = (take(), take());
        for at in [first, second, third] {
            assert!(free(at, tag(at)));
        }
        other.join().unwrap();
    });
}
