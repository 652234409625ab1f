//! Signals on their way to the program that runs: what is sent to `hakmem` alone is passed on.

use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

/// The running program, 0 where none runs.
static CHILD: AtomicI32 = AtomicI32::new(0);
/// The last signal that asked for an end, 0 where none did.
static CAME: AtomicI32 = AtomicI32::new(0);

/// Whether the running program's time ran out.
static RANG: AtomicBool = AtomicBool::new(false);

const PASSED_ON: [i32; 6] = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGUSR1, libc::SIGUSR2];

/// Rust ignores SIGPIPE; `hakmem options | head` should end quietly.
pub(crate) fn default_sigpipe() {
    // SAFETY: SIG_DFL is a valid disposition, and no other thread runs yet.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}

/// For the summary after the program's end: nobody reading it must not change the exit status.
pub(crate) fn ignore_sigpipe() {
    // SAFETY: SIG_IGN is a valid disposition.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}

extern "C" fn pass_on(signal: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: errno is this thread's own, and kept because the handler may interrupt anything.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let kept = unsafe { *errno };
    if signal != libc::SIGUSR1 && signal != libc::SIGUSR2 {
        CAME.store(signal, Ordering::Relaxed);
    }
    let child = CHILD.load(Ordering::Relaxed);
    // SAFETY: the kernel hands a valid siginfo to an SA_SIGINFO handler.
    let code = unsafe { (*info).si_code };
    // Above 0: from the kernel, as the terminal's Ctrl-C, which the program in the same process group got as well.
    if code <= 0 && child > 0 {
        // SAFETY: kill has no memory to break; `child` is not reaped before CHILD is 0 again.
        unsafe { libc::kill(child, signal) };
    }
    // SAFETY: as above.
    unsafe { *errno = kept };
}

/// Kills the running program; set for a time limit.
extern "C" fn end_child(_: i32) {
    RANG.store(true, Ordering::Relaxed);
    let child = CHILD.load(Ordering::Relaxed);
    if child > 0 {
        // SAFETY: as in `pass_on`; kill fails only where the program is gone already, and errno is then not looked at.
        unsafe { libc::kill(child, libc::SIGKILL) };
    }
}

/// Starts the running program's time limit, or takes the last one's away.
pub(crate) fn alarm(seconds: Option<u32>) {
    RANG.store(false, Ordering::Relaxed);
    if seconds.is_some() {
        // SAFETY: the handler only does what is safe in one.
        unsafe { libc::signal(libc::SIGALRM, end_child as extern "C" fn(i32) as *const () as usize) };
    }
    // SAFETY: no memory is passed.
    unsafe { libc::alarm(seconds.unwrap_or(0)) };
}

/// Whether the time ran out before the program's end; the alarm is off afterwards.
pub(crate) fn alarm_rang() -> bool {
    // SAFETY: as above.
    unsafe { libc::alarm(0) };
    RANG.load(Ordering::Relaxed)
}

/// From here on signals are noted and passed on. What is ignored (nohup) stays ignored, for the program too.
pub(crate) fn catch() {
    for signal in PASSED_ON {
        let mut old = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: `old` is writable and a null new action only asks.
        let asked = unsafe { libc::sigaction(signal, ptr::null(), old.as_mut_ptr()) };
        // SAFETY: zeroed is a valid sigaction, and the kernel filled it in.
        if asked != 0 || unsafe { old.assume_init() }.sa_sigaction == libc::SIG_IGN {
            continue;
        }
        // SAFETY: zeroed is a valid sigaction.
        let mut new: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
        new.sa_sigaction = pass_on as *const () as usize;
        // No SA_RESTART: a wait is to see that something came.
        new.sa_flags = libc::SA_SIGINFO;
        // SAFETY: the handler only does what is safe in one.
        unsafe { libc::sigaction(signal, &new, ptr::null_mut()) };
    }
}

/// The signal that asked for an end, if one did.
pub(crate) fn interrupted() -> Option<i32> {
    Some(CAME.load(Ordering::Relaxed)).filter(|&signal| signal != 0)
}

/// Signals are held back while this lives: one that comes while the program starts must reach it.
pub(crate) struct Held {
    before: libc::sigset_t,
}

impl Held {
    pub(crate) fn new() -> Held {
        let mut all = MaybeUninit::<libc::sigset_t>::zeroed();
        let mut before = MaybeUninit::<libc::sigset_t>::zeroed();
        // SAFETY: both sets are writable; sigfillset initialises `all`.
        unsafe { libc::sigfillset(all.as_mut_ptr()) };
        // SAFETY: as above; sigprocmask writes `before`.
        unsafe { libc::sigprocmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) };
        // SAFETY: written above; zeroed would be valid too.
        Held { before: unsafe { before.assume_init() } }
    }

    /// The mask from before, for the program to start with.
    pub(crate) fn before(&self) -> libc::sigset_t {
        self.before
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: `before` is what sigprocmask gave.
        unsafe { libc::sigprocmask(libc::SIG_SETMASK, &self.before, ptr::null_mut()) };
    }
}

pub(crate) fn set_child(pid: i32) {
    CHILD.store(pid, Ordering::Relaxed);
}

/// `SIGSEGV`, or `signal 40`.
pub(crate) fn name(signal: i32) -> String {
    const NAMES: [(i32, &str); 31] = [
        (libc::SIGHUP, "HUP"),
        (libc::SIGINT, "INT"),
        (libc::SIGQUIT, "QUIT"),
        (libc::SIGILL, "ILL"),
        (libc::SIGTRAP, "TRAP"),
        (libc::SIGABRT, "ABRT"),
        (libc::SIGBUS, "BUS"),
        (libc::SIGFPE, "FPE"),
        (libc::SIGKILL, "KILL"),
        (libc::SIGUSR1, "USR1"),
        (libc::SIGSEGV, "SEGV"),
        (libc::SIGUSR2, "USR2"),
        (libc::SIGPIPE, "PIPE"),
        (libc::SIGALRM, "ALRM"),
        (libc::SIGTERM, "TERM"),
        (libc::SIGSTKFLT, "STKFLT"),
        (libc::SIGCHLD, "CHLD"),
        (libc::SIGCONT, "CONT"),
        (libc::SIGSTOP, "STOP"),
        (libc::SIGTSTP, "TSTP"),
        (libc::SIGTTIN, "TTIN"),
        (libc::SIGTTOU, "TTOU"),
        (libc::SIGURG, "URG"),
        (libc::SIGXCPU, "XCPU"),
        (libc::SIGXFSZ, "XFSZ"),
        (libc::SIGVTALRM, "VTALRM"),
        (libc::SIGPROF, "PROF"),
        (libc::SIGWINCH, "WINCH"),
        (libc::SIGIO, "IO"),
        (libc::SIGPWR, "PWR"),
        (libc::SIGSYS, "SYS"),
    ];
    let found = NAMES.iter().find(|(number, _)| *number == signal);
    found.map_or_else(|| format!("signal {signal}"), |(_, name)| format!("SIG{name}"))
}

/// From `USR2`, `SIGUSR2` or `12`.
pub(crate) fn number(text: &str) -> Option<i32> {
    let wanted = format!("SIG{}", text.strip_prefix("SIG").unwrap_or(text));
    text.parse()
        .ok()
        .or_else(|| (1..32).find(|&signal| name(signal) == wanted))
        .filter(|number| (1..=64).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_names() {
        assert_eq!((name(11), name(9), name(40)), ("SIGSEGV".into(), "SIGKILL".into(), "signal 40".into()));
        for text in ["USR2", "SIGUSR2", "12"] {
            assert_eq!(number(text), Some(12));
        }
        assert_eq!((number("NONE"), number("0"), number("")), (None, None, None));
    }
}
