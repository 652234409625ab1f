//! Box `base` (L0): addresses, bits and the lock-free stacks every other box is built from.
//! Owns: no memory.   Calls: nothing of this crate.   Called by: all above.   Locks: none.
//! Threads: any.   Never: allocates, panics.

pub(crate) mod addr;
pub(crate) mod aside;
pub(crate) mod at_hand;
pub(crate) mod batch_stack;
pub(crate) mod bits;
pub(crate) mod block;
pub(crate) mod digits;
pub(crate) mod door;
pub(crate) mod fresh;
pub(crate) mod gate;
pub(crate) mod index_stack;
pub(crate) mod label;
pub(crate) mod layout;
pub(crate) mod open_batch;
pub(crate) mod seats;
pub(crate) mod sync;
pub(crate) mod tray;
