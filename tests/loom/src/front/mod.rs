//! Of box `front` the background thread, and its models: its doors are as private as in the crate.

pub(crate) mod purge;
