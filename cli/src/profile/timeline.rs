//! The program's memory over time, looked at from outside while it runs: what is resident, as the kernel counts it, and what the library's
//! records say is live and at hand.

use std::fs;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::remote::Remote;
use crate::remote::picture::Picture;

/// Of more points nothing can be seen; then every second one goes, and looks come half as often.
const POINTS: usize = 1200;
const FIRST_PERIOD: Duration = Duration::from_millis(5);

#[derive(Clone, Copy, Serialize)]
pub(crate) struct Point {
    /// Seconds since the program's start.
    pub(crate) at: f64,
    pub(crate) resident: u64,
    /// Bytes of blocks that the program holds, and of free ones that its threads have at hand; looked at less often where there are many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) live: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cached: Option<u64>,
}

#[derive(Default, Serialize)]
pub(crate) struct Timeline {
    /// Seconds since 1970.
    pub(crate) start: f64,
    pub(crate) points: Vec<Point>,
    /// Resident bytes at most, as the kernel counted them; 0 where it did not.
    pub(crate) most: u64,
}

/// Looks at a process until it is told to stop, or the process is gone.
pub(crate) struct Watch {
    stop: Sender<()>,
    thread: JoinHandle<Timeline>,
}

impl Watch {
    pub(crate) fn start(pid: i32) -> Watch {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::spawn(move || {
            let begin = Instant::now();
            let start = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
            let mut timeline = Timeline { start, ..Timeline::default() };
            let mut period = FIRST_PERIOD;
            let mut heap = Heap::of(pid);
            while let Some(resident) = resident(pid) {
                let at = begin.elapsed().as_secs_f64();
                let (live, cached) = heap.look().unzip();
                timeline.points.push(Point { at, resident, live, cached });
                if timeline.points.len() >= POINTS {
                    thin(&mut timeline.points);
                    period *= 2;
                }
                if stopped.recv_timeout(period) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
            timeline
        });
        Watch { stop, thread }
    }

    pub(crate) fn end(self) -> Timeline {
        // Where the process is gone the thread is, too.
        let _ = self.stop.send(());
        self.thread.join().unwrap_or_default()
    }
}

/// Of each two points the higher one: peaks stay.
fn thin(points: &mut Vec<Point>) {
    let one_of = |pair: &[Point]| {
        let higher = pair.iter().max_by_key(|point| point.resident)?;
        let most = |figure: fn(&Point) -> Option<u64>| pair.iter().filter_map(figure).max();
        Some(Point { live: most(|point| point.live), cached: most(|point| point.cached), ..*higher })
    };
    *points = points.chunks(2).filter_map(one_of).collect();
}

/// The library's records, read from outside: not oftener than so that it takes a small part of a processor.
struct Heap {
    pid: i32,
    remote: Option<Remote>,
    next: Instant,
}

impl Heap {
    fn of(pid: i32) -> Heap {
        Heap { pid, remote: None, next: Instant::now() }
    }

    /// Live and cached bytes, if it is time to look.
    fn look(&mut self) -> Option<(u64, u64)> {
        const SHARE: u32 = 20;
        let begin = Instant::now();
        if begin < self.next {
            return None;
        }
        if self.remote.is_none() {
            // The loader may still be at it, or there is none: then it is tried now and then.
            self.remote = Remote::of_process(self.pid).ok();
        }
        let figures = self.remote.as_ref().and_then(|remote| {
            let picture = Picture::take(remote).ok()?;
            let (mut live, mut cached) = (picture.large_live().0, 0);
            for class in picture.by_class(remote) {
                live += class.live * class.block_size;
                cached += (class.cached + class.remote) * class.block_size;
            }
            Some((live, cached))
        });
        self.next = Instant::now() + begin.elapsed() * SHARE;
        figures
    }
}

/// Zero of a process that ended and was not waited for yet: that is `None`.
fn resident(pid: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    // SAFETY: no memory is passed.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    (pages > 0).then_some(pages * u64::try_from(page).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_the_peak() {
        let mut points: Vec<Point> =
            [3, 1, 2, 9, 4].into_iter().map(|resident| Point { at: 0.0, resident, live: None, cached: None }).collect();
        thin(&mut points);
        assert_eq!(points.iter().map(|point| point.resident).collect::<Vec<_>>(), [3, 9, 4]);
    }

    #[test]
    fn this_process_is_resident() {
        let watch = Watch::start(std::process::id() as i32);
        thread::sleep(Duration::from_millis(50));
        let timeline = watch.end();
        assert!(!timeline.points.is_empty() && timeline.points[0].resident > 1 << 16);
        assert!(resident(i32::MAX).is_none());
    }
}
