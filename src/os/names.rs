//! Names of mappings, which `pmap`, `/proc/PID/smaps` and whoever watches processes show: whose memory it is, and what for
//! (`PR_SET_VMA_ANON_NAME`, Linux 5.17 and later where it is built in). Only with `HAKMEM_NAMES=1`, for it is a call more for each mapping, and
//! one that a sandbox may kill for: nothing else here asks for `prctl` once a program runs, and what it is told by then nobody knows beforehand.

use core::ffi::CStr;
use core::sync::atomic::{AtomicBool, Ordering};

use errno::Errno;

use super::sys;
use crate::base::addr::Addr;

/// What a mapping is for.
#[derive(Clone, Copy)]
pub(crate) enum Name {
    /// SuperSlabs, and what stands in for them.
    Blocks,
    Large,
    /// What the allocator keeps for itself.
    Records,
    /// What the profiler, or a trace, keeps.
    Profile,
}

impl Name {
    fn text(self) -> &'static CStr {
        match self {
            Name::Blocks => c"hakmem: blocks",
            Name::Large => c"hakmem: large",
            Name::Records => c"hakmem: records",
            Name::Profile => c"hakmem: profile",
        }
    }
}

/// Whether names are given: asked for, and not refused yet.
static ON: AtomicBool = AtomicBool::new(false);

/// Has mappings made from now on named.
pub(crate) fn switch_on() {
    // Relaxed, here and below: nothing is published, and a mapping without a name does no harm.
    ON.store(true, Ordering::Relaxed);
}

/// Names a mapping of ours, which is as it was if that is refused.
#[inline]
pub(crate) fn give(at: Addr, len: usize, name: Name) {
    if ON.load(Ordering::Relaxed) {
        give_slow(at, len, name);
    }
}

#[cold]
#[inline(never)]
fn give_slow(at: Addr, len: usize, name: Name) {
    const PR_SET_VMA: usize = 0x5356_4d41;
    const PR_SET_VMA_ANON_NAME: usize = 0;
    let args = [PR_SET_VMA, PR_SET_VMA_ANON_NAME, at.0, len, name.text().as_ptr().addr()];
    // SAFETY: gives a range of addresses a name and changes nothing in it; the kernel copies the text.
    match unsafe { sys::call(libc::SYS_prctl, args) } {
        // No memory for the name, this time.
        Ok(_) | Err(Errno(libc::ENOMEM)) => {}
        // A kernel without it, or a filter: there is no need to ask again.
        Err(_) => ON.store(false, Ordering::Relaxed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_or_refused_for_good_and_memory_stays() {
        let len = super::super::page_size();
        let Some(at) = super::super::map(len) else { return };
        switch_on();
        give(at, len, Name::Records);
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        assert_eq!(ON.load(Ordering::Relaxed), maps.contains("[anon:hakmem: records]"));
        ON.store(false, Ordering::Relaxed);
        // SAFETY: mapped above.
        assert_eq!(unsafe { at.as_ptr::<u64>().read() }, 0);
        assert!(super::super::unmap(at, len));
    }
}
