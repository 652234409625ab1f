//! What the command tells the process that replays, and what that tells it: both map the same bytes, and are the same program.

/// In the plan's head, and in the results'.
pub(super) const MAGIC: u64 = u64::from_le_bytes(*b"HKPLAN\0\x01");

/// The plan: this head, then `segments`, `threads` and `steps` tables.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) magic: u64,
    pub(super) segments: u64,
    pub(super) threads: u64,
    pub(super) steps: u64,
    pub(super) objects: u64,
}

/// A part of the trace. All threads are done with it before any begins the next, and in between the memory is looked at.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Segment {
    /// That have steps in it.
    pub(super) threads: u64,
    /// Bytes that live at its end.
    pub(super) live: u64,
    /// Events of the trace up to there.
    pub(super) events: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct ThreadPlan {
    pub(super) first: u64,
    pub(super) steps: u64,
}

/// One thing to do. In `word`: the kind in bits 0..4, the alignment's power of two in 4..10, bit 10: another thread made the block; the
/// number of bytes from bit 16 on.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Step {
    word: u64,
    pub(super) object: u32,
    pub(super) other: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(u8)]
pub(super) enum Kind {
    Malloc = 1,
    Calloc = 2,
    Free = 3,
    /// Makes `other` of `object`; the next step's number is the old size.
    Realloc = 4,
    Aligned = 5,
    /// Begins a segment, ends it.
    Begin = 6,
    End = 7,
    /// Starts thread `object` when `other` have ended.
    Spawn = 8,
    /// The thread ends, as far as others wait for it.
    Ended = 9,
    /// Waits until so many nanoseconds after the start.
    Until = 10,
    More = 11,
}

const KINDS: [Kind; 11] = [
    Kind::Malloc,
    Kind::Calloc,
    Kind::Free,
    Kind::Realloc,
    Kind::Aligned,
    Kind::Begin,
    Kind::End,
    Kind::Spawn,
    Kind::Ended,
    Kind::Until,
    Kind::More,
];

/// Larger numbers are not in a plan.
pub(super) const MOST: u64 = (1 << 48) - 1;
const REMOTE: u64 = 1 << 10;

impl Step {
    pub(super) fn new(kind: Kind, number: u64, object: u32, other: u32) -> Step {
        Step { word: kind as u64 | number.min(MOST) << 16, object, other }
    }

    pub(super) fn aligned(mut self, align: u8) -> Step {
        self.word |= u64::from(align & 63) << 4;
        self
    }

    pub(super) fn of_other_thread(mut self, is: bool) -> Step {
        self.word |= if is { REMOTE } else { 0 };
        self
    }

    #[inline(always)]
    pub(super) fn kind(self) -> Option<Kind> {
        KINDS.get((self.word as usize & 15).wrapping_sub(1)).copied()
    }

    #[inline(always)]
    pub(super) fn number(self) -> u64 {
        self.word >> 16
    }

    pub(super) fn align(self) -> u32 {
        (self.word >> 4) as u32 & 63
    }

    #[inline(always)]
    pub(super) fn is_remote(self) -> bool {
        self.word & REMOTE != 0
    }
}

/// How much of a block is written to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Touch {
    /// Its first byte
    First,
    /// A byte in each of its pages
    Pages,
    /// All of it
    All,
}

/// The results: this, then `points`, then with latencies `CALLS` histograms of `BUCKETS` counts.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(super) struct Results {
    pub(super) magic: u64,
    pub(super) points: u64,
    pub(super) wall_ns: u64,
    pub(super) cpu_ns: u64,
    pub(super) faults: u64,
    /// Requests that the allocator refused.
    pub(super) refused: u64,
    /// Resident before the first call.
    pub(super) base: u64,
    /// Ticks of the clock, and the same time in nanoseconds.
    pub(super) ticks: u64,
    pub(super) elapsed_ns: u64,
    /// Ticks, each kind of call's.
    pub(super) longest: [u64; CALLS],
    /// The file that malloc comes from, a C string.
    pub(super) served_by: Path,
}

pub(super) const CALLS: usize = 3;
pub(super) const CALL_NAMES: [&str; CALLS] = ["malloc", "free", "realloc"];

#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Path(pub(super) [u8; 1024]);

impl Default for Path {
    fn default() -> Path {
        Path([0; 1024])
    }
}

/// Memory at the end of a segment.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(super) struct Point {
    pub(super) at_ns: u64,
    pub(super) resident: u64,
    pub(super) live: u64,
}

/// The bytes of a table's rows.
pub(super) fn bytes_of<T: Copy>(rows: &[T]) -> &[u8] {
    // SAFETY: the types here are made of integers without gaps, and any bytes of a slice are.
    unsafe { std::slice::from_raw_parts(rows.as_ptr().cast(), size_of_val(rows)) }
}

/// Takes rows of a table off the front; `None`: there are not so many.
pub(super) fn take<T: Copy>(bytes: &mut &[u8], count: u64) -> Option<Vec<T>> {
    let length = usize::try_from(count).ok()?.checked_mul(size_of::<T>())?;
    let (mine, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    // SAFETY: as above, any bytes are a row; they need not be aligned.
    let row = |bytes: &[u8]| unsafe { bytes.as_ptr().cast::<T>().read_unaligned() };
    Some(mine.chunks_exact(size_of::<T>()).map(row).collect())
}
