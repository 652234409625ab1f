//! The process that replays: this program once more, under the allocator that is looked at. It starts before the command line is read, and
//! tells what it saw as bytes: so that malloc is asked for as little as can be beside the trace.

use std::ffi::{CStr, OsString};
use std::fs::File;
use std::io::Write;
use std::sync::atomic::Ordering;

use clap::ValueEnum;

use super::layout::{CALLS, MAGIC, Path, Results, Touch, bytes_of};
use super::stage::{Rows, Stage};
use super::ticks;
use super::worker::{Cast, Entrance, Latencies, fail, play};
use crate::histogram::BUCKETS;

/// The first argument; `PLAN RESULTS TOUCH [timed]` follow. Without RESULTS, for the benchmarks, it says the figures in a line.
pub(super) const COMMAND: &str = "replay-plan";

/// Replays where this process was started for it; else comes back.
pub(crate) fn replay_if_asked() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == COMMAND) {
        replay(arguments);
    }
}

fn replay(mut arguments: impl Iterator<Item = OsString>) -> ! {
    let mut next = || arguments.next().unwrap_or_default();
    let (plan, results, touch, timed) = (next(), next(), next(), next() == "timed");
    let Ok(touch) = Touch::from_str(&touch.to_string_lossy(), false) else { fail("no such touch") };
    let for_people = results.is_empty();
    let results = if for_people { OsString::from("/dev/null") } else { results };
    let Ok(mut results) = File::options().write(true).open(results) else { fail("the results can't be opened") };
    let stage = File::open(plan).ok().and_then(|plan| Stage::new(&plan, touch));
    let Some(stage) = stage else { fail("the plan can't be mapped") };
    let table = Rows::<Stage>::new(1).and_then(|table| table.row(0));
    let Some(place) = table else { fail("there is no memory") };
    // SAFETY: a mapping for one of it, which stays.
    unsafe { place.write(stage) };
    // SAFETY: written above, and no other thread runs yet.
    let stage = unsafe { &mut *place };
    let count = stage.threads.len();
    let latencies = timed.then(|| Rows::<Latencies>::new(count)).flatten();
    let Some(entrances) = Rows::<Entrance>::new(count) else { fail("there is no memory") };
    let overhead = ticks::overhead();
    stage.begin();
    // SAFETY: as above, and from here on only read, or written through atomics.
    let stage: &'static Stage = unsafe { &*place };
    let (begin, begin_ns) = (ticks::before(), ticks::now_ns());
    play(Cast { stage, latencies, overhead }, 0, entrances);
    stage.wait_for_end();
    let (ticks, elapsed) = (ticks::after().saturating_sub(begin), ticks::now_ns().saturating_sub(begin_ns));
    let [wall_ns, cpu_ns, faults] = stage.cost();
    let points = stage.points.all();
    let mut head = Results {
        magic: MAGIC,
        points: points.len() as u64,
        wall_ns,
        cpu_ns,
        faults,
        refused: stage.refused.load(Ordering::Relaxed),
        base: stage.base(),
        ticks,
        elapsed_ns: elapsed,
        served_by: served_by(),
        ..Results::default()
    };
    let rows = latencies.map(Rows::all).unwrap_or_default();
    for row in rows {
        head.longest.iter_mut().zip(row.longest).for_each(|(most, longest)| *most = longest.max(*most));
    }
    let mut written = results.write_all(bytes_of(&[head])).and_then(|()| results.write_all(bytes_of(points)));
    for call in (0..CALLS).filter(|_| timed) {
        for bucket in 0..BUCKETS {
            let of = |row: &Latencies| row.counts.get(call).and_then(|counts| counts.get(bucket)).copied().unwrap_or(0);
            let sum: u64 = rows.iter().map(of).sum();
            written = written.and_then(|()| results.write_all(&sum.to_ne_bytes()));
        }
    }
    if for_people {
        let peak = points.iter().map(|point| point.resident).max().unwrap_or(0);
        let live = points.iter().map(|point| point.live).max().unwrap_or(0).max(1);
        let over_live = peak as f64 / live as f64;
        let line = format!(
            "seconds={:.9} peak_rss_kib={} faults={faults} rss_over_live={over_live:.3}\n",
            wall_ns as f64 / 1e9,
            peak >> 10
        );
        written = written.and_then(|()| std::io::stdout().write_all(line.as_bytes()));
    }
    if written.is_err() {
        fail("the results can't be written");
    }
    // SAFETY: ends the process at once: what the trace has left stays, and no destructor asks malloc for anything.
    unsafe { libc::_exit(0) }
}

/// The file that has the malloc which this program calls.
fn served_by() -> Path {
    let mut path = Path::default();
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: a C string.
    let malloc = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"malloc".as_ptr()) };
    // SAFETY: `info` is writable.
    if unsafe { libc::dladdr(malloc, info.as_mut_ptr()) } != 0 {
        // SAFETY: dladdr filled it in, and the name is one of a file that is loaded.
        let name = unsafe { CStr::from_ptr(info.assume_init().dli_fname) }.to_bytes();
        path.0.iter_mut().zip(name.iter().take(1023)).for_each(|(to, from)| *to = *from);
    }
    path
}
