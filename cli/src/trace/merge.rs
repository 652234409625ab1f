//! The threads of a raw file as one order, and their addresses as numbers of objects.
//!
//! By the clock, which is the same on all processors: an allocation is stamped after it was served and a free before the block is given
//! up, so what happened to an address stands in its order. A realloc has one stamp for both: the block it came to may have been freed by
//! another thread a moment later. So whoever can't have done what he says yet, because the block is still another's, or not there yet,
//! waits until it is so, and only where it does not come to that the trace lacks something.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

use super::event::{Event, Op, Totals};
use super::raw::{Cursor, Raw, RawEvent, RawOp, Source};
use crate::error::Result;

/// How long an allocation waits for its address: a realloc of a GiB takes that long.
const ALLOCATION_WAITS: u64 = 1_000_000_000;
/// A free waits for its block's birth only where the clock is coarse.
const FREE_WAITS: u64 = 10_000;

pub(crate) struct Merge<S> {
    pub(crate) raw: Raw<S>,
    /// By their ticks: the next event of each chunk, or the chunk's beginning where nothing of it was read yet.
    heads: BinaryHeap<Reverse<(u64, usize)>>,
    /// The chunks that are being read, and the next event of each.
    open: HashMap<usize, (Cursor, Option<RawEvent>)>,
    held: Vec<Held>,
    live: HashMap<u64, u64>,
    born: u64,
    /// The library's numbers of threads, and those in the order of their first events.
    numbers: HashMap<u32, u32>,
    at: u64,
    ready: VecDeque<Event>,
    pub(crate) totals: Totals,
}

/// An event that waits, and with it its chunk and its thread.
#[derive(Clone, Copy)]
struct Held {
    chunk: usize,
    event: RawEvent,
    until: u64,
}

impl<S: Source> Merge<S> {
    pub(crate) fn new(raw: Raw<S>) -> Merge<S> {
        let heads = raw.chunks.iter().enumerate().map(|(chunk, (_, ticks))| Reverse((*ticks, chunk)));
        let totals = Totals { dropped: raw.dropped, ..Totals::default() };
        Merge {
            heads: heads.collect(),
            open: HashMap::new(),
            held: Vec::new(),
            live: HashMap::new(),
            born: 0,
            numbers: HashMap::new(),
            at: 0,
            ready: VecDeque::new(),
            totals,
            raw,
        }
    }

    pub(crate) fn next(&mut self) -> Result<Option<Event>> {
        while self.ready.is_empty() {
            let head = self.heads.peek().map(|&Reverse(head)| head);
            let now = head.map_or(u64::MAX, |(ticks, _)| ticks);
            let over = self.held.iter().enumerate().filter(|(_, held)| held.until < now || head.is_none());
            if let Some((place, _)) = over.min_by_key(|(_, held)| (held.event.ticks, held.chunk)) {
                let held = self.held.swap_remove(place);
                self.take(held.chunk, held.event, true)?;
                continue;
            }
            let Some((_, chunk)) = head else {
                self.totals.notes.clone_from(&self.raw.notes);
                return Ok(None);
            };
            self.heads.pop();
            match self.open.get_mut(&chunk).and_then(|(_, event)| event.take()) {
                Some(event) => self.take(chunk, event, false)?,
                None => self.advance(chunk)?,
            }
        }
        let event = self.ready.pop_front();
        event.iter().for_each(|event| self.totals.count(event));
        Ok(event)
    }

    /// Puts the chunk's next event among the heads.
    fn advance(&mut self, chunk: usize) -> Result<()> {
        if !self.open.contains_key(&chunk) {
            let at = self.raw.chunks.get(chunk).map_or(0, |&(at, _)| at);
            self.open.insert(chunk, (self.raw.cursor(at)?, None));
        }
        let Some((cursor, place)) = self.open.get_mut(&chunk) else { return Ok(()) };
        match self.raw.event(cursor)? {
            Some(event) => {
                *place = Some(event);
                self.heads.push(Reverse((event.ticks, chunk)));
            }
            None => {
                self.open.remove(&chunk);
            }
        }
        Ok(())
    }

    /// Carries an event out if it can be, or if it `must`; else it is held.
    fn take(&mut self, chunk: usize, event: RawEvent, must: bool) -> Result<()> {
        let thread = event.thread;
        if !must {
            // Who comes after one that waits waits as long.
            let before = self.held.iter().filter(|held| held.event.thread == thread).map(|held| held.until).max();
            let waits = self.obstacle(event.op).map(|ns| event.ticks.saturating_add(self.raw.clock.ticks(ns)));
            if let Some(until) = before.max(waits) {
                self.held.push(Held { chunk, event, until });
                return Ok(());
            }
        }
        let changed = self.carry_out(event);
        // Who waited for this is looked at anew.
        let concerned = |held: &Held| {
            held.event.thread == thread || changed.into_iter().flatten().any(|address| concerns(held.event.op, address))
        };
        while let Some(place) = self.held.iter().position(concerned) {
            let held = self.held.swap_remove(place);
            if let Some((_, slot)) = self.open.get_mut(&held.chunk) {
                *slot = Some(held.event);
                self.heads.push(Reverse((held.event.ticks, held.chunk)));
            }
        }
        self.advance(chunk)
    }

    /// How long to wait for it to become possible.
    fn obstacle(&self, op: RawOp) -> Option<u64> {
        let is_live = |address| self.live.contains_key(&address);
        match op {
            RawOp::Allocate { address, .. } => is_live(address).then_some(ALLOCATION_WAITS),
            RawOp::Free { address } => (!is_live(address)).then_some(FREE_WAITS),
            RawOp::Reallocate { old, new, .. } if old != new && is_live(new) => Some(ALLOCATION_WAITS),
            RawOp::Reallocate { old, .. } => (!is_live(old)).then_some(FREE_WAITS),
            RawOp::ThreadEnd | RawOp::Fork | RawOp::Failed { .. } => None,
        }
    }

    /// The addresses that are another's, or nobody's, afterwards.
    fn carry_out(&mut self, event: RawEvent) -> [Option<u64>; 2] {
        self.at = self.at.max(self.raw.clock.ns(event.ticks));
        let thread = event.thread;
        match event.op {
            RawOp::Allocate { address, size, align, zeroed } => {
                let object = self.birth(thread, address);
                self.say(thread, Op::Allocate { object, size, align, zeroed });
                [Some(address), None]
            }
            RawOp::Free { address } => {
                match self.live.remove(&address) {
                    Some(object) => self.say(thread, Op::Free { object }),
                    None => self.totals.unknown_frees += 1,
                }
                [Some(address), None]
            }
            RawOp::Reallocate { old, new, size } => {
                let object = self.live.remove(&old);
                let number = self.birth(thread, new);
                match object {
                    Some(object) => self.say(thread, Op::Reallocate { object, new: number, size }),
                    None => {
                        self.totals.unknown_frees += 1;
                        self.say(thread, Op::Allocate { object: number, size, align: 0, zeroed: false });
                    }
                }
                [Some(old), Some(new)]
            }
            RawOp::ThreadEnd => self.other(thread, Op::ThreadEnd),
            RawOp::Fork => self.other(thread, Op::Fork),
            RawOp::Failed { size } => self.other(thread, Op::Failed { size }),
        }
    }

    fn other(&mut self, thread: u32, op: Op) -> [Option<u64>; 2] {
        self.say(thread, op);
        [None, None]
    }

    /// Whose the address is from now on. Where it still was another's, that one's end is missing.
    fn birth(&mut self, thread: u32, address: u64) -> u64 {
        let number = self.born;
        self.born += 1;
        if let Some(object) = self.live.insert(address, number) {
            self.totals.lost_frees += 1;
            self.say(thread, Op::Free { object });
        }
        number
    }

    fn say(&mut self, thread: u32, op: Op) {
        let next = self.numbers.len() as u32;
        let thread = *self.numbers.entry(thread).or_insert(next);
        self.ready.push_back(Event { at: self.at, thread, op });
    }
}

fn concerns(op: RawOp, changed: u64) -> bool {
    match op {
        RawOp::Allocate { address, .. } | RawOp::Free { address } => address == changed,
        RawOp::Reallocate { old, new, .. } => old == changed || new == changed,
        RawOp::ThreadEnd | RawOp::Fork | RawOp::Failed { .. } => false,
    }
}
