//! Blocks with `HAKMEM_HARDENED=light`. They come from the magazines as ever, and stay there when freed; nothing is held back or chosen at
//! random. All that is to be known of one is the last word of its memory:
//!
//! | last word                        | means                                                          |
//! |----------------------------------|----------------------------------------------------------------|
//! | 0                                | free, and all of it is zero                                    |
//! | `(hash(address) >> 8 ^ slack) << 8` | the program's, up to `slack` bytes before the end; the bytes between are zero |
//!
//! One load and one hash tell so whether a block of the class starts here, whether it is live, how much of it is the program's, and whether
//! anybody wrote over its end. The word can't be made up: 38 bits of it are the hash. It begins with a 0: no string runs through it.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::base::addr::{Addr, GRANULE, GRANULE_SHIFT};
use crate::canary;
use crate::class::{self, ClassId, MID_MAX};
use crate::os::{Defect, die, die_sized};
use crate::page_map;
use crate::span;
use crate::trace;

pub(crate) use crate::canary::SHORT;

/// Bytes of the last word: the least that is behind what was asked for.
const WORD: usize = size_of::<u64>();
/// The largest blocks; what does not fit lies in a mapping of its own, closed pages behind it.
const MOST: usize = 128 << 10;

/// A block that the program holds, or says it does.
#[derive(Clone, Copy)]
struct Block {
    at: Addr,
    bytes: usize,
}

/// What a block's last word says that it does not say of a live one.
enum Wrong {
    /// No block starts there.
    Interior,
    Free,
    /// Somebody wrote over its end.
    Broken,
    /// A block from before the options were read, which has no such word.
    Plain,
}

/// What to say of a block that is not as it should be.
struct Words {
    interior: Defect,
    freed: Defect,
    overflow: Defect,
}

const FREEING: Words =
    Words { interior: Defect::FREE_INTERIOR, freed: Defect::FREE_TWICE, overflow: Defect::FREE_OVERFLOW };
const RESIZING: Words =
    Words { interior: Defect::REALLOC_INTERIOR, freed: Defect::REALLOC_FOREIGN, overflow: Defect::REALLOC_OVERFLOW };
const EXPANDING: Words =
    Words { interior: Defect::EXPAND_INTERIOR, freed: Defect::EXPAND_FOREIGN, overflow: Defect::EXPAND_OVERFLOW };

impl Block {
    /// The block before this one, which ends where this begins; `None` where a span may begin.
    #[inline(always)]
    fn before(self) -> Option<Block> {
        (!self.at.is_aligned(GRANULE))
            .then(|| Block { at: Addr(self.at.0.wrapping_sub(self.bytes)), bytes: self.bytes })
    }

    /// Whether nobody wrote over the end of the block before this one, a live one that starts there: its last word, which changes in one
    /// step at any time, is as one is.
    #[inline(always)]
    fn is_clear_before(self) -> bool {
        let Some(before) = self.before() else { return true };
        before.word().load(Ordering::Relaxed) == 0 || before.slack().is_some() || self.is_first_or_plain()
    }

    #[cold]
    #[inline(never)]
    fn is_first_or_plain(self) -> bool {
        // A slack read while the word changed is that of one or of the other.
        self.before().is_none_or(|before| {
            !span::starts_block(before.at)
                || span::is_plain(before.at)
                || before.word().load(Ordering::Relaxed) == 0
                || before.slack().is_some()
        })
    }

    #[inline(always)]
    fn word(self) -> &'static AtomicU64 {
        // SAFETY: the last aligned word of a block that a span holds (`reaches` for what the program claims): mapped, and only ever used so.
        unsafe { &*self.at.offset(self.bytes - WORD).as_ptr::<AtomicU64>() }
    }

    /// The bytes behind what was asked for, if the word is that of a live block.
    #[inline(always)]
    fn slack(self) -> Option<usize> {
        self.slack_by(canary::hash(self.at))
    }

    /// The same, by the hash of its address.
    #[inline(always)]
    fn slack_by(self, hash: u64) -> Option<usize> {
        // Relaxed, here and below: the word is the block's, and travels with it.
        let word = u64::from_le(self.word().load(Ordering::Relaxed));
        // The byte that is 0 comes out on top.
        let slack = (word.rotate_right(8) ^ hash >> 8) as usize;
        (slack.wrapping_sub(WORD) <= self.bytes - WORD).then_some(slack)
    }

    /// Whether a block may start here: nothing of it lies where nothing is mapped.
    #[inline(always)]
    fn reaches(self) -> bool {
        let last = self.at.0 + self.bytes - 1;
        self.at.is_aligned(16) && ((self.at.0 ^ last) >> GRANULE_SHIFT == 0 || span::starts_block(self.at))
    }

    /// What the program may use of it, all checked.
    #[inline(always)]
    fn held(self) -> Result<usize, Wrong> {
        if !self.reaches() {
            return Err(Wrong::Interior);
        }
        match self.slack() {
            // SAFETY: what lies between the program's bytes and the word, the block's own.
            Some(slack) if unsafe { canary::is_zero_between(self.at, self.bytes - slack, self.bytes - WORD) } => {
                Ok(self.bytes - slack)
            }
            _ => Err(self.wrong()),
        }
    }

    #[cold]
    #[inline(never)]
    fn wrong(self) -> Wrong {
        if !span::starts_block(self.at) {
            Wrong::Interior
        } else if span::is_plain(self.at) {
            Wrong::Plain
        } else if self.word().load(Ordering::Relaxed) == 0 {
            Wrong::Free
        } else {
            Wrong::Broken
        }
    }

    /// The program's bytes, or how many there are of a plain block. Ends the process where none is live.
    #[inline(always)]
    fn claim(self, words: &Words) -> Result<usize, usize> {
        self.held().map_err(|wrong| self.accuse(&wrong, words))
    }

    #[cold]
    #[inline(never)]
    fn accuse(self, wrong: &Wrong, words: &Words) -> usize {
        match wrong {
            Wrong::Plain => self.bytes,
            Wrong::Interior => die(words.interior, self.at),
            Wrong::Free => die(words.freed, self.at),
            Wrong::Broken => {
                let size = self.slack().map_or(self.bytes - WORD, |slack| self.bytes - slack);
                die_sized(words.overflow, size, self.at)
            }
        }
    }

    /// Makes it end after `size` bytes.
    #[inline(always)]
    fn close(self, size: usize) {
        self.close_by(canary::hash(self.at), size);
    }

    /// The same, by the hash of its address.
    #[inline(always)]
    fn close_by(self, hash: u64, size: usize) {
        let slack = (self.bytes - size) as u64;
        self.word().store(((hash >> 8 ^ slack) << 8).to_le(), Ordering::Relaxed);
    }
}

/// Where the bin of a block for `size` bytes lies in a heap; `None`: of none, or above a granule.
#[inline(always)]
pub(crate) fn small_bin_offset(size: usize) -> Option<usize> {
    (size.wrapping_sub(1) < MID_MAX - WORD).then(|| class::small_bin_offset(size + WORD))
}

/// The class of a block for `size` bytes at a multiple of `align`; `None`: it is a large block.
#[inline(always)]
pub(crate) fn class_for(size: usize, align: usize) -> Option<ClassId> {
    if size > MOST - WORD {
        return None;
    }
    let bytes = size.max(1) + WORD;
    if align <= 16 {
        ClassId::of(bytes)
    } else {
        ClassId::aligned(bytes, align).filter(|class| class.block_size() <= MOST)
    }
}

/// Makes a free block of `bytes` the program's, `size` of them.
#[inline(always)]
pub(crate) fn hand_out(at: Addr, bytes: usize, size: usize) {
    let block = Block { at, bytes };
    // SAFETY: a free block that is this thread's alone.
    let first = unsafe { at.as_ptr::<u64>().read() };
    if first | block.word().load(Ordering::Relaxed) != 0 {
        die_sized(Defect::MALLOC_STALE, bytes, at);
    }
    block.close(size.max(1));
    trace::on_alloc(at);
}

/// The same of a block for one byte at least, if nothing else is to be done, nor said, of it; `false`: all is as before. No call in it: who does no more
/// needs no frame.
#[inline(always)]
pub(crate) fn try_hand_out(at: Addr, bytes: usize, size: usize) -> bool {
    let block = Block { at, bytes };
    let Some(hash) = canary::hash_at_once(at) else { return false };
    // SAFETY: a free block that is this thread's alone.
    let first = unsafe { at.as_ptr::<u64>().read() };
    let clean = first | block.word().load(Ordering::Relaxed) == 0 && !trace::is_on();
    if clean {
        block.close_by(hash, size);
    }
    clean
}

/// The same, looked at to its end: for who trusts it to be zero.
#[inline]
pub(crate) fn hand_out_zero(at: Addr, bytes: usize, size: usize) {
    // SAFETY: a free block that is this thread's alone.
    if !unsafe { canary::is_zero(at, bytes) } {
        die_sized(Defect::MALLOC_STALE, bytes, at);
    }
    hand_out(at, bytes, size);
}

/// The same of a block of whatever class, which may be from before the options were read.
#[cold]
pub(crate) fn hand_out_any(at: Addr, size: usize) {
    let bytes = ClassId::from_index(page_map::tag(at).class_index()).block_size();
    if span::is_plain(at) {
        // SAFETY: a free block that is this thread's alone.
        unsafe { at.as_ptr::<u8>().write_bytes(0, bytes) };
    }
    hand_out(at, bytes, size);
}

/// Ends the program's hold of the block at `at`, of `class`, or the process. `said`: the size that the program gave.
#[inline(always)]
pub(crate) fn retire(at: Addr, class: ClassId, said: Option<usize>) {
    let block = Block { at, bytes: class.block_size() };
    match block.claim(&FREEING) {
        Ok(size) => {
            if said.is_some_and(|said| said.max(1) != size) {
                die_sized(Defect::FREE_SIZE, size, at);
            }
            if !block.is_clear_before() {
                die_sized(Defect::FREE_UNDERFLOW, size, at);
            }
            trace::on_free(at);
            block.word().store(0, Ordering::Relaxed);
            // SAFETY: a block that was the program's and now is ours; what is behind is zero.
            unsafe { at.as_ptr::<u8>().write_bytes(0, size) };
        }
        // SAFETY: as above, all of it.
        Err(bytes) => unsafe { at.as_ptr::<u8>().write_bytes(0, bytes) },
    }
}

/// What `retire` looks at, where that takes no call: how many bytes the program has of a live block that all is well with, `said` included. `None`: `retire`
/// is to look.
#[inline(always)]
pub(crate) fn look(at: Addr, bytes: usize, said: Option<usize>) -> Option<usize> {
    let block = Block { at, bytes };
    if !at.is_aligned(16) || (at.0 ^ (at.0 + bytes - 1)) >> GRANULE_SHIFT != 0 || trace::is_on() {
        return None;
    }
    let size = bytes - block.slack_by(canary::hash_at_once(at)?)?;
    // SAFETY: as in `held`.
    let whole = unsafe { canary::is_zero_between(at, size, bytes - WORD) };
    if !whole || said.is_some_and(|said| said.max(1) != size) {
        return None;
    }
    if let Some(before) = block.before() {
        if before.word().load(Ordering::Relaxed) != 0 {
            before.slack_by(canary::hash_at_once(before.at)?)?;
        }
    }
    Some(size)
}

/// Ends the program's hold of a block that `look` found to be well, of `SHORT` bytes at most.
#[inline(always)]
pub(crate) fn retire_short(at: Addr, bytes: usize) {
    Block { at, bytes }.word().store(0, Ordering::Relaxed);
    // SAFETY: all but the last word of a block, which was the program's and is ours.
    unsafe { canary::wipe_short(at, bytes - WORD) };
}

/// The same of `bytes`, of which the program had `size`.
#[inline(always)]
pub(crate) fn retire_long(at: Addr, bytes: usize, size: usize) {
    Block { at, bytes }.word().store(0, Ordering::Relaxed);
    // SAFETY: a block that was the program's and now is ours; what is behind is zero.
    unsafe { at.as_ptr::<u8>().write_bytes(0, size) };
}

/// Bytes that the program may use of the block at `at`. `None`: no live one starts there.
pub(crate) fn usable(at: Addr, class: ClassId) -> Option<usize> {
    let block = Block { at, bytes: class.block_size() };
    match block.held() {
        Ok(size) => Some(size),
        Err(Wrong::Plain) => Some(block.bytes),
        // For its free to report.
        Err(Wrong::Broken) => block.slack().map(|slack| block.bytes - slack),
        Err(_) => None,
    }
}

/// Makes the block at `at` hold `size` bytes where it is. Otherwise says how many it holds.
pub(crate) fn resize(at: Addr, class: ClassId, size: usize) -> Result<(), usize> {
    let block = Block { at, bytes: class.block_size() };
    let old = block.claim(&RESIZING)?;
    if class_for(size, 1) != Some(class) {
        return Err(old);
    }
    block.move_end(old, size);
    Ok(())
}

/// Makes the block at `at`, which the program holds, end after `most` bytes, or as many as there are of it, `least` at least. Says how many.
pub(crate) fn expand(at: Addr, class: ClassId, least: usize, most: usize) -> Option<usize> {
    let block = Block { at, bytes: class.block_size() };
    let old = block.claim(&EXPANDING).ok()?;
    let new = most.min(block.bytes - WORD).max(old);
    if new < least {
        return None;
    }
    block.move_end(old, new);
    Some(new)
}

/// Makes the block at `at`, which `resize` looked at, end after `size` bytes, no more than it has.
pub(crate) fn cut(at: Addr, class: ClassId, size: usize) {
    let block = Block { at, bytes: class.block_size() };
    if let Ok(old) = block.held() {
        block.move_end(old, size);
    }
}

impl Block {
    fn move_end(self, old: usize, new: usize) {
        let new = new.max(1);
        if new < old {
            // SAFETY: what the program gives up.
            unsafe { self.at.as_ptr::<u8>().add(new).write_bytes(0, old - new) };
        }
        self.close(new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_block_is_wiped_to_its_end_and_no_further() {
        for bytes in (16..=SHORT).step_by(16) {
            let mut room = [u64::MAX; SHORT / WORD + 1];
            retire_short(Addr::of(&room), bytes);
            let words = bytes / WORD;
            assert!(room.iter_mut().take(words).all(|word| *word == 0), "{bytes}");
            assert!(room.iter().skip(words).all(|&word| word == u64::MAX), "{bytes}");
        }
    }
}
