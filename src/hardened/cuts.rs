//! `Cuts`: of which mappings, to the kernel, a block's open pages are made.
#![forbid(unsafe_code)]

/// Mappings that a block's pages may be.
const PIECES: usize = 4;

/// What is cut is told in these: pages are as large, or a multiple.
const UNIT: u32 = 12;

/// Where the open pages of a block are cut, to the kernel: so many units behind its start, in ascending order; 0: nowhere. Pages that moved once
/// are not joined with those that come behind them, and two mappings are not moved by one call.
#[derive(Clone, Copy)]
pub(super) struct Cuts([u32; PIECES - 1]);

impl Cuts {
    pub(super) const NONE: Cuts = Cuts([0; PIECES - 1]);
    /// In too many places to be told.
    const MANY: Cuts = Cuts([u32::MAX; PIECES - 1]);

    pub(super) fn any(self) -> bool {
        self.0.iter().any(|&cut| cut != 0)
    }

    pub(super) fn is_many(self) -> bool {
        self.0.contains(&u32::MAX)
    }

    pub(super) fn has_room(self) -> bool {
        self.0.contains(&0)
    }

    /// Pages come behind the first `bytes`.
    pub(super) fn add(&mut self, bytes: usize) {
        self.end(bytes);
        match (self.0.iter_mut().find(|cut| **cut == 0), u32::try_from(bytes >> UNIT)) {
            (Some(free), Ok(units)) => *free = units,
            _ => *self = Cuts::MANY,
        }
    }

    /// Only the first `bytes` are left.
    pub(super) fn end(&mut self, bytes: usize) {
        for cut in &mut self.0 {
            if *cut != u32::MAX && (*cut as usize) << UNIT >= bytes {
                *cut = 0;
            }
        }
    }

    /// Calls `each` with the offset and the length of each piece of `bytes`, until it says `false`. Says whether it never did.
    pub(super) fn pieces(self, bytes: usize, mut each: impl FnMut(usize, usize) -> bool) -> bool {
        let mut from = 0;
        let ends = self.0.iter().filter(|cut| **cut != 0).map(|&cut| (cut as usize) << UNIT);
        ends.chain([bytes]).filter(|&end| end <= bytes).all(|end| {
            let len = end - core::mem::replace(&mut from, end);
            len == 0 || each(end - len, len)
        })
    }
}
