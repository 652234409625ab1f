//! The models. Each is a few threads that do a few operations, and says what must hold in every interleaving of them.
//! What an operation hands over goes through a loom cell: loom sees a wrong ordering only where data depends on it.

mod allowance;
mod at_hand;
mod batch_stack;
mod changed;
mod door;
mod gate;
mod index_stack;
mod lock;
mod open_batch;
mod page_map;
mod pool;
mod profile;
mod reserve;
mod seats;
mod sp_slot;

pub use crate::heap::model::node_pool_gives_each_node_to_one;
pub use crate::heap::registry_model::*;
pub use crate::heap::remote_model::*;
pub use crate::large::model::*;
pub use crate::reclaim::model::*;
pub use crate::report::model::*;
pub use allowance::*;
pub use at_hand::*;
pub use batch_stack::*;
pub use changed::*;
pub use door::*;
pub use gate::*;
pub use index_stack::*;
pub use lock::*;
pub use open_batch::*;
pub use page_map::*;
pub use pool::*;
pub use profile::*;
pub use reserve::*;
pub use seats::*;
pub use sp_slot::*;

use crate::{base, futex_lock, heap, large, meta, os, report, span, stats};

/// Runs `body` in every interleaving with up to `preemptions` forced switches. The stand-in for the kernel has `granules`.
pub(crate) fn check(preemptions: usize, granules: usize, body: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 50_000;
    builder.check(move || {
        base::sync::reset();
        os::lock::reset();
        os::thread::reset();
        large::reset();
        report::reset();
        futex_lock::reset();
        heap::reset();
        span::reset();
        meta::reset();
        os::reset(granules);
        stats::counter::reset();
        body();
    });
}
