//! The lock-free code of HAKMEM under loom.
//!
//! The sources are the crate's own, included by path and unchanged. What differs is what stands below them:
//!
//! | here             | in the crate     | what it is here                                                            |
//! |------------------|------------------|----------------------------------------------------------------------------|
//! | `base::sync`     | core's atomics   | loom's, with core's layout: `const`, and zeroed memory is a valid value    |
//! | `os::lock`     | futex mutex      | loom's, over data that starts anew in each execution                       |
//! | `futex_lock`   | `os::lock`       | the crate's own, over a futex of the model's                                |
//! | `os`, `meta`     | the kernel       | addresses without memory, so that a model can watch who holds them; arenas |
//! | `config`         | the environment  | what the model sets                                                        |
//! | `heap`           | `Heap`     | the registry, what goes from heap to heap, and the node pool               |
//! | `span`           | spans            | of one block each, which loom watches                                      |
//! | `reclaim`        | what gives back  | only the background thread, with one number for all that is idle           |
//! | `large`          | the mappings     | only what waits at seats; the cache counts what it is given                |
//! | `report`         | what is written  | only whose turn it is; reports are counted                                 |
//!
//! loom refutes, it does not prove: preemptions are capped, and SeqCst is treated as AcqRel. That each model can fail is
//! shown by scripts/check_mutations.sh. A library that tests/models.rs calls, not `#[cfg(test)]`: the unit tests inside of
//! the sources are not for here.

#![allow(dead_code, unused_imports, reason = "the sources serve more than the models use")]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "what stands below the sources may allocate")]
#![allow(clippy::duplicate_mod, reason = "sp_slot.rs is in its box and, for its own models, outside of it")]

#[cfg(loom)]
compile_error!("no --cfg loom: the sources know nothing of loom, this package puts it below them");

mod base;
mod canary;
mod class;
mod config;
mod futex_lock;
mod heap;
mod large;
mod meta;
mod os;
#[path = "../../../src/page_map/mod.rs"]
mod page_map;
mod pressure;
mod profile;
mod reclaim;
mod report;
#[path = "../../../src/reserve/mod.rs"]
mod reserve;
mod span;
mod stats;
#[path = "../../../src/superslab/mod.rs"]
mod superslab;

pub mod models;
