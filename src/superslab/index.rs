//! `Index`: the SuperSlabs in use by their longest run of free slots, so that a run of any length is found in some steps,
//! however many there are and however they are fragmented. Under the pool's lock.
//!
//! A filing is as good as its last look. A slot taken since without the lock makes it too high: who finds that files anew,
//! once for each slot taken. A slot released since is noted in `Changed`.
#![forbid(unsafe_code)]

use super::slab::SLOTS;
use super::table::{self, Filing};

/// Shelves of a set: how full a SuperSlab is, in quarters; the last one is for those that may be a huge page.
const SHELVES: usize = 5;
const HUGE: usize = SHELVES - 1;

/// Which runs an index goes by; also the place of its filing in a descriptor: EMPTY slots, which are resident.
pub(super) const EMPTY: usize = 0;
/// EMPTY and UNUSED ones.
pub(super) const FREE: usize = 1;

/// Valid as zeroes: it knows none.
///
/// # Invariants
/// - I1: the SuperSlabs with a filing of (set, shelf) are the ring that starts at `heads[set][shelf]`, newest first.
/// - I2: bit n of `shelves[set]` says whether `heads[set][n]` has members, bit n of `sets` whether `shelves[n]` has.
/// - I3: no SuperSlab has a longer run than its set says, but for those noted in `Changed`.
pub(super) struct Index<const BY: usize> {
    /// Numbers + 1; 0: none.
    heads: [[u32; SHELVES]; SLOTS as usize + 1],
    shelves: [u8; SLOTS as usize + 1],
    sets: u64,
}

impl<const BY: usize> Index<BY> {
    pub(super) const fn new() -> Index<BY> {
        Index { heads: [[0; SHELVES]; SLOTS as usize + 1], shelves: [0; SLOTS as usize + 1], sets: 0 }
    }

    /// The SuperSlab whose longest run is the shortest of at least `len` slots; of several the fullest.
    pub(super) fn find(&self, len: u32) -> Option<u32> {
        let sets = self.sets >> len << len;
        let set = (sets != 0).then(|| sets.trailing_zeros() as usize)?;
        let shelf = self.shelves.get(set)?.checked_ilog2()? as usize;
        self.heads.get(set)?.get(shelf)?.checked_sub(1)
    }

    /// The one with the longest run, of several the emptiest, of those the one filed first; huge ones last.
    pub(super) fn find_longest(&self) -> Option<u32> {
        let ordinary = |set: usize| self.shelves.get(set).is_some_and(|shelves| shelves & !(1 << HUGE) != 0);
        let mut sets = self.sets;
        while sets != 0 {
            let set = sets.ilog2() as usize;
            if ordinary(set) {
                return self.last(set);
            }
            sets &= !(1 << set);
        }
        self.last(self.sets.checked_ilog2()? as usize)
    }

    fn last(&self, set: usize) -> Option<u32> {
        let shelf = self.shelves.get(set)?.trailing_zeros() as usize;
        let head = self.heads.get(set)?.get(shelf)?.checked_sub(1)?;
        // A ring: what comes before the first is the last.
        self.filing(head)?.prev().checked_sub(1)
    }

    /// Files `id` under `longest` (0: nowhere) with `used` ACTIVE slots. The one that stays where it is keeps its place.
    pub(super) fn file(&mut self, id: u32, longest: u32, used: u32, huge: bool) {
        let Some(filing) = self.filing(id) else { return };
        let shelf = if huge { HUGE } else { (used * HUGE as u32 / (SLOTS + 1)) as usize };
        let place = if longest == 0 { 0 } else { longest * SHELVES as u32 + shelf as u32 };
        if filing.place() != place {
            self.unlink(id, filing);
            self.link(id, filing, place);
        }
    }

    fn filing(&self, id: u32) -> Option<&'static Filing> {
        table::get(id)?.filings.get(BY)
    }

    fn link(&mut self, id: u32, filing: &Filing, place: u32) {
        filing.set_place(place);
        let (set, shelf) = (place as usize / SHELVES, place as usize % SHELVES);
        let Some(slot) = self.heads.get(set).and_then(|heads| heads.get(shelf)).filter(|_| place != 0) else { return };
        let me = id + 1;
        match slot.checked_sub(1).and_then(|first| Some((first, self.filing(first)?))) {
            Some((first, head)) => {
                let last = head.prev();
                filing.set_ring(first + 1, last);
                head.set_prev(me);
                if let Some(tail) = last.checked_sub(1).and_then(|last| self.filing(last)) {
                    tail.set_next(me);
                }
            }
            None => filing.set_ring(me, me),
        }
        self.set_head(set, shelf, me);
    }

    fn unlink(&mut self, id: u32, filing: &Filing) {
        let (place, me) = (filing.place(), id + 1);
        if place == 0 {
            return;
        }
        let (set, shelf) = (place as usize / SHELVES, place as usize % SHELVES);
        let (next, prev) = (filing.next(), filing.prev());
        let is_head = self.heads.get(set).and_then(|heads| heads.get(shelf)) == Some(&me);
        if next == me {
            return self.set_head(set, shelf, 0);
        }
        if let Some(after) = next.checked_sub(1).and_then(|next| self.filing(next)) {
            after.set_prev(prev);
        }
        if let Some(before) = prev.checked_sub(1).and_then(|prev| self.filing(prev)) {
            before.set_next(next);
        }
        if is_head {
            self.set_head(set, shelf, next);
        }
    }

    /// Keeps I2.
    fn set_head(&mut self, set: usize, shelf: usize, head: u32) {
        if let Some(slot) = self.heads.get_mut(set).and_then(|heads| heads.get_mut(shelf)) {
            *slot = head;
        }
        if let Some(shelves) = self.shelves.get_mut(set) {
            *shelves = *shelves & !(1 << shelf) | ((head != 0) as u8) << shelf;
            self.sets = self.sets & !(1 << set) | ((*shelves != 0) as u64) << set;
        }
    }

    /// I1 and I2 of every ring; calls `look` with each number and the set it is in. Returns how many there are.
    #[cfg(feature = "paranoid")]
    pub(super) fn check(&self, mut look: impl FnMut(u32, u32)) -> u32 {
        use crate::base::addr::Addr;
        use crate::os::require;
        let mut members = 0;
        for (set, heads) in self.heads.iter().enumerate() {
            for (shelf, &head) in heads.iter().enumerate() {
                let marked = self.shelves.get(set).is_some_and(|shelves| shelves >> shelf & 1 == 1);
                require(marked == (head != 0), "I2: a shelf and its mark", Addr(set));
                let mut at = head;
                while let Some(id) = at.checked_sub(1) {
                    let Some(filing) = self.filing(id) else {
                        require(false, "I1: a member without a descriptor", Addr(id as usize));
                        return members;
                    };
                    let place = (set * SHELVES + shelf) as u32;
                    require(filing.place() == place, "I1: a member of another shelf", Addr(id as usize));
                    let after = filing.next().checked_sub(1).and_then(|next| self.filing(next));
                    require(after.is_some_and(|after| after.prev() == at), "I1: a ring", Addr(id as usize));
                    look(id, set as u32);
                    members += 1;
                    at = if filing.next() == head { 0 } else { filing.next() };
                }
            }
            let any = self.shelves.get(set).is_some_and(|&shelves| shelves != 0);
            require(self.sets >> set & 1 == any as u64, "I2: a set and its mark", Addr(set));
        }
        members
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Descriptors far above those that other tests of this process use.
    const FIRST: u32 = table::MAX - 256;

    #[test]
    fn it_agrees_with_a_naive_search() {
        assert!((FIRST..table::MAX).all(|id| table::make(id).is_some()));
        // The filing of empty runs: the pool of this process never gets to these numbers.
        let mut index = Index::<EMPTY>::new();
        let mut naive = [(0u32, 0u32, false, 0u32); 100];
        let (mut x, mut time) = (0x2545_F491u32, 0);
        let mut draw = |below: u32| {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            x % below
        };
        for _ in 0..20_000 {
            let member = draw(100) as usize;
            let (longest, used, huge) = (draw(SLOTS + 1), draw(SLOTS + 1), draw(8) == 0);
            index.file(FIRST + member as u32, longest, used, huge);
            let shelf = |(_, used, huge, _): (u32, u32, bool, u32)| if huge { 4 } else { used * 4 / 33 };
            let old = naive[member];
            time += 1;
            let same = old.0 == longest && (longest == 0 || shelf(old) == shelf((longest, used, huge, 0)));
            naive[member] = (longest, used, huge, if same { old.3 } else { time });

            let len = 1 + draw(SLOTS);
            let best = naive.iter().filter(|entry| entry.0 >= len);
            let best = best.min_by_key(|entry| (entry.0, core::cmp::Reverse((shelf(**entry), entry.3))));
            let found = index.find(len).map(|id| naive[(id - FIRST) as usize]);
            assert_eq!(found, best.copied(), "the shortest that will do, the fullest, the newest");

            let all = naive.iter().filter(|entry| entry.0 > 0);
            let longest = all.max_by_key(|e| (!(e.2), e.0, core::cmp::Reverse((shelf(**e), e.3))));
            let found = index.find_longest().map(|id| naive[(id - FIRST) as usize]);
            assert_eq!(found, longest.copied(), "the longest, the emptiest, the oldest; huge ones last");
        }
    }
}
