//! The program's memory over time, as the kernel counts it, looked at from outside while it runs.

use std::fs;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;

/// Of more points nothing can be seen; then every second one goes, and looks come half as often.
const POINTS: usize = 1200;
const FIRST_PERIOD: Duration = Duration::from_millis(5);

#[derive(Clone, Copy, Serialize)]
pub(crate) struct Point {
    /// Seconds since the program's start.
    pub(crate) at: f64,
    pub(crate) resident: u64,
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
            while let Some(resident) = resident(pid) {
                timeline.points.push(Point { at: begin.elapsed().as_secs_f64(), resident });
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
    let pairs = points.chunks(2).filter_map(|pair| pair.iter().max_by_key(|point| point.resident).copied());
    *points = pairs.collect();
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
        let mut points: Vec<Point> = [3, 1, 2, 9, 4].into_iter().map(|resident| Point { at: 0.0, resident }).collect();
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
