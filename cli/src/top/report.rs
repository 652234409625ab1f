//! `Report`: what `hakmem top` shows and `--json` writes, of one moment.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::remote::Remote;
use crate::remote::picture::{Beside, ClassFigures, Picture, Split};
use crate::remote::threads::Threads;

#[derive(Serialize, Deserialize, Clone, Default)]
pub(crate) struct Report {
    pub(crate) schema: u32,
    pub(crate) allocator: String,
    /// How it was got: "memory", "core" or "statistics".
    pub(crate) source: String,
    pub(crate) pid: i32,
    pub(crate) program: String,
    /// Seconds since 1970.
    pub(crate) time: f64,
    pub(crate) totals: Totals,
    pub(crate) resident: Resident,
    pub(crate) classes: Vec<Class>,
    pub(crate) threads: Vec<Thread>,
}

/// The same figures by the same names as the library's own statistics.
#[derive(Serialize, Deserialize, Clone, Default)]
pub(crate) struct Totals {
    /// With blocks that another thread freed and the owner has not taken back.
    pub(crate) live_bytes: u64,
    pub(crate) live_blocks: u64,
    pub(crate) cached_bytes: u64,
    pub(crate) free_bytes: u64,
    pub(crate) remote_pending_bytes: u64,
    pub(crate) mapped_bytes: u64,
    pub(crate) large_live_bytes: u64,
    pub(crate) large_live_blocks: u64,
    pub(crate) heaps: u64,
    pub(crate) heaps_orphaned: u64,
    pub(crate) threads: u64,
    /// Bytes a second that magazines got from spans: at least so much was allocated.
    pub(crate) refilled_bytes_per_second: f64,
}

/// What is resident, each byte once: `rss_bytes` is their sum.
#[derive(Serialize, Deserialize, Clone, Default)]
pub(crate) struct Resident {
    pub(crate) rss_bytes: u64,
    /// Without rounding.
    pub(crate) live_bytes: u64,
    /// Of those, large blocks.
    pub(crate) large_bytes: u64,
    pub(crate) rounding_bytes: u64,
    /// Whether that is known, or an estimate.
    pub(crate) rounding_is_known: bool,
    pub(crate) cached_bytes: u64,
    /// Free blocks on pages that a live block keeps.
    pub(crate) pinned_bytes: u64,
    /// Free blocks on pages that a block in a magazine keeps.
    pub(crate) held_bytes: u64,
    /// Free blocks on pages that nothing keeps.
    pub(crate) loose_bytes: u64,
    pub(crate) dirty_slots_bytes: u64,
    pub(crate) dirty_kept_bytes: u64,
    pub(crate) metadata_bytes: u64,
    pub(crate) stacks_bytes: u64,
    pub(crate) files_bytes: u64,
    pub(crate) brk_bytes: u64,
    pub(crate) other_bytes: u64,
}

#[derive(Serialize, Deserialize, Clone, Default)]
pub(crate) struct Class {
    pub(crate) block_size: u64,
    pub(crate) spans: u64,
    pub(crate) blocks: u64,
    pub(crate) live: u64,
    pub(crate) cached: u64,
    pub(crate) remote: u64,
    pub(crate) free: u64,
    pub(crate) resident_bytes: u64,
    pub(crate) pinned_bytes: u64,
    pub(crate) loose_bytes: u64,
    /// About: half of what requests can be short of their blocks.
    pub(crate) rounding_bytes: u64,
    pub(crate) refilled_bytes_per_second: f64,
}

#[derive(Serialize, Deserialize, Clone, Default)]
pub(crate) struct Thread {
    /// 0: a heap without a thread, or of one that is not known.
    pub(crate) tid: i32,
    pub(crate) name: String,
    pub(crate) live_bytes: u64,
    pub(crate) cached_bytes: u64,
    pub(crate) free_bytes: u64,
    /// Its blocks that other threads freed, on their way to it.
    pub(crate) remote_bytes: u64,
    pub(crate) refilled_bytes_per_second: f64,
    /// Bytes a second of others' blocks that it freed, in full batches.
    pub(crate) sent_bytes_per_second: f64,
}

impl Resident {
    pub(crate) fn free_bytes(&self) -> u64 {
        self.pinned_bytes + self.held_bytes + self.loose_bytes
    }

    pub(crate) fn dirty_bytes(&self) -> u64 {
        self.dirty_slots_bytes + self.dirty_kept_bytes
    }

    pub(crate) fn not_malloc_bytes(&self) -> u64 {
        self.stacks_bytes + self.files_bytes + self.brk_bytes + self.other_bytes
    }

    fn of(split: &Split) -> Resident {
        Resident {
            rss_bytes: split.rss,
            live_bytes: split.live.saturating_sub(split.rounding),
            large_bytes: split.live_large,
            rounding_bytes: split.rounding,
            rounding_is_known: split.rounding_is_known,
            cached_bytes: split.cached,
            pinned_bytes: split.pinned,
            held_bytes: split.held,
            loose_bytes: split.loose,
            dirty_slots_bytes: split.slots,
            dirty_kept_bytes: split.kept,
            metadata_bytes: split.beside.metadata,
            stacks_bytes: split.beside.stacks,
            files_bytes: split.beside.files,
            brk_bytes: split.beside.brk,
            other_bytes: split.other,
        }
    }
}

/// Which of a heap's two flows.
type Side = fn(&Flow) -> &Vec<u64>;

/// Takes one report after the other, and remembers what rates need.
pub(crate) struct Reporter {
    threads: Threads,
    /// Bytes refilled and sent by each heap and class, and when.
    before: Option<(Instant, HashMap<u64, Flow>)>,
    /// What the mappings held, and how often somebody has looked.
    beside: Option<Beside>,
    looks: u32,
}

/// Mappings are looked at each so many times.
const MAPPINGS: u32 = 5;

#[derive(Clone, Default)]
struct Flow {
    refilled: Vec<u64>,
    sent: Vec<u64>,
}

impl Reporter {
    pub(crate) fn new() -> Reporter {
        Reporter { threads: Threads::default(), before: None, beside: None, looks: 0 }
    }

    pub(crate) fn take(&mut self, remote: &Remote) -> Result<Report> {
        let now = Instant::now();
        let mut picture = Picture::take(remote)?;
        let mut classes = picture.by_class(remote);
        let beside = self.beside.filter(|_| self.looks % MAPPINGS != 0);
        self.looks += 1;
        let split = picture.split(remote, &mut classes, beside)?;
        self.beside = Some(split.beside);
        let flows: HashMap<u64, Flow> = picture.heaps.iter().map(|heap| (heap.at, flow(remote, heap))).collect();
        let before = self.before.replace((now, flows.clone()));
        let rate = |heap: u64, what: Side| -> Vec<f64> {
            let Some((then, old)) = &before else { return Vec::new() };
            let passed = now.duration_since(*then).max(Duration::from_millis(1)).as_secs_f64();
            let new = flows.get(&heap).map(what).cloned().unwrap_or_default();
            let old = old.get(&heap).map(what).cloned().unwrap_or_else(|| new.clone());
            new.iter().zip(old).map(|(new, old)| new.saturating_sub(old) as f64 / passed).collect()
        };
        let refilled: HashMap<u64, Vec<f64>> =
            picture.heaps.iter().map(|heap| (heap.at, rate(heap.at, |flow| &flow.refilled))).collect();
        let threads = self.by_thread(remote, &picture, &refilled, &rate);
        let totals = totals(
            &picture,
            &classes,
            self.threads.count(),
            sum(threads.iter().map(|thread| &thread.refilled_bytes_per_second)),
        );
        let by_class = |index: usize| sum(refilled.values().filter_map(|rates| rates.get(index)));
        Ok(Report {
            schema: 1,
            allocator: "hakmem".to_owned(),
            source: if remote.memory.process().is_some() { "memory" } else { "core" }.to_owned(),
            pid: remote.pid,
            program: program(remote),
            time: SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64()),
            totals,
            resident: Resident::of(&split),
            classes: classes
                .iter()
                .enumerate()
                .filter(|(_, class)| class.spans > 0)
                .map(|(index, c)| class(c, by_class(index)))
                .collect(),
            threads,
        })
    }

    fn by_thread(
        &mut self,
        remote: &Remote,
        picture: &Picture,
        refilled: &HashMap<u64, Vec<f64>>,
        rate: &dyn Fn(u64, Side) -> Vec<f64>,
    ) -> Vec<Thread> {
        let names = self.threads.of(remote, &picture.heaps);
        let word = |at: u64| remote.memory.word(at).unwrap_or(0);
        let (late, samples) = (word(remote.layout.late_at), word(remote.layout.samples_at));
        let mut threads = Vec::new();
        let mut orphans = Thread { name: "(ended threads)".to_owned(), ..Thread::default() };
        let mut ended = 0;
        for ((heap, figures), thread) in picture.heaps.iter().zip(picture.by_heap()).zip(names) {
            let mut row = Thread {
                live_bytes: figures.live,
                cached_bytes: figures.cached,
                free_bytes: figures.free,
                remote_bytes: figures.remote,
                refilled_bytes_per_second: refilled.get(&heap.at).map_or(0.0, |rates| sum(rates.iter())),
                sent_bytes_per_second: sum(rate(heap.at, |flow| &flow.sent).iter()),
                ..Thread::default()
            };
            match thread {
                _ if heap.orphan => {
                    ended += 1;
                    orphans.live_bytes += row.live_bytes;
                    orphans.cached_bytes += row.cached_bytes;
                    orphans.free_bytes += row.free_bytes;
                    orphans.remote_bytes += row.remote_bytes;
                    continue;
                }
                Some((tid, name)) => (row.tid, row.name) = (tid, name),
                None if heap.at == late => "(small threads)".clone_into(&mut row.name),
                None if heap.at == samples => "(sampled blocks)".clone_into(&mut row.name),
                None => "(not known)".clone_into(&mut row.name),
            }
            threads.push(row);
        }
        if ended > 0 {
            threads.push(orphans);
        }
        threads
    }
}

/// 0 of none, not -0.
fn sum<'a>(rates: impl Iterator<Item = &'a f64>) -> f64 {
    rates.fold(0.0, |sum, rate| sum + rate)
}

fn flow(remote: &Remote, heap: &crate::remote::heaps::Heap) -> Flow {
    let bytes =
        |blocks: &[u64]| blocks.iter().zip(&remote.classes).map(|(blocks, class)| blocks * class.block_size).collect();
    Flow { refilled: bytes(&heap.refilled), sent: bytes(&heap.sent) }
}

fn totals(picture: &Picture, classes: &[ClassFigures], threads: usize, rate: f64) -> Totals {
    let bytes =
        |blocks: fn(&ClassFigures) -> u64| classes.iter().map(|class| blocks(class) * class.block_size).sum::<u64>();
    let (large_bytes, large_blocks) = picture.large_live();
    let remote = bytes(|class| class.remote);
    Totals {
        live_bytes: bytes(|class| class.live) + remote + large_bytes,
        live_blocks: classes.iter().map(|class| class.live + class.remote).sum::<u64>() + large_blocks,
        cached_bytes: bytes(|class| class.cached),
        free_bytes: bytes(|class| class.free),
        remote_pending_bytes: remote,
        mapped_bytes: picture.pool.mapped_bytes,
        large_live_bytes: large_bytes,
        large_live_blocks: large_blocks,
        heaps: picture.heaps.len() as u64,
        heaps_orphaned: picture.heaps.iter().filter(|heap| heap.orphan).count() as u64,
        threads: threads as u64,
        refilled_bytes_per_second: rate,
    }
}

fn class(figures: &ClassFigures, rate: f64) -> Class {
    Class {
        block_size: figures.block_size,
        spans: figures.spans,
        blocks: figures.blocks,
        live: figures.live,
        cached: figures.cached,
        remote: figures.remote,
        free: figures.free,
        resident_bytes: figures.resident.all(),
        pinned_bytes: figures.resident.pinned,
        loose_bytes: figures.resident.loose,
        rounding_bytes: figures.rounding,
        refilled_bytes_per_second: rate,
    }
}

fn program(remote: &Remote) -> String {
    let name = match &remote.memory {
        crate::remote::memory::Memory::Process(pid) => crate::remote::target::comm(*pid),
        crate::remote::memory::Memory::Core(core) => core.program.clone(),
    };
    name.chars().map(|char| if char.is_control() { char::REPLACEMENT_CHARACTER } else { char }).collect()
}
