//! `Depth`: how far one magazine may grow, from the runs of refills and flushes behind it.
//!
//! A magazine grows by doubling at each miss, to a bound by which it stays in the first caches. Where the program takes
//! and gives in swings that end a little beyond that bound, every swing is refilled and flushed in full; with room for
//! it there would be neither. So: `TURNS` turns in a row whose need is known and small enough, and the bound is raised to it.
//! Dropped when swings outgrow it, or when the class lies idle.
//!
//! | state | bound        | leaves by                                                                |
//! |-------|--------------|--------------------------------------------------------------------------|
//! | plain | the default  | `TURNS` turns that fit below the limit → deep                            |
//! | deep  | what was needed | a swing twice as large as the magazine → plain; idle for some epochs → plain |
#![forbid(unsafe_code)]

/// Turns that must agree: three swings.
const TURNS: u8 = 6;
/// Epochs without a sign of use until a magazine is given back; doubled each time it was wanted again, `PATIENCE` times.
const IDLE: u8 = 2;
const PATIENCE: u8 = 5;

/// How often, in one epoch, a block must be wanted again after one was freed, until a class of big blocks gets a magazine.
/// It takes twice as often for each that another class lost in its favour, `RIVALS` times.
const RETURNS: u8 = 2;
const RIVALS: u32 = 5;

/// How many times as many misses a byte must have.
const PAYS: usize = 8;

/// Bytes of blocks of one class until it has pages of its own.
const WORTH: usize = 1024;

/// Entries beyond which no magazine grows: its array is one record of meta.
pub(crate) const LIMIT: u32 = 2047;

/// What the owner of a magazine should do with its bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    Keep,
    /// Raise the bound to hold this many blocks: what the last turns needed at most.
    Deepen(u32),
    /// Back to the default bound.
    Drop,
}

/// One class of one heap; zeroes are a valid value.
#[derive(Clone, Copy, Default)]
pub(crate) struct Depth {
    /// Blocks moved since the last turn: refilled above zero, flushed below.
    run: i32,
    /// Blocks of the run before.
    last: u32,
    /// The most that a turn of this series needed.
    need: u32,
    turns: u8,
    /// Epochs without a sign of use.
    idle: u8,
    /// How often it was given back.
    returns: u8,
    pub(crate) deep: bool,
    /// Whether blocks moved in this epoch.
    busy: bool,
    /// Of a class without a magazine: whether a block was freed since the last one was taken, and how often one was
    /// taken after that, in this epoch.
    freed: bool,
    returned: u8,
    /// How often a block was asked for while there was no magazine, of a class that others can stand in for.
    asked: u8,
    /// The magazine's fill when the last epoch ended.
    fill: u16,
    /// Slow paths of late: halved each time that somebody looked whether its room serves another class better.
    misses: u16,
}

impl Depth {
    /// Blocks were refilled (above zero) or flushed (below) while the magazine had `capacity` entries, all it may have.
    pub(crate) fn moved(&mut self, blocks: i32, capacity: usize) -> Verdict {
        self.busy = true;
        if (blocks >= 0) == (self.run >= 0) {
            self.run = self.run.saturating_add(blocks);
            return Verdict::Keep;
        }
        let over = self.run.unsigned_abs();
        // A turn: what came and went again would have stayed in a magazine longer by the lesser of the two runs.
        let swing = over.min(self.last);
        (self.last, self.run) = (over, blocks);
        self.turned(swing, capacity as u32)
    }

    fn turned(&mut self, swing: u32, capacity: u32) -> Verdict {
        let need = capacity.saturating_add(swing);
        if need > LIMIT {
            (self.turns, self.need) = (0, 0);
            let outgrown = self.deep && swing > 2 * capacity;
            self.deep &= !outgrown;
            return if outgrown { Verdict::Drop } else { Verdict::Keep };
        }
        self.need = self.need.max(need);
        self.turns += 1;
        if self.turns < TURNS {
            return Verdict::Keep;
        }
        let need = self.need;
        (self.turns, self.need) = (0, 0);
        self.deep = true;
        Verdict::Deepen(need)
    }

    /// The magazine was empty, or full.
    #[inline(always)]
    pub(crate) fn missed(&mut self) {
        self.misses = self.misses.saturating_add(1);
    }

    /// Somebody looked at the misses.
    pub(crate) fn passed(&mut self) {
        self.misses /= 2;
    }

    /// Whether so much more happens at the ends of `other`'s magazine, of `other_bytes`, for each byte that it has room for, than at this one's, that half
    /// of this one's room is better there: twice as many misses here cost less than half as many save there. From `PAYS` on; at half of that they are even.
    pub(crate) fn is_worth_less(&self, bytes: usize, other: &Depth, other_bytes: usize) -> bool {
        other.misses as usize * bytes > PAYS * self.misses as usize * other_bytes
    }

    /// A block was freed that no magazine could keep.
    pub(crate) fn freed(&mut self) {
        self.freed = true;
    }

    /// A block was taken while there is no magazine. Says whether the class should have one: its blocks come back.
    /// `rivals`: magazines that other classes lost to one of late; each doubles the number of times that it takes.
    pub(crate) fn taken(&mut self, rivals: u32) -> bool {
        self.returned = self.returned.saturating_add(core::mem::take(&mut self.freed) as u8);
        self.returned >= RETURNS << rivals.min(RIVALS)
    }

    /// A block of `size` bytes was asked for while there is no magazine. Says whether the class is worth pages of its own by now.
    pub(crate) fn asked(&mut self, size: usize) -> bool {
        self.asked = self.asked.saturating_add(1);
        self.asked as usize * size > WORTH
    }

    /// An epoch ended for a class without a magazine.
    pub(crate) fn forget(&mut self) {
        (self.freed, self.returned) = (false, 0);
    }

    /// An epoch ended, with `fill` blocks in the magazine. Says whether it lies idle and should be given back.
    pub(crate) fn review(&mut self, fill: usize) -> bool {
        let fill = fill.min(u16::MAX as usize) as u16;
        let idle = !self.busy && fill == self.fill;
        self.idle = if idle { self.idle.saturating_add(1) } else { 0 };
        (self.busy, self.fill) = (false, fill);
        if self.idle < IDLE << self.returns {
            return false;
        }
        *self = Depth { returns: (self.returns + 1).min(PATIENCE), ..Depth::default() };
        true
    }

    /// Whether blocks moved since the last review.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A magazine as the heap runs one: half of it is refilled or flushed. Counts slow paths.
    struct Magazine {
        depth: Depth,
        default: usize,
        capacity: usize,
        held: usize,
        slow: usize,
        drops: usize,
    }

    impl Magazine {
        fn new(default: usize) -> Magazine {
            Magazine { depth: Depth::default(), default, capacity: default, held: 0, slow: 0, drops: 0 }
        }

        fn obey(&mut self, verdict: Verdict) {
            match verdict {
                Verdict::Keep => {}
                Verdict::Deepen(need) => {
                    assert!(need <= LIMIT);
                    self.capacity = need as usize;
                }
                Verdict::Drop => {
                    self.drops += 1;
                    self.capacity = self.default;
                    self.held = self.held.min(self.capacity);
                }
            }
        }

        fn alloc(&mut self, n: usize) {
            for _ in 0..n {
                if self.held == 0 {
                    let got = self.capacity.div_ceil(2);
                    self.held = got;
                    self.slow += 1;
                    let verdict = self.depth.moved(got as i32, self.capacity);
                    self.obey(verdict);
                }
                self.held -= 1;
            }
        }

        fn free(&mut self, n: usize) {
            for _ in 0..n {
                if self.held == self.capacity {
                    let given = self.capacity.div_ceil(2);
                    self.held -= given;
                    self.slow += 1;
                    let verdict = self.depth.moved(-(given as i32), self.capacity);
                    self.obey(verdict);
                }
                self.held += 1;
            }
        }
    }

    #[test]
    fn room_goes_where_more_happens_for_a_byte_of_it_and_does_not_come_back_at_once() {
        let of = |misses| Depth { misses, ..Depth::default() };
        assert!(of(0).is_worth_less(1000, &of(1), 1000) && !of(0).is_worth_less(1000, &of(0), 1000));
        assert!(!of(1).is_worth_less(1000, &of(8), 1000) && of(1).is_worth_less(1000, &of(9), 1000));
        assert!(of(1).is_worth_less(8000, &of(2), 1000), "few of many bytes");
        // What moved: half the room and twice the misses here, the opposite there.
        assert!(!of(9).is_worth_less(2000, &of(2), 500));
        let mut full = of(u16::MAX);
        full.missed();
        full.passed();
        assert_eq!(full.misses, u16::MAX / 2);
    }

    #[test]
    fn swings_that_fit_are_learned_within_some_dozens_of_misses_and_then_cost_nothing() {
        let mut magazine = Magazine::new(127);
        for _ in 0..8 {
            magazine.alloc(800);
            magazine.free(800);
        }
        assert!(magazine.slow < 120, "{}", magazine.slow);
        assert!(magazine.depth.deep && (800..=LIMIT as usize).contains(&magazine.capacity));
        let learned = magazine.slow;
        for _ in 0..100 {
            magazine.alloc(800);
            magazine.free(800);
        }
        assert_eq!(magazine.slow, learned);
    }

    #[test]
    fn swings_that_fit_in_no_magazine_change_nothing() {
        let mut magazine = Magazine::new(127);
        for _ in 0..50 {
            magazine.alloc(5000);
            magazine.free(5000);
        }
        assert_eq!((magazine.capacity, magazine.depth.deep, magazine.drops), (127, false, 0));
    }

    #[test]
    fn when_swings_outgrow_it_the_default_returns() {
        let mut magazine = Magazine::new(127);
        for _ in 0..10 {
            magazine.alloc(500);
            magazine.free(500);
        }
        assert!(magazine.depth.deep);
        for _ in 0..10 {
            magazine.alloc(20_000);
            magazine.free(20_000);
        }
        assert_eq!((magazine.capacity, magazine.depth.deep), (127, false));
    }

    #[test]
    fn a_swing_that_comes_and_goes_makes_it_change_its_mind_rarely() {
        let mut magazine = Magazine::new(127);
        for round in 0..200 {
            let swing = if round / 20 % 2 == 0 { 600 } else { 20_000 };
            magazine.alloc(swing);
            magazine.free(swing);
        }
        assert!(magazine.drops <= 5, "{}", magazine.drops);
    }

    #[test]
    fn idle_magazines_are_given_back_and_later_each_time() {
        let mut depth = Depth::default();
        let mut epochs = std::vec::Vec::new();
        for _ in 0..8 {
            depth.moved(10, 127);
            assert!(!depth.review(50));
            let mut waited = 1;
            while !depth.review(50) {
                waited += 1;
            }
            epochs.push(waited);
        }
        assert_eq!(epochs, [2, 4, 8, 16, 32, 64, 64, 64]);
    }

    #[test]
    fn what_is_freed_and_wanted_again_earns_a_magazine_and_what_is_only_taken_does_not() {
        let mut depth = Depth::default();
        assert!((0..100).all(|_| !depth.taken(0)));
        depth.freed();
        assert!(!depth.taken(0) && !depth.taken(0));
        depth.forget();
        depth.freed();
        assert!(!depth.taken(0));
        depth.freed();
        depth.freed();
        assert!(!depth.taken(1) && depth.taken(0) && !depth.taken(9));
    }

    #[test]
    fn what_moves_is_not_idle() {
        let mut depth = Depth::default();
        for epoch in 0..1000 {
            // Hits only, but the fill shows them.
            assert!(!depth.review(epoch % 7));
        }
    }

    proptest! {
        #[test]
        fn no_verdict_passes_the_limit(moves in proptest::collection::vec((-600i32..600, 1usize..2047), 1..400)) {
            let mut depth = Depth::default();
            for (blocks, capacity) in moves {
                if let Verdict::Deepen(need) = depth.moved(blocks, capacity) {
                    prop_assert!(need <= LIMIT && need as usize >= capacity);
                }
            }
        }
    }
}
