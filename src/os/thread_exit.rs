//! Being told that a thread ends: one pthread key. Where there is none, see `lost`.

use core::ffi::c_void;
use core::sync::atomic::{AtomicU32, Ordering};

/// Key + 1; 0 while there is none.
static KEY: AtomicU32 = AtomicU32::new(0);

/// Arranges that `destructor(value)` runs when the calling thread exits. `false`: the program has taken all keys, for now.
///
/// Called again from within the destructor, it asks for another round (POSIX gives at least four).
/// `pthread_setspecific` may call `calloc`: the caller must be able to serve that.
pub(crate) fn call_at_exit(destructor: unsafe extern "C" fn(*mut c_void), value: *mut c_void) -> bool {
    // Relaxed: the key is a number; libc orders its own table.
    let key = match KEY.load(Ordering::Relaxed) {
        0 => match create(destructor) {
            Some(key) => key,
            None => return false,
        },
        key => key - 1,
    };
    // SAFETY: the key was created and is never deleted.
    unsafe { libc::pthread_setspecific(key, value) == 0 }
}

fn create(destructor: unsafe extern "C" fn(*mut c_void)) -> Option<libc::pthread_key_t> {
    let mut key = 0;
    // SAFETY: `key` is a valid out-parameter; the destructor lives as long as the library.
    if unsafe { libc::pthread_key_create(&mut key, Some(destructor)) } != 0 {
        return None;
    }
    // Relaxed: see above. Two first threads may race; the loser takes the winner's key.
    match KEY.compare_exchange(0, key + 1, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => Some(key),
        Err(winner) => {
            // SAFETY: nobody has seen this key.
            unsafe { libc::pthread_key_delete(key) };
            Some(winner - 1)
        }
    }
}
