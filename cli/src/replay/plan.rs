//! The plan of a replay: what each thread does, worked out beforehand, so that the process that replays reads it like a tape, and asks
//! malloc for nothing of its own.
//!
//! Threads wait for one another only where the trace says so: for a block that another one makes, and at the ends of segments, of which
//! there are about two hundred. A thread is started by the one whose event came before its first, after all that had ended by then.

use std::fs::File;
use std::io::{BufWriter, Seek, Write};

use super::layout::{Head, Kind, MAGIC, MOST, Segment, Step, ThreadPlan, bytes_of};
use crate::error::{Context, Error, Result};
use crate::measure;
use crate::trace::event::{Event, Op};
use crate::trace::file::Trace;

/// Looks at the memory, besides the one when most is live.
const LOOKS: u64 = 200;
/// Shorter waits are left out when the program's own speed is kept.
const PAUSE_NS: u64 = 20_000;

#[derive(Clone, Copy)]
pub(super) struct Manner {
    /// All threads' events in one.
    pub(super) one_thread: bool,
    /// Not before its time.
    pub(super) real_speed: bool,
}

pub(super) struct Plan {
    pub(super) file: File,
    pub(super) segments: Vec<Segment>,
    pub(super) threads: usize,
    /// Most bytes live.
    pub(super) peak: u64,
    pub(super) calls: u64,
}

/// Where the memory is looked at.
struct Marks {
    events: u64,
    peak_event: u64,
}

/// A live block's maker, and its size.
type Block = (u32, u64);

struct Builder {
    manner: Manner,
    segments: Vec<Segment>,
    threads: Vec<Thread>,
    blocks: Vec<Option<Block>>,
    live: u64,
    peak: u64,
    calls: u64,
    ended: u32,
    /// Whose event came last.
    last: Option<u32>,
}

#[derive(Default)]
struct Thread {
    steps: Vec<Step>,
    /// It has begun, and not ended.
    segment: Option<u32>,
    until: u64,
}

impl Plan {
    /// Its bytes, from the first on.
    pub(super) fn rewound(&self) -> Result<&File> {
        (&self.file).rewind().context("the plan")?;
        Ok(&self.file)
    }

    /// `open` opens the trace: it is read twice.
    pub(super) fn build(open: impl Fn() -> Result<Trace>, manner: Manner) -> Result<(Plan, Trace)> {
        let mut trace = open()?;
        let marks = Marks::find(&mut trace)?;
        if marks.events == 0 {
            return Err(Error::new("there are no events in the trace"));
        }
        let mut trace = open()?;
        let mut builder = Builder {
            manner,
            segments: Vec::new(),
            threads: Vec::new(),
            blocks: Vec::new(),
            live: 0,
            peak: 0,
            calls: 0,
            ended: 0,
            last: None,
        };
        let mut number = 0;
        while let Some(event) = trace.next()? {
            builder.event(&event)?;
            number += 1;
            if marks.ends_segment(number) {
                builder.end_segment(number);
            }
        }
        if builder.segments.last().is_none_or(|segment| segment.events < number) {
            builder.end_segment(number);
        }
        Ok((builder.write()?, trace))
    }
}

impl Marks {
    fn find(trace: &mut Trace) -> Result<Marks> {
        let mut sizes: Vec<u64> = Vec::new();
        let (mut live, mut peak) = (0u64, 0);
        let mut marks = Marks { events: 0, peak_event: 0 };
        while let Some(event) = trace.next()? {
            marks.events += 1;
            if let Op::Free { object } | Op::Reallocate { object, .. } = event.op {
                live = live.saturating_sub(sizes.get(object as usize).copied().unwrap_or(0));
            }
            if let Op::Allocate { size, .. } | Op::Reallocate { size, .. } = event.op {
                sizes.push(size);
                live = live.saturating_add(size);
            }
            if live > peak {
                (peak, marks.peak_event) = (live, marks.events);
            }
        }
        Ok(marks)
    }

    /// After so many events.
    fn ends_segment(&self, number: u64) -> bool {
        let place = |number: u64| (u128::from(number) * u128::from(LOOKS) / u128::from(self.events)) as u64;
        number == self.peak_event || place(number) != place(number - 1)
    }
}

impl Builder {
    fn event(&mut self, event: &Event) -> Result<()> {
        let thread = if self.manner.one_thread { 0 } else { event.thread };
        self.start(thread, event.at);
        match event.op {
            Op::Allocate { object, size, align, zeroed } => {
                let kind = match (align, zeroed) {
                    (0, false) => Kind::Malloc,
                    (0, true) => Kind::Calloc,
                    _ => Kind::Aligned,
                };
                let size = self.birth(thread, size)?;
                self.step(thread, Step::new(kind, size, number(object)?, 0).aligned(align));
            }
            Op::Free { object } => {
                let (maker, size) = self.end(object);
                self.step(thread, Step::new(Kind::Free, size, number(object)?, 0).of_other_thread(maker != thread));
            }
            Op::Reallocate { object, new, size } => {
                let (maker, old_size) = self.end(object);
                let size = self.birth(thread, size)?;
                let step = Step::new(Kind::Realloc, size, number(object)?, number(new)?);
                self.step(thread, step.of_other_thread(maker != thread));
                self.step(thread, Step::new(Kind::More, old_size, 0, 0));
            }
            Op::ThreadEnd if !self.manner.one_thread => {
                self.ended += 1;
                self.step(thread, Step::new(Kind::Ended, 0, 0, 0));
            }
            Op::ThreadEnd | Op::Fork | Op::Failed { .. } => {}
        }
        self.last = Some(thread);
        Ok(())
    }

    /// Makes sure that the thread is there, in the present segment, and not too early.
    fn start(&mut self, thread: u32, at: u64) {
        if thread as usize == self.threads.len() {
            self.threads.push(Thread::default());
            if let Some(last) = self.last {
                // It is in its segment still: whoever came last has not ended it.
                self.step(last, Step::new(Kind::Spawn, 0, thread, self.ended));
            }
        }
        let present = self.segments.len() as u32;
        let Some(mine) = self.threads.get_mut(thread as usize) else { return };
        if mine.segment != Some(present) {
            mine.segment.replace(present).into_iter().for_each(|old| mine.steps.push(end_of(old)));
            mine.steps.push(Step::new(Kind::Begin, 0, present, 0));
        }
        if self.manner.real_speed && at >= mine.until + PAUSE_NS {
            mine.until = at;
            mine.steps.push(Step::new(Kind::Until, at, 0, 0));
        }
    }

    fn end_segment(&mut self, events: u64) {
        let present = Some(self.segments.len() as u32);
        let threads = self.threads.iter().filter(|thread| thread.segment == present).count() as u64;
        self.segments.push(Segment { threads, live: self.live, events });
    }

    fn step(&mut self, thread: u32, step: Step) {
        if let Some(thread) = self.threads.get_mut(thread as usize) {
            thread.steps.push(step);
        }
    }

    /// The size as it is in the plan.
    fn birth(&mut self, thread: u32, size: u64) -> Result<u64> {
        if size > MOST {
            return Err(Error::new(format!("a block of {size} bytes is in the trace: no machine has that")));
        }
        self.blocks.push(Some((thread, size)));
        self.calls += 1;
        self.live = self.live.saturating_add(size);
        self.peak = self.peak.max(self.live);
        Ok(size)
    }

    fn end(&mut self, object: u64) -> Block {
        let block = self.blocks.get_mut(object as usize).and_then(Option::take).unwrap_or_default();
        self.calls += 1;
        self.live = self.live.saturating_sub(block.1);
        block
    }

    fn write(mut self) -> Result<Plan> {
        for thread in &mut self.threads {
            thread.segment.into_iter().for_each(|last| thread.steps.push(end_of(last)));
        }
        let file = measure::memory_file().context("memfd_create")?;
        let mut out = BufWriter::new(&file);
        let steps: u64 = self.threads.iter().map(|thread| thread.steps.len() as u64).sum();
        let head = Head {
            magic: MAGIC,
            segments: self.segments.len() as u64,
            threads: self.threads.len() as u64,
            steps,
            objects: self.blocks.len() as u64,
        };
        let mut first = 0;
        let threads = self.threads.iter().map(|thread| {
            let plan = ThreadPlan { first, steps: thread.steps.len() as u64 };
            first += plan.steps;
            plan
        });
        let threads: Vec<ThreadPlan> = threads.collect();
        let tables = [bytes_of(&[head]), bytes_of(&self.segments), bytes_of(&threads)].map(<[u8]>::to_vec);
        let steps = self.threads.iter().map(|thread| bytes_of(&thread.steps));
        for bytes in tables.iter().map(Vec::as_slice).chain(steps) {
            out.write_all(bytes).context("writing the plan")?;
        }
        out.flush().context("writing the plan")?;
        drop(out);
        let Builder { segments, peak, calls, .. } = self;
        Ok(Plan { file, segments, threads: threads.len(), peak, calls })
    }
}

fn end_of(segment: u32) -> Step {
    Step::new(Kind::End, 0, segment, 0)
}

fn number(object: u64) -> Result<u32> {
    u32::try_from(object).map_err(|_| Error::new("more than four thousand million blocks are in the trace"))
}
