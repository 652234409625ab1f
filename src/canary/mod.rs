//! Box `canary` (L2): bytes behind a block that nobody may write, and blocks that must be zero.
//! Owns: the process's secret, which lies in `os::sealed`.   Calls: base, os.   Called by: span, superslab, baseline, guard, hardened, abi.   Locks: `MAKING`, once.   Threads: any.   Never: allocates, reports.

mod hash;

use core::sync::atomic::{AtomicU64, Ordering};

use crate::base::addr::Addr;

pub(crate) use hash::{at_once as hash_at_once, make, of as hash};

/// Bytes of a canary.
pub(crate) const CANARY: usize = 8;

/// Blocks that are looked at and zeroed without a call.
pub(crate) const SHORT: usize = 128;

/// How many numbers were drawn.
static DRAWN: AtomicU64 = AtomicU64::new(0);

/// A number that nobody outside can foresee, made of the keys: the kernel need not be asked, which a sandbox may kill for.
pub(crate) fn draw() -> u64 {
    // Relaxed: each number once. No address has the highest bit.
    hash(Addr(DRAWN.fetch_add(1, Ordering::Relaxed) as usize | 1 << 63))
}

/// Bytes that `soon` asks for at most: behind them the processor has seen where this goes.
const SOON: usize = 256;
const LINE: usize = size_of::<[u64; 8]>();

/// The canary of `at`: nobody who has seen some can tell another. Its first byte is 0, so that a string that lost its end shows none of it.
#[inline]
pub(crate) fn value(at: Addr) -> u64 {
    hash(at) << 8
}

/// Fills `room` bytes from `at` on, which are zero: a canary, as much of it as fits, then zeroes.
///
/// # Safety
/// The bytes are the caller's.
#[inline(always)]
pub(crate) unsafe fn set(at: Addr, room: usize) {
    if room >= CANARY {
        // SAFETY: the caller's.
        return unsafe { at.as_ptr::<u64>().write_unaligned(value(at).to_le()) };
    }
    // SAFETY: the caller's.
    unsafe { set_part(at, room) }
}

/// # Safety
/// As for `set`.
#[cold]
#[inline(never)]
unsafe fn set_part(at: Addr, room: usize) {
    let bytes = value(at).to_le_bytes();
    // SAFETY: fewer than 8 bytes, the caller's.
    unsafe { at.as_ptr::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), room) };
}

/// Says that `len` bytes from `at` on will soon be checked or zeroed: blocks come and go cold, and look-ups can go on
/// meanwhile. Touches nothing. 7 % of bench_random_mixed's time at 8192 slots.
#[inline(always)]
pub(crate) fn soon(at: Addr, len: usize) {
    // Of a short one the last line more than once, for a branch would be foreseen in none of many sizes.
    for line in 0..SOON / LINE {
        prefetch(at.offset((line * LINE).min(len - 1)));
    }
}

/// Says that what lies at `at` will soon be looked at.
#[inline(always)]
pub(crate) fn prefetch(at: Addr) {
    let at = at.as_ptr::<i8>();
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: a hint, whatever the address.
    unsafe {
        core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(at);
    }
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    // SAFETY: a hint, whatever the address.
    unsafe {
        core::arch::asm!("prfm pldl1keep, [{}]", in(reg) at, options(readonly, nostack, preserves_flags))
    };
    #[cfg(not(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri))))]
    let _ = at;
}

/// Whether `room` bytes from `at` on, 8 at least, are as `set` left them, where `value` is that of `at`. Up to `NEAR` bytes behind a canary are
/// looked at without a branch.
///
/// # Safety
/// The bytes are the caller's, and those of a block or page to its end, of which 16 can be read.
#[inline(always)]
pub(crate) unsafe fn holds_value<const NEAR: usize>(at: Addr, room: usize, value: u64) -> bool {
    // SAFETY: the caller's.
    let found = unsafe { at.as_ptr::<u64>().read_unaligned() };
    // SAFETY: as above.
    let is_zero = unsafe { is_zero_behind::<NEAR>(at.offset(room), room - CANARY) };
    (found == value.to_le()) & is_zero
}

/// Whether `room` bytes from `at` on are as `set` left them.
///
/// # Safety
/// The bytes are the caller's; where they are 8 or more, the 8 before them can be read.
#[inline]
pub(crate) unsafe fn holds(at: Addr, room: usize) -> bool {
    if room >= CANARY {
        // SAFETY: the caller's.
        return unsafe { holds_value::<PAIR>(at, room, value(at)) };
    }
    let bytes = value(at).to_le_bytes();
    // SAFETY: the caller's.
    let found = unsafe { core::slice::from_raw_parts(at.as_ptr::<u8>(), room) };
    bytes.iter().zip(found).all(|(canary, found)| canary == found)
}

/// Bytes that are looked at together.
const PAIR: usize = size_of::<u128>();

/// Its 16 bytes from `n` on: of 16 bytes, the last `n` are to count.
static LAST: [u8; 2 * PAIR] = {
    let mut bytes = [0; 2 * PAIR];
    let mut at = PAIR;
    while at < bytes.len() {
        bytes[at] = !0;
        at += 1;
    }
    bytes
};

/// Whether the `len` bytes before `end` are all zero: mostly there are few, and at no round address. Of up to `NEAR` as much is read whatever there are,
/// some of it more than once: how many times a loop would turn here no processor foresees.
///
/// # Safety
/// The bytes can be read, and the 16 before `end`.
#[inline(always)]
unsafe fn is_zero_behind<const NEAR: usize>(end: Addr, len: usize) -> bool {
    // SAFETY: the caller's: 16 bytes that end in time.
    let pair = |back: usize| unsafe { Addr(end.0 - back).as_ptr::<u128>().read_unaligned() };
    // SAFETY: 16 bytes of the table.
    let count = unsafe { Addr::of(&LAST).offset(len.min(PAIR)).as_ptr::<u128>().read_unaligned() };
    let most = len.max(PAIR);
    let mut or = pair(PAIR);
    let mut back = 2 * PAIR;
    while back <= NEAR {
        or |= pair(back.min(most));
        back += PAIR;
    }
    while back < len + PAIR {
        or |= pair(back.min(most));
        back += PAIR;
    }
    or & count == 0
}

/// Whether the bytes `from..to` of the block at `at`, 16 or more that end 8 bytes behind them, are all zero: mostly few.
///
/// # Safety
/// The block's bytes can be read.
#[inline(always)]
pub(crate) unsafe fn is_zero_between(at: Addr, from: usize, to: usize) -> bool {
    // SAFETY: the caller's.
    let word = |offset: usize| unsafe { at.offset(offset).as_ptr::<u64>().read_unaligned() }.to_le();
    let len = to - from;
    if len < 8 {
        // The 8 bytes from there on, of which only those that count. Shifted twice: a shift by 64 is none.
        return word(from) << (4 * (8 - len)) << (4 * (8 - len)) == 0;
    }
    let mut or = word(to - 8);
    let mut next = from;
    while next + 8 < to {
        or |= word(next);
        next += 8;
    }
    or == 0
}

/// Whether the block at `at`, of `bytes`, a multiple of 16 up to `SHORT`, is all zero.
///
/// # Safety
/// The block's bytes can be read.
#[inline(always)]
pub(crate) unsafe fn is_zero_short(at: Addr, bytes: usize) -> bool {
    // SAFETY: the caller's.
    let pair = |from: usize| unsafe { at.offset(from).as_ptr::<u128>().read() };
    // From both ends, as `wipe_short`.
    let mut or = pair(0) | pair(bytes - 16);
    if bytes > 32 {
        or |= pair(16) | pair(bytes - 32);
    }
    if bytes > 64 {
        or |= pair(32) | pair(48) | pair(bytes - 64) | pair(bytes - 48);
    }
    or == 0
}

/// Zeroes `len` bytes from `at` on, 8 to `SHORT`, without a call.
///
/// # Safety
/// The bytes are the caller's, and those of a block, which lies at a multiple of 16.
#[inline(always)]
pub(crate) unsafe fn wipe_short(at: Addr, len: usize) {
    // SAFETY: 16 of the bytes.
    let wipe = |from: usize| unsafe { at.offset(from).as_ptr::<[u64; 2]>().write_unaligned([0; 2]) };
    // From both ends, so that they meet: no loop, of which a call would be made.
    if len < 16 {
        // SAFETY: 8 of the bytes.
        return unsafe { at.as_ptr::<u64>().write(0) };
    }
    wipe(0);
    wipe(len - 16);
    if len > 32 {
        wipe(16);
        wipe(len - 32);
    }
    if len > 64 {
        wipe(32);
        wipe(48);
        wipe(len - 64);
        wipe(len - 48);
    }
}

/// Whether `len` bytes from `at` on are all zero.
///
/// # Safety
/// The bytes can be read, and nobody writes them meanwhile but by mistake.
#[inline]
pub(crate) unsafe fn is_zero(at: Addr, len: usize) -> bool {
    const PIECE: usize = 16 * LINE;
    // SAFETY: the caller's; the offset is below `len`.
    let byte = |offset: usize| unsafe { at.as_ptr::<u8>().add(offset).read() };
    if len < LINE {
        return (0..len).all(|offset| byte(offset) == 0);
    }
    // Vector instructions, without a branch between them.
    let mut or = [0; 8];
    let mut look = |offset: usize| {
        // SAFETY: the caller's; a line behind the offset is within `len`.
        let line = unsafe { at.offset(offset).as_ptr::<[u64; 8]>().read_unaligned() };
        or.iter_mut().zip(line).for_each(|(or, word)| *or |= word);
        or
    };
    let is_clear = |or: [u64; 8]| or.iter().fold(0, |sum, word| sum | word) == 0;
    let mut next = 0;
    while next + PIECE <= len {
        let so_far = (0..PIECE / LINE).fold([0; 8], |_, line| look(next + line * LINE));
        if !is_clear(so_far) {
            return false;
        }
        next += PIECE;
    }
    while next + LINE <= len {
        look(next);
        next += LINE;
    }
    // It may overlap the one before.
    is_clear(look(len - LINE))
}

/// The first of `len` bytes from `at` on that is not zero.
///
/// # Safety
/// As for `is_zero`.
#[inline(never)] // for the stack: who looks is deep down
pub(crate) unsafe fn written(at: Addr, len: usize) -> Option<Addr> {
    // SAFETY: the caller's.
    if unsafe { is_zero(at, len) } {
        return None;
    }
    // SAFETY: as above.
    (0..len).map(|offset| at.offset(offset)).find(|byte| unsafe { byte.as_ptr::<u8>().read() } != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_drawn_differ_in_half_of_their_bits() {
        let differ: u32 = (0..256).map(|_| (draw() ^ draw()).count_ones()).sum();
        // 256 times 32, by six standard deviations.
        assert!((7800..8600).contains(&differ), "{differ}");
    }

    #[test]
    fn every_byte_between_is_looked_at() {
        for (len, byte) in (0..60).flat_map(|len| (0..100).map(move |byte| (len, byte))) {
            let mut bytes = [0u8; 128];
            bytes[byte] = 1;
            let (at, from) = (Addr::of(bytes.as_ptr()), 24);
            // SAFETY: within `bytes`.
            let zero = unsafe { is_zero_between(at, from, from + len) };
            assert_eq!(zero, !(from..from + len).contains(&byte), "{len} {byte}");
        }
    }

    #[test]
    fn zero_is_every_byte_of_any_length() {
        for len in (0..200).chain([1024, 1040, 2047, 4096]) {
            let mut bytes = std::vec![0u8; len + 2];
            let at = Addr::of(bytes.as_ptr()).offset(1);
            // SAFETY: within `bytes`; so below.
            assert!(unsafe { is_zero(at, len) });
            let mut set = |byte: usize, to| bytes[byte] = to;
            for byte in 0..len + 2 {
                set(byte, 1 << (byte % 8));
                // SAFETY: as above.
                assert_eq!(unsafe { is_zero(at, len) }, byte == 0 || byte > len, "{len} {byte}");
                // SAFETY: as above.
                let found = unsafe { written(at, len) }.map(|found| found.since(at) + 1);
                assert_eq!(found, (1..=len).contains(&byte).then_some(byte), "{len}");
                set(byte, 0);
            }
        }
    }

    #[test]
    fn short_blocks_are_wiped_and_looked_at_to_their_end_and_no_further() {
        for len in (8..=SHORT).step_by(8) {
            let mut room = [u64::MAX; SHORT / 8 + 2];
            // SAFETY: within `room`; so below.
            unsafe { wipe_short(Addr::of(&room), len) };
            assert!(room.iter().take(len / 8).all(|&word| word == 0), "{len}");
            assert!(room.iter().skip(len / 8).all(|&word| word == u64::MAX), "{len}");
            // SAFETY: as above.
            let is_zero = |room: &[u64], len| unsafe { is_zero_short(Addr::of(room.as_ptr()), len) };
            if len % 16 == 0 {
                assert!(is_zero(&room, len) && !is_zero(&room, len + 16));
                for word in 0..len / 8 {
                    room[word] = 1 << (word * 5 % 64);
                    assert!(!is_zero(&room, len), "{len} {word}");
                    room[word] = 0;
                }
            }
        }
    }

    #[test]
    fn every_byte_of_the_room_is_watched() {
        for room in 0..104 {
            for start in 8..24 {
                let mut bytes = [0u8; 128];
                let at = Addr::of(bytes.as_ptr()).offset(start);
                // SAFETY: within `bytes`.
                unsafe { set(at, room) };
                // SAFETY: as above.
                assert!(unsafe { holds(at, room) });
                for offset in 0..room {
                    let changed = bytes[start + offset] ^ 1;
                    let old = std::mem::replace(&mut bytes[start + offset], changed);
                    // SAFETY: as above.
                    assert!(!unsafe { holds(at, room) }, "{room} {start} {offset}");
                    bytes[start + offset] = old;
                }
            }
        }
    }
}
