//! `OpenBatch`: the batches that wait with their sender.

use loom::sync::Arc;
use loom::thread;

use super::check;
use crate::base::addr::Addr;
use crate::base::open_batch::OpenBatch;
use crate::base::sync::Ordering;

type Batch = OpenBatch<2>;

/// A batch of zeroed memory, as a node's; what was there from the start is there before the threads are (see base/sync.rs).
fn closed() -> Arc<Batch> {
    // SAFETY: atomics, for which zeroes are valid.
    let batch: Arc<Batch> = Arc::new(unsafe { core::mem::zeroed() });
    batch.open(Addr(0));
    batch.push(Addr(0));
    batch.push(Addr(0));
    assert!(batch.close());
    batch
}

/// Takes once, up to `most` entries.
fn take(batch: &Batch, most: usize) -> Vec<(usize, usize)> {
    let mut out = [Addr(0); 2];
    let Some((to, count)) = batch.take(&mut out[..most]) else { return Vec::new() };
    out[..count].iter().map(|entry| (to.0, entry.0)).collect()
}

/// Closes, and says what is left.
fn close(batch: &Batch, to: usize) -> Vec<(usize, usize)> {
    let any = batch.close();
    let rest: Vec<_> = batch.rest().iter().map(|entry| (to, entry.load(Ordering::Relaxed))).collect();
    assert_eq!(any, !rest.is_empty());
    rest
}

/// A filler and two takers: each entry is had once.
pub fn open_batch_delivers_each_entry_once() {
    check(3, 0, || {
        let batch = closed();
        let taker = |most| {
            let batch = batch.clone();
            thread::spawn(move || take(&batch, most))
        };
        batch.open(Addr(7));
        batch.push(Addr(1));
        let takers = [taker(1), taker(2)];
        batch.push(Addr(2));
        let mut had = close(&batch, 7);
        takers.into_iter().for_each(|taker| had.extend(taker.join().unwrap()));
        had.sort_unstable();
        assert_eq!(had, [(7, 1), (7, 2)]);
    });
}

/// A taker that began with one turn and ends in the next: it gets nothing, or an entry with the address it belongs to, and nobody else does.
pub fn open_batch_that_came_round_misleads_no_taker() {
    check(3, 0, || {
        let batch = closed();
        batch.open(Addr(7));
        batch.push(Addr(1));
        let taker = {
            let batch = batch.clone();
            thread::spawn(move || take(&batch, 2))
        };
        let mut had = close(&batch, 7);
        batch.open(Addr(8));
        batch.push(Addr(2));
        had.extend(close(&batch, 8));
        had.extend(taker.join().unwrap());
        had.sort_unstable();
        assert_eq!(had, [(7, 1), (8, 2)]);
    });
}
