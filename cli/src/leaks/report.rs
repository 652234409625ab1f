//! What was found, as lines and as JSON.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::blocks::Blocks;
use super::graph::{Kind, Leak};
use super::samples::{Samples, Stack, place};
use crate::output::shorten;
use crate::profile::symbols::Named;
use crate::table::{Align, Table};
use crate::units;

#[derive(Serialize)]
pub(crate) struct Report {
    schema: u32,
    pid: i32,
    /// For so long the process stood still; of a core file it is not known.
    stopped_ms: Option<f64>,
    total_ms: f64,
    read_bytes: u64,
    live: Sum,
    /// Blocks that nothing points to, rings counted once.
    lost: Sum,
    /// Blocks that only those point to.
    held: Sum,
    /// Whether the profiler knows who made blocks.
    profiled: bool,
    groups: Vec<Group>,
    blocks: Vec<Block>,
}

#[derive(Serialize, Clone, Copy, Default)]
struct Sum {
    blocks: u64,
    bytes: u64,
}

impl Sum {
    fn add(&mut self, bytes: u64) {
        self.blocks += 1;
        self.bytes += bytes;
    }
}

/// Blocks of one size, made by one stack.
#[derive(Serialize)]
struct Group {
    size: u64,
    ring: bool,
    lost: Sum,
    held: Sum,
    thread: Option<String>,
    frames: Vec<Frame>,
    #[serde(skip)]
    from: String,
}

#[derive(Serialize)]
struct Frame {
    function: String,
    file: String,
    line: u32,
    object: String,
    inlined: bool,
}

#[derive(Serialize)]
struct Block {
    address: String,
    size: u64,
    kind: &'static str,
}

/// Callers that are named beside the function that is answerable, which may be a wrapper of malloc that nobody knows for one.
const CALLERS: usize = 2;
const WIDTH: usize = 110;

/// What the search itself came to.
pub(crate) struct Search {
    pub(crate) pid: i32,
    pub(crate) stopped: Option<Duration>,
    pub(crate) total: Duration,
    pub(crate) read: u64,
}

impl Report {
    pub(crate) fn new(search: &Search, blocks: &Blocks, leaks: &[Leak], samples: Option<&mut Samples>) -> Report {
        let mut live = Sum::default();
        blocks.live().for_each(|number| live.add(blocks.place(number).1));
        let (mut lost, mut held) = (Sum::default(), Sum::default());
        for leak in leaks {
            let size = blocks.place(leak.number).1;
            if leak.kind == Kind::Held { held.add(size) } else { lost.add(size) }
        }
        let block = |leak: &Leak| {
            let (at, size) = blocks.place(leak.number);
            let kind = match leak.kind {
                Kind::Lost => "lost",
                Kind::Ring => "ring",
                Kind::Held => "held",
            };
            Block { address: format!("{at:#x}"), size, kind }
        };
        Report {
            schema: 1,
            pid: search.pid,
            stopped_ms: search.stopped.map(milliseconds),
            total_ms: milliseconds(search.total),
            read_bytes: search.read,
            live,
            lost,
            held,
            profiled: samples.is_some(),
            groups: groups(blocks, leaks, samples),
            blocks: leaks.iter().map(block).collect(),
        }
    }

    pub(crate) fn any(&self) -> bool {
        self.lost.blocks > 0
    }

    /// `top`: so many groups.
    pub(crate) fn text(&self, name: &str, top: usize) -> String {
        let sum = |sum: Sum| {
            format!("{} {} ({})", units::count(sum.blocks), plural(sum.blocks), units::bytes(sum.bytes as f64))
        };
        let stood = self.stopped_ms.map(|ms| format!(", stopped for {}", units::seconds(ms / 1e3))).unwrap_or_default();
        let mut out = format!("{name}: {} live{stood}\n", sum(self.live));
        if !self.any() {
            return out + "nothing is lost: each block is pointed to from somewhere\n";
        }
        out += &format!("lost, as nothing points to them: {}", sum(self.lost));
        if self.held.blocks > 0 {
            out += &format!("; and with them what only they hold: {}", sum(self.held));
        }
        out += "\n";
        let mut table = Table::new(&[Align::Right, Align::Right, Align::Right, Align::Right, Align::Left]);
        table.row(["lost", "blocks", "each", "with it", "from"]);
        for group in self.groups.iter().take(top) {
            let held = if group.held.blocks == 0 { "–".to_owned() } else { units::bytes(group.held.bytes as f64) };
            let ring = if group.ring { " (in a ring)" } else { "" };
            table.row([
                units::bytes(group.lost.bytes as f64),
                units::count(group.lost.blocks),
                units::bytes(group.size as f64),
                held,
                format!("{}{ring}", group.from),
            ]);
        }
        out += &table.text("  ");
        if self.groups.len() > top {
            out += &format!("  and {} more groups: --top {0}\n", self.groups.len() - top,);
        }
        if !self.profiled {
            out += "Who made them is known of a process that was started with HAKMEM_PROF=1 (and HAKMEM_PROF_RATE=1, to know it of each block).\n";
        }
        out
    }
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "block" } else { "blocks" }
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

fn groups(blocks: &Blocks, leaks: &[Leak], mut samples: Option<&mut Samples>) -> Vec<Group> {
    let mut sums: BTreeMap<(u64, bool, Option<u32>), (Sum, Sum)> = BTreeMap::new();
    for leak in leaks.iter().filter(|leak| leak.kind != Kind::Held) {
        let (at, size) = blocks.place(leak.number);
        let site = samples.as_ref().and_then(|samples| samples.site(at));
        let (lost, held) = sums.entry((size, leak.kind == Kind::Ring, site)).or_default();
        lost.add(size);
        held.blocks += leak.blocks;
        held.bytes += leak.bytes;
    }
    let mut groups: Vec<Group> = sums
        .into_iter()
        .map(|((size, ring, site), (lost, held))| {
            let stack = site.and_then(|site| samples.as_mut()?.stack(site));
            let from = from(stack.as_ref(), samples.is_some());
            let thread = stack.as_ref().map(|stack| stack.thread.clone());
            let frames = stack.map(|stack| stack.frames.into_iter().map(frame).collect()).unwrap_or_default();
            Group { size, ring, lost, held, thread, frames, from }
        })
        .collect();
    groups.sort_by_key(|group| (Reverse(group.lost.bytes + group.held.bytes), group.size));
    groups
}

fn from(stack: Option<&Stack>, profiled: bool) -> String {
    match stack.and_then(Stack::site) {
        Some((site, callers)) => {
            let callers: Vec<&str> = callers.iter().take(CALLERS).map(|caller| caller.function.as_str()).collect();
            let callers = if callers.is_empty() { String::new() } else { format!(" ← {}", callers.join(" ← ")) };
            shorten(&format!("{}{callers}", place(site)), WIDTH)
        }
        None if profiled => "not sampled".to_owned(),
        None => "–".to_owned(),
    }
}

fn frame(named: Named) -> Frame {
    let Named { function, file, line, object, inlined } = named;
    Frame { function, file, line, object, inlined }
}
