//! The crate's `os::lock`, which elsewhere in here is loom's own mutex. What differs is the kernel: a futex of a lock and a condition,
//! on which the background thread sleeps too.

#[path = "../../../src/os/lock.rs"]
pub(crate) mod lock;

pub(crate) use futex::reset;

/// One word is slept on in a model.
pub(crate) mod futex {
    use std::cell::RefCell;
    use std::rc::Rc;

    use loom::sync::{Condvar, Mutex};

    use crate::base::sync::{AtomicU32, Ordering};

    type Queue = Rc<(Mutex<()>, Condvar)>;

    thread_local! {
        static QUEUE: RefCell<Option<Queue>> = const { RefCell::new(None) };
    }

    /// Starts a new execution.
    pub(crate) fn reset() {
        QUEUE.replace(Some(Rc::new((Mutex::new(()), Condvar::new()))));
    }

    fn queue() -> Queue {
        QUEUE.with_borrow(|queue| queue.clone().unwrap())
    }

    /// As the kernel does it: under the queue's lock, which `wake` takes as well, the word is looked at once more.
    pub(crate) fn wait(word: &AtomicU32, expected: u32, _: Option<u64>) {
        let queue = queue();
        let held = queue.0.lock().unwrap();
        if word.load(Ordering::Relaxed) == expected {
            drop(queue.1.wait(held).unwrap());
        }
    }

    pub(crate) fn wake(_: &AtomicU32, count: u32) {
        let queue = queue();
        let _held = queue.0.lock().unwrap();
        match count {
            1 => queue.1.notify_one(),
            _ => queue.1.notify_all(),
        }
    }
}
