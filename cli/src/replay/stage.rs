//! What the threads of a replay share: the plan, the blocks, and the gate from one segment to the next.
//!
//! Nothing here asks malloc for anything: it may be anybody's, and each byte of it is to be the trace's.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::layout::{Head, MAGIC, Point, Segment, Step, ThreadPlan, Touch};
use super::ticks::now_ns;

/// A table in memory that is mapped: as many rows as there are, all zero or read from a file.
pub(super) struct Rows<T> {
    first: *const T,
    count: usize,
}

impl<T> Clone for Rows<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Rows<T> {}

impl<T> Rows<T> {
    /// New and zero, in memory that is there already. T is made of integers.
    pub(super) fn new(count: usize) -> Option<Rows<T>> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_POPULATE;
        let bytes = count.max(1).checked_mul(size_of::<T>())?;
        // SAFETY: a new mapping.
        let at = unsafe { libc::mmap(ptr::null_mut(), bytes, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
        (at != libc::MAP_FAILED).then_some(Rows { first: at.cast(), count })
    }

    /// Rows that begin `offset` bytes into others.
    fn within<U>(all: Rows<U>, offset: &mut usize, count: u64) -> Option<Rows<T>> {
        let count = usize::try_from(count).ok()?;
        let begin = *offset;
        *offset = begin.checked_add(count.checked_mul(size_of::<T>())?)?;
        let whole = all.count.checked_mul(size_of::<U>())?;
        // SAFETY: the bytes up to the new offset are within `all`.
        (*offset <= whole).then(|| Rows { first: unsafe { all.first.cast::<u8>().add(begin) }.cast(), count })
    }

    #[inline(always)]
    pub(super) fn all(self) -> &'static [T] {
        // SAFETY: mapped for as long as the process lives, aligned as mappings and tables of eight-byte rows are, and any bytes are a
        // row. Who writes to rows does so through atomics, or a pointer to a row that is one thread's.
        unsafe { std::slice::from_raw_parts(self.first, self.count) }
    }

    /// For rows of which each is written by one thread at a time.
    pub(super) fn row(self, index: usize) -> Option<*mut T> {
        // SAFETY: within the table.
        (index < self.count).then(|| unsafe { self.first.cast_mut().add(index) })
    }
}

/// The file's bytes, all of them in memory.
fn map_file(file: &File) -> Option<Rows<u8>> {
    let length = usize::try_from(file.metadata().ok()?.len()).ok().filter(|&length| length > 0)?;
    let flags = libc::MAP_SHARED | libc::MAP_POPULATE;
    // SAFETY: a new mapping of a file that nobody cuts short: the command keeps it, and has no name for it.
    let at = unsafe { libc::mmap(ptr::null_mut(), length, libc::PROT_READ, flags, file.as_raw_fd(), 0) };
    (at != libc::MAP_FAILED).then_some(Rows { first: at.cast(), count: length })
}

pub(super) struct Stage {
    pub(super) segments: &'static [Segment],
    pub(super) threads: &'static [ThreadPlan],
    pub(super) steps: &'static [Step],
    /// Where each object's block is: 0 until it is there.
    pub(super) blocks: &'static [AtomicU64],
    pub(super) points: Rows<Point>,
    pub(super) touch: Touch,
    /// Threads that have ended.
    pub(super) ended: AtomicU32,
    pub(super) refused: AtomicU64,
    /// Segments up to this are open, the last of them begun and not done.
    open: AtomicU32,
    /// Threads that have to end the present one.
    left: AtomicU64,
    live: AtomicU64,
    /// `/proc/self/smaps_rollup`.
    smaps: i32,
    base: u64,
    /// Nanoseconds and figures of the kernel at the present segment's beginning, and their sums over those before.
    began: Counters,
    sum: Counters,
    /// When the replay would have begun if nobody had looked at the memory meanwhile.
    origin: AtomicU64,
}

/// Atomics only because threads take turns: whoever ends a segment begins the next.
#[derive(Default)]
struct Counters {
    wall_ns: AtomicU64,
    cpu_ns: AtomicU64,
    faults: AtomicU64,
}

impl Stage {
    pub(super) fn new(file: &File, touch: Touch) -> Option<Stage> {
        let bytes = map_file(file)?;
        let mut offset = 0;
        let head = Rows::<Head>::within(bytes, &mut offset, 1)?.all().first().copied()?;
        if head.magic != MAGIC {
            return None;
        }
        let segments = Rows::<Segment>::within(bytes, &mut offset, head.segments)?;
        let threads = Rows::<ThreadPlan>::within(bytes, &mut offset, head.threads)?;
        let steps = Rows::<Step>::within(bytes, &mut offset, head.steps)?;
        let blocks = Rows::<AtomicU64>::new(usize::try_from(head.objects).ok()?)?;
        // SAFETY: a C string.
        let smaps = unsafe { libc::open(c"/proc/self/smaps_rollup".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
        Some(Stage {
            segments: segments.all(),
            threads: threads.all(),
            steps: steps.all(),
            blocks: blocks.all(),
            points: Rows::new(segments.count)?,
            touch,
            ended: AtomicU32::new(0),
            refused: AtomicU64::new(0),
            open: AtomicU32::new(0),
            left: AtomicU64::new(0),
            live: AtomicU64::new(0),
            smaps,
            base: 0,
            began: Counters::default(),
            sum: Counters::default(),
            origin: AtomicU64::new(0),
        })
    }

    /// Opens the first segment. Only one thread is there yet.
    pub(super) fn begin(&mut self) {
        // The first look faults in what looks need.
        self.resident();
        self.base = self.resident();
        self.open_segment(0, 0);
    }

    /// `since`: when the last one ended.
    fn open_segment(&self, index: u32, since: u64) {
        let threads = self.segments.get(index as usize).map_or(0, |segment| segment.threads);
        // Relaxed: who opens a segment is alone between the last one's end and the store to `open`, which releases all of this.
        self.left.store(threads, Ordering::Relaxed);
        let now = kernel_counts();
        self.began.cpu_ns.store(now.0, Ordering::Relaxed);
        self.began.faults.store(now.1, Ordering::Relaxed);
        let now = now_ns();
        self.began.wall_ns.store(now, Ordering::Relaxed);
        self.origin.fetch_add(now.saturating_sub(since), Ordering::Relaxed);
        self.open.store(index + 1, Ordering::Release);
        if self.threads.len() > 1 {
            wake_all(&self.open);
        }
    }

    /// Waits until a segment may begin.
    pub(super) fn wait_for_segment(&self, index: u32) {
        for look in 0u32.. {
            // Acquire, pairs with the Release in `open_segment`: what threads did in the segments before is seen.
            let open = self.open.load(Ordering::Acquire);
            if open > index {
                return;
            }
            if look < 100 { std::hint::spin_loop() } else { wait_while(&self.open, open) }
        }
    }

    /// Until all is done.
    pub(super) fn wait_for_end(&self) {
        self.wait_for_segment(self.segments.len() as u32);
    }

    /// A thread is done with a segment, and has changed the live bytes by so much.
    pub(super) fn end_segment(&self, index: u32, live: u64) {
        self.live.fetch_add(live, Ordering::Relaxed); // wraps, for a negative one
        // AcqRel: the last one sees what all others did, and what they counted.
        if self.left.fetch_sub(1, Ordering::AcqRel) != 1 {
            return;
        }
        let (wall, now) = (now_ns(), kernel_counts());
        // Relaxed, as in `open_segment`.
        let add = |sum: &AtomicU64, began: &AtomicU64, now: u64| {
            let passed = now.saturating_sub(began.load(Ordering::Relaxed));
            sum.fetch_add(passed, Ordering::Relaxed) + passed
        };
        let at_ns = add(&self.sum.wall_ns, &self.began.wall_ns, wall);
        add(&self.sum.cpu_ns, &self.began.cpu_ns, now.0);
        add(&self.sum.faults, &self.began.faults, now.1);
        if let Some(point) = self.points.row(index as usize) {
            let resident = self.resident().saturating_sub(self.base);
            let live = self.live.load(Ordering::Relaxed);
            // SAFETY: this segment's row, and only its last thread comes here.
            unsafe { point.write(Point { at_ns, resident, live }) };
        }
        self.open_segment(index + 1, wall);
    }

    /// Nanoseconds since the start, without those of looks at the memory.
    pub(super) fn since_start(&self) -> u64 {
        now_ns().saturating_sub(self.origin.load(Ordering::Relaxed))
    }

    pub(super) fn base(&self) -> u64 {
        self.base
    }

    /// Nanoseconds, those of processors, and faults.
    pub(super) fn cost(&self) -> [u64; 3] {
        [&self.sum.wall_ns, &self.sum.cpu_ns, &self.sum.faults].map(|sum| sum.load(Ordering::Relaxed))
    }

    /// Bytes that are resident, counted page by page: the kernel's short figure lags by hundreds of KiB.
    fn resident(&self) -> u64 {
        let mut text = [0u8; 256];
        // SAFETY: a descriptor of ours, or -1, which fails.
        unsafe { libc::lseek(self.smaps, 0, libc::SEEK_SET) };
        // SAFETY: `text` is writable and as long as that.
        let length = unsafe { libc::read(self.smaps, text.as_mut_ptr().cast(), text.len()) };
        let text = text.get(..usize::try_from(length).unwrap_or(0)).unwrap_or_default();
        let digits = text.windows(4).position(|window| window == b"Rss:").and_then(|at| text.get(at + 4..));
        let digits = digits
            .unwrap_or_default()
            .iter()
            .skip_while(|byte| **byte == b' ')
            .take_while(|byte| byte.is_ascii_digit());
        digits.fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')) * 1024
    }
}

/// Nanoseconds on processors, and faults, of this process.
fn kernel_counts() -> (u64, u64) {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: `usage` is writable.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) };
    // SAFETY: zeroed is a valid one, and the kernel filled it in.
    let usage = unsafe { usage.assume_init() };
    let ns = |time: libc::timeval| time.tv_sec as u64 * 1_000_000_000 + time.tv_usec as u64 * 1000;
    (ns(usage.ru_utime) + ns(usage.ru_stime), usage.ru_minflt as u64 + usage.ru_majflt as u64)
}

fn wait_while(word: &AtomicU32, value: u32) {
    // SAFETY: the word outlives the call, and a null timeout waits until woken.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG,
            value,
            ptr::null::<u8>(),
        )
    };
}

fn wake_all(word: &AtomicU32) {
    // SAFETY: as above; waking passes no memory.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, i32::MAX) };
}
