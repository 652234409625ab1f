//! What there is in a heap apart.

use super::state::{Heap, OwnHeap};
use crate::base::addr::Addr;
use crate::base::bits::round_up;
use crate::class::ClassId;
use crate::os;
use crate::span::{LIVE_WORDS, Live};

/// A heap's figures.
#[derive(Default)]
pub(crate) struct Held {
    pub(crate) live_bytes: u64,
    pub(crate) live_blocks: u64,
    /// Address space of its spans.
    pub(crate) held_bytes: u64,
}

impl Held {
    pub(crate) fn add(&mut self, more: Held) {
        self.live_bytes += more.live_bytes;
        self.live_blocks += more.live_blocks;
        self.held_bytes += more.held_bytes;
    }
}

/// The bases of all spans that a heap had, and room for what is free in one of them. In a mapping: a call has 1 KiB of stack.
pub(crate) struct Bases {
    at: Addr,
    len: usize,
    bytes: usize,
}

/// Bytes in front of the bases.
const BITS: usize = LIVE_WORDS * size_of::<u64>();

impl Heap {
    /// Right to a block or two while it is used. Any thread that holds no heap's lock.
    pub(crate) fn held(&self) -> Held {
        let core = self.look();
        let mut held = Held::default();
        for (class, spans) in ClassId::all().zip(&core.spans) {
            // No class has blocks of 0 bytes; Rust 1.85 does not see that, and keeps a panic.
            let taken = spans.used(class).checked_div(class.block_size()).unwrap_or(0);
            let used = taken.saturating_sub(self.magazined(class)) as u64;
            held.live_blocks += used;
            held.live_bytes += used * class.block_size() as u64;
            held.held_bytes += spans.spans as u64 * class.span_bytes() as u64;
        }
        held
    }

    /// The span at that base, if it is still there, and in `bases` what is free in it. Any thread that holds no heap's lock.
    pub(crate) fn live(&self, base: Addr, bases: &mut Bases) -> Option<Live> {
        let _core = self.look();
        Live::of(base, self.addr(), bases.bits())
    }
}

impl OwnHeap {
    /// All its spans, with nothing left in magazines. The caller holds no lock. `None`: out of memory.
    pub(crate) fn bases(self) -> Option<Bases> {
        self.flush_apart();
        let mut core = self.look();
        let spans: usize = core.spans.iter().map(|spans| spans.spans as usize).sum();
        let bytes = round_up(BITS + spans * size_of::<Addr>(), os::page_size())?;
        let mut bases = Bases { at: os::map(bytes)?, len: 0, bytes };
        for spans in &mut core.spans {
            spans.each_base(|base| bases.push(base));
        }
        Some(bases)
    }
}

impl Bases {
    fn place(&self, index: usize) -> *mut Addr {
        self.at.offset(BITS + index * size_of::<Addr>()).as_ptr()
    }

    fn push(&mut self, base: Addr) {
        if BITS + (self.len + 1) * size_of::<Addr>() <= self.bytes {
            // SAFETY: within the mapping, which is ours alone.
            unsafe { self.place(self.len).write(base) };
            self.len += 1;
        }
    }

    /// The one with this number.
    pub(crate) fn get(&self, index: usize) -> Option<Addr> {
        // SAFETY: so many were written.
        (index < self.len).then(|| unsafe { self.place(index).read() })
    }

    pub(crate) fn bits(&mut self) -> &mut [u64] {
        // SAFETY: the mapping begins with so many, and zeroes are valid.
        unsafe { core::slice::from_raw_parts_mut(self.at.as_ptr(), LIVE_WORDS) }
    }
}

impl Drop for Bases {
    fn drop(&mut self) {
        os::unmap(self.at, self.bytes);
    }
}
