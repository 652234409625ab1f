//! What a replay came to, as the process that replayed told it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::layout::{CALLS, MAGIC, Point, Results, take};
use crate::histogram::{BUCKETS, Histogram, middle};

pub(super) struct Run {
    pub(super) wall_s: f64,
    pub(super) cpu_s: f64,
    pub(super) faults: u64,
    pub(super) refused: u64,
    /// Resident before the first call.
    pub(super) base: u64,
    pub(super) points: Vec<Point>,
    pub(super) served_by: PathBuf,
    /// Of each kind of call, in nanoseconds, where calls were timed.
    pub(super) latencies: Option<[Latency; CALLS]>,
}

#[derive(Clone, Default)]
pub(super) struct Latency {
    pub(super) ns: Histogram,
    pub(super) longest_ns: u64,
}

impl Latency {
    pub(super) fn add(&mut self, other: &Latency) {
        self.ns.add_all(&other.ns);
        self.longest_ns = self.longest_ns.max(other.longest_ns);
    }
}

impl Run {
    /// `None`: it did not come to its end.
    pub(super) fn read(mut file: &File, timed: bool) -> Option<Run> {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(0)).ok()?;
        file.read_to_end(&mut bytes).ok()?;
        let mut rest = &bytes[..];
        let head = *take::<Results>(&mut rest, 1)?.first()?;
        if head.magic != MAGIC {
            return None;
        }
        let points = take::<Point>(&mut rest, head.points)?;
        let per_tick = head.elapsed_ns as f64 / head.ticks.max(1) as f64;
        let ns = |ticks: u64| (ticks as f64 * per_tick).round() as u64;
        let mut latencies = None;
        if timed {
            let mut all: [Latency; CALLS] = Default::default();
            for (latency, longest) in all.iter_mut().zip(head.longest) {
                let counts = take::<u64>(&mut rest, BUCKETS as u64)?;
                for (bucket, count) in counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
                    latency.ns.add_many_of(ns(middle(bucket)), count);
                }
                latency.longest_ns = ns(longest);
            }
            latencies = Some(all);
        }
        let path = head.served_by.0.split(|&byte| byte == 0).next().unwrap_or_default();
        Some(Run {
            wall_s: head.wall_ns as f64 / 1e9,
            cpu_s: head.cpu_ns as f64 / 1e9,
            faults: head.faults,
            refused: head.refused,
            base: head.base,
            points,
            served_by: PathBuf::from(std::ffi::OsStr::from_bytes(path)),
            latencies,
        })
    }
}
