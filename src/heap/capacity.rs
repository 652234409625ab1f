//! How far a magazine may grow: doubling at each miss, then what `learn` says; back again when it lies idle.
#![forbid(unsafe_code)]

use super::bin::{Bin, FIRST};
use super::state::{Capacities, OwnHeap};
use crate::class::{CLASSES, ClassId, MID_CLASSES};
use crate::learn::{self, Depth, Verdict};
use crate::stats::event::Event;
use crate::stats::level::IN_USE;

use core::cell::Cell;

/// Bytes that the magazines of big classes have room for, in one heap: of what is live in the process a part, between these two.
const BIG_BYTES: [usize; 2] = [2 << 20, 8 << 20];
const LIVE_PART: u64 = 32;

fn big_bytes() -> usize {
    let [least, most] = BIG_BYTES;
    ((IN_USE.slots_bytes() + IN_USE.mapped_bytes()) / LIVE_PART).clamp(least as u64, most as u64) as usize
}

impl Capacities {
    /// Forgets what was learned and gives all room back: the magazines were closed.
    pub(super) fn reset(&self) {
        self.depths.iter().for_each(|depth| depth.set(Depth::default()));
        self.purse.give_all();
    }

    /// Bytes that all magazines have room for.
    pub(super) fn room(&self) -> usize {
        self.purse.held()
    }

    fn depth(&self, class: ClassId) -> Option<&Cell<Depth>> {
        self.depths.get(class.index())
    }
}

impl OwnHeap {
    /// Doubles a magazine that may grow. Says whether it has more room now.
    pub(super) fn grow(self, class: ClassId) -> bool {
        let bin = self.bin(class);
        self.note_miss(class);
        let (old, want) = (bin.capacity(), self.wanted_capacity(class));
        if want <= old {
            return false;
        }
        if class.is_big() {
            self.make_room(class, (want - old) * class.block_size());
        }
        let purse = &self.capacities().purse;
        let mut new = purse.ask(old, want, class.block_size());
        if new <= old && self.take_room(class) {
            new = purse.ask(old, want, class.block_size());
        }
        if new <= old {
            return false;
        }
        if !bin.resize(new) {
            purse.give((new - old) * class.block_size());
            return false;
        }
        self.events.count(class.index(), Event::Grow, 1);
        true
    }

    fn note_miss(self, class: ClassId) {
        if let Some(cell) = self.capacities().depth(class) {
            let mut depth = cell.get();
            depth.missed();
            cell.set(depth);
        }
    }

    /// Halves a magazine whose room serves another class better, which asked for more than the thread may have: of those that a hand goes round, a
    /// step a miss. Says whether it did. Else who came first has all: the classes that a program turns to later none, and each call takes the lock.
    #[cold]
    fn take_room(self, class: ClassId) -> bool {
        // An arena's magazines keep what was popped of them.
        if class.is_big() || self.is_apart() {
            return false;
        }
        let capacities = self.capacities();
        let victim = ClassId::from_index(capacities.turn.get() % MID_CLASSES);
        capacities.turn.set(victim.index() + 1);
        let (Some(wants), Some(cell)) = (capacities.depth(class), capacities.depth(victim)) else { return false };
        let bytes = |class: ClassId| self.bin(class).capacity().max(1) * class.block_size();
        let mut depth = cell.get();
        let worse = depth.is_worth_less(bytes(victim), &wants.get(), bytes(class));
        depth.passed();
        cell.set(depth);
        if !worse || victim == class || self.bin(victim).capacity() < 2 {
            return false;
        }
        self.shrink(victim, self.bin(victim).capacity() / 2);
        true
    }

    /// The capacity that the next growth would make. A big class has none before its blocks were seen to come back.
    fn wanted_capacity(self, class: ClassId) -> usize {
        let bin = self.bin(class);
        if !class.is_big() {
            return bin.next_capacity();
        }
        if bin.capacity() > 0 {
            // It may have been more, when more was live.
            return bin.next_capacity().min(big_bytes().checked_div(class.block_size()).unwrap_or(0));
        }
        let Some(cell) = self.capacities().depth(class) else { return 0 };
        let mut depth = cell.get();
        let comes_back = depth.taken(self.capacities().losses.get());
        cell.set(depth);
        if comes_back && bin.max() > 0 { 1 } else { 0 }
    }

    /// The class to serve a request for `class` from: another one's, larger, while so few of its own were asked for that a page, a record
    /// and a magazine for them cost more than what rounding does.
    pub(crate) fn earned(self, class: ClassId) -> ClassId {
        let bin = self.bin(class);
        let coarse = class.coarse();
        if coarse == class || bin.capacity() > 0 || bin.max() == 0 {
            return class;
        }
        let Some(cell) = self.capacities().depth(class) else { return class };
        let mut depth = cell.get();
        let earned = depth.asked(class.block_size());
        cell.set(depth);
        if earned { class } else { coarse }
    }

    /// Notes that a block of a class without a magazine was freed.
    pub(super) fn note_freed(self, class: ClassId) {
        if let Some(cell) = self.capacities().depth(class) {
            let mut depth = cell.get();
            depth.freed();
            cell.set(depth);
        }
    }

    /// Closes magazines of other big classes, one after the other, until `more` bytes fit into what all may have.
    #[cold]
    fn make_room(self, class: ClassId, more: usize) {
        let bytes = |class: ClassId| self.bin(class).capacity() * class.block_size();
        let mut held: usize = ClassId::all().filter(|class| class.is_big()).map(bytes).sum();
        let most = big_bytes();
        for _ in 0..CLASSES - MID_CLASSES {
            if held + more <= most {
                break;
            }
            let next = self.capacities().hand.get() + 1;
            self.capacities().hand.set(if (MID_CLASSES..CLASSES).contains(&next) { next } else { MID_CLASSES });
            let victim = ClassId::from_index(self.capacities().hand.get());
            if victim != class && bytes(victim) > 0 {
                held -= bytes(victim);
                self.close(victim);
                self.capacities().losses.set(self.capacities().losses.get() + 1);
            }
        }
    }

    /// Takes a class's magazine away.
    pub(super) fn close(self, class: ClassId) {
        let bin = self.bin(class);
        let bytes = bin.capacity() * class.block_size();
        if bytes > 0 {
            self.flush_oldest(class, usize::MAX);
            bin.close(true);
            self.capacities().purse.give(bytes);
        }
        if let Some(cell) = self.capacities().depth(class) {
            let mut depth = cell.get();
            depth.forget();
            cell.set(depth);
        }
    }

    /// Tells the learner that so many blocks of `class` were refilled, or flushed (below zero), and does as it says.
    pub(super) fn learn(self, class: ClassId, blocks: i32) {
        let bin = self.bin(class);
        // While it may still grow, growing is the answer.
        if bin.capacity() < bin.max() || !learn::is_on() {
            return;
        }
        let Some(cell) = self.capacities().depth(class) else { return };
        let mut depth = cell.get();
        let verdict = depth.moved(blocks, bin.capacity());
        cell.set(depth);
        match verdict {
            Verdict::Keep => {}
            Verdict::Deepen(need) => self.deepen(class, need as usize),
            Verdict::Drop => self.undeepen(class),
        }
    }

    #[cold]
    fn deepen(self, class: ClassId, need: usize) {
        let bin = self.bin(class);
        let most = if class.is_big() { big_bytes() / 2 } else { learn::DEEP_BYTES };
        if need <= learn::depth_limit(class, bin.max(), most.saturating_sub(self.deep_bytes(class))) {
            bin.set_max(learn::deepen(class, need));
        }
    }

    /// Back to the default bound.
    #[cold]
    fn undeepen(self, class: ClassId) {
        let bound = learn::undeepen(class);
        self.shrink(class, bound);
        self.bin(class).set_max(bound);
    }

    /// Bytes of room that the bounds of all magazines of the class's kind, big or not, allow beyond the defaults.
    fn deep_bytes(self, class: ClassId) -> usize {
        let deep = |class: ClassId| self.bin(class).max().saturating_sub(learn::default_depth(class));
        let alike = ClassId::all().filter(|other| other.is_big() == class.is_big());
        alike.map(|class| deep(class) * class.block_size()).sum()
    }

    /// Makes a magazine smaller; it may grow again.
    fn shrink(self, class: ClassId, entries: usize) {
        let bin = self.bin(class);
        let old = bin.capacity();
        if old <= entries {
            return;
        }
        self.flush_oldest(class, bin.len().saturating_sub(entries));
        if bin.resize(entries) {
            self.capacities().purse.give((old - entries) * class.block_size());
        }
    }

    /// Once in an epoch: gives back the magazines that lie idle, and room beyond what this thread may have by now.
    pub(super) fn review(self) {
        let epoch = learn::epoch();
        if self.capacities().epoch.replace(epoch) == epoch || !learn::is_on() {
            return;
        }
        self.capacities().losses.set(self.capacities().losses.get() / 2);
        for (class, cell) in ClassId::all().zip(&self.capacities().depths) {
            self.review_class(class, self.bin(class), cell);
        }
    }

    #[cold]
    fn review_class(self, class: ClassId, bin: &Bin, cell: &Cell<Depth>) {
        let mut depth = cell.get();
        if bin.capacity() == 0 {
            depth.forget();
            return cell.set(depth);
        }
        let (busy, idle) = (depth.is_busy(), depth.review(bin.len()));
        cell.set(depth);
        if idle {
            self.flush_oldest(class, usize::MAX);
            if bin.max() > learn::default_depth(class) {
                self.undeepen(class);
            }
        }
        let over = self.capacities().purse.is_over();
        if class.is_big() {
            if idle || over {
                self.close(class);
            }
        } else if idle || over && !busy {
            self.shrink(class, FIRST.min(bin.capacity()));
        } else if over {
            self.shrink(class, (bin.capacity() / 2).max(1));
        }
    }
}
