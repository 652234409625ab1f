//! Box `profile`: its tables, without what fills them.

#[path = "../../../../src/profile/draw.rs"]
mod draw;
#[path = "../../../../src/profile/live.rs"]
pub(crate) mod live;
#[path = "../../../../src/profile/sites.rs"]
pub(crate) mod sites;

pub(crate) use draw::Weight;
