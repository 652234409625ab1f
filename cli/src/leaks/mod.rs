//! `hakmem leaks`: blocks that nothing in the process points to. The process is stopped while its memory is looked through for addresses of
//! blocks, and goes on while it is found out what reaches what (`graph`). An address within a block counts, wherever it lies: in a register,
//! on a stack, in data, in another block that is reached; the library's own records do not (`ranges`).

mod blocks;
mod graph;
mod ranges;
mod report;
mod samples;
mod scan;
mod stop;

use std::time::Instant;

use crate::args::LeaksArgs;
use crate::error::{Error, Result};
use crate::output;
use crate::remote::heaps::Heap;
use crate::remote::maps::Mapping;
use crate::remote::memory::Memory;
use crate::remote::{Remote, target};

use blocks::Blocks;
use ranges::Own;
use report::{Report, Search};
use samples::Samples;
use stop::{STACK_POINTER, Stopped};

/// The exit status of `--fail`.
const FOUND: u8 = 1;

pub(crate) fn leaks(args: LeaksArgs) -> Result<u8> {
    let name = args.target.to_string_lossy().into_owned();
    let Some(remote) = target::open(&args.target)? else {
        return Err(Error::new(format!("{name}: neither a process nor a core file")));
    };
    let begin = Instant::now();
    let stopped = remote.memory.process().map(Stopped::new).transpose()?;
    let registers = match (&stopped, &remote.memory) {
        (Some(stopped), _) => stopped.registers(),
        (None, Memory::Core(core)) => core.threads.iter().map(|thread| thread.registers.clone()).collect(),
        (None, Memory::Process(_)) => Vec::new(),
    };
    let look = Look::new(&remote, &registers)?;
    let stood = stopped.map(Stopped::release);
    let mut roots = look.found.roots;
    roots.extend(registers.into_iter().flatten());
    let leaks = graph::leaks(&look.blocks, look.found.words, &roots);
    let maps = remote.maps()?;
    let mut samples = Samples::read(&remote, &maps);
    let search = Search { pid: remote.pid, stopped: stood, total: begin.elapsed(), read: look.found.bytes };
    if look.baseline {
        output::complain(
            "warning: HAKMEM_TINY_HEAP_V2=0: free blocks that wait in a thread's caches look as if they were lost",
        );
    }
    let report = Report::new(&search, &look.blocks, &leaks, samples.as_mut());
    if args.json {
        output::print_json(&report)?;
    } else {
        let what = remote.memory.process().map_or(name, |pid| format!("process {pid} ({})", target::comm(pid)));
        output::print(&report.text(&what, args.top as usize))?;
    }
    Ok(if args.fail && report.any() { FOUND } else { 0 })
}

/// Whether all of it is.
fn is_mapped(maps: &[Mapping], start: u64, bytes: u64) -> bool {
    let Some(end) = start.checked_add(bytes) else { return false };
    let mut at = start;
    for mapping in maps.iter().skip(maps.partition_point(|mapping| mapping.end <= start)) {
        if mapping.start > at || at >= end {
            break;
        }
        at = mapping.end;
    }
    at >= end
}

/// All that has to be seen while the process stands still.
struct Look {
    blocks: Blocks,
    found: scan::Found,
    /// Whether threads have caches of the older kind, which are not looked into.
    baseline: bool,
}

impl Look {
    fn new(remote: &Remote, registers: &[Vec<u64>]) -> Result<Look> {
        let maps = remote.maps()?;
        let entries = remote.entries(&maps);
        let mut spans = remote.spans(&entries);
        let heaps = remote.heaps(&mut spans);
        let mut large = remote.large(&entries);
        // Of a damaged core file a record may say anything.
        large.retain(|large| is_mapped(&maps, large.base, large.bytes));
        let blocks = Blocks::new(&spans, &large, remote.layout.granule.max(1))
            .ok_or_else(|| Error::new("there are more blocks than can be numbered: four thousand million"))?;
        let own = Own { remote, maps: &maps, entries: &entries, spans: &spans, heaps: &heaps, large: &large };
        let stack_pointers: Vec<u64> = registers.iter().filter_map(|words| words.get(STACK_POINTER).copied()).collect();
        let mut ranges = ranges::of_blocks(&blocks);
        ranges.extend(ranges::of_roots(&own, &stack_pointers));
        let found = scan::scan(&remote.memory, remote.page_size, &blocks, &ranges);
        let caches = |heap: &Heap| remote.memory.word(heap.at + remote.layout.heap_baseline).is_some_and(|at| at != 0);
        let baseline = heaps.iter().any(caches);
        Ok(Look { blocks, found, baseline })
    }
}
