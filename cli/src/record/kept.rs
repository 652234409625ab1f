//! A raw file made into the trace that is kept, and what is worth telling of it.

use std::path::{Path, PathBuf};

use crate::error::{Context, Result};
use crate::trace::event::{About, Event, Op, Totals};
use crate::trace::file::{self, Trace};

/// A trace that was written.
pub(crate) struct Kept {
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    pub(crate) events: u64,
    pub(crate) threads: u32,
    pub(crate) peak_bytes: u64,
    pub(crate) peak_blocks: u64,
    pub(crate) complaints: Vec<String>,
}

/// Sizes of the objects that live, by their number, and the most there were.
#[derive(Default)]
struct Live {
    sizes: Vec<u64>,
    bytes: u64,
    blocks: u64,
    peak: (u64, u64),
}

impl Live {
    fn begin(&mut self, object: u64, size: u64) {
        let index = object as usize;
        if self.sizes.len() <= index {
            self.sizes.resize(index + 1, 0);
        }
        if let Some(slot) = self.sizes.get_mut(index) {
            *slot = size;
        }
        self.bytes += size;
        self.blocks += 1;
        self.peak = self.peak.max((self.bytes, self.blocks));
    }

    fn end(&mut self, object: u64) {
        self.bytes -= self.sizes.get(object as usize).copied().unwrap_or(0).min(self.bytes);
        self.blocks = self.blocks.saturating_sub(1);
    }

    fn count(&mut self, event: &Event) {
        match event.op {
            Op::Allocate { object, size, .. } => self.begin(object, size),
            Op::Free { object } => self.end(object),
            Op::Reallocate { object, new, size } => {
                self.end(object);
                self.begin(new, size);
            }
            Op::ThreadEnd | Op::Fork | Op::Failed { .. } => {}
        }
    }
}

pub(crate) fn convert(from: &Path, to: &Path) -> Result<Kept> {
    let mut live = Live::default();
    let mut trace = Trace::open(from)?;
    let about: About = trace.about().clone();
    let totals = file::write(to, &about, |writer| {
        while let Some(event) = trace.next()? {
            live.count(&event);
            writer.event(event)?;
        }
        Ok(trace.totals().clone())
    })?;
    told(to, &totals, &live)
}

/// The raw file under the name of the trace.
pub(crate) fn as_it_is(from: &Path, to: &Path) -> Result<Kept> {
    let mut live = Live::default();
    let mut trace = Trace::open(from)?;
    while let Some(event) = trace.next()? {
        live.count(&event);
    }
    let totals = trace.totals().clone();
    std::fs::rename(from, to).context(to.display())?;
    told(to, &totals, &live)
}

fn told(path: &Path, totals: &Totals, live: &Live) -> Result<Kept> {
    let bytes = std::fs::metadata(path).context(path.display())?.len();
    let (peak_bytes, peak_blocks) = live.peak;
    let Totals { events, threads, .. } = *totals;
    let complaints = totals.complaints();
    Ok(Kept { path: path.to_owned(), bytes, events, threads, peak_bytes, peak_blocks, complaints })
}
