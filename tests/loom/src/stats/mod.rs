//! Levels and text as they are: they order nothing, so core's atomics do, and keep the models small.

#[path = "../../../../src/stats/allowance.rs"]
pub(crate) mod allowance;
pub(crate) mod counter;
#[path = "../../../../src/stats/event.rs"]
pub(crate) mod event;
#[path = "../../../../src/stats/level.rs"]
pub(crate) mod level;
#[path = "../../../../src/stats/path.rs"]
pub(crate) mod path;
#[path = "../../../../src/stats/text.rs"]
pub(crate) mod text;
