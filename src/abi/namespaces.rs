//! `unshare` and `setns` in a process that has the background thread (`HAKMEM_BACKGROUND=1`): a process of more than one thread
//! gets no user namespace of its own, and enters few of others. What the kernel refuses is tried again while the thread steps aside.

use core::ffi::c_int;

use errno::Errno;

use crate::{os, reclaim};

/// Milliseconds for which the kernel may count a thread that was joined.
const PATIENCE: u32 = 20;

/// # Safety
/// As the system call's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unshare(flags: c_int) -> c_int {
    alone(|| os::unshare(flags))
}

/// # Safety
/// As the system call's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn setns(fd: c_int, kind: c_int) -> c_int {
    alone(|| os::enter_namespace(fd, kind))
}

fn alone(call: impl Fn() -> Result<(), Errno>) -> c_int {
    const OF_MANY: Result<(), Errno> = Err(Errno(libc::EINVAL));
    let mut result = call();
    if result == OF_MANY && reclaim::step_aside() {
        for _ in 0..PATIENCE {
            result = call();
            if result != OF_MANY {
                break;
            }
            os::thread::pause();
        }
    }
    match result {
        Ok(()) => 0,
        Err(why) => {
            errno::set_errno(why);
            -1
        }
    }
}
