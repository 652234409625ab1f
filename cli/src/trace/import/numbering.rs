//! `Numbering`: a trace of others' takes the form of ours.

use std::collections::HashMap;
use std::io::Write;

use crate::error::Result;
use crate::trace::event::{Event, Op, Totals, note};
use crate::trace::hkt::Writer;

/// Gives numbers to threads and blocks as they come, which are known there by others.
pub(super) struct Numbering<'a, W: Write> {
    writer: &'a mut Writer<W>,
    threads: HashMap<u64, u32>,
    live: HashMap<u64, u64>,
    born: u64,
    at: u64,
    pub(super) totals: Totals,
}

impl<'a, W: Write> Numbering<'a, W> {
    pub(super) fn new(writer: &'a mut Writer<W>) -> Self {
        let (threads, live) = (HashMap::new(), HashMap::new());
        Numbering { writer, threads, live, born: 0, at: 0, totals: Totals::default() }
    }

    /// What follows is not before this.
    pub(super) fn time(&mut self, at: u64) {
        self.at = self.at.max(at);
    }

    pub(super) fn say(&mut self, thread: u64, op: Op) -> Result<()> {
        let next = self.threads.len() as u32;
        let thread = *self.threads.entry(thread).or_insert(next);
        self.writer.event(Event { at: self.at, thread, op })
    }

    pub(super) fn allocate(&mut self, thread: u64, block: u64, size: u64, align: u8, zeroed: bool) -> Result<()> {
        let object = self.birth(thread, block)?;
        self.say(thread, Op::Allocate { object, size, align, zeroed })
    }

    fn birth(&mut self, thread: u64, block: u64) -> Result<u64> {
        let number = self.born;
        self.born += 1;
        if let Some(object) = self.live.insert(block, number) {
            self.totals.lost_frees += 1;
            self.say(thread, Op::Free { object })?;
        }
        Ok(number)
    }

    pub(super) fn free(&mut self, thread: u64, block: u64) -> Result<()> {
        match self.live.remove(&block) {
            Some(object) => self.say(thread, Op::Free { object }),
            None => {
                self.totals.unknown_frees += 1;
                Ok(())
            }
        }
    }

    pub(super) fn reallocate(&mut self, thread: u64, old: u64, new: u64, size: u64) -> Result<()> {
        let Some(object) = self.live.remove(&old) else {
            self.totals.unknown_frees += 1;
            return self.allocate(thread, new, size, 0, false);
        };
        let number = self.birth(thread, new)?;
        self.say(thread, Op::Reallocate { object, new: number, size })
    }

    pub(super) fn knows(&self, block: u64) -> bool {
        self.live.contains_key(&block)
    }

    pub(super) fn note(&mut self, text: impl FnOnce() -> String) {
        note(&mut self.totals.notes, text);
    }
}

/// The power of two that is asked for; 0: the usual one.
pub(super) fn power(align: u64) -> Option<u8> {
    align.is_power_of_two().then_some(align.trailing_zeros() as u8)
}
