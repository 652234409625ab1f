//! Box `pressure` (L2): whether the machine, or this process's control group, runs short of memory.
//! Owns: `ASKING`, room for one question at a time. Each is asked anew, so a process that is moved or locked up gets the answer
//! of the day.
//! Calls: base, os.   Called by: reclaim.   Locks: `ASKING`, tried only.   Threads: any; changes errno.
//! Never: keeps a file open, takes a missing or strange file for anything but "no".
#![forbid(unsafe_code)]

mod cgroup;
mod files;
mod path;
mod psi;

use crate::base::aside::Aside;
use crate::os::lock::{self, Mutex};
use files::{Files, Kernel};
use path::Paths;

/// Whether memory should be given back now. Reads some ten small files: some 100 µs.
/// `false` also while another thread asks.
pub(crate) fn is_high() -> bool {
    ASKING.try_lock().is_some_and(|mut asking| {
        let (kernel, paths) = &mut *asking;
        ask(kernel, paths)
    })
}

/// In a child of fork, which may have been made while another thread was asking.
pub(crate) fn after_fork() {
    lock::free_in_child(&ASKING);
}

static ASKING: Aside<Mutex<(Kernel, Paths)>> = Aside(Mutex::new((Kernel::new(), Paths::new())));

fn ask(files: &mut impl Files, paths: &mut Paths) -> bool {
    psi::is_high(files, paths.at.set(b"/proc/pressure/memory")) || cgroup::is_high(files, paths)
}

#[cfg(test)]
mod tests {
    use super::files::fake;
    use super::*;

    #[test]
    fn nothing_to_read_is_no_pressure_and_the_real_files_can_be_read() {
        assert!(!ask(&mut fake::Texts(&[]), &mut Paths::new()));
        let nonsense = [("/proc/pressure/memory", ""), ("/proc/self/cgroup", "nonsense\n::::\n0:")];
        assert!(!ask(&mut fake::Texts(&nonsense), &mut Paths::new()));
        is_high();
    }
}
