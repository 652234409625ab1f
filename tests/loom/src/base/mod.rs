//! Box `base`: the crate's own but for `sync`.

#[path = "../../../../src/base/addr.rs"]
pub(crate) mod addr;
#[path = "../../../../src/base/aside.rs"]
pub(crate) mod aside;
#[path = "../../../../src/base/batch_stack.rs"]
pub(crate) mod batch_stack;
#[path = "../../../../src/base/bits.rs"]
pub(crate) mod bits;
#[path = "../../../../src/base/digits.rs"]
pub(crate) mod digits;
#[path = "../../../../src/base/door.rs"]
pub(crate) mod door;
#[path = "../../../../src/base/fresh.rs"]
pub(crate) mod fresh;
#[path = "../../../../src/base/gate.rs"]
pub(crate) mod gate;
#[path = "../../../../src/base/index_stack.rs"]
pub(crate) mod index_stack;
#[path = "../../../../src/base/layout.rs"]
pub(crate) mod layout;
#[path = "../../../../src/base/open_batch.rs"]
pub(crate) mod open_batch;
#[path = "../../../../src/base/seats.rs"]
pub(crate) mod seats;
pub(crate) mod sync;
